#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timer-latency against cyclictest (Debian's rt-tests): both sleep to absolute times 1 ms apart,
# SCHED_FIFO 80, on the same CPU, in many short turns, for what else goes on at the machine changes
# from second to second; median and p99 of each round, then the medians of those.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

ROUNDS=${ROUNDS:-25}
cpu=$(($(nproc) - 1))

command -v cyclictest >/dev/null || {
	echo "timer-latency: skipped: no cyclictest (Debian package rt-tests)"
	exit 0
}

# "MEDIAN P99" in us from its histogram of nanoseconds; what it asks of the CPUs' idle states is
# what anybody gets.
cyclictest_once() {
	cyclictest -q -N -m -t 1 -a "$cpu" -p 80 --policy=fifo -i 1000 -l 1000 \
		--latency=1000000000 -h 1000000 2>/dev/null |
		awk '/^[0-9]/ && $2 > 0 { v[++n] = $1 + 0; c[n] = $2; total += $2 }
			END { for (i = 1; i <= n; i++) { sum += c[i]
				if (!p50 && sum >= total * 0.5) p50 = v[i]
				if (!p99 && sum >= total * 0.99) p99 = v[i] }
				print p50 / 1000, p99 / 1000 }'
}

ours_once() {
	kt-workload -d 1s \
		-e 'cgroup a workers=1 work=timer-latency:interval=1ms policy=fifo:80 affinity='"$cpu" |
		jq -r '.cgroups[0].wake_latency | "\(.p50_ns / 1000) \(.p99_ns / 1000)"'
}

for ((i = 0; i < ROUNDS; i++)); do
	cyclictest_once >>"$work/theirs"
	ours_once >>"$work/ours"
done
for which in 1:median 2:p99; do
	column=${which%%:*}
	theirs=$(awk -v c="$column" '{ print $c }' "$work/theirs" | median)
	ours=$(awk -v c="$column" '{ print $c }' "$work/ours" | median)
	ratio=$(awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%.3f", a / b }')
	echo "timer-latency ${which#*:}: ours $ours us, cyclictest $theirs us"
	bound "timer-latency ${which#*:} / cyclictest's" "$ratio" "<=" 1.1 ""
	bound "timer-latency ${which#*:} / cyclictest's" "$ratio" ">=" 0.9 ""
done
exit "$missed"
