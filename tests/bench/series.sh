#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kt-assert over a long series: tests/bench/series.sh [MEGABYTES], 1000 by default. Eight patterns over snapshots of
# about 10 kB each, one a line, in one pass. Exits 1 when it takes 64 MB of memory or more, or when its verdict is
# not what the series was made to have. jq reads the first 100 MB for comparison.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PATH=${KT_BIN:-$root/bin}:$PATH
megabytes=${1:-1000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# The same series each time. One line of it is as long as a hundred others.
generate() {
	awk -v size="$((megabytes * 1000000))" '
		BEGIN {
			for (i = 0; i < 100; i++)
				tasks = tasks sprintf(",{\"key\":{\"pid\":%d},\"value\":{\"runtime_ns\":%d,\"name\":\"task-%d\"," \
					"\"weight\":100,\"slice\":20000000}}", i, i * 977, i)
			for (n = 0; written < size; n++) {
				many = tasks
				if (n == 100)
					for (i = 0; i < 100; i++)
						many = many tasks
				line = sprintf("{\"t_ns\":%.0f,\"var\":{\"nr\":%d,\"level\":%d,\"ok\":true},\"map\":{\"tasks\":[" \
					"{\"value\":{\"runtime_ns\":%d},\"key\":{\"pid\":1097}}", n * 1000000, n, 100 + n % 3, n * 5) \
					many "]},\"cpu\":[{\"nr\":1},{\"nr\":2}]}"
				written += length(line) + 1
				print line
			}
		}'
}

generate >"$dir/series.jsonl"
size=$(stat -c %s "$dir/series.jsonl")
start=${EPOCHREALTIME/./}
/usr/bin/time -f %M -o "$dir/kib" kt-assert --series "$dir/series.jsonl" --nondecreasing var.nr \
	--strictly-increasing 'map.tasks[pid=1097].runtime_ns' --rate-within var.nr:1:1 --steady-within var.level:1s:2 \
	--converges-to 'cpu[1].nr:2:0:1s' --always-true var.ok --ratio-within 'cpu[0].nr:cpu[1].nr:0.5:0.5' \
	--each 'map.tasks[pid=42].slice:eq:20000000'
ours=$(((${EPOCHREALTIME/./} - start) / 1000))
head -c 100000000 "$dir/series.jsonl" | head -n -1 >"$dir/part.jsonl"
start=${EPOCHREALTIME/./}
jq -n 'reduce inputs as $s ([0, true]; [$s.var.nr, .[1] and $s.var.nr >= .[0]]) | .[1]' "$dir/part.jsonl" >"$dir/jq.out"
theirs=$(((${EPOCHREALTIME/./} - start) / 1000))
peak=$(cat "$dir/kib")
awk -v size="$size" -v ms="$ours" -v kib="$peak" -v jq_size="$(stat -c %s "$dir/part.jsonl")" -v jq_ms="$theirs" 'BEGIN {
	printf "kt-assert --series, %d MB: %d MB/s with eight patterns (jq with one of them: %d MB/s)\n",
		size / 1e6, size / 1e3 / ms, jq_size / 1e3 / jq_ms
	printf "peak memory: %.1f MB (below 64 wanted)\n", kib * 1024 / 1e6 }'
((peak * 1024 < 64000000))
