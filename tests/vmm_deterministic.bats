#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# A deterministic run is replayed to the byte from its seed.
# bats file_tags=vm

load lib/kt
load lib/vm

setup() {
	vm_setup
	scenarios=$KT_ROOT/tests/scenarios
}

# Run the command after "--" with seed $1 into directory $2; further options may stand before it.
replay() {
	local seed=$1 dir=$2
	shift 2
	kt-vmm -n "--deterministic=$seed" -t "${topology:-1n2l2c1t}" -o "$dir" "$@" > "$dir.out"
}

@test "the same seed gives the same statistics and console to the byte, another seed another schedule" {
	replay 7 first -- kt-workload -d 4s "$scenarios/mixed_workloads.kt"
	# The second run has the host for itself less.
	timeout 200 sh -c 'while [ ! -e done ]; do :; done' 3>&- &
	replay 7 second -- kt-workload -d 4s "$scenarios/mixed_workloads.kt"
	touch done
	replay 8 other -- kt-workload -d 4s "$scenarios/mixed_workloads.kt"
	cmp first/stats.json second/stats.json
	cmp first/console.log second/console.log
	cmp first/events.jsonl second/events.jsonl
	cmp first.out first/stats.json
	run -0 kt-assert --isolation first
	run ! cmp -s first/stats.json other/stats.json
	# It is the schedule that differs, not just the seed's own record.
	run ! cmp -s <(jq '[.workers[] | [.cpu_ns, .timeslices, .max_gap_ns]]' first/stats.json) \
		<(jq '[.workers[] | [.cpu_ns, .timeslices, .max_gap_ns]]' other/stats.json)
}

@test "a run under a sched_ext scheduler is replayed as well, its log included" {
	[ -x "$KT_ROOT/build/tests/sched/kt-sched" ] || skip "kt-sched is not built"
	local dir
	for dir in first second; do
		replay 3 $dir --sched "$KT_ROOT/build/tests/sched/kt-sched" -- \
			sh -c 'for i in 1 2 3 4 5 6; do (n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done; echo $i; cat /proc/self/schedstat) & done; wait; cat /proc/interrupts /proc/sys/kernel/random/boot_id'
	done
	cmp first/stats.json second/stats.json
	cmp first/sched.log second/sched.log
	cmp first/console.log second/console.log
}

@test "input is part of what is replayed" {
	local dir topology=1n1l1c1t
	for dir in first second; do
		replay 1 $dir -- sh -c 'cat; cut -d" " -f1 /proc/uptime' <<< "some input"
	done
	# -n leaves stdin alone; without it the input is read before the boot.
	for dir in third fourth; do
		(echo some; sleep 0.5; echo input) | kt-vmm --deterministic=1 -t $topology -o $dir -- sh -c 'cat; cut -d" " -f1 /proc/uptime' > /dev/null
	done
	refute [ "$(head -n 1 first/stats.json)" = some ]
	assert_equal "$(head -n 2 third/stats.json)" $'some\ninput'
	cmp first/stats.json second/stats.json
	cmp third/stats.json fourth/stats.json
}
