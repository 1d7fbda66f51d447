#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-assert judges a run directory by how the run ended, and quotes what explains it.

load lib/kt
load lib/assert

setup() {
	run_dir=$BATS_TEST_TMPDIR/1n2l2c1t
	good_run "$run_dir"
}

# run_json [EDIT]: a run.json of a good run, changed by a jq program.
run_json() {
	cp "$run_dir/stats.json" "$BATS_TEST_TMPDIR/kept.json" 2>/dev/null || rm -f "$BATS_TEST_TMPDIR/kept.json"
	good_run "$run_dir" "$@"
	cp "$BATS_TEST_TMPDIR/kept.json" "$run_dir/stats.json" 2>/dev/null || rm "$run_dir/stats.json"
}

@test "a run that exited with 0 is judged by its stats" {
	run_json
	run -0 kt-assert "$run_dir"
	assert_output 'PASS fair [topo=1n2l2c1t]'
	cp "$STATS/unfair.json" "$run_dir/stats.json"
	run -1 kt-assert "$run_dir"
}

@test "every bad end fails and says which" {
	local outcome text
	while IFS='|' read -r outcome text; do
		run_json ".outcome = \"$outcome\" | .exit_status = 1"
		run -1 kt-assert "$run_dir"
		assert_line --index 0 "ktstr_test 'fair' [topo=1n2l2c1t] failed:"
		assert_line --index 1 "  $text"
	done <<-'EOF'
		exited|the command exited with status 1 (expected 0)
		timeout|the run timed out (outcome timeout)
		hang|the guest hung (outcome hang)
		panic|the guest kernel panicked (outcome panic)
		oops|the guest kernel oopsed (outcome oops)
		oom-kill|the guest ran out of memory (outcome oom-kill)
		scheduler-died|the scheduler died (outcome scheduler-died)
		scheduler-failed|the scheduler could not be started (outcome scheduler-failed)
		guest-died|the guest died silently (outcome guest-died)
		not-found|the guest did not find the command (outcome not-found)
		not-executable|the guest could not execute the command (outcome not-executable)
	EOF
	run_json '.outcome = "signalled" | .exit_status = 139'
	run -1 kt-assert "$run_dir"
	assert_line --index 1 '  the command died of signal 11'
}

@test "the run's own message follows" {
	run_json '.outcome = "panic" | .exit_status = 121 | .message = "Kernel panic - not syncing: test"'
	run -1 kt-assert "$run_dir"
	assert_line --index 1 '  the guest kernel panicked (outcome panic): Kernel panic - not syncing: test'
}

@test "an interrupted run and a VM that could not be run are inconclusive" {
	rm "$run_dir/stats.json"
	run_json '.outcome = "interrupted" | .exit_status = 130'
	run -2 kt-assert "$run_dir"
	assert_output - <<-'EOF'
		ktstr_test '1n2l2c1t' [topo=1n2l2c1t] inconclusive:
		  the run was interrupted (outcome interrupted)
		  no stats.json: nothing was measured
	EOF
	run_json '.outcome = "failed" | .exit_status = 125'
	run -2 kt-assert "$run_dir/"
	assert_line --index 1 '  the VM could not be run (outcome failed)'
}

@test "a run without stats goes by its directory and is inconclusive when it ended well" {
	rm "$run_dir/stats.json"
	run_json
	run -2 kt-assert "$run_dir"
	assert_line --index 0 "ktstr_test '1n2l2c1t' [topo=1n2l2c1t] inconclusive:"
	assert_line --index 1 '  no stats.json: nothing was measured'
}

@test "half-written stats are inconclusive, malformed ones bad input after a good end and a detail after a bad one" {
	head -c 100 "$STATS/fair.json" >"$run_dir/stats.json"
	run_json
	run -2 kt-assert "$run_dir"
	assert_line --index 1 "  no stats: $run_dir/stats.json: byte 100: sched: the input ends here: expected the rest of the JSON object"
	run_json '.outcome = "timeout" | .exit_status = 124'
	run -1 kt-assert "$run_dir"
	assert_line --index 1 '  the run timed out (outcome timeout)'
	assert_line --index 2 "  no stats: $run_dir/stats.json: byte 100: sched: the input ends here: expected the rest of the JSON object"
	echo '{"schema": 5}' >"$run_dir/stats.json"
	run -1 kt-assert "$run_dir"
	assert_line --index 2 --partial '  no stats: '
	run_json
	run -65 kt-assert "$run_dir"
	assert_output "kt-assert: $run_dir/stats.json: byte 12: schema: expected a string, found a number"
}

@test "an incomplete run directory is inconclusive, whatever is missing, and says what" {
	local file
	rm "$run_dir/run.json"
	run -2 kt-assert "$run_dir"
	assert_line --index 0 "ktstr_test 'fair' [topo=1n2l2c1t] inconclusive:"
	assert_line --index 1 "  incomplete: $run_dir has no run.json, which is written last"
	# What is there and fails, fails.
	cp "$STATS/unfair.json" "$run_dir/stats.json"
	run -1 kt-assert "$run_dir"
	rm "$run_dir/stats.json"
	for file in stderr.log console.log sched.log monitor.jsonl events.jsonl console-attempt1.log; do
		touch "$run_dir/$file"
		run -2 kt-assert "$run_dir"
		assert_line '  no stats.json: nothing was measured'
		rm "$run_dir/$file"
	done
	# What a killed kt-vmm leaves: a directory.
	run -2 kt-assert "$run_dir"
	assert_output - <<-EOF
		ktstr_test '1n2l2c1t' [topo=-] inconclusive:
		  incomplete: $run_dir has no run.json, which is written last
		  no stats.json: nothing was measured
	EOF
	cp "$STATS/fair.json" "$run_dir/stats.json"
	: >"$run_dir/run.json"
	run -2 kt-assert "$run_dir"
	assert_line --index 1 --partial "  $run_dir/run.json: byte "
	echo '{"schema": "kt-run/1", "outcome":' >"$run_dir/run.json"
	run -2 kt-assert "$run_dir"
	assert_line --index 1 --partial "  $run_dir/run.json: byte "
}

@test "a run directory of another schema version is inconclusive and says which" {
	run_json '.schema = "kt-run/9"'
	run -2 kt-assert "$run_dir"
	assert_line --index 1 "  $run_dir/run.json: schema: expected \"kt-run/1\", found \"kt-run/9\""
	run_json
	sed -i 's,kt-stats/1,kt-stats/2,' "$run_dir/stats.json"
	run -2 kt-assert "$run_dir"
	assert_line --index 0 "ktstr_test '1n2l2c1t' [topo=1n2l2c1t] inconclusive:"
	assert_line --index 1 --regexp "^  no stats: $run_dir/stats.json: byte [0-9]+: schema: expected \"kt-stats/1\", found \"kt-stats/2\"\$"
}

@test "of many directories each is named, and no bad one keeps the others from their verdict" {
	cd "$BATS_TEST_TMPDIR"
	good_run good
	good_run crashed '.outcome = "panic" | .exit_status = 120'
	good_run broken '.outcome = "failed" | .exit_status = 125'
	good_run old '.schema = "kt-run/9"'
	mkdir killed
	run -1 kt-assert good crashed broken old killed
	assert_line --index 0 'good:'
	assert_line 'broken:'
	assert_line '  the VM could not be run (outcome failed)'
	assert_line 'killed:'
	assert_line '  incomplete: killed has no run.json, which is written last'
	assert_line '5 runs: 1 passed, 1 failed, 3 inconclusive, 0 unreadable'
	run -2 kt-assert good broken old killed
	mkdir matrix
	mv good matrix
	run -65 kt-assert matrix
	assert_output 'kt-assert: matrix: expected a run directory with run.json or stats.json; it holds some: name those'
}

@test "a scheduler's death is shown with its reason, log and timeline" {
	run_json '.outcome = "scheduler-died" | .exit_status = 1 |
		.scheduler = {name: "qmap", exit_kind: "error-stall", exit_reason: "runnable task stall",
			exit_message: "w0[7] failed to run for 5.1s"}'
	seq -f 'log line %.0f' 1 50 >"$run_dir/sched.log"
	cat >"$run_dir/events.jsonl" <<-'EOF'
		{"event":"scheduler-attached","t_ns":2000000000,"name":"qmap"}
		{"event":"step","t_ns":3234567890,"name":"warmup","line":4}
		{"event":"op","t_ns":3334567890,"op":"cgroup a","line":5}
		not an event
	EOF
	run -1 kt-assert "$run_dir"
	assert_line --index 0 "ktstr_test 'fair' [sched=qmap] [topo=1n2l2c1t] failed:"
	assert_line --index 1 '  the scheduler died (outcome scheduler-died)'
	assert_output --partial - <<-'EOF'

		--- scheduler ---
		  exit kind: error-stall
		  reason: runnable task stall
		  message: w0[7] failed to run for 5.1s
		  log line 11
		  log line 12
	EOF
	refute_line '  log line 10'
	assert_output --partial - <<-'EOF'
		  log line 50

		--- timeline ---
		  +0ms scheduler-attached name=qmap
		  +1234ms step name=warmup line=4
		  +1334ms op cgroup a line=5
		  ? (not an event: expected "event" and "t_ns")
	EOF
}

@test "what a failed command complained about is shown, and nothing of one that ended well" {
	echo "kt-workload: x.kt:3: unknown op 'cgrup'" >"$run_dir/stderr.log"
	run_json '.exit_status = 64'
	run -1 kt-assert "$run_dir"
	assert_line '  the command exited with status 64 (expected 0)'
	assert_output --partial - <<-'EOF'

		--- stderr ---
		  kt-workload: x.kt:3: unknown op 'cgrup'
	EOF
	run_json
	run -0 kt-assert -v "$run_dir"
	refute_line --partial stderr
}

@test "empty sections are left out" {
	run_json '.outcome = "hang" | .exit_status = 123 | .scheduler = {name: "simple"}'
	: >"$run_dir/sched.log"
	: >"$run_dir/events.jsonl"
	run -1 kt-assert "$run_dir"
	refute_output --partial -- '--- scheduler ---'
	refute_output --partial -- '--- timeline ---'
}

@test "of a long timeline the last hundred events are shown" {
	run_json '.outcome = "hang" | .exit_status = 123'
	seq 0 249 | jq -c '{event: "op", t_ns: (. * 1000000)}' >"$run_dir/events.jsonl"
	run -1 kt-assert "$run_dir"
	assert_line '  (150 earlier events in events.jsonl)'
	assert_line '  +150ms op'
	assert_line '  +249ms op'
	refute_line '  +149ms op'
}

@test "terminal controls in the scheduler's log stay out of the report" {
	run_json '.outcome = "scheduler-died" | .exit_status = 1 | .scheduler = {name: "x"}'
	printf 'a\033[2Jb\n' >"$run_dir/sched.log"
	run -1 kt-assert "$run_dir"
	assert_line '  a\x1b[2Jb'
}

@test "an emulated or oversubscribed VM gets the relaxed defaults, and the verdict says so" {
	cp "$STATS/unfair.json" "$run_dir/stats.json"
	local why
	for why in emulated oversubscribed; do
		run_json ".$why = true"
		run -0 kt-assert --explain "$run_dir"
		assert_line --regexp "^max_spread_pct += 35 +# relaxed: run.json says $why, overrides 15 \\(default\\)\$"
		run -0 kt-assert --format json "$run_dir"
		assert_equal "$(jq -c '[.relaxed, (.checks[0] | .threshold, .from)]' <<<"$output")" \
			"[\"run.json says $why\",35,\"relaxed: run.json says $why\"]"
		run -1 kt-assert --no-relaxed "$run_dir"
		run -1 kt-assert --max-spread-pct 15 "$run_dir"
	done
	echo 'max_spread_pct = 20' >"$BATS_TEST_TMPDIR/a.policy"
	run -1 kt-assert -p "$BATS_TEST_TMPDIR/a.policy" "$run_dir"
}

@test "--expect-fail pins a scheduler's death" {
	run_json '.outcome = "scheduler-died" | .exit_status = 1 | .scheduler = {name: "x"}'
	run -0 kt-assert --expect-fail "$run_dir"
	assert_output 'PASS fair [sched=x] [topo=1n2l2c1t] (failed as expected)'
}

@test "--expect-fail does not take the failure of half a run for the expected one" {
	cp "$STATS/unfair.json" "$run_dir/stats.json"
	run_json
	run -0 kt-assert --expect-fail "$run_dir"
	rm "$run_dir/run.json"
	run -2 kt-assert --expect-fail "$run_dir"
	assert_line --index 0 "ktstr_test 'mixed_workloads' [topo=1n2l2c1t] inconclusive:"
	assert_line '  unfair cgroup: spread=22% (10-32%) 2 workers on 2 cpus (threshold 15%)'
	assert_line "  incomplete: $run_dir has no run.json, which is written last"
	run -0 kt-assert --expect-fail --allow-inconclusive "$run_dir"
	assert_output 'PASS mixed_workloads [topo=1n2l2c1t] (inconclusive, which is allowed)'
	# A run that ended badly may have left no stats, and that is the failure that was expected.
	run_json '.outcome = "panic" | .exit_status = 120'
	rm "$run_dir/stats.json"
	run -0 kt-assert --expect-fail "$run_dir"
}

@test "a malformed run.json is refused" {
	local edit text
	while IFS='|' read -r edit text; do
		run_json "$edit"
		run -65 kt-assert "$run_dir"
		assert_output --partial "kt-assert: $run_dir/run.json: $text"
	done <<-'EOF'
		.schema = "kt-vm/1"|schema: expected "kt-run/1"
		.outcome = "exploded"|outcome: expected exited, signalled,
		.outcome = 5|outcome: expected exited, signalled,
		.exit_status = "0"|exit_status: expected a whole number from 0, or null
		.exit_status = -1|exit_status: expected a whole number from 0, or null
		.scheduler = "x"|scheduler: expected an object or null
		.emulated = 1|emulated: expected true or false
	EOF
	echo '{"schema" 5}' >"$run_dir/run.json"
	run -65 kt-assert "$run_dir"
	assert_output --partial "kt-assert: $run_dir/run.json: byte "
	rm "$run_dir/run.json"
	mkdir "$run_dir/run.json"
	run -65 kt-assert "$run_dir"
	assert_output "kt-assert: $run_dir/run.json: expected a file of at most 1048576 bytes"
}
