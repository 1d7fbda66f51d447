#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-workload runs programs of the user's beside its workers: run, wait, kill, and their figures.

load lib/kt
load lib/workload

setup() {
	need_cgroups
}

teardown() {
	stop_workload
}

@test "what a program prints becomes its figures: by groups, by name, and from JSON" {
	undisturbed run kt-workload -d 1s -e 'run text metric="([a-z]+)=([0-9.]+)" metric.last="last ([0-9]+)" -- printf "x=3 y=4.5 z=n\nlast 7\nlast 9\n"' \
		-e 'run doc -- printf %s "{\"a\": {\"b\": [1, 2]}, \"rps\": 12.5, \"s\": \"x\"}"' \
		-e 'run line -- printf "hello\n%s\n" "{\"qps\": 3}"' -e 'run none -- true'
	assert_success
	assert_equal "$(jq -c '.payloads[] | [.name, .exit, (.metrics | map_values(. * 2 | floor))]' <<<"$output")" \
		'["text","completed",{"x":6,"y":9,"last":18}]
["doc","completed",{"a.b[0]":2,"a.b[1]":4,"rps":25}]
["line","completed",{"qps":6}]
["none","completed",{}]'
}

@test "a program runs in the cgroup that it names, or in one of its own" {
	start_workload -d 200s -e 'cgroup a workers=1' -e 'run inside cgroup=a -- sleep 600' -e 'run alone -- sleep 601'
	eventually has_run_root
	eventually pgrep -P "$pid" -x -f 'sleep 601'
	grep -qx "$(pgrep -P "$pid" -x -f 'sleep 600')" "$(run_root)/a/cgroup.procs"
	grep -qx "$(pgrep -P "$pid" -x -f 'sleep 601')" "$(run_root)/run.alone/cgroup.procs"
	interrupt_workload
	run pgrep -x -f 'sleep 60[01]'
	assert_failure
	run no_run_root
	assert_success
	assert_equal "$(jq -c '[.payloads[] | [.cgroup, .exit]]' "$stats")" '[["a","stopped"],[null,"stopped"]]'
}

@test "a program that ends badly fails the run for what it is" {
	undisturbed run --separate-stderr kt-workload -d 1s -e 'run bad -- sh -c "exit 3"' -e 'run shot -- sh -c "kill -9 \$\$"'
	assert_failure 1
	assert_equal "$(jq -c '[.payloads[].exit], (.errors | sort)' <<<"$output")" \
		'["exited:3","signalled:9"]
["-e:1: program '\''bad'\'' exited with status 3","-e:2: program '\''shot'\'' was killed by signal 9 (Killed)"]'
	undisturbed run --separate-stderr kt-workload -d 1s -e 'run one -- true' -e 'run lost -- no-such-program'
	assert_failure 1
	assert_equal "$(jq -r '.payloads[1].exit, .errors[]' <<<"$output")" "never-started
-e:2: cannot run 'lost': no-such-program: No such file or directory"
}

@test "wait waits for a program's end, and no longer than it is told" {
	run kt-workload -e 'duration 60s' -e 'cgroup a workers=1' -e 'step s' -e 'run job -- sleep 0.4' -e 'wait job' \
		-e 'hold 100ms'
	assert_success
	assert_equal "$(jq '.payloads[0] | .exit == "completed" and .end_ns - .start_ns > 4e8' <<<"$output")" true
	assert_equal "$(jq '.wall_ns > 5e8 and .wall_ns < 3e10' <<<"$output")" true
	run --separate-stderr kt-workload -e 'duration 10s' -e 'run job -- sleep 60' -e 'wait job 200ms'
	assert_failure 1
	assert_equal "$(jq -r '.errors[], .payloads[0].exit' <<<"$output")" \
		"-e:3: wait: program 'job' did not end within 0.2s
stopped"
}

@test "a program that cannot start, because its cgroup is frozen, does not hold up the run" {
	undisturbed run --separate-stderr kt-workload -d 5s -e 'cgroup a workers=1' -e 'step s' -e 'freeze a' -e 'run one cgroup=a -- true' \
		-e 'run two cgroup=a -- sleep 60' -e 'kill two' -e 'thaw a' -e 'wait one' -e 'hold 100ms'
	assert_success
	assert_equal "$stderr" "kt-workload: program 'one' did not come up within 1 s: going on without it
kt-workload: program 'two' did not come up within 1 s: going on without it"
	assert_equal "$(jq -c '[.payloads[].exit]' <<<"$output")" '["completed","never-started"]'
}

@test "kill ends a program with the signal asked for, and with SIGKILL when that does not help" {
	undisturbed run kt-workload -e 'duration 5s' -e 'run soft metric.got="got ([0-9]+)" -- sh -c "trap \"echo got 7; exit\" INT; while :; do sleep 0.05; done"' \
		-e 'run hard -- sh -c "trap \"\" TERM; sleep 60; sleep 60"' -e 'sleep 500ms' -e 'kill soft SIGINT' -e 'kill hard'
	assert_success
	assert_equal "$(jq -c '[.payloads[] | [.exit, (.metrics.got == 7)]]' <<<"$output")" '[["stopped",true],["stopped",false]]'
}

@test "a step's programs end with it, those before the first step live on" {
	undisturbed run kt-workload -e 'duration 5s' -e 'run through -- sleep 60' -e 'step one' -e 'run brief -- sleep 60' -e 'hold 300ms' \
		-e 'step two' -e 'run brief -- sleep 60' -e 'hold 300ms'
	assert_success
	assert_equal "$(jq -c '.payloads as $p | [$p[1].end_ns < $p[2].start_ns, $p[0].end_ns >= $p[2].end_ns - 1e8]' <<<"$output")" \
		'[true,true]'
}

@test "a program that prints without end holds up nothing and takes bounded memory" {
	undisturbed run kt-workload -d 1s -e 'cgroup a workers=1' -e 'run yes -- yes'
	assert_success
	assert_equal "$(jq -c '[.payloads[0].output_cut, .wall_ns < 4e9]' <<<"$output")" '[true,true]'
}

@test "what programs have started and left goes with the run, outside of its cgroups as well" {
	local program="sh -c \"sleep 79.1 & setsid sleep 79.2 & exec sleep 79.3\""
	undisturbed run kt-workload -d 300ms -e "run out cgroup=/ -- $program" -e "run in -- $program" \
		-e "spawn-root workers=1 'work=exec:$program'" -e "cgroup a workers=1 'work=exec:$program'"
	assert_success
	run pgrep -x -f 'sleep 79[.][123]'
	assert_failure
}

@test "a killed kt-workload leaves no program running" {
	start_workload -d 200s -e 'run a -- sh -c "sleep 77 & exec sleep 78"'
	eventually pgrep -x -f 'sleep 77'
	kill -KILL "$workload"
	end_workload
	none() { ! pgrep -x -f 'sleep 7[78]' >/dev/null; }
	eventually none
}

@test "mistakes in run, wait and kill are found before anything is started" {
	check() {
		local message=$1 args=()
		shift
		for line; do args+=(-e "$line"); done
		run kt-workload "${args[@]}"
		assert_failure 64
		assert_output "kt-workload: -e:${at:-$#}: $message"
	}
	check "run: expected a name after it: run NAME [cgroup=CGROUP] [metric=REGEX] -- COMMAND" 'run -- true'
	check "run x: expected -- and a command at the end" 'run x'
	check "program 'x' runs already, from line 1" 'run x -- true' 'run x -- true'
	check "run: 'cmd': expected options KEY=VALUE, then -- and the command" 'run x cmd -- true'
	check "unknown run option 'cgruop': did you mean 'cgroup'?" 'run x cgruop=a -- true'
	check "unknown cgroup 'b': did you mean 'a'?" 'cgroup a' 'run x cgroup=b -- true'
	check "metric='x': expected two groups, a name and a number, as in '([a-z]+): ([0-9.]+)'" 'run x metric=x -- true'
	check "metric.n='x': expected a group around the number, as in 'ops: ([0-9.]+)'" 'run x metric.n=x -- true'
	check "metric '(a*)': matches the empty string: expected one that does not" 'run x metric.n=(a*) -- true'
	check "unknown program 'y': did you mean 'x'?" 'run x -- true' 'wait y'
	check "'x' has its end in line 2 already" 'run x -- true' 'wait x' 'kill x'
	check "kill x 'FOO': expected a signal such as TERM, KILL, INT or 15" 'run x -- true' 'kill x FOO'
	at=4 check "program 'x' runs in cgroup 'a': expected 'kill x' or 'wait x' before" 'cgroup a' 'run x cgroup=a -- true' 'step s' 'remove a' 'hold full'
}
