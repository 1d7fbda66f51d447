#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-workload in a guest: what needs cgroup controllers, a topology, or a scheduler that misbehaves.
# bats file_tags=vm

# shellcheck disable=SC2154 # bats sets stderr
load lib/kt
load lib/vm

setup() {
	vm_setup
}

@test "in a guest cgroups are confined by the cpuset controller, and nothing of them is left" {
	cat >steps.kt <<-'END'
		duration 2s
		cgroup one workers=100% cpuset=llc:1
		step left
		  cgroup a/b cpuset=disjoint:0/2 work=mixed
		  hold 50%
		step right
		  cgroup a/b cpuset=disjoint:1/2 work=futex-ping-pong
		  hold full
	END
	cat >both.sh <<-'END'
		kt-workload steps.kt
		find /sys/fs/cgroup -name 'kt.*' >&2
	END
	run --separate-stderr kt-vmm -n -t 1n2l2c1t -m 512M --include "$(command -v kt-workload):/bin/kt-workload" \
		--include steps.kt -- sh both.sh
	assert_equal "$status" 0
	assert_equal "$(grep -v '^kt-vmm:' <<<"$stderr")" ""
	assert_equal "$(jq -c '[.confinement, .topology, .exit], [.cgroups[] | .name, .cpuset, .workers]' \
		<<<"$output")" '["cpuset","1n2l2c1t","completed"]
["one","2-3",2,"a/b","0",2,"a/b","1-2",2]'
	assert_equal "$(jq '[.workers[] | .isolation_violations == 0 and .work_units > 0] | all' <<<"$output")" true
}

@test "a worker that a scheduler never runs has no work units, a gap of the whole time, and fails the run" {
	local sched=${KT_SCHED:-$KT_ROOT/build/tests/sched/kt-sched}
	[ -x "$sched" ] || skip "no test scheduler (make sched)"
	run --separate-stderr kt-vmm -n -t 1n2l2c1t -m 512M --sched "$sched" --sched-args --stall=victim -- \
		kt-workload -d 3s -e 'cgroup a workers=2 comm=victim' -e 'cgroup b workers=1'
	assert_equal "$status" 1
	assert_regex "$stderr" 'kt-workload: 1 of 3 workers did not get to the start'
	assert_equal "$(jq -c '[.exit, (.errors | length)], (.workers | sort_by(.work_units)[0] |
		[.cgroup, .comm, .work_units, .max_gap_ns, .max_gap_at_ns, .off_cpu_pct, .exit])' <<<"$output")" \
		'["failed",1]
["a","victim",0,3000000000,0,100,"timed-out"]'
	assert_equal "$(jq '[.workers[] | select(.work_units > 0 and .exit == "completed")] | length' <<<"$output")" 2
}
