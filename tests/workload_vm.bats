#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-workload in a guest: what needs cgroup controllers, a topology, or a scheduler that misbehaves. Most guests
# are deterministic, so that no pause of the host takes time from a run.
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
	run --separate-stderr kt-vmm -n --deterministic -t 1n2l2c1t -m 512M --include "$(command -v kt-workload):/bin/kt-workload" \
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

@test "so does a thread, whether it is starved itself or its leader" {
	local sched=${KT_SCHED:-$KT_ROOT/build/tests/sched/kt-sched} guest
	[ -x "$sched" ] || skip "no test scheduler (make sched)"
	guest=(-n -t 1n2l2c1t -m 512M --sched "$sched" --sched-args --stall=victim -- kt-workload -d 2s -e 'cgroup b workers=1')
	run --separate-stderr kt-vmm "${guest[@]}" -e 'cgroup a workers=2 pcomm=java comm=victim'
	assert_equal "$status" 1
	assert_equal "$(jq -c '.workers | sort_by(.work_units) | .[] | [.tid > 0, .cgroup, .work_units > 0, .max_gap_ns == 2e9, .exit]' \
		<<<"$output" | sort)" '[true,"a",false,true,"timed-out"]
[true,"a",true,false,"completed"]
[true,"b",true,false,"completed"]'
	run --separate-stderr kt-vmm "${guest[@]}" -e 'cgroup a workers=1 pcomm=victim comm=gc'
	assert_equal "$status" 1
	assert_regex "$stderr" "1 of 1 threads in cgroup 'a' did not come up: going on without them"
	assert_equal "$(jq -c '.workers[] | [.tid == null, .work_units > 0, .max_gap_ns == 2e9, .exit]' <<<"$output")" \
		'[false,true,false,"completed"]
[true,false,true,"timed-out"]'
}

# Run script $1 in a guest of shape $2; its kt-workload leaves stats in files that it shows itself.
guest_script() { # SCRIPT TOPOLOGY
	run --separate-stderr kt-vmm -n --deterministic -t "$2" -m 1G --include "$(command -v kt-workload):/bin/kt-workload" \
		--include "$1" --include "$(command -v jq)" --include "$(command -v find)" --include "$(command -v mkdir)" \
		--include "$(command -v sleep)" -- sh "$1"
	assert_equal "$status" 0
	stderr=$(grep -v '^kt-vmm:' <<<"$stderr" || true)
}

@test "memory policies and the controllers' files take effect, and CPU sets with affinities, in threads too" {
	cat >all.sh <<-'END'
		kt-workload -d 400ms \
			-e 'cgroup a workers=1 mempolicy=bind:1 work=cache-pressure:size=4M' \
			-e 'cgroup b workers=1 mems=0 mempolicy=preferred:0 mpol-flags=relative work=cache-pressure:size=4M' \
			-e 'cgroup c/d clone=thread mempolicy=interleave:0-1 mpol-flags=static work=cache-pressure:size=4M' \
			-e 'cgroup e workers=1 mems=1 mempolicy=local' \
			-e 'cgroup f clone=thread mempolicy=weighted-interleave:0,1' \
			-e 'cgroup g workers=1 mempolicy=bind:0 mpol-flags=numa-balancing' >numa.json
		jq -c '.errors, [.workers[:4][] | .numa_pages | (.["1"] // 0) > 10 * (.["0"] // 0), (.["0"] // 0) > 10 * (.["1"] // 0)]' numa.json
		kt-workload -d 2s -e 'cgroup a workers=1 cpuset=0 cpu.max=20000/100000 cpu.weight=50 memory.max=64M memory.high=max' \
			-e 'cgroup b/c workers=1 cpuset=0 memory.low=1M memory.swap.max=0 pids.max=8 io.weight=50' \
			-e 'step s' -e 'sleep 500ms' -e 'hold full' >files.json &
		sleep 1
		root=/sys/fs/cgroup/kt.$!
		read -r a <$root/a/cpu.max; read -r b <$root/b/c/pids.max
		read -r c <$root/a/memory.max; read -r d <$root/b/c/io.weight
		echo "$a, $b, $c, $d"
		wait
		jq -c '[.exit, (.workers[0].off_cpu_pct > 60)]' files.json
		kt-workload -d 1s -e 'cgroup a workers=2 cpuset=0-1 affinity=single:1' \
			-e 'cgroup b workers=2 cpuset=2-3 clone=thread affinity=2' -e 'step s' -e 'sleep 100ms' -e 'swap a b' \
			-e 'sleep 100ms' -e 'move b a' -e 'affinity a 3' -e 'hold full' >sets.json
		jq -c '[.exit, .cgroups[0].cpuset, .steps[0].cgroups[0].workers], [.workers[] | .cpus_allowed, .isolation_violations]' sets.json
		kt-workload -d 300ms -e 'cgroup a workers=4 clone=thread pids.max=3' | jq -c '[.workers[].exit]'
		kt-workload -d 300ms -e 'cgroup a workers=1 mems=0 mempolicy=bind:1' || echo $?
		find /sys/fs/cgroup -name 'kt.*'
	END
	guest_script all.sh 2n2l2c1t
	assert_equal "$output" '[]
[true,false,false,true,false,false,false,false]
20000 100000, 8, 67108864, default 50
["completed",true]
["completed","2-3",2]
["1-3",0,"1-3",0,"0-3",0,"0-3",0]
["completed","completed","exited:1","exited:1"]
64'
	assert_equal "$(sed 's/worker [0-9]*/worker N/' <<<"$stderr")" "kt-workload: worker N of cgroup 'a': cannot start a thread: Resource temporarily unavailable (out of tasks: pids.max, RLIMIT_NPROC or threads-max)
kt-workload: worker N of cgroup 'a': cannot start a thread: Resource temporarily unavailable (out of tasks: pids.max, RLIMIT_NPROC or threads-max)
kt-workload: -e:1: mempolicy='bind:1': the nodes with memory that the workers may use are 0"
}

@test "bad luck is told for what it is: a CPU offline, no more processes, no memory; pairs share cores" {
	cat >luck.sh <<-'END'
		kt-workload -d 30s -e 'cgroup a workers=2 cpuset=1-2' >offline.json &
		sleep 1
		echo 0 >/sys/devices/system/cpu/cpu2/online
		wait $! || echo $?
		echo 1 >/sys/devices/system/cpu/cpu2/online
		mkdir /sys/fs/cgroup/few && echo 12 >/sys/fs/cgroup/few/pids.max
		(echo 0 >/sys/fs/cgroup/few/cgroup.procs && kt-workload -d 1s -e 'cgroup a workers=50' >few.json || echo $?)
		kt-workload -d 200ms -e 'cgroup a workers=1 work=fork-exit pids.max=1' >forks.json || echo $?
		fault=work=page-fault-churn:region=128M,touches=32768
		kt-workload -d 5s -e "cgroup a workers=1 memory.max=16M memory.swap.max=0 $fault" -e 'cgroup b workers=1' \
			-e 'step s' -e 'assert-alive' -e 'loop 100ms' | jq -c '[.workers[].exit]'
		kt-workload -d 3s -e "cgroup a workers=2 memory.max=16M memory.swap.max=0 clone=thread $fault" |
			jq -c '[.workers[].exit]'
		kt-workload -d 5s -e 'cgroup a workers=1 memory.max=16M memory.swap.max=0' \
			-e 'run hog cgroup=a -- sh -c "x=y; while :; do x=$x$x; done"' -e 'wait hog 60s' |
			jq -c '[.workers[].exit, .payloads[].exit]'
		kt-workload -d 300ms -e 'cgroup a workers=1 policy=ext' -e 'cgroup b workers=2 policy=deadline:2ms/10ms/20ms' \
			-e 'cgroup c clone=thread policy=rr:5 nice=-3' | jq -c .errors
		kt-workload -d 100ms -e 'cgroup a workers=4 affinity=smt-pair' -e 'cgroup b workers=2 cpuset=1-3 affinity=smt-pair' |
			jq -c '[.workers[].cpus_allowed]'
		find /sys/fs/cgroup -name 'kt.*'
	END
	guest_script luck.sh 1n1l2c2t
	assert_equal "$output" '1
1
1
["signalled:9","completed"]
["signalled:9","signalled:9"]
["completed","signalled:9"]
[]
["0-1","0-1","2-3","2-3","2-3","2-3"]'
	assert_equal "$(sed 's/worker [0-9]*/worker N/; s/^kt-workload: [0-9]* of/kt-workload: K of/' <<<"$stderr")" "kt-workload: went offline during the run: CPU 2
kt-workload: -e:1: cannot start 50 workers in cgroup 'a': out of processes
kt-workload: K of 50 workers of cgroup 'a' were never started
kt-workload: worker N of cgroup 'a': cannot make a process: Resource temporarily unavailable
kt-workload: -e:4: assert-alive: worker N of cgroup 'a' is dead
kt-workload: worker N of cgroup 'a' was killed for want of memory (oom_kill in its memory.events)
kt-workload: worker N of cgroup 'a' was killed for want of memory (oom_kill in its memory.events)
kt-workload: worker N of cgroup 'a' was killed for want of memory (oom_kill in its memory.events)
kt-workload: -e:2: program 'hog' was killed for want of memory (oom_kill in its memory.events)"
}
