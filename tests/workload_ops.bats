#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Ops on cgroups that run already: CPUs, swap, stop, remove, freeze, thaw, sleep, assert-alive, loop.

# shellcheck disable=SC2016,SC2154 # single quotes are meant; bats and lib/workload set variables
load lib/kt
load lib/workload

setup() {
	need_cgroups
}

teardown() {
	stop_workload
}

assert_mistake() { # MESSAGE LINE...
	local message=$1 line args=()
	shift
	for line; do
		args+=(-e "$line")
	done
	run --separate-stderr kt-workload "${args[@]}"
	assert_equal "$status" 64
	assert_equal "$output" ""
	assert_equal "$stderr" "kt-workload: -e:$message"
}

@test "cpuset moves the workers, and isolation follows the set in force" {
	need_cpus 2
	undisturbed run --separate-stderr kt-workload -d 2s -e 'cgroup a workers=1 cpuset=0' -e 'cgroup b workers=1' \
		-e 'cgroup c workers=1 cpuset=1' -e 'step one' -e 'hold 500ms' \
		-e 'step two' -e 'cpuset a 1' -e 'cpuset b 0' -e 'cpuset c clear' -e 'hold 1s'
	assert_success
	assert_equal "$(jq -c '.workers[] | [.cpus_allowed, .isolation_violations]' <<<"$output")" \
		'["0-1",0]
["0-1",0]
["0-1",0]'
	assert_equal "$(jq -c '[.cgroups[].cpuset]' <<<"$output")" '["1","0",null]'
	assert_equal "$(jq -c '.workers[0] | [.cpus_used, .migrations]' <<<"$output")" '["0-1",1]'
}

@test "workers keep to the CPUs of a cgroup above theirs, and go back to them when theirs are cleared" {
	need_cpus 2
	undisturbed run --separate-stderr kt-workload -d 600ms -e 'cgroup a workers=0 cpuset=0' -e 'cgroup a/b' -e 'cgroup c workers=0 cpuset=0-1' \
		-e 'cgroup c/d workers=1 cpuset=1' -e 'step one' -e 'hold 300ms' -e 'step two' -e 'cpuset c/d 0' -e 'cpuset c/d clear' \
		-e 'hold full'
	assert_success
	assert_equal "$(jq -c '[.cgroups[].cpuset], [.workers[] | [.cpus_used, .cpus_allowed, .isolation_violations]]' <<<"$output")" \
		'["0","0","0-1","0-1"]
[["0","0",0],["0","0",0],["0-1","0-1",0]]'
}

@test "a worker that leaves the set in force is a violation, though it was in the set before" {
	need_cpus 2
	start_workload -d 60s -e 'cgroup a workers=1 cpuset=0' -e 'step s' -e 'cpuset a 1' -e 'hold full'
	eventually cgroup_is_working a
	taskset -pc 0 "$tid" || skip "the cpuset controller keeps a task from being driven out"
	runs_on
	interrupt_workload
	assert_equal "$(jq -c '.workers[0] | [.cpus_allowed, .isolation_violations > 0]' "$stats")" \
		'["0-1",true]'
}

@test "a loop repeats its ops until the time is up: swapped sides are seen on both CPUs" {
	need_cpus 2
	undisturbed run --separate-stderr kt-workload -d 2s -e 'cgroup a workers=1 cpuset=0' \
		-e 'cgroup b workers=1 cpuset=1' -e 'step s' -e 'swap a b' -e 'loop 200ms'
	assert_success
	# The first swap and those at 200 ms, 400 ms and so on, less what a busy machine leaves out.
	assert_equal "$(jq -c '[.workers[] | .migrations >= 5 and .migrations <= 10,
		.isolation_violations, .cpus_used]' <<<"$output")" '[true,0,"0-1",true,0,"0-1"]'
	assert_equal "$(jq -c '[.cgroups[].cpuset] | sort' <<<"$output")" '["0","1"]'
}

@test "stop ends a cgroup's workers early; remove takes the cgroup, too, and its name is free" {
	undisturbed run --separate-stderr kt-workload -d 2s -e 'cgroup a workers=1' -e 'cgroup b workers=1' \
		-e 'cgroup c workers=1' -e 'step one' -e 'sleep 300ms' -e 'stop a' -e 'remove b' -e 'hold 300ms' \
		-e 'step two' -e 'remove a' -e 'cgroup b workers=3' -e 'hold 500ms'
	assert_success
	assert_equal "$(jq -c '[.workers[].exit] | unique' <<<"$output")" '["completed"]'
	assert_equal "$(jq '.workers | .[0].wall_ns < .[2].wall_ns - 3e8 and .[1].wall_ns < .[2].wall_ns - 3e8
		and .[0].wall_ns > 3e8' <<<"$output")" true
	# Who was stopped before a step did not live in it.
	assert_equal "$(jq -c '[.steps[] | [.cgroups[].index]]' <<<"$output")" '[[0,1,2],[2,3]]'
}

@test "stop and remove take effect while the others run on" {
	start_workload -d 60s -e 'cgroup a workers=1' -e 'cgroup b workers=1' -e 'step s' -e 'sleep 5s' \
		-e 'remove a' -e 'hold full'
	eventually cgroup_is_working a
	local root
	root=$(run_root)
	eventually [ ! -d "$root/a" ]
	[ -d "$root/b" ]
	eventually [ ! -d "/proc/$tid" ]
	cgroup_is_working b
	runs_on
	interrupt_workload
	assert_equal "$(jq -c '[.errors, .workers[0].exit]' "$stats")" '[[],"completed"]'
}

@test "freeze holds workers still until thaw, and what stays frozen is thawed for its end" {
	undisturbed run --separate-stderr kt-workload -d 2s -e 'cgroup a workers=1' -e 'cgroup b workers=1' \
		-e 'step one' -e 'freeze a' -e 'sleep 500ms' -e 'thaw a' -e 'hold 300ms' \
		-e 'step two' -e 'freeze b' -e 'hold 400ms'
	assert_success
	assert_equal "$(jq -c '[.workers[].exit] | unique' <<<"$output")" '["completed"]'
	# Who is frozen is off the CPU, and that is a gap.
	assert_equal "$(jq '.steps[0].cgroups[0] | .max_gap_ns >= 5e8 and .work_units > 0' <<<"$output")" true
	assert_equal "$(jq '.steps[1].cgroups[1].max_gap_ns >= 3.5e8' <<<"$output")" true
	assert_equal "$(jq '.workers[0] | .wall_ns - .cpu_ns >= 5e8' <<<"$output")" true
}

@test "sleep is part of its step, before the hold, and of what hold full leaves" {
	undisturbed run --separate-stderr kt-workload -d 1s -e 'cgroup a workers=1' -e 'step one' -e 'sleep 300ms' \
		-e 'hold 100ms' -e 'step two' -e 'sleep 200ms' -e 'hold full'
	assert_success
	assert_equal "$(jq '[.steps[] | .end_ns - .start_ns] | .[0] >= 4e8 and .[1] >= 6e8 and add < 3e9' \
		<<<"$output")" true
	assert_equal "$(kt-workload -n -d 1s -e 'cgroup a' -e 'step one' -e 'sleep 300ms' -e 'hold 100ms' \
		-e 'step two' -e 'sleep 200ms' -e 'hold full' | jq -c '[.steps[].hold_ns]')" '[100000000,400000000]'
}

@test "assert-alive ends the run at once when a worker is dead, and passes when all live" {
	run --separate-stderr kt-workload -d 500ms -e 'cgroup a' -e 'step s' -e 'assert-alive' -e 'hold full'
	assert_success
	start_workload -d 200s -e 'cgroup a workers=1' -e 'step s' -e 'assert-alive' -e 'loop 100ms'
	eventually cgroup_is_working a
	kill -KILL "$tid"
	SECONDS=0
	end_workload
	assert_equal "$status" 1
	[ "$SECONDS" -lt 60 ]
	assert_equal "$(jq -r '.errors[0]' "$stats")" "-e:3: assert-alive: worker $tid of cgroup 'a' is dead"
}

@test "mistakes in these ops are told at their line, before anything starts" {
	assert_mistake "2: unknown cgroup 'b': did you mean 'a'?" 'cgroup a' 'cpuset b 0'
	assert_mistake "1: unknown cgroup 'a': there is none here" 'stop a' 'cgroup a'
	assert_mistake "2: cpuset: expected the name of a cgroup and a CPU set or 'clear' after it" \
		'cgroup a' 'cpuset a'
	assert_mistake "2: unknown CPU set 'lcl:0': did you mean 'llc:'?" 'cgroup a' 'cpuset a lcl:0'
	assert_mistake "2: swap: expected two different cgroups, not 'a' twice" 'cgroup a cpuset=0' 'swap a a'
	assert_mistake "3: swap: cgroup 'b' has no cpuset here: expected cpuset= or the op cpuset before" \
		'cgroup a cpuset=0' 'cgroup b' 'swap a b'
	assert_mistake "3: the workers of cgroup 'a' were stopped in line 2" 'cgroup a' 'stop a' 'freeze a'
	assert_mistake "3: cgroup 'a' was removed in line 2" 'cgroup a' 'remove a' 'thaw a'
	assert_mistake "2: cgroup 'a' has no workers: expected one that has" \
		'cgroup a workers=0' 'freeze a' 'cgroup a/b'
	assert_mistake "3: cgroup 'a' has 'a/b' below it: expected that to be removed first" \
		'cgroup a workers=0' 'cgroup a/b' 'remove a'
	assert_mistake "3: cgroup after 'stop a' in line 2: expected cgroups and workers before the ops on those that start with them" \
		'cgroup a' 'stop a' 'cgroup b'
	assert_mistake "2: sleep '0': expected a time above 0 and up to 24h, for example 500ms" 'cgroup a' 'sleep 0'
	assert_mistake "2: sleeps of 20s in all: expected no more than the duration of 12s" 'cgroup a' 'sleep 20s'
	assert_mistake "2: assert-alive: expected nothing after it, not 'a'" 'cgroup a' 'assert-alive a'
	assert_mistake "4: loop '1us': expected a time from 1ms to 24h, for example 100ms" \
		'cgroup a' 'step s' 'assert-alive' 'loop 1us'
	assert_mistake "3: loop: step 's' has nothing to repeat: expected ops such as swap or cpuset" \
		'cgroup a' 'step s' 'loop 1s'
}
