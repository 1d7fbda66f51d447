#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# policy=: workers have the scheduling policy that their cgroup asks for, or the run says why not.

# shellcheck disable=SC2154 # bats and lib/workload set variables
load lib/kt
load lib/workload

setup() {
	need_cgroups
}

teardown() {
	stop_workload
}

# The first worker's policy and realtime priority (proc(5), stat, fields 41 and 40), and nice value.
policy_of_worker() { # OPTIONS
	start_workload -d 60s -e "cgroup a workers=1 work=bursty:burst=5ms,sleep=5ms $*"
	eventually cgroup_is_working a
	sed 's/.*) //' "/proc/$tid/stat" | awk '{print $39, $38, $17}'
	interrupt_workload
}

working_or_refused() {
	cgroup_is_working a || grep -q "cannot set" "$BATS_TEST_TMPDIR/stderr"
}

assert_policy_mistake() { # VALUE MESSAGE
	run --separate-stderr kt-workload -e "cgroup a policy=$1"
	assert_equal "$status" 64
	assert_equal "$stderr" "kt-workload: -e:1: $2"
}

@test "each policy is the task's own, with its priority and beside its nice value" {
	assert_equal "$(policy_of_worker)" "0 0 0"
	assert_equal "$(policy_of_worker policy=normal)" "0 0 0"
	assert_equal "$(policy_of_worker policy=batch nice=3)" "3 0 3"
	assert_equal "$(policy_of_worker policy=idle)" "5 0 0"
	assert_equal "$(policy_of_worker policy=fifo:5)" "1 5 0"
	assert_equal "$(policy_of_worker policy=rr:6)" "2 6 0"
}

@test "a deadline worker has the times that were asked for, or the refusal is told" {
	start_workload -d 60s -e 'cgroup a workers=1 policy=deadline:2ms/10ms/20ms'
	eventually working_or_refused
	if grep -q "cannot set policy=deadline:2ms/10ms/20ms" "$BATS_TEST_TMPDIR/stderr"; then
		end_workload
		assert_equal "$status" 1
	else
		chrt -p "$tid" | grep -q '2000000/10000000/20000000'
		interrupt_workload
	fi
}

@test "a realtime worker that never sleeps does not keep the run from ending" {
	run --separate-stderr timeout 100 kt-workload -d 300ms -e 'cgroup a workers=100% policy=fifo:50' -e 'step s' \
		-e 'cgroup b workers=1' -e 'hold full'
	assert_success
	assert_equal "$(jq -c '[.errors, .workers[0].work_units > 0]' <<<"$output")" '[[],true]'
}

@test "a policy that is refused fails the run and names the capability" {
	run --separate-stderr setpriv --bounding-set -sys_nice kt-workload -d 100ms \
		-e 'cgroup a workers=1 policy=fifo:5'
	assert_equal "$status" 1
	assert_equal "$stderr" \
		"kt-workload: -e:1: cgroup 'a': cannot set policy=fifo:5: Operation not permitted (it needs CAP_SYS_NICE)"
	assert_equal "$(jq -c .exit <<<"$output")" '"failed"'
}

@test "ext is taken where the kernel has sched_ext, and refused by name where it has not" {
	run --separate-stderr kt-workload -d 100ms -e 'cgroup a workers=1 policy=ext'
	if [ -d /sys/kernel/sched_ext ]; then
		assert_success
	else
		assert_equal "$status" 1
		assert_equal "$stderr" \
			"kt-workload: -e:1: cgroup 'a': cannot set policy=ext: Invalid argument (the kernel has no sched_ext)"
	fi
}

@test "mistakes in a policy are told with what was expected" {
	assert_policy_mistake fifoo:1 "unknown policy 'fifoo': did you mean 'fifo'?"
	local value
	for value in fifo fifo:0 rr:100; do
		assert_policy_mistake "$value" \
			"policy='$value': expected a priority from 1 to 99, for example fifo:50"
	done
	for value in deadline deadline:3ms/2ms/4ms deadline:1ms/2ms deadline:1ms/2ms/3ms/4ms deadline:1us/2ms/3ms; do
		assert_policy_mistake "$value" \
			"policy='$value': expected times RUN <= DEADLINE <= PERIOD from 1024 ns, for example deadline:2ms/10ms/10ms"
	done
	assert_policy_mistake batch:1 "policy='batch:1': expected nothing after the name"
	assert_equal "$(kt-workload -n -e 'cgroup a policy=rr:3' -e 'cgroup b' | jq -c '[.cgroups[].policy]')" \
		'["rr:3",null]'
}
