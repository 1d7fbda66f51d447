#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-assert turns verdicts by what was expected and allowed: --expect-error, --allow-inconclusive, --no-skip.

load lib/kt
load lib/assert

# A scheduler's death, with its message unless it is null.
setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir run
	cp "$STATS/fair.json" run/stats.json
	died '"w0[7] failed to run for 5.1s"'
}

died() {
	cat >run/run.json <<-EOF
		{"schema": "kt-run/1", "outcome": "scheduler-died", "exit_status": 1, "message": null,
		 "topology": "1n2l2c1t", "scheduler": {"name": "q", "exit_message": $1}}
	EOF
}

@test "--expect-error passes a failure whose exit message has the text or matches the expression" {
	local pattern
	for pattern in 'failed to run' 'w0[7] failed' '/^w[0-9]+\[7\] failed/' '/for (4|5)\.[0-9]s$/'; do
		run -0 kt-assert --expect-error "$pattern" run
		assert_output 'PASS fair [sched=q] [topo=1n2l2c1t] (failed as expected)'
	done
}

@test "--expect-error fails a failure with another message, or none, and says what was expected" {
	run -1 kt-assert --expect-error 'w07 failed' run
	assert_line --index 0 "ktstr_test 'fair' [sched=q] [topo=1n2l2c1t] failed:"
	assert_line --index 1 "  the scheduler exited with 'w0[7] failed to run for 5.1s' (expected 'w07 failed')"
	assert_line --index 2 '  the scheduler died (outcome scheduler-died)'
	run -1 kt-assert --expect-error '/run$/' run
	assert_line --index 1 "  the scheduler exited with 'w0[7] failed to run for 5.1s' (expected '/run\$/')"
	died null
	run -1 kt-assert --expect-error stall run
	assert_line --index 1 "  the scheduler left no exit message (expected 'stall')"
	run -1 kt-assert --expect-error stall "$STATS/unfair.json"
	assert_line --index 1 "  the scheduler left no exit message (expected 'stall')"
}

@test "--expect-error fails a pass" {
	run -1 kt-assert --expect-error stall "$STATS/fair.json"
	assert_line --index 1 '  every check passed (expected a failure)'
}

@test "a pattern that matches nothing at all, or is no expression, is refused" {
	local pattern
	for pattern in '' '//' '/x*/' '/^/' '/stall|/' '/(a|b?)/'; do
		run -64 kt-assert --expect-error "$pattern" run
		assert_output "kt-assert: --expect-error '$pattern': it matches the empty string: expected a text or /regex/ that does not"
	done
	run -64 kt-assert --expect-error '/a(/' run
	assert_output --partial "kt-assert: --expect-error '/a(/': expected a regular expression between the slashes ("
}

@test "--allow-inconclusive passes what was not measured, says so, and leaves a fail" {
	variant '.workers[0].work_units = null'
	run -2 kt-assert "$variant"
	run -0 kt-assert --allow-inconclusive "$variant"
	assert_output 'PASS fair [topo=1n2l2c1t] (inconclusive, which is allowed)'
	run -0 kt-assert --allow-inconclusive --format tap "$variant"
	assert_line --index 2 'ok 1 - fair [topo=1n2l2c1t] (inconclusive, which is allowed)'
	run -1 kt-assert --allow-inconclusive "$STATS/unfair.json"
	run -0 kt-assert --allow-inconclusive --expect-fail "$variant"
}

@test "--no-skip fails a run with every check off" {
	run -0 kt-assert --not-starved=off "$STATS/fair.json"
	run -1 kt-assert --no-skip --not-starved=off "$STATS/fair.json"
	assert_line --index 0 "ktstr_test 'fair' [topo=1n2l2c1t] failed:"
	assert_line --index 1 '  no check is on (expected at least one)'
	run -0 kt-assert --no-skip "$STATS/fair.json"
}

@test "json and JUnit tell what was observed and why that was not expected" {
	run -0 kt-assert --format json --expect-error failed run
	assert_equal "$(jq -c '[.verdict, .observed, .expect_fail, .expect_error, .allow_inconclusive, .no_skip]' \
		<<<"$output")" '["pass","fail",true,"failed",false,false]'
	run -1 kt-assert --format json --no-skip --allow-inconclusive --not-starved=off "$STATS/fair.json"
	assert_equal "$(jq -c '[.verdict, .observed, .expect_error, .allow_inconclusive, .no_skip]' \
		<<<"$output")" '["fail","skip",null,true,true]'
	run -1 kt-assert --format junit --expect-fail "$STATS/fair.json"
	assert_output --partial '<failure type="fail" message="every check passed (expected a failure)">'
}
