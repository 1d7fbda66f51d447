#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-assert judges monitor data: a violation counts when it lasts, and what was not sampled is inconclusive.

# shellcheck disable=SC2154 # bats sets stderr
load lib/kt
load lib/assert

# A run directory with a good run; samples puts the monitor data in.
setup() {
	cd "$BATS_TEST_TMPDIR"
	good_run run
}

# samples N [EDIT]: N quiet samples of two CPUs, 100 ms apart, each changed by a jq program that
# may use $i, its position.
samples() {
	seq 0 $(($1 - 1)) | jq -c '. as $i | {t_ns: (5000000000 + $i * 100000000),
		cpus: [{nr_running: 2, scx_nr_running: 2, local_dsq_depth: 1, rq_clock: ($i * 1000 + 7), preempted: false},
		       {nr_running: 1, scx_nr_running: 1, local_dsq_depth: 0, rq_clock: ($i * 1000 + 9), preempted: false}],
		events: {select_cpu_fallback: ($i * 10), dispatch_keep_last: ($i * 5)}} |'"${2:-.}" >run/monitor.jsonl
}

# told LINE [OPTION...]: the run fails with just this finding.
told() {
	run -1 kt-assert run "${@:2}"
	assert_line --index 0 "ktstr_test 'fair' [topo=1n2l2c1t] failed:"
	assert_line --index 1 "  $1"
	assert_line --index 2 '--- stats ---'
}

quiet() {
	run -0 kt-assert run "$@"
	assert_output 'PASS fair [topo=1n2l2c1t]'
}

@test "a quiet run passes, and the monitor section says what was seen" {
	samples 11
	quiet
	run -0 kt-assert -v run
	assert_output --partial - <<-'EOF'

		--- monitor ---
		11 samples over 1000ms, 2 cpus, 0 stalled, max_imbalance=2.0, max_local_dsq=1, fallback=100.0/s, keep_last=50.0/s
	EOF
	run -0 kt-assert --format json run
	assert_equal "$(jq -c .monitor <<<"$output")" \
		'{"samples":11,"duration_ns":1000000000,"cpus":2,"max_imbalance_ratio":2,"max_local_dsq_depth":1,"stalled_samples":0,"fallback_rate":100,"keep_last_rate":50}'
	assert_equal "$(jq -c '.checks[] | select(.check == "max-imbalance-ratio") | [.verdict, .on, .value, .threshold]' \
		<<<"$output")" '["pass",true,2,4]'
}

@test "an imbalance counts when it lasts, above the threshold and not at it" {
	samples 20 'if $i >= 3 and $i < 8 then .cpus[0].nr_running = 9 else . end'
	told 'imbalanced runqueues: ratio=9.00 for 5 samples from +300ms (threshold 4)'
	quiet --sustained-samples 6
	quiet --max-imbalance-ratio 9
	quiet --max-imbalance-ratio off
	samples 20 'if $i % 5 < 4 then .cpus[0].nr_running = 9 else . end'
	quiet
	# An empty runqueue counts as one task.
	samples 6 '.cpus[1].nr_running = 0 | .cpus[0].nr_running = 5'
	told 'imbalanced runqueues: ratio=5.00 for 6 samples from +0ms (threshold 4)'
}

@test "a CPU's local queue is judged by itself" {
	samples 10 'if $i >= 2 and $i < 7 then .cpus[1].local_dsq_depth = 50 + $i else . end'
	told 'cpu1 local queue: depth=56 for 5 samples from +200ms (threshold 50)'
	quiet --max-local-dsq-depth 56
	# Two CPUs by turns are no streak of either.
	samples 10 '.cpus[$i % 2].local_dsq_depth = 99'
	quiet
}

@test "a clock that stands still is a stall, but for idle CPUs and preempted vCPUs" {
	local still='if $i >= 2 and $i <= 7 then .cpus[1].rq_clock = 1 else . end'
	samples 10 "$still"
	told 'cpu1 stalled: its clock stood still with 1 runnable for 5 samples from +200ms (threshold 5 samples)'
	quiet --fail-on-stall=off
	quiet --sustained-samples 6
	samples 10 "$still | .cpus[1].nr_running = 0 | .cpus[0].nr_running = 1"
	quiet
	samples 10 "$still"' | .cpus[1].preempted = true'
	quiet
	samples 10 "$still"' | .cpus[1].preempted = ($i == 4)'
	quiet
}

@test "events are judged by their rate between samples" {
	samples 10 '.events.select_cpu_fallback = $i * 21'
	told 'select_cpu_fallback: 210/s for 9 samples from +0ms (threshold 200/s)'
	quiet --max-fallback-rate 210
	samples 10 '.events.dispatch_keep_last = $i * 11'
	told 'dispatch_keep_last: 110/s for 9 samples from +0ms (threshold 100/s)'
	# A count that starts again is another scheduler's, and ends the streak.
	samples 10 '.events.dispatch_keep_last = ($i % 5) * 11'
	quiet
}

@test "without a scheduler the event rates are not judged, unless the command line asks" {
	samples 10 '.events = null'
	quiet
	run -2 kt-assert --max-fallback-rate 10 run
	assert_line --index 1 '  max-fallback-rate not measured: none of 10 samples has what it compares'
	refute_output --partial max-keep-last-rate
}

@test "no usable sample is inconclusive, check by check" {
	samples 10 '.cpus[].local_dsq_depth = null'
	run -2 kt-assert run
	assert_line --index 1 '  max-local-dsq-depth not measured: none of 10 samples has what it compares'
	assert_line --index 2 '--- stats ---'
	samples 1
	run -2 kt-assert run
	assert_line --index 1 '  fail-on-stall not measured: none of 1 samples has what it compares'
	: >run/monitor.jsonl
	run -2 kt-assert run
	assert_line --index 1 '  max-imbalance-ratio not measured: none of 0 samples has what it compares'
	assert_line '0 samples over 0ms, 0 cpus, 0 stalled, max_imbalance=-, max_local_dsq=-, fallback=-, keep_last=-'
}

@test "a sample without the value breaks a streak" {
	samples 9 '.cpus[0].nr_running = 9 | if $i == 4 then .cpus[1].nr_running = null else . end'
	quiet
	samples 9 '.cpus[1].local_dsq_depth = 99 | if $i == 4 then .cpus |= .[:1] else . end'
	quiet
}

@test "without monitor data only what the command line asks for is missed" {
	echo 'max_imbalance_ratio = 3' >a.policy
	quiet -p a.policy
	run -2 kt-assert --max-imbalance-ratio 3 run
	assert_line --index 1 '  max-imbalance-ratio not measured: no monitor data'
	run -0 kt-assert --not-starved=off run
	assert_output --partial 'SKIP '
	samples 10
	run -0 kt-assert --not-starved=off run
	assert_output --partial 'PASS '
}

@test "--monitor names the file, for one run" {
	samples 10 '.cpus[0].nr_running = 9'
	mv run/monitor.jsonl other.jsonl
	quiet
	run -1 kt-assert --monitor other.jsonl run
	run -1 kt-assert --monitor other.jsonl <run/stats.json
	run -65 kt-assert --monitor none.jsonl run
	assert_output "kt-assert: cannot read 'none.jsonl': No such file or directory"
	run -64 kt-assert --monitor other.jsonl run run
	assert_output 'kt-assert: --monitor is the data of one run: expected one operand, found 2'
}

@test "a malformed sample is told by its line, and is a detail after a bad end" {
	local edit text
	while IFS='|' read -r edit text; do
		samples 3 "if \$i == 1 then $edit else . end"
		run -65 kt-assert run
		assert_output --regexp "^kt-assert: run/monitor.jsonl: line 2: (byte [0-9]+: )?$text\$"
	done <<-'EOF'
		.cpus[1].nr_running = "x"|cpus\[1\].nr_running: expected a whole number or null, found a string
		.cpus[0].preempted = 1|cpus\[0\].preempted: expected true or false or null, found a number
		del(.events)|expected the key "events"
		.t_ns = 5000000000|t_ns: expected a time after the sample before
	EOF
	samples 10 '.cpus[0].nr_running = 9'
	echo '{"t_ns": 99' >>run/monitor.jsonl
	run -65 kt-assert run
	assert_output --partial 'kt-assert: run/monitor.jsonl: line 11: byte 11: the input ends here'
	printf '{"t_ns": 99' >cut
	samples 10
	cat cut >>run/monitor.jsonl
	run -2 kt-assert run
	assert_line --index 1 --partial '  monitor data cut short: run/monitor.jsonl: line 11: byte 11: the input ends here'
	assert_line '--- monitor ---'
	samples 10 '.cpus[0].nr_running = 9'
	cat cut >>run/monitor.jsonl
	run -1 kt-assert run
	echo >>run/monitor.jsonl
	echo '{"schema": "kt-run/1", "outcome": "timeout", "exit_status": 124}' >run/run.json
	run -1 kt-assert run
	assert_line '  the run timed out (outcome timeout)'
	assert_line '  imbalanced runqueues: ratio=9.00 for 10 samples from +0ms (threshold 4)'
	assert_line --partial '  monitor data cut short: run/monitor.jsonl: line 11: '
}

@test "--sustained-samples is a number from 1, from policy files too" {
	samples 10 'if $i == 4 then .cpus[0].nr_running = 9 else . end'
	quiet
	told 'imbalanced runqueues: ratio=9.00 for 1 samples from +400ms (threshold 4)' --sustained-samples 1
	echo 'sustained_samples = 1' >a.policy
	run -1 kt-assert -p a.policy run
	run -64 kt-assert --sustained-samples 0 run
	assert_output "kt-assert: --sustained-samples: expected a whole number from 1, found '0'"
	run -64 kt-assert --sustained-samples off run
}

@test "memory does not grow with the samples" {
	if grep -q __asan_init "$(command -v kt-assert)"; then
		skip "the sanitizer's own memory is far larger"
	fi
	samples 2000 '.t_ns += 1000000000000'
	local i
	for i in {1..40}; do
		sed "s/\"t_ns\":1/\"t_ns\":${i}1/" run/monitor.jsonl
	done >big.jsonl
	assert [ "$(stat -c %s big.jsonl)" -gt 16000000 ]
	# Address space, program and libraries included, in kB.
	run -1 bash -c 'ulimit -v 15000; kt-assert --max-imbalance-ratio 1 --monitor big.jsonl run'
	assert_line --partial '80000 samples over '
}
