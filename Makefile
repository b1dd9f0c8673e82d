# Every target says what it does: `make` prints the list.

GO       ?= go
LINT     := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
PACKAGES := $(shell $(GO) list ./... | grep -v /cmd)
DURATION ?= 10m
RATE     ?= 20000/s
DEVICES  ?= 10000
EVERY    ?= 1m
BROKER   ?= embedded
ROUNDS   ?= 5
MEASURE  ?= 60s
COMPARE  ?= -rounds 5 $(shell docker info >/dev/null 2>&1 && echo -docker || echo "real brokers are left out: docker info fails" >&2)

.DEFAULT_GOAL := help
.PHONY: help check test modules race cover lint format update profile bench bench-throughput bench-scale demo soak known-bad scenarios-docker compare-clients

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

check: format lint test ## what a commit must pass: format, vet, lint and tests

test: ## go test ./...
	$(GO) test ./...

MODULES := producer/knownbad producer/kafkago producer/confluent producer/compare testdata/outside
PROGRAMS := ./testdata/throughput ./testdata/control

modules: ## vet and test what ./... leaves out: other clients, their comparison, a user's own module, the programs of the benchmarks
	@for module in $(MODULES); do echo "$$module"; (cd $$module && $(GO) vet ./... && $(GO) test ./...) || exit 1; done
	$(GO) vet $(PROGRAMS) && $(GO) test $(PROGRAMS)

race: ## the tests under the race detector, but for those with Docker and the shipped features, whose objectives it would decide
	$(GO) test -race -short -skip '^TestShipped$$' ./...

cover: ## statement coverage outside cmd; fails below 90 %
	$(GO) test -coverpkg=$$(echo $(PACKAGES) | tr ' ' ,) -coverprofile=cover.out $(PACKAGES)
	@$(GO) tool cover -func=cover.out | awk '/^total:/ {print "coverage of statements outside cmd:", $$3; exit ($$3 + 0 < 90)}'

format: ## fail where gofmt would change a file
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }

lint: ## go vet and golangci-lint
	$(GO) vet ./...
	$(LINT) run

update: ## rewrite every golden file, the JSON schema and the reference of steps
	FLEETPROOF_UPDATE=1 $(GO) test ./...

profile: ## measure anew what is hot, for the compiler: cmd/fleetproof/default.pgo
	$(GO) run ./testdata/throughput -rates 100000,150000 -for 30s -profile cmd/fleetproof/default.pgo

bench: ## micro benchmarks of generator, ledger and pacing
	$(GO) test -run '^$$' -bench . -benchmem ./generator ./assertions ./producer/... ./harness/...

bench-throughput: ## fleetproof against a control that verifies nothing, by turns: ROUNDS of MEASURE each, on BROKER
	$(GO) run ./testdata/throughput -broker $(BROKER) -rounds $(ROUNDS) -for $(MEASURE)

bench-scale: ## processor time and memory over devices, rate and partitions
	$(GO) run ./testdata/throughput -scale -broker $(BROKER) -rounds $(ROUNDS) -for $(MEASURE)

demo: ## the main job: play the quickstart and judge it
	$(GO) run ./cmd/fleetproof run scenarios/quickstart.yaml

soak: ## play the soak for DURATION at RATE with DEVICES devices, hurt once EVERY so often; its evidence is in out/soak
	$(GO) run ./cmd/fleetproof run soak --out out/soak \
		--set load.stages.hold.for=$(DURATION) --set load.stages.hold.rate=$(RATE) --set load.stages.warmup.rate=$(RATE) \
		--set fleets.climate.devices=$(DEVICES) --set faults.lost-acks.repeat.every=$(EVERY)

known-bad: ## play known-bad with Sarama v1.47.0, which must fail it, and with the current one, which must pass
	producer/knownbad/pair.sh $(KNOWN_BAD)

scenarios-docker: ## play every scenario that needs Docker, or SCENARIOS, and say what came of each
	scenarios/docker.sh $(SCENARIOS)

compare-clients: ## play the same with Sarama, franz-go, confluent-kafka-go and kafka-go; COMPARE='-rounds 1' for a first look
	@mkdir -p out
	$(GO) -C producer/compare build -o ../../out/fleetproof-clients ./clients
	$(GO) -C producer/compare build -o ../../out/compare-clients-program .
	rm -rf out/compare-clients
	@trap : INT; out/compare-clients-program -binary out/fleetproof-clients $(COMPARE) > out/compare-clients.new; code=$$?; \
		cat out/compare-clients.new; test $$code = 0 && mv out/compare-clients.new out/compare-clients.md
