#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kt-assert against jq on a large stats file: tests/bench/assert_vs_jq.sh [MEGABYTES], 100 by default.
# jq computes one of the checks (the spread of each cgroup), kt-assert does all that are on by default.
# Three runs of each, taking turns; medians. Exits 1 when kt-assert is not 3 times as fast, or takes more than
# 3 times the file's size in memory, or when the two disagree.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PATH=${KT_BIN:-$root/bin}:$PATH
megabytes=${1:-100}
runs=3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# The same file each time: workers of 64 cgroups, with figures from a small linear congruence.
generate() {
	awk -v size="$((megabytes * 1000000))" '
		function rnd(n) { x = (x * 1103515245 + 12345) % 2147483648; return int(x / 64) % n }
		BEGIN {
			x = 7
			printf "{\"schema\":\"kt-stats/1\",\"scenario\":\"bench\",\"kernel\":\"7.3.4\",\"topology\":\"1n16l8c1t\","
			printf "\"sched\":null,\"seed\":7,\"cpus\":\"0-127\",\"confinement\":\"cpuset\",\"duration_ns\":20000000000,"
			printf "\"wall_ns\":20000000000,\"exit\":\"completed\",\"errors\":[],\"cgroups\":["
			for (i = 0; i < 64; i++)
				printf "%s{\"name\":\"cg_%d\",\"index\":%d,\"cpuset\":null,\"wake_latency\":null}", i ? "," : "", i, i
			printf "],\"steps\":[],\"workers\":["
			for (n = 0; written < size; n++) {
				cg = n % 64
				line = sprintf("%s{\"tid\":%d,\"comm\":\"worker\",\"cgroup\":\"cg_%d\",\"cgroup_index\":%d," \
					"\"work\":\"spin-wait\",\"work_units\":%d,\"iterations\":%d,\"wall_ns\":20000000000," \
					"\"cpu_ns\":%d,\"off_cpu_pct\":%.3f,\"run_delay_ns\":%d,\"timeslices\":%d," \
					"\"voluntary_switches\":%d,\"involuntary_switches\":%d,\"migrations\":%d," \
					"\"cpus_used\":\"%d-%d\",\"cpus_allowed\":\"0-127\",\"isolation_violations\":0," \
					"\"max_gap_ns\":%d,\"max_gap_cpu\":%d,\"max_gap_at_ns\":%d,\"wake_latency\":null," \
					"\"numa_pages\":{\"0\":%d},\"numa_pages_migrated\":0,\"exit\":\"completed\"}", n ? "," : "",
					1000 + n, cg, cg, 1 + rnd(1000000), 1 + rnd(1000000), 1 + rnd(20000000000), rnd(14000) / 1000,
					rnd(1000000000), rnd(10000), rnd(1000), rnd(1000), rnd(100), 2 * cg, 2 * cg + 1,
					rnd(1900000000), 2 * cg, rnd(20000000000), rnd(4096))
				written += length(line)
				printf "%s", line
			}
			print "]}"
		}'
}

# timed NAME COMMAND...: append the wall time in milliseconds to NAME.ms and the peak memory in KiB to NAME.kib.
timed() {
	local name=$1 start end
	shift
	start=${EPOCHREALTIME/./}
	/usr/bin/time -q -f %M -a -o "$dir/$name.kib" "$@" >"$dir/$name.out" || [ $? -eq 1 ]
	end=${EPOCHREALTIME/./}
	echo $(((end - start) / 1000)) >>"$dir/$name.ms"
}

median() {
	sort -n "$1" | sed -n "$((runs / 2 + 1))p"
}

# shellcheck disable=SC2016  # the dollars are jq's
spread_program='reduce .workers[] as $w ([]; .[$w.cgroup_index] |= (
	if . == null then [$w.off_cpu_pct, $w.off_cpu_pct]
	elif $w.off_cpu_pct < .[0] then .[0] = $w.off_cpu_pct
	elif $w.off_cpu_pct > .[1] then .[1] = $w.off_cpu_pct
	else . end)) | map(.[1] - .[0]) | max'

generate >"$dir/stats.json"
size_kib=$(($(stat -c %s "$dir/stats.json") / 1024))
for ((i = 0; i < runs; i++)); do
	timed kt-assert kt-assert --format json "$dir/stats.json"
	timed jq jq "$spread_program" "$dir/stats.json"
done

ours=$(median "$dir/kt-assert.ms")
theirs=$(median "$dir/jq.ms")
peak=$(median "$dir/kt-assert.kib")
printf 'kt-assert on %d MB of stats: median %d ms, jq (%s) %d ms: %s times as fast (at least 3 wanted)\n' \
	"$megabytes" "$ours" "$(jq --version)" "$theirs" "$(awk "BEGIN { printf \"%.1f\", $theirs / $ours }")"
printf 'kt-assert peak memory: %d KiB, %s times the file (at most 3 wanted; jq took %d KiB)\n' \
	"$peak" "$(awk "BEGIN { printf \"%.2f\", $peak / $size_kib }")" "$(median "$dir/jq.kib")"

awk -v a="$(jq '.stats.worst_spread_pct' "$dir/kt-assert.out")" -v b="$(cat "$dir/jq.out")" \
	'BEGIN { d = a - b; if (d < 0) d = -d; exit !(d < 1e-6) }' ||
	{ echo "the two disagree about the worst spread" >&2; exit 1; }
((theirs >= 3 * ours && peak <= 3 * size_kib))
