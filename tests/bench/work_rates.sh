#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What telemetry costs work types: operations per second of CPU time, by turns with a C program that
# does the same without any (bare_work.c), both on CPU 0; and mutex-contention against stress-ng's
# mutex stressor. CPU time, so that what else runs on the machine counts for neither; on one CPU that
# nothing else uses, it is the time of the clock on the wall.
# shellcheck disable=SC2317 # compare() calls the functions by their names
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

# The bare program is in a cgroup of its own, as workers are: the kernel accounts for each level.
cgroup=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)/kt.bench.$$
mkdir "$cgroup"
trap 'rmdir "$cgroup"; rm -rf "$work"' EXIT

bare_rate() { # LOAD OPS
	(echo "$BASHPID" > "$cgroup/cgroup.procs" && exec build/tests/bench/bare_work "$1" "$2")
}

# Units per second of CPU time of all workers.
work_rate() { # WORKERS WORK [CPUSET]
	kt-workload -d 150ms -e "cgroup a workers=$1 work=$2 ${3:-}" 2> /dev/null |
		jq '.cgroups[0].work_units / ([.workers[].cpu_ns] | add) * 1e9'
}

# stress-ng's operation is a lock and an unlock of a mutex that four threads want, with a change of
# priority before it and a yield within it; ours holds the lock for 256 turns of a loop and works 1024
# without it.
stressor_rate() {
	stress-ng --mutex 1 --mutex-procs 4 -t 1 --metrics 2>&1 |
		awk '$4 == "mutex" && NF >= 10 { print $10; exit }'
}

compare "futex-ping-pong / a bare program" "bare_rate futex 50000" \
	"work_rate 2 futex-ping-pong cpuset=0" 0.95
compare "pipe-io / a bare program" "bare_rate pipe 50000" "work_rate 2 pipe-io cpuset=0" 0.95
compare "yield-heavy / a bare program" "bare_rate yield 250000" "work_rate 1 yield-heavy cpuset=0" 0.95
compare "mutex-contention / a bare program" "bare_rate mutex 300000" \
	"work_rate 4 mutex-contention cpuset=0" 0.9
if command -v stress-ng > /dev/null; then
	ROUNDS_MIN=5
	compare "mutex-contention / stress-ng --mutex" stressor_rate "work_rate 4 mutex-contention" 0.9
else
	echo "stress-ng is not here: not compared"
fi
exit "$missed"
