#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fork-exit and page-fault-churn against the nearest stressors of stress-ng, one worker each on the
# same CPU, in turns; medians of the rounds.
# fork-exit: an op is a child that is forked, exits and is waited for, in both (stress-ng --fork 1).
# page-fault-churn: an op is a minor fault as the kernel counts them; ours are in anonymous memory,
# those of stress-ng --fault mostly in files that it makes for the purpose.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

ROUNDS=${ROUNDS:-7}
cpu=$(($(nproc) - 1))

command -v stress-ng >/dev/null || {
	echo "stressors: skipped: no stress-ng (Debian package stress-ng)"
	exit 0
}

stress() { # ARGS...
	taskset -c "$cpu" stress-ng --temp-path "$work" --metrics -t 1 "$@" 2>&1
}

# The CPU of kt-workload and its workers.
ours() { # WORK JQ
	taskset -c "$cpu" kt-workload -d 1s -e "cgroup a workers=1 work=$1" | jq "$2"
}

for ((i = 0; i < ROUNDS; i++)); do
	stress --fork 1 | awk '$4 == "fork" { print $9 }' >>"$work/fork"
	ours fork-exit '.workers[0].work_units * 1e9 / .wall_ns' >>"$work/fork-exit"
	stress --fault 1 | awk '/minor page faults per sec/ { print $5 }' >>"$work/fault"
	ours page-fault-churn '.workers[0].metrics.minor_faults * 1e9 / .wall_ns' >>"$work/page-fault-churn"
done
for pair in fork-exit:fork page-fault-churn:fault; do
	type=${pair%:*} stressor=${pair#*:}
	rate=$(median <"$work/$type") theirs=$(median <"$work/$stressor")
	echo "$type: $rate a second; stress-ng --$stressor: $theirs"
	bound "$type / stress-ng --$stressor" \
		"$(awk -v a="$rate" -v b="$theirs" 'BEGIN { printf "%.2f", a / b }')" ">=" 0.9 ""
done
exit "$missed"
