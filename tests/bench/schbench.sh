#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The work type schbench against schbench itself, where that is on PATH (it has no Debian package) or
# its source is in SCHBENCH_SOURCE: one message thread, one worker thread for each CPU, in turns;
# medians of the rounds.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

ROUNDS=${ROUNDS:-7}
threads=$(nproc)

if [ -n "${SCHBENCH_SOURCE:-}" ]; then
	mkdir "$work/bin"
	gcc -O2 -o "$work/bin/schbench" "$SCHBENCH_SOURCE/schbench.c" -lpthread -lm
	PATH=$work/bin:$PATH
fi
command -v schbench >/dev/null || {
	echo "schbench: skipped: no schbench on PATH, and no source of it in SCHBENCH_SOURCE"
	exit 0
}

# "RPS WAKEUP-P50 REQUEST-P50", times in us.
theirs() {
	schbench -m 1 -t "$threads" -r 3 -i 100 2>&1 | awk '
		/^Wakeup Latencies/ { what = "wake" }
		/^Request Latencies/ { what = "request" }
		$1 == "50.0th:" { p50[what] = $2 }
		/^RPS/ { what = "rps" }
		/^average rps/ { rps = $3 }
		END { print rps, p50["wake"], p50["request"] }'
}

ours() {
	kt-workload -d 3s -e "cgroup a workers=$((threads + 1)) work=schbench:threads=$threads pcomm=schbench" |
		jq -r '.cgroups[0] | "\(.metrics.requests_per_second) \(.wake_latency.p50_ns / 1000) \(
			.request_latency.p50_ns / 1000)"'
}

for ((i = 0; i < ROUNDS; i++)); do
	theirs >>"$work/theirs"
	ours >>"$work/ours"
done
column() { # N FILE
	awk -v c="$1" '{ print $c }' "$work/$2" | median
}
for figure in "1:requests per second" "2:wakeup p50 (us)" "3:request p50 (us)"; do
	a=$(column "${figure%%:*}" ours) b=$(column "${figure%%:*}" theirs)
	echo "${figure#*:}: ours $a, schbench $b"
done
bound "schbench requests per second / schbench's own" \
	"$(awk -v a="$(column 1 ours)" -v b="$(column 1 theirs)" 'BEGIN { printf "%.2f", a / b }')" ">=" 0.9 ""
exit "$missed"
