#!/usr/bin/env bash
# Plays the scenarios that need Docker, or those that are named, one after the other, and says what came of each. It fails
# when one has another exit code than 0, which for these scenarios also says that the loss they are to find was found, or
# when one leaves something behind in Docker. The result of every run is kept in out/scenarios-docker.
set -euo pipefail
cd "$(dirname "$0")/.."
limit=${LIMIT:-300} # seconds for one scenario; each takes less than two minutes on a machine by itself
out=out/scenarios-docker
if [ $# = 0 ]; then
	for file in $(grep -l '^tags: \[docker' scenarios/*.yaml); do
		set -- "$@" "$(basename "$file" .yaml)"
	done
fi
rm -rf "$out"
mkdir -p "$out"
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
go build -o "$bin/fleetproof" ./cmd/fleetproof

# value NAME KEY is a string or a counter of a run's result, or - where there is none.
value() {
	local found
	found=$(sed -n "s/^ *\"$2\": \"\{0,1\}\([0-9a-f]*\)\"\{0,1\},*\$/\1/p" "$out/$1/result.json" 2>/dev/null | head -n 1)
	echo "${found:--}"
}

# remains RUN counts the containers, networks and volumes of a run that are still there.
remains() {
	[ "$1" != - ] || set -- ''
	{
		docker ps -aq --filter "label=fleetproof.run=$1"
		docker network ls -q --filter "label=fleetproof.run=$1"
		docker volume ls -q --filter "label=fleetproof.run=$1"
	} | wc -l
}

# shown NAME METRIC is what the report shows of the first expectation about a metric.
shown() {
	local found
	found=$(awk -v metric="$2" '$2 == metric || index($2, metric ".") == 1 {
		for (i = NF; i > 2; i--) if ($i ~ /^[0-9.]+(µs|ms|s)$/ && ++seen == 2) { print $i; exit }
	}' "$out/$1.txt")
	echo "${found:--}"
}

wrong=0
row='%-20s %4s %5s %6s %9s %8s %9s %8s %8s %5s\n'
summary=$(printf "$row" scenario exit took load acked lost truncated gap recovery left)
for name in "$@"; do
	printf '\n== %s (%s)\n' "$name" "$(date +%T)"
	began=$SECONDS code=0
	timeout --signal=INT --kill-after=60 "$limit" \
		"$bin/fleetproof" run "$name" --quiet --out "$out/$name" >"$out/$name.txt" 2>"$out/$name.err" || code=$?
	took=$((SECONDS - began)) left=$(remains "$(value "$name" run)")
	if [ "$code" != 0 ] || [ "$left" != 0 ]; then
		wrong=1
		cat "$out/$name.txt" "$out/$name.err"
	else
		head -n 1 "$out/$name.txt"
	fi
	summary+=$'\n'$(printf "$row" "$name" "$code" "${took}s" "$(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo -)" \
		"$(value "$name" acked)" "$(value "$name" acked_lost)" "$(value "$name" truncated)" \
		"$(shown "$name" availability_gap)" "$(shown "$name" recovery_time)" "$left")
done
printf '\n%s\n' "$summary"
exit "$wrong"
