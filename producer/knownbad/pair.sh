#!/usr/bin/env bash
# Plays known-bad with Sarama v1.47.0, which must lose acknowledged records, and with the client in use, which must keep
# every promise, and says what came of it. It fails where one of the two does not do so: then either the harness has gone
# blind, or the client in use is bad too. Arguments go to both runs, such as --set broker.kind=embedded.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=out/known-bad
rm -rf "$out"
mkdir -p "$out"
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
go build -o "$bin/fleetproof" ./cmd/fleetproof
go -C producer/knownbad build -o "$bin/knownbad" .

# play NAME COMMAND… writes a run to $out/NAME, and its exit code beside it.
play() {
	local name=$1 code=0
	shift
	printf '\n== %s\n' "$name"
	"$@" || code=$?
	echo "$code" >"$out/$name.exit"
}

# count NAME METRIC is a counter of a run, or 0 where there was no result.
count() {
	local n
	n=$(sed -n "s/^ *\"$2\": \([0-9][0-9]*\),*\$/\1/p" "$out/$1/result.json" 2>/dev/null | head -n 1)
	echo "${n:-0}"
}

# version NAME is the version of Sarama that the run itself reports.
version() { sed -n 's/^ *"sarama": "\(.*\)",*$/\1/p' "$out/$1/result.json" 2>/dev/null; }

# tell NAME says in one line what a run came to.
tell() {
	printf '  %-8s sarama %-8s exit %s: %s acknowledged, %s of them not in the log; %s unknown; %s duplicates\n' \
		"$1" "$(version "$1")" "$(cat "$out/$1.exit")" "$(count "$1" acked)" "$(count "$1" acked_lost)" \
		"$(count "$1" unknown)" "$(count "$1" duplicates)"
}

play bad "$bin/knownbad" run known-bad --quiet --out "$out/bad" "$@"
play current "$bin/fleetproof" run known-bad --quiet --out "$out/current" "$@"

printf '\n== known-bad\n'
tell bad
tell current
wrong=0
if [ "$(version bad)" != v1.47.0 ] || [ "$(cat "$out/bad.exit")" != 1 ] || [ "$(count bad acked_lost)" = 0 ]; then
	echo "  NOT SHOWN: v1.47.0 should have failed with acknowledged records lost"
	wrong=1
fi
if [ "$(cat "$out/current.exit")" != 0 ]; then
	echo "  NOT SHOWN: the client in use should have passed"
	wrong=1
fi
if [ "$wrong" = 0 ]; then
	echo "  shown: the same load and the same lost answers find the bad client out, and pass the one in use"
fi
exit "$wrong"
