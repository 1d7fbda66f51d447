#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Runs on this machine: what workers do, what is measured, and what the stats say.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # single quotes are meant; bats and lib/workload set variables
load lib/kt
load lib/workload

setup() {
	need_cgroups
}

teardown() {
	stop_workload
}

@test "the stats say what ran where" {
	undisturbed run --separate-stderr kt-workload -d 300ms -e 'cgroup a' -e 'step s' -e 'cgroup b' -e 'hold full'
	assert_success
	assert_equal "$(jq -c '[.schema, .scenario, .kernel, .sched, .seed, .exit, .errors]' <<<"$output")" \
		"[\"kt-stats/1\",\"-e\",\"$(uname -r)\",null,null,\"completed\",[]]"
	assert_equal "$(jq -r .cpus <<<"$output")" "$(cat /sys/devices/system/cpu/online)"
	# A step has the figures of its own workers and of those that live through it.
	assert_equal "$(jq -c '[.steps[0].workers[].cgroup]' <<<"$output")" '["a","a","b","b"]'
	assert_equal "$(jq '. as $all | [.steps[0].workers[] | . as $s | $all.workers[] | select(.tid == $s.tid) |
		.work_units >= $s.work_units and $s.work_units > 0] | all' <<<"$output")" true
}

@test "every work type makes progress and stops in time" {
	undisturbed run --separate-stderr kt-workload -d 1s \
		-e 'cgroup a work=spin-wait' -e 'cgroup b work=yield-heavy' -e 'cgroup c work=mixed' \
		-e 'cgroup d work=bursty:burst=5ms,sleep=5ms' -e 'cgroup e work=futex-ping-pong' \
		-e 'cgroup f work=sequence:spin=5ms,alu=5ms,yield=5ms,sleep=5ms,io=5ms,spin=1ms'
	assert_success
	assert_equal "$(jq '[.workers[] | select(.work_units > 0 and .iterations > 0)] | length' \
		<<<"$output")" 12
	assert_equal "$(jq -r '[.workers[].exit] | unique[]' <<<"$output")" completed
	# Types that block have latencies, the others have none.
	assert_equal "$(jq -c '[.cgroups[].wake_latency != null]' <<<"$output")" \
		'[false,false,false,true,true,true]'
	# What the parent saw is what the worker measured.
	assert_equal "$(jq '[.workers[] | select(.wall_ns < 1e9 or .cpu_ns <= 0 or .max_gap_ns > .wall_ns)] | length' \
		<<<"$output")" 0
}

@test "wake latencies are ordered, and count a wake-up for each sleep" {
	undisturbed run --separate-stderr kt-workload -d 2s -e 'cgroup a workers=1 work=sequence:spin=1ms,sleep=200ms'
	assert_success
	assert_equal "$(jq '.workers[0] | .wake_latency as $w | [
		$w.min_ns <= $w.p50_ns, $w.p50_ns <= $w.p90_ns, $w.p90_ns <= $w.p99_ns,
		$w.p99_ns <= $w.p999_ns, $w.p999_ns <= $w.max_ns, $w.min_ns <= $w.mean_ns,
		$w.count >= .iterations, $w.count <= .iterations + 1,
		.voluntary_switches >= $w.count] | all' <<<"$output")" true
	# The sleeps themselves are no gaps, unless the worker came back late.
	assert_equal "$(jq '.workers[0] | .max_gap_ns < 190000000 or .max_gap_ns <= .wake_latency.max_ns * 1.01' \
		<<<"$output")" true
}

@test "a worker that is stopped for 300 ms shows the gap, its time and its CPU" {
	local begin all
	begin=${EPOCHREALTIME/./}
	start_workload -d 200s -e 'cgroup a workers=1 cpuset=0'
	eventually cgroup_is_working a
	kill -STOP "$tid"
	sleep 0.3
	kill -CONT "$tid"
	runs_on
	interrupt_workload
	all=$((${EPOCHREALTIME/./} - begin))
	run jq --argjson all "$all" '.workers[0] | .max_gap_ns >= 3e8 and .max_gap_ns < $all * 1e3 and .max_gap_at_ns > 0' "$stats"
	assert_output true
	assert_equal "$(jq -c '[.workers[0].max_gap_cpu, .cgroups[0].max_gap_tid]' "$stats")" "[0,$tid]"
	assert_equal "$(jq '.cgroups[0].max_gap_ns == .workers[0].max_gap_ns' "$stats")" true
	# Stopped is neither on the CPU nor waiting for it.
	assert_equal "$(jq '.workers[0] | .wall_ns - .cpu_ns >= 3e8 and .off_cpu_pct > 0' "$stats")" true
}

# Two looks at the kernel's counts of a worker, with a second between them.
look_twice() {
	start_workload -d 200s -e 'cgroup a workers=2 cpuset=0'
	eventually cgroup_is_working a || return
	read -ra early <"/proc/$tid/schedstat"
	give_time 1
	begin=${EPOCHREALTIME/./}
	read -ra late <"/proc/$tid/schedstat"
	interrupt_workload
	slack=$(((${EPOCHREALTIME/./} - begin) * 1000))
}

@test "run delay, time slices and CPU time are those that the kernel counts" {
	local early late begin slack
	undisturbed look_twice
	# What it did between the two looks is in the stats, and no more than from its birth to its end. The
	# kernel counts a wait at its end: one that went on at the second look may have begun 100 ms before.
	run jq -c --argjson tid "$tid" --argjson slack "$slack" \
		--argjson early "[${early[0]},${early[1]},${early[2]}]" --argjson late "[${late[0]},${late[1]},${late[2]}]" '
		.workers[] | select(.tid == $tid) | [.cpu_ns, .run_delay_ns, .timeslices] as $seen |
		[$late, $early, $seen] | transpose | map(.[2] >= .[0] - .[1] and .[2] <= .[0] + $slack + 1e8) +
			[$late[1] - $early[1] > 2e8, $seen[2] <= $late[2] + $slack / 1e5]' "$stats"
	assert_output '[true,true,true,true,true]'
}

@test "forced migrations are counted, and so are the CPUs" {
	need_cpus 2
	start_workload -d 120s -e 'cgroup a workers=1'
	eventually cgroup_is_working a
	run -0 "$KT_ROOT/tests/lib/move-task" "$tid" 1000
	interrupt_workload
	# By 1%; the first of them may have been to where it was.
	assert_equal "$(jq -c '.workers[0] | [.migrations >= 990 and .migrations <= 1010, .cpus_used, .cpus_allowed,
		.isolation_violations]' "$stats")" '[true,"0-1",null,null]'
	assert_equal "$(jq -c '[.confinement, .cgroups[0].cpus]' "$stats")" '["none",2]'
}

@test "workers keep to their cpuset, and one that is driven out of it is an isolation violation" {
	need_cpus 2
	start_workload -d 60s -e 'cgroup in cpuset=1' -e 'cgroup out workers=1 cpuset=0'
	eventually cgroup_is_working out
	if ! taskset -pc 1 "$tid"; then
		skip "the cpuset controller keeps a task from being driven out"
	fi
	runs_on
	eventually cgroup_is_working in
	interrupt_workload
	assert_equal "$(jq -c '.workers[:2] | map([.cpus_used, .cpus_allowed, .isolation_violations, .migrations])' \
		"$stats")" '[["1","1",0,0],["1","1",0,0]]'
	assert_equal "$(jq -c '.workers[2] | [.cpus_used, .cpus_allowed, .isolation_violations > 0]' \
		"$stats")" '["0-1","0",true]'
	assert_equal "$(jq -c '[.cgroups[].cpuset]' "$stats")" '["1","0"]'
	if [ "$(jq -r .confinement "$stats")" = affinity ]; then
		grep -q "confining by CPU affinity" "$BATS_TEST_TMPDIR/stderr"
	fi
}

@test "nice and comm are the task's own" {
	start_workload -d 60s -e 'cgroup a workers=1 nice=7 comm=0123456789abcdefgh'
	eventually cgroup_is_working a
	assert_equal "$(cat "/proc/$tid/comm")" 0123456789abcde
	assert_equal "$(cut -d ' ' -f 19 "/proc/$tid/stat")" 7
	interrupt_workload
	assert_equal "$(jq -r '.workers[0].comm' "$stats")" 0123456789abcde
}

@test "workers have none of their parent's descriptors but stderr" {
	KT_CHANNEL_FD=9 start_workload -d 60s -e 'cgroup a workers=1' 9>"$BATS_TEST_TMPDIR/nine"
	eventually cgroup_is_working a
	assert_equal "$(cd "/proc/$tid/fd" && echo *)" "0 1 2"
	assert_equal "$(readlink "/proc/$tid/fd/1")" /dev/null
	interrupt_workload
}

@test "a lower nice value gets more of a CPU that is shared" {
	undisturbed run --separate-stderr kt-workload -d 3s -e 'cgroup kind workers=1 cpuset=0 nice=10' \
		-e 'cgroup rude workers=1 cpuset=0 nice=0'
	assert_success
	assert_equal "$(jq '.workers | .[1].work_units > 2 * .[0].work_units' <<<"$output")" true
}

@test "steps follow each other with workers of their own before a backdrop" {
	undisturbed run --separate-stderr kt-workload -d 1s -e 'cgroup back workers=1' \
		-e 'step one' -e 'cgroup x workers=2' -e 'hold 400ms' \
		-e 'step two' -e 'cgroup x workers=4 work=yield-heavy' -e 'hold 600ms'
	assert_success
	assert_equal "$(jq -c '[.steps[] | .name, [.cgroups[] | .name, .index, .workers]]' <<<"$output")" \
		'["one",["back",0,1,"x",1,2],"two",["back",0,1,"x",2,4]]'
	assert_equal "$(jq -c '[.steps[] | .end_ns - .start_ns]' <<<"$output")" '[400000000,600000000]'
	assert_equal "$(jq '.steps[0].end_ns < .steps[1].start_ns' <<<"$output")" true
	# What the backdrop did within the steps is no more than what it did in all.
	assert_equal "$(jq '([.steps[].cgroups[0].work_units] | add) as $in | .cgroups[0].work_units as $all |
		all(.steps[].cgroups[0]; .work_units > 0) and $in <= $all and $in > $all / 2' <<<"$output")" true
	assert_equal "$(jq '.cgroups[1].work_units == .steps[0].cgroups[1].work_units' <<<"$output")" true
	assert_equal "$(jq '.workers | map(.wall_ns | . / 1e8 | floor) | .[0] >= 10 and .[1] >= 4 and .[3] >= 6' \
		<<<"$output")" true
}

stop_in_first_step() {
	start_workload -e 'cgroup back workers=1' -e 'step one' -e 'hold 3s' -e 'step two' -e 'hold 500ms'
	eventually cgroup_is_working back || return
	kill -STOP "$tid"
	sleep 0.3
	kill -CONT "$tid"
	end_workload
}

@test "a gap of the backdrop belongs to the step that it is in" {
	undisturbed stop_in_first_step
	assert_equal "$(jq '.steps[0].cgroups[0].max_gap_ns >= 3e8' "$stats")" true
	assert_equal "$(jq '.steps[1].cgroups[0].max_gap_ns < .steps[0].cgroups[0].max_gap_ns' "$stats")" true
}

@test "100 workers are released and stopped together" {
	undisturbed run --separate-stderr kt-workload -d 1s -e 'cgroup a workers=50 work=sequence:spin=100us,sleep=20ms' \
		-e 'cgroup b/c workers=50 work=futex-ping-pong'
	assert_success
	assert_equal "$(jq -c '[(.workers | length), ([.workers[].tid] | unique | length), .exit]' <<<"$output")" \
		'[100,100,"completed"]'
	assert_equal "$(jq '[.workers[] | select(.work_units == 0)] | length' <<<"$output")" 0
}

@test "a worker that never gets to run has no work units, a gap of the whole time, and fails the run" {
	local i dir
	# Freezing its cgroup before the start keeps the first worker from running; the others take
	# long enough to start for that.
	start_workload -d 1s -e 'cgroup starved workers=1' \
		-e 'cgroup many workers=1500 work=sequence:sleep=2s'
	for ((i = 0; i < 100000; i++)); do
		dir=$CGROUP_MOUNT/kt.$pid/starved
		[ -d "$dir" ] && echo 1 >"$dir/cgroup.freeze" && break
	done
	end_workload
	assert_equal "$status" 1
	assert_equal "$(jq -c '[.exit, (.errors | length), (.workers[0] |
		.work_units, .max_gap_ns, .max_gap_at_ns, .wall_ns, .run_delay_ns, .exit)]' "$stats")" \
		'["failed",1,0,1000000000,0,1000000000,null,"timed-out"]'
	no_run_root
}

kill_one() {
	start_workload -d 3s -e 'cgroup a workers=2'
	eventually cgroup_is_working a || return
	kill -SEGV "$tid"
	end_workload
}

@test "a worker that is killed is reported, and fails the run" {
	undisturbed kill_one
	assert_equal "$status" 1
	assert_equal "$(jq -c '[.exit, .errors, .workers[0].exit, .workers[1].exit, .workers[0].work_units > 0,
		.workers[0].wall_ns < .workers[1].wall_ns]' "$stats")" \
		"[\"failed\",[\"worker $tid of cgroup 'a' was killed by signal 11 (Segmentation fault)\"],\"signalled:11\",\"completed\",true,true]"
}

@test "the seed is in the stats, from the option or from KT_SEED" {
	run --separate-stderr kt-workload -d 100ms --seed 7 -e 'cgroup a'
	assert_equal "$(jq .seed <<<"$output")" 7
	KT_SEED=9 run --separate-stderr kt-workload -d 100ms -e 'cgroup a'
	assert_equal "$(jq .seed <<<"$output")" 9
}

@test "events are told on the socket that KT_CHANNEL_FD names" {
	run perl -e '
		use Socket;
		socketpair(my $mine, my $its, AF_UNIX, SOCK_SEQPACKET, 0) or die;
		my $pid = fork();
		if (!$pid) {
			close($mine);
			use Fcntl;
			fcntl($its, F_SETFD, 0);
			$ENV{KT_CHANNEL_FD} = fileno($its);
			open(STDOUT, ">", "/dev/null");
			exec("kt-workload", "-d", "200ms", "-e", "cgroup a", "-e", "step s", "-e", "cgroup b",
				"-e", "hold full");
		}
		close($its);
		while (sysread($mine, my $buf, 65536)) { print "$buf\n"; }
		waitpid($pid, 0);
		exit($? >> 8);
	'
	assert_success
	assert_equal "$(jq -r '[.event, .scenario // .step // .op // .exit, .line] | @csv' <<<"$output")" \
		'"scenario-start","-e",
"op","cgroup a",1
"step-start","s",2
"op","cgroup b",3
"step-end","s",2
"scenario-end","completed",'
	assert_equal "$(jq -s 'map(.t_ns) | . == sort and .[-1] - .[0] > 2e8' <<<"$output")" true
}

@test "a channel that nobody reads, or that is none, does not hold up the run" {
	run --separate-stderr perl -e '
		use Socket;
		use Fcntl;
		socketpair(my $mine, my $its, AF_UNIX, SOCK_SEQPACKET, 0) or die;
		setsockopt($its, SOL_SOCKET, SO_SNDBUF, 1);
		fcntl($_, F_SETFD, 0) for ($its, $mine);
		$ENV{KT_CHANNEL_FD} = fileno($its);
		exec("timeout", "-s", "KILL", "100", "kt-workload", "-d", "200ms", map { ("-e", "cgroup a$_ workers=1") } 1 .. 20);
	'
	assert_success
	assert_equal "$(grep -c "an event could not be sent" <<<"$stderr")" 1
	KT_CHANNEL_FD=77 run --separate-stderr kt-workload -d 100ms -e 'cgroup a'
	assert_success
	assert_equal "$stderr" "kt-workload: KT_CHANNEL_FD='77' is not a socket: events are not sent"
}

@test "the end of the scheduler ends the run at once" {
	# A tree like /sys stands for a kernel with a BPF scheduler.
	export KT_SYSFS=$BATS_TEST_TMPDIR/sys
	local se=$KT_SYSFS/kernel/sched_ext
	mkdir -p "$se/root"
	echo enabled >"$se/state"
	echo simple >"$se/root/ops"
	run --separate-stderr kt-workload -d 100ms -e 'cgroup a'
	assert_success
	assert_equal "$(jq -r .sched <<<"$output")" simple
	start_workload -d 200s -e 'cgroup a'
	eventually cgroup_is_working a
	echo disabled >"$se/state"
	SECONDS=0
	end_workload
	assert_equal "$status" 1
	[ "$SECONDS" -lt 60 ]
	assert_equal "$(jq -c '[.exit, .errors, .sched, .workers[0].exit, .wall_ns < 1.5e11]' "$stats")" \
		"[\"failed\",[\"scheduler 'simple' ended (sched_ext is disabled)\"],\"simple\",\"completed\",true]"
}

telemetry_of() { # STEPS
	local steps=() i
	for i in $(seq "$1"); do steps+=(-e "step s$i" -e 'hold 3ms'); done
	run --separate-stderr kt-workload -v -e 'cgroup b workers=2 work=schbench' \
		-e 'cgroup s workers=1 work=spin-wait' "${steps[@]}"
	assert_success
	sed -n 's/.*telemetry takes \([0-9]*\) bytes a worker/\1/p' <<<"$stderr"
}

@test "a worker's telemetry takes the same memory through 3 and through 500 steps, at most 64 KB" {
	few=$(telemetry_of 3)
	[ "$few" -gt 10000 ] && [ "$few" -le 64000 ]
	telemetry_of 500 >"$BATS_TEST_TMPDIR/many"
	assert_equal "$(cat "$BATS_TEST_TMPDIR/many")" "$few"
}

@test "of hundreds of steps none is lost: they add up to what workers did in their lives" {
	local steps=() i
	for i in $(seq 300); do steps+=(-e "step s$i" -e 'hold 5ms'); done
	undisturbed run --separate-stderr kt-workload -e 'cgroup s workers=2 work=spin-wait' \
		-e 'cgroup b workers=1 work=bursty:burst=3ms,sleep=20ms' "${steps[@]}"
	assert_success
	echo "$output" >"$BATS_TEST_TMPDIR/stats"
	# What is done between two steps belongs to neither of them.
	assert_equal "$(jq -c '. as $all | [.workers[] | .tid as $tid |
		[$all.steps[].workers[] | select(.tid == $tid)] as $mine |
		[($mine | length) == 300,
		 ([$mine[].work_units] | add) <= .work_units, ([$mine[].work_units] | add) >= .work_units * 0.9,
		 ([$mine[].cpu_ns] | add) <= .cpu_ns, ([$mine[].cpu_ns] | add) >= .cpu_ns * 0.9,
		 ([$mine[].max_gap_ns] | max) <= .max_gap_ns] | all]' "$BATS_TEST_TMPDIR/stats")" '[true,true,true]'
}

stop_through_steps() { # STEPS...
	start_workload -e 'cgroup a workers=1 work=spin-wait' "$@"
	eventually cgroup_is_working a || return
	"$BATS_TEST_DIRNAME/lib/stop-running" "$tid" 300 >"$BATS_TEST_TMPDIR/stopped" || return
	runs_on || return
	interrupt_workload
}

@test "a worker that is stopped through several steps has each of them as its gap" {
	local steps=() i
	for i in $(seq 60); do steps+=(-e "step s$i" -e 'hold 50ms'); done
	undisturbed stop_through_steps "${steps[@]}"
	# Of 300 ms five steps at least lie wholly in the gap.
	run jq -c '.workers[0] as $w |
		($w.max_gap_at_ns + $w.max_gap_ns) as $over |
		[.steps[] | select(.start_ns >= $w.max_gap_at_ns and .end_ns <= $over) |
			.workers[0].work_units == 0 and .workers[0].max_gap_ns == .end_ns - .start_ns] |
		[length >= 4, all]' "$stats"
	assert_output '[true,true]'
}

@test "a step's latencies are those of the step" {
	local steps=() i
	for i in $(seq 30); do steps+=(-e "step s$i" -e 'hold 30ms'); done
	undisturbed run --separate-stderr kt-workload -e 'duration 5s' -e 'cgroup b workers=2 work=schbench' \
		-e 'cgroup t workers=1 work=timer-latency:interval=1ms' "${steps[@]}"
	assert_success
	# About 30 wake-ups a step, each of which is counted for one step or falls between two.
	assert_equal "$(jq '[.steps[].workers[] | select(.cgroup == "t").wake_latency.count] |
		length == 30 and (map(select(. != null and . >= 10 and . <= 60)) | length) >= 25' <<<"$output")" true
	assert_equal "$(jq '([.steps[].workers[] | select(.cgroup == "t").wake_latency.count // 0] | add) as $steps |
		.workers[] | select(.cgroup == "t").wake_latency.count | . >= $steps and . <= $steps * 1.3 + 40' <<<"$output")" true
	# What a step's workers have is what its cgroup has.
	assert_equal "$(jq '[.steps[] | ([.workers[] | select(.cgroup == "b") | .wake_latency.count // 0] | add) ==
		([.cgroups[] | select(.name == "b") | .wake_latency.count // 0] | add)] | all' <<<"$output")" true
}
