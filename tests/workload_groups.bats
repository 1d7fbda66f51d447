#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Groups of workers: several in a cgroup, outside of the cgroups, as threads, moved, and as who they run.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # single quotes are meant; bats and lib/workload set variables
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

# The load is on in a process with threads that is called so: one of them has used CPU time. Sets $leader, $tid.
threads_work() { # NAME
	leader=$(pgrep -P "$pid" -x "$1") || return
	for tid in "/proc/$leader/task/"*; do
		tid=${tid##*/}
		[ "$(cut -d ' ' -f 1 "/proc/$tid/schedstat")" -gt 20000000 ] && return
	done
	return 1
}

@test "work adds workers to a cgroup: what its line says wins, the rest is the cgroup's" {
	run --separate-stderr kt-workload -d 300ms -e 'cgroup a workers=2 nice=4 work=mixed comm=mine' -e 'cgroup b' \
		-e 'work a workers=3 comm=other' -e 'work a work=yield-heavy'
	assert_success
	assert_equal "$(jq -c '.cgroups[] | [.name, .index, .workers]' <<<"$output")" '["a",0,7]
["b",1,2]'
	assert_equal "$(jq -r '.workers[] | "\(.cgroup) \(.comm) \(.work) \(.exit)"' <<<"$output" | uniq -c |
		sed 's/^ *//')" '2 a mine mixed completed
3 a other mixed completed
2 a mine yield-heavy completed
2 b spin-wait spin-wait completed'
	assert_equal "$(kt-workload -n -e 'cgroup a nice=4' -e 'work a nice=-2' -e 'work a' |
		jq -c '.cgroups[0] | [.nice, .more[].nice]')" '[4,-2,4]'
}

@test "a step's workers in a backdrop cgroup end with the step" {
	undisturbed run --separate-stderr kt-workload -d 900ms -e 'cgroup a workers=1' -e 'step one' -e 'work a workers=2' \
		-e 'hold 300ms' -e 'step two' -e 'hold full'
	assert_success
	assert_equal "$(jq -c '[.steps[].cgroups[] | .workers], [.workers[].wall_ns | . > 8e8]' <<<"$output")" \
		'[3,1]
[true,false,false]'
}

@test "spawn-root starts workers outside of all cgroups, which are told of as the last, '/'" {
	start_workload -d 60s -e 'spawn-root workers=1 comm=outside' -e 'cgroup a workers=1'
	eventually cgroup_is_working a
	tid=$(pgrep -P "$pid" -x outside)
	assert_equal "$(grep ^0:: "/proc/$tid/cgroup")" "$(grep ^0:: "/proc/$pid/cgroup")"
	interrupt_workload
	assert_equal "$(jq -c '[.cgroups[] | [.name, .index, .workers]], [.workers[] | [.cgroup, .exit]]' "$stats")" \
		'[["a",0,1],["/",1,1]]
[["a","completed"],["/","completed"]]'
}

@test "clone=thread makes a group threads of one process, with their own names and classes" {
	start_workload -d 60s -e 'cgroup a workers=3 clone=thread comm=pool nice=5' \
		-e 'work a workers=2 pcomm=java comm=gc policy=batch'
	local leader tids
	eventually threads_work pool
	assert_equal "$(sed 's/.*) //' "/proc/$leader/task/$tid/stat" | awk '{print $39, $17}')" '0 5'
	eventually threads_work java
	assert_equal "$(cat "/proc/$leader/task/"*/comm | sort | uniq -c | xargs)" '2 gc 1 java'
	assert_equal "$(workers_of a | wc -l)" 2
	tids=$(find "/proc/$leader/task" -mindepth 1 -maxdepth 1 -printf "%f\n" | grep -vx "$leader")
	assert_equal "$(sed 's/.*) //' "/proc/$leader/task/$tid/stat" | awk '{print $39, $17}')" '3 5'
	interrupt_workload
	assert_equal "$(jq -c '[.workers[3, 4].tid]' "$stats")" "[$(xargs <<<"$tids" | tr ' ' ,)]"
	assert_equal "$(jq -c '[.workers[] | .exit, .work_units > 0, .run_delay_ns != null] | unique' "$stats")" \
		'[true,"completed"]'
}

@test "groups of a cgroup that name the same leader are threads of one, the others are not" {
	start_workload -d 60s -e 'cgroup a workers=2 pcomm=java comm=worker' -e 'work a workers=1 comm=gc nice=5' \
		-e 'work a workers=1 pcomm=other comm=worker' -e 'cgroup b workers=1 pcomm=java comm=apart'
	local leader
	eventually threads_work other
	for leader in $(pgrep -P "$pid" -x 'java|other'); do
		echo "$(cat "/proc/$leader/comm"): $(cat "/proc/$leader/task/"*/comm | sort | xargs)"
	done >"$BATS_TEST_TMPDIR/leaders"
	assert_equal "$(sort "$BATS_TEST_TMPDIR/leaders")" 'java: apart java
java: gc java worker worker
other: other worker'
	tid=$(pgrep -P "$pid" -x java | head -n 1)
	assert_equal "$(for t in "/proc/$tid/task/"*; do sed 's/.*(\(.*\)) / \1 /' "$t/stat" | awk '{ print $1, $18 }'; done | sort | xargs)" \
		'gc 5 java 0 worker 0 worker 0'
	kill -SEGV "$tid"
	eventually [ ! -e "/proc/$tid/task" ]
	kill -TERM "$workload"
	end_workload
	assert_equal "$(jq -c '[.workers[] | [.comm, .exit]]' "$stats")" \
		'[["worker","signalled:11"],["worker","signalled:11"],["gc","signalled:11"],["worker","completed"],["apart","completed"]]'
}

@test "what a group with another's leader cannot have is told at its own line" {
	run --separate-stderr setpriv --bounding-set -sys_nice kt-workload -d 100ms -e 'cgroup a workers=1 pcomm=java policy=fifo:3' \
		-e 'work a workers=1 policy=normal'
	assert_equal "$status" 1
	assert_equal "$stderr" \
		"kt-workload: -e:1: cgroup 'a': cannot set policy=fifo:3: Operation not permitted (it needs CAP_SYS_NICE)"
}

@test "threads do each other's work: pairs meet, waits end at the stop, the seed gives the same start" {
	undisturbed run --separate-stderr kt-workload -s 3 -d 500ms \
		-e 'cgroup a workers=4 clone=thread work=futex-ping-pong' \
		-e 'cgroup b workers=2 clone=thread work=pipe-io' \
		-e 'cgroup c workers=2 pcomm=x work=sequence:sleep=60s'
	assert_success
	assert_equal "$(jq -c '[.workers[] | .exit, .work_units > 0] | unique' <<<"$output")" '[true,"completed"]'
	assert_equal "$(jq '.wall_ns < 4e9' <<<"$output")" true
}

@test "a leader that dies takes its threads along, and each is told of" {
	start_workload -d 60s -e 'cgroup a workers=2 pcomm=java' -e 'cgroup b workers=1' -e 'step s' \
		-e 'assert-alive' -e 'loop 100ms'
	local leader
	eventually threads_work java
	kill -SEGV "$leader"
	end_workload
	assert_equal "$status" 1
	assert_equal "$(jq -c '[.workers[].exit], (.errors | length), (.workers[0].max_gap_ns > 0)' "$stats")" \
		'["signalled:11","signalled:11","completed"]
3
true'
	grep -q "worker [0-9]* of cgroup 'a' was killed by signal 11" "$BATS_TEST_TMPDIR/stderr"
}

@test "SIGKILL of kt-workload takes threads and other users' workers along; the next run clears up" {
	start_workload -d 60s -e 'cgroup a workers=2 pcomm=java uid=nobody' -e 'cgroup b workers=1 uid=65534 gid=65534' \
		-e 'spawn-root workers=2 clone=thread'
	eventually cgroup_is_working b
	local children leader
	eventually threads_work java
	mapfile -t children < <(pgrep -P "$pid")
	[ "${#children[@]}" -eq 4 ] # two leaders, a worker and the guardian
	kill -STOP "$pid"
	kill -KILL "$(pgrep -P "$pid" -x kt-guardian)"
	kill -KILL "$pid"
	end_workload
	local p
	for p in "${children[@]}"; do
		eventually [ ! -e "/proc/$p/task" ]
	done
	run --separate-stderr kt-workload -d 50ms -e 'cgroup a'
	assert_success
	no_run_root
}

@test "uid and gid are those of the work, by number and name, and without a capability the run says so" {
	start_workload -d 60s -e 'cgroup a workers=1 uid=nobody gid=7' -e 'work a workers=1 clone=thread uid=5'
	eventually cgroup_is_working a
	assert_equal "$(awk '/^Uid|^Gid|^Groups/ { printf "%s ", $3 }' "/proc/$tid/status")" "65534 7  "
	tid=$(workers_of a | tail -n 1)
	assert_equal "$(awk '/^Uid/ { print $3 }' "/proc/$tid/task/"*/status | xargs)" "0 5"
	interrupt_workload
	assert_equal "$(jq -c '[.workers[].exit] | unique' "$stats")" '["completed"]'
	run --separate-stderr setpriv --bounding-set -setuid kt-workload -d 100ms -e 'cgroup a workers=1 uid=5'
	assert_equal "$status" 1
	assert_equal "$stderr" "kt-workload: -e:1: cgroup 'a': uid=5 needs CAP_SETUID"
	assert_equal "$(jq -c '[.exit, .workers[0].exit]' <<<"$output")" '["failed","never-started"]'
}

@test "affinity confines workers within their cgroup, and the op gives them another" {
	need_cpus 2
	undisturbed run --separate-stderr kt-workload -d 1200ms -e 'cgroup a workers=1 affinity=single:1' \
		-e 'cgroup b workers=1 clone=thread affinity=single:0' -e 'cgroup c workers=1' -e 'step one' -e 'hold 400ms' \
		-e 'step two' -e 'affinity a single:0' -e 'affinity b 1' -e 'affinity c llc-aligned' -e 'hold full'
	assert_success
	assert_equal "$(jq -c '.workers[] | [.cpus_used, .cpus_allowed, .isolation_violations, .migrations]' <<<"$output" |
		head -n 2)" '["0-1","0-1",0,1]
["0-1","0-1",0,1]'
	undisturbed run --separate-stderr kt-workload -d 400ms -e 'cgroup a workers=2 affinity=single:0' -e 'step s' \
		-e 'affinity a inherit' -e 'hold full'
	assert_success
	assert_equal "$(jq -c '[.workers[].cpus_allowed] | unique' <<<"$output")" '["0-1"]'
}

@test "a seed draws the same random affinities again, and another one others" {
	need_cpus 2
	local seed drawn=()
	for seed in 1 1 2 3 4 5; do
		drawn+=("$(kt-workload -s "$seed" -d 50ms -e 'cgroup a workers=8 affinity=random:1' |
			jq -r '[.workers[].cpus_allowed] | join("")')")
	done
	assert_equal "${drawn[0]}" "${drawn[1]}"
	[ "$(printf '%s\n' "${drawn[@]}" | sort -u | wc -l)" -ge 4 ]
	[[ ${drawn[*]} == *0*1*0* ]]
}

@test "smt-pair puts two workers on a core's threads, llc-aligned all on the LLC with most of the CPUs" {
	export KT_SYSFS=$BATS_TEST_TMPDIR/sys
	"$BATS_TEST_DIRNAME/lib/make-sysfs" 1n2l2c2t "$KT_SYSFS"
	run kt-workload -n -e 'cgroup a cpuset=0-4 affinity=smt-pair' -e 'cgroup b cpuset=3-7 affinity=llc-aligned' \
		-e 'cgroup c affinity=random:8'
	assert_success
	assert_mistake "1: affinity='smt-pair': none of the cores has two threads among the CPUs 1-2 that the workers may run on" \
		'cgroup a cpuset=1-2 affinity=smt-pair'
	assert_mistake "1: affinity='random:3': expected from 1 to 2 CPUs, because the workers may run on CPUs 1-2" \
		'cgroup a affinity=random:3 cpuset=1-2'
	assert_mistake "2: affinity='single:3' has none of the CPUs 1-2 that the workers may run on" \
		'cgroup a cpuset=1-2' 'affinity a single:3'
	assert_mistake "3: affinity='1-2' has none of the CPUs 4-7 that the workers may run on" \
		'cgroup a cpuset=1-2' 'cpuset a llc:1' 'affinity a 1-2'
	assert_mistake "1: unknown affinity 'sngle': did you mean 'single'?" 'cgroup a affinity=sngle:1'
	assert_mistake "1: affinity='inherit:1': expected nothing after 'inherit'" 'cgroup a affinity=inherit:1'
	assert_mistake "1: affinity='random:x': expected a number of CPUs, for example random:2" 'cgroup a affinity=random:x'
}

@test "move takes all tasks of a cgroup to another, whose CPUs and ops are theirs from then on" {
	need_cpus 2
	undisturbed run --separate-stderr kt-workload -d 900ms -e 'cgroup a workers=1 cpuset=0' -e 'work a workers=1 clone=thread' \
		-e 'cgroup b workers=1 cpuset=1' -e 'step one' -e 'hold 300ms' -e 'step two' -e 'move a b' -e 'sleep 200ms' \
		-e 'stop b' -e 'hold full'
	assert_success
	assert_equal "$(jq -c '.workers[] | [.cgroup, .cpus_used, .cpus_allowed, .isolation_violations, .exit]' <<<"$output")" \
		'["a","0-1","0-1",0,"completed"]
["a","0-1","0-1",0,"completed"]
["b","1","1",0,"completed"]'
	assert_equal "$(jq '[.workers[].wall_ns] | max < 8e8' <<<"$output")" true
	start_workload -d 60s -e 'cgroup a workers=1' -e 'work a workers=1 pcomm=java' -e 'cgroup b/c workers=0' \
		-e 'step s' -e 'sleep 500ms' -e 'move a b/c' -e 'hold full'
	# None but those that are moved can be there.
	eventually cgroup_is_working b/c
	assert_equal "$(workers_of a | wc -l) $(workers_of b/c | wc -l)" "0 2"
	interrupt_workload
}

@test "--work replaces the work type of what is swappable, and no other" {
	run --separate-stderr kt-workload --work=mixed -n -e 'cgroup a swappable work=yield-heavy' -e 'cgroup b' \
		-e 'work a' -e 'work b swappable'
	assert_success
	assert_equal "$(jq -c '[.cgroups[] | .work, .more[].work]' <<<"$output")" '["mixed","mixed","spin-wait","mixed"]'
	run --separate-stderr kt-workload --work=futex-ping-pong -n -e 'cgroup a swappable workers=3'
	assert_equal "$status" 64
	assert_equal "$stderr" "kt-workload: -e:1: work type 'futex-ping-pong' works in groups of 2: expected a number of workers that 2 divides, not 3"
	run --separate-stderr kt-workload --work=mixd -n -e 'cgroup a swappable'
	assert_equal "$status" 64
	assert_equal "$stderr" "kt-workload: --work: unknown work type 'mixd': did you mean 'mixed'?"
	run --separate-stderr kt-workload --work=mixed -n -e 'cgroup a'
	assert_success
	assert_equal "$stderr" "kt-workload: --work 'mixed' changes nothing: no cgroup of the scenario is swappable"
}

@test "a CPU that goes offline ends the run, which says which" {
	export KT_SYSFS=$BATS_TEST_TMPDIR/sys
	"$BATS_TEST_DIRNAME/lib/make-sysfs" 1n1l2c1t "$KT_SYSFS"
	start_workload -d 200s -e 'cgroup a workers=1'
	eventually cgroup_is_working a
	echo 0 >"$KT_SYSFS/devices/system/cpu/online"
	SECONDS=0
	end_workload
	assert_equal "$status" 1
	[ "$SECONDS" -lt 60 ]
	assert_equal "$(cat "$BATS_TEST_TMPDIR/stderr")" "kt-workload: went offline during the run: CPU 1"
	assert_equal "$(jq -c '[.exit, .workers[0].exit]' "$stats")" '["failed","completed"]'
}

@test "a cgroup that cannot be made fails the run, by name, and leaves nothing" {
	local base
	base=$(mktemp -d "$CGROUP_MOUNT/kt-few.XXXXXX")
	echo 2 >"$base/cgroup.max.descendants"
	run --separate-stderr bash -c "echo \$\$ >'$base/cgroup.procs' && exec kt-workload -d 100ms -e 'cgroup a' -e 'cgroup b'"
	assert_equal "$(find "$base" -mindepth 1 -type d)" ""
	rmdir "$base"
	assert_equal "$status" 1
	assert_equal "$stderr" "kt-workload: -e:2: cannot make cgroup 'b': Resource temporarily unavailable (cgroup.max.descendants or cgroup.max.depth above it)"
}

@test "directories above a cgroup go when the last below is removed, unless they are cgroups themselves" {
	start_workload -d 60s -e 'cgroup x workers=0' -e 'step s' -e 'cgroup a/b workers=1' -e 'cgroup x/y workers=1' \
		-e 'sleep 5s' -e 'remove a/b' -e 'remove x/y' -e 'hold full'
	eventually cgroup_is_working a/b
	local root
	root=$(run_root)
	eventually [ ! -d "$root/a" ]
	eventually [ ! -d "$root/x/y" ]
	[ -d "$root/x" ]
	interrupt_workload
}

@test "a program, a width of registers and a host that are not there are told before anything starts" {
	run --separate-stderr kt-workload -d 60s -e 'cgroup a' -e 'run x -- /nonexistent' -e 'run y -- /nonexistent' \
		-e 'step s' -e 'snapshot s' -e 'hold full'
	assert_equal "$status" 1
	assert_equal "$stderr" "kt-workload: -e:2: cannot run 'x': /nonexistent: No such file or directory
kt-workload: -e:5: 'snapshot s' needs a host that serves it: expected to run in a VM of kt-vmm"
	assert_equal "$(jq -c '[.exit, ([.workers[].exit] | unique)]' <<<"$output")" '["failed",["never-started"]]'
	grep -qw avx512f /proc/cpuinfo && return
	run --separate-stderr kt-workload -d 60s -e 'cgroup a work=alu-hot:width=512'
	assert_equal "$status" 1
	assert_regex "$stderr" '^kt-workload: -e:1: alu-hot: this CPU has no width=512, only up to [0-9]+$'
}

@test "what is not there is told before the first cgroup is made, even where none can be made" {
	local line
	for line in 'run x -- /nonexistent' 'snapshot s' 'cgroup b work=exec:/nonexistent'; do
		run --separate-stderr setpriv --reuid 65534 --clear-groups kt-workload -d 60s -e 'cgroup a' -e "$line"
		assert_equal "$status" 1
		assert_equal "${#stderr_lines[@]}" 1
		assert_regex "$stderr" '^kt-workload: -e:2: '
	done
}

@test "a controller that is not there is told before anything starts" {
	grep -qw memory "$CGROUP_MOUNT/cgroup.controllers" && skip "this machine has the controllers"
	run --separate-stderr kt-workload -d 60s -e 'cgroup a memory.max=64M' -e 'cgroup b mems=0'
	assert_equal "$status" 1
	assert_equal "$stderr" "kt-workload: -e:1: cgroup 'a' cannot have memory.max: the cgroup2 tree has no memory controller here
kt-workload: -e:2: cgroup 'b' cannot have cpuset.mems: the cgroup2 tree has no cpuset controller here"
	assert_equal "$(jq -c '[.exit, ([.workers[].exit] | unique)]' <<<"$output")" '["failed",["never-started"]]'
}

@test "a line with a mistake in it does not make mistakes of later ones" {
	run --separate-stderr kt-workload -e 'cgroup a wrkers=2' -e 'freeze a' -e 'step s' -e 'thaw a' -e 'hold full'
	assert_equal "$status" 64
	assert_equal "$stderr" "kt-workload: -e:1: unknown option 'wrkers': did you mean 'workers'?"
}

@test "mistakes in groups, threads, users, memory and files are told at their line" {
	assert_mistake "1: work: expected the name of a cgroup after it, then options: work CGROUP [workers=N] [work=TYPE]" \
		'work workers=2'
	assert_mistake "2: unknown cgroup 'b': did you mean 'a'?" 'cgroup a' 'work b'
	assert_mistake "2: option 'cpuset' is one of a cgroup: expected it in a cgroup's own line" 'cgroup a' 'work a cpuset=0'
	assert_mistake "1: spawn-root: expected options after it, not 'a': spawn-root [workers=N] [work=TYPE]" 'spawn-root a'
	assert_mistake "3: cgroup 'a' has 'a/b' below it: expected one that has not (cgroup v2 keeps processes in leaves)" \
		'cgroup a workers=0' 'cgroup a/b' 'work a workers=1'
	assert_mistake "4: cgroup 'a' is frozen since line 2: expected thaw before" 'cgroup a' 'freeze a' 'step s' 'work a' 'hold full'
	assert_mistake "3: work after 'stop a' in line 2: expected cgroups and workers before the ops on those that start with them" \
		'cgroup a' 'stop a' 'work a'
	assert_mistake "1: unknown clone 'thred': did you mean 'thread'?" 'cgroup a clone=thred'
	assert_mistake "1: pcomm='x' and clone=fork: expected clone=thread, because a leader has threads" \
		'cgroup a pcomm=x clone=fork'
	assert_mistake "2: move: expected two different cgroups, not 'a' twice" 'cgroup a' 'move a a'
	assert_mistake "4: cgroup 'b' ends with this step, but workers of 'a' live on: expected a cgroup that lives as long" \
		'cgroup a' 'step s' 'cgroup b' 'move a b' 'hold full'
	assert_mistake "1: work type 'cgroup-churn' works on its own cgroup: expected it in one of the scenario's" \
		'spawn-root work=cgroup-churn'
	assert_mistake "2: freeze: expected one of the scenario's cgroups, not '/'" 'spawn-root' 'freeze /'
	assert_mistake "1: unknown user 'nobdoy': did you mean 'nobody'?" 'cgroup a uid=nobdoy'
	assert_mistake "1: gid='99999999999': expected a number or a name of /etc/group" 'cgroup a gid=99999999999'
	assert_mistake "1: unknown mempolicy 'bnd': did you mean 'bind'?" 'cgroup a mempolicy=bnd:0'
	assert_mistake "1: mempolicy='bind:900': the nodes with memory that the workers may use are 0" 'cgroup a mempolicy=bind:900'
	assert_mistake "1: mempolicy='local:1': expected nothing after the name" 'cgroup a mempolicy=local:1'
	assert_mistake "1: mpol-flags='static,relative': expected static or relative, not both" \
		'cgroup a mempolicy=bind:0 mpol-flags=static,relative'
	assert_mistake "1: mpol-flags='static': expected a mempolicy that names nodes" 'cgroup a mempolicy=local mpol-flags=static'
	assert_mistake "1: mpol-flags='numa-balancing': expected numa-balancing with mempolicy=bind:N only" \
		'cgroup a mempolicy=interleave:0 mpol-flags=numa-balancing'
	assert_mistake "1: cpu.weight='0': expected a number from 1 to 10000" 'cgroup a cpu.weight=0'
	assert_mistake "1: memory.max='5X': expected a size or max, for example 64M" 'cgroup a memory.max=5X'
	assert_mistake "1: cpu.max='5': expected microseconds of CPU time or max, and maybe a period of 1000 to 1000000, for example 50000/100000" \
		'cgroup a cpu.max=5'
	assert_mistake "1: unknown option 'memory.mx': did you mean 'memory.max'?" 'cgroup a memory.mx=4'
	assert_mistake "1: option 'swappable': expected no value" 'cgroup a swappable=1'
}
