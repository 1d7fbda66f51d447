#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-assert judges what happened in one step, or in each by itself.

# shellcheck disable=SC2154 # bats sets stderr
load lib/kt
load lib/assert

setup() {
	cd "$BATS_TEST_TMPDIR"
}

# step_variant EDIT: steps.json, whose steps are warmup (cg0 only) and load, changed by a jq program.
step_variant() {
	variant "$1" steps.json
}

# in_load EDIT LINE OPTION...: step load fails with just this line, step warmup and the run pass.
in_load() {
	step_variant "$1"
	run -1 kt-assert --step load "$variant" "${@:3}"
	assert_line --index 0 "ktstr_test 'steps' [topo=1n2l2c1t] [step=load] failed:"
	assert_line --index 1 "  $2"
	assert_line --index 2 '--- stats ---'
	run -0 kt-assert --step warmup "$variant" "${@:3}"
	assert_output 'PASS steps [topo=1n2l2c1t] [step=warmup]'
	run -0 kt-assert "$variant" "${@:3}"
	assert_output 'PASS steps [topo=1n2l2c1t]'
}

@test "every check of workers and cgroups is judged by the step's own figures" {
	in_load '.steps[1].workers[1].off_cpu_pct = 31.7' \
		'unfair cgroup: spread=22% (10-32%) 2 workers on 2 cpus (threshold 15%)'
	in_load '.steps[1].workers[1].work_units = 0' 'tid 11 starved (0 work units)'
	in_load '.steps[1].workers[1] += {max_gap_ns: 2500000000, max_gap_cpu: 3, max_gap_at_ns: 4200000000}' \
		'tid 11 stuck 2500ms on cpu3 at +4200ms (threshold 2000ms)'
	in_load '.steps[1].workers[0] += {isolation_violations: 3, cpus_used: "0-2"}' \
		'tid 10 left its cpuset at 3 checkpoints: ran on cpus 0-2 (cpuset 0-1)' --isolation
	in_load '.steps[1].workers[0].work_units = 200' \
		'cg0 uneven: throughput_cv=0.60 2 workers on 2 cpus (threshold 0.5)' --max-throughput-cv 0.5
	in_load '.steps[1].workers[0].work_units = 100' \
		'tid 10 slow: work_rate=18.52/cpu-s (threshold 50/cpu-s)' --min-work-rate 50
	in_load '.steps[1].workers[0].iterations = 60' \
		'tid 10 slow: iteration_rate=10.00/s (threshold 50/s)' --min-iteration-rate 50
	in_load '.steps[1].workers[0].migrations = 12' \
		'cg0 unsettled: migration_ratio=0.010 13 migrations in 1300 iterations (threshold 0.005)' \
		--max-migration-ratio 0.005
	in_load '.steps[1].cgroups[0].wake_latency.p99_ns = 6000' \
		'cg0 late: p99_wake_latency=6000ns over 60 wakes (threshold 5000ns)' --max-p99-wake-latency-ns 5000
	in_load '.steps[1].cgroups[0].wake_latency.cv = 0.9' \
		'cg0 erratic: wake_latency_cv=0.90 over 60 wakes (threshold 0.5)' --max-wake-latency-cv 0.5
}

@test "what was not measured in the step is inconclusive there" {
	step_variant '.steps[1].workers[1] |= (.work_units = null | .off_cpu_pct = null)'
	run -0 kt-assert --step warmup "$variant"
	run -2 kt-assert --step load "$variant"
	assert_line --index 1 '  cg0: max-spread-pct not measured: 1 of 2 workers have no off_cpu_pct'
	assert_line --index 2 '  tid 11: not-starved not measured: no work_units'
}

@test "a report of a step shows its figures and no cgroup that was not in it" {
	run -0 kt-assert -v --step warmup "$STATS/steps.json"
	assert_output - <<-'EOF'
		PASS steps [topo=1n2l2c1t] [step=warmup]

		--- stats ---
		2 workers, 2 cpus, 2 migrations, worst_spread=7.0%, worst_gap=50ms
		  cg0: workers=2 cpus=2 spread=7.0% gap=50ms migrations=2 iter=700
	EOF
}

@test "stats with roll-ups only leave checks of workers inconclusive and judge the others" {
	step_variant 'del(.steps[].workers)'
	run -2 kt-assert --step load "$variant"
	assert_line --index 0 "ktstr_test 'steps' [topo=1n2l2c1t] [step=load] inconclusive:"
	assert_line --index 1 "  run: not-starved not measured: the stats have no workers of step 'load'"
	assert_line --index 2 "  run: max-gap-ms not measured: the stats have no workers of step 'load'"
	assert_line '3 workers, - cpus, 2 migrations, worst_spread=12.0%, worst_gap=30ms'
	run -0 kt-assert --step load --not-starved=off --max-spread-pct 12 --max-migration-ratio 1 --max-throughput-cv 1 "$variant"
	run -1 kt-assert --step load --not-starved=off --max-spread-pct 11 "$variant"
	assert_line --index 1 '  unfair cgroup: spread=12% (10-22%) 2 workers on 2 cpus (threshold 11%)'
	step_variant '.steps[].workers = null | .steps[].cgroups[] |= (.spread_pct = null | .throughput_cv = null)'
	run -2 kt-assert --step load --not-starved=off --max-spread-pct 12 --max-throughput-cv 1 "$variant"
	assert_line --index 1 '  cg0: max-spread-pct not measured: 2 of 2 workers have no off_cpu_pct'
	assert_line '  cg0: max-throughput-cv not measured: the stats have no throughput_cv of it'
}

@test "--each-step judges every step, and its lines name them" {
	run -0 kt-assert --each-step "$STATS/steps.json"
	assert_output 'PASS steps [topo=1n2l2c1t]'
	run -1 kt-assert --each-step --max-gap-ms 35 --max-spread-pct 10 "$STATS/steps.json"
	assert_output - <<-'EOF'
		ktstr_test 'steps' [topo=1n2l2c1t] failed:
		  unfair cgroup: spread=12% (10-22%) 2 workers on 2 cpus (threshold 10%) in step load
		  tid 10 stuck 40ms on cpu1 at +2000ms (threshold 35ms) in step warmup
		  tid 11 stuck 50ms on cpu0 at +1000ms (threshold 35ms) in step warmup

		--- stats in step warmup ---
		2 workers, 2 cpus, 2 migrations, worst_spread=7.0%, worst_gap=50ms
		  cg0: workers=2 cpus=2 spread=7.0% gap=50ms migrations=2 iter=700

		--- stats in step load ---
		3 workers, 3 cpus, 2 migrations, worst_spread=12.0%, worst_gap=30ms
		  cg0: workers=2 cpus=2 spread=12.0% gap=30ms migrations=2 iter=1300
		  cg1: workers=1 cpus=1 spread=0.0% gap=1ms migrations=0 iter=500
	EOF
	# Whoever has no steps is judged as a whole.
	run -1 kt-assert --each-step "$STATS/unfair.json"
	assert_line --index 1 '  unfair cgroup: spread=22% (10-32%) 2 workers on 2 cpus (threshold 15%)'
}

@test "a check that applies in one of the steps is not missed in the others" {
	step_variant '.steps[0].workers[] |= (.cpus_allowed = null | .isolation_violations = null)'
	run -0 kt-assert --each-step --isolation "$variant"
	run -2 kt-assert --step warmup --isolation "$variant"
	assert_line --index 1 '  run: isolation not measured: no worker was confined to a cpuset'
	step_variant '.steps[].workers[] |= (.cpus_allowed = null | .isolation_violations = null)'
	run -2 kt-assert --each-step --isolation "$variant"
	assert_line --index 1 '  run: isolation not measured: no worker was confined to a cpuset'
	assert_line --index 2 '--- stats in step warmup ---'
}

@test "steps of the same name are each judged by themselves" {
	step_variant '.steps[1].name = "warmup" | .steps[1].workers[1].work_units = 0'
	run -1 kt-assert --step warmup "$variant"
	assert_line --index 1 '  tid 11 starved (0 work units) in step warmup (number 2)'
	assert_line '--- stats in step warmup (number 1) ---'
	step_variant '.steps[1].name = "warmup"'
	run -0 kt-assert --step warmup "$variant"
}

@test "an unknown step is a usage error that says which are known" {
	run -64 kt-assert --step lod "$STATS/steps.json"
	assert_output "kt-assert: $STATS/steps.json: unknown step 'lod': did you mean 'load'? (its steps are warmup, load)"
	run -64 kt-assert --step x "$STATS/steps.json"
	assert_output "kt-assert: $STATS/steps.json: unknown step 'x': its steps are warmup, load"
	run -64 kt-assert --step x "$STATS/fair.json"
	assert_output "kt-assert: $STATS/fair.json: unknown step 'x': it has no steps"
	run -64 --separate-stderr kt-assert --step load "$STATS/fair.json" "$STATS/steps.json" /nonexistent
	assert_line '3 runs: 1 passed, 0 failed, 0 inconclusive, 2 unreadable'
	run -64 kt-assert --step '' "$STATS/steps.json"
	assert_output "kt-assert: --step: expected a step's name, found ''"
}

@test "a step that the run did not reach is inconclusive, or the run's failure" {
	good_run run '.outcome = "interrupted" | .exit_status = 130'
	jq 'del(.steps[1])' "$STATS/steps.json" >run/stats.json
	run -2 kt-assert --step load run
	assert_line "  step 'load' was not reached: its steps are warmup"
	good_run run '.outcome = "panic" | .exit_status = 120'
	jq 'del(.steps[1])' "$STATS/steps.json" >run/stats.json
	run -1 kt-assert --step load run
	run -0 kt-assert --expect-fail --step warmup run
	step_variant 'del(.steps[1]) | .exit = "interrupted"'
	run -1 kt-assert --step load "$variant"
	assert_line "  step 'load' was not reached: its steps are warmup"
}

@test "the run's errors and lost workers fail a step, too" {
	step_variant '.errors = ["cgroup a: worker 0 died"] | .workers[0].exit = "signalled:9"'
	run -1 kt-assert --step load "$variant"
	assert_line --index 1 '  error: cgroup a: worker 0 died'
	assert_line --index 2 "  tid 10 ended 'signalled:9' (expected completed)"
}

# Monitor data of a sample each 100 ms over 1 s, of which the second half is imbalanced.
monitored_run() {
	good_run run
	cp "$STATS/steps.json" run/stats.json
	seq 0 9 | jq -c '{t_ns: (1000000000 + . * 100000000), events: null,
		cpus: [{nr_running: (if . >= 5 then 9 else 1 end), local_dsq_depth: 0, rq_clock: .},
		       {nr_running: 1, local_dsq_depth: 0, rq_clock: .}]}' >run/monitor.jsonl
	cat >run/events.jsonl <<-'EOF'
		{"event":"scenario-start","t_ns":900000000,"scenario":"steps"}
		{"event":"step-start","t_ns":1000000000,"step":"warmup","line":4}
		{"event":"step-end","t_ns":1500000000,"step":"warmup","line":4}
		{"event":"step-start","t_ns":1500000000,"step":"load","line":5}
		{"event":"step-end","t_ns":2000000000,"step":"load","line":5}
	EOF
}

@test "of monitor data the samples within the step count, by the run's events" {
	local imbalanced='imbalanced runqueues: ratio=9.00 for 5 samples from +0ms (threshold 4)'
	monitored_run
	run -0 kt-assert -v --step warmup run
	assert_line --partial '5 samples over 400ms, 2 cpus, 0 stalled, max_imbalance=1.0'
	run -1 kt-assert --step load run
	assert_line --index 1 "  $imbalanced"
	run -1 kt-assert --each-step run
	assert_line --index 1 "  $imbalanced in step load"
	assert_line '--- monitor in step warmup ---'
	assert_line '--- monitor in step load ---'
	# So is what ended before its step did.
	sed -i '3s/"nr_running":1/"nr_running":9/' run/monitor.jsonl
	run -1 kt-assert --each-step --sustained-samples 1 run
	assert_line --index 1 '  imbalanced runqueues: ratio=9.00 for 1 samples from +200ms (threshold 4) in step warmup'
	assert_line --index 2 "  $imbalanced in step load"
	# A step without an end lasts to the end of the data.
	sed -i '$d' run/events.jsonl
	run -1 kt-assert --step load run
	assert_line --index 1 "  $imbalanced"
}

@test "monitor data is inconclusive when it is not known when the step was" {
	monitored_run
	rm run/events.jsonl
	run -2 kt-assert --step load run
	assert_line --index 1 '  max-imbalance-ratio not measured: when the step was is not in events.jsonl'
	monitored_run
	sed -i 's/"load"/"other"/' run/events.jsonl
	run -2 kt-assert --step load run
	run -2 kt-assert --step load --monitor run/monitor.jsonl "$STATS/steps.json"
	rm run/monitor.jsonl
	run -0 kt-assert --step load run
}

@test "json names the step of each value and finding, and gives each step's figures" {
	run -1 kt-assert --format json --each-step --max-gap-ms 35 "$STATS/steps.json"
	assert_equal "$(jq -c '[.steps[] | [.step, .number, .start_ns, .end_ns, .stats.workers, (.stats.cgroups | length), .monitor]]' <<<"$output")" \
		'[["warmup",1,0,4000000000,2,1,null],["load",2,4000000000,10000000000,3,2,null]]'
	assert_equal "$(jq -c '.checks[] | select(.check == "max-gap-ms") | [.value, .who, .step, .findings[0].step]' <<<"$output")" \
		'[50,"tid 11","warmup","warmup"]'
	assert_equal "$(jq -c '[has("stats"), has("steps")]' <<<"$output")" '[false,true]'
	run -0 kt-assert --format json "$STATS/steps.json"
	assert_equal "$(jq -c '[has("stats"), has("steps"), .checks[0].step]' <<<"$output")" '[true,false,null]'
}

@test "steps that are malformed are told by their path, whether they are judged or not" {
	local edit text
	while IFS='|' read -r edit text; do
		step_variant "$edit"
		run -65 kt-assert --each-step "$variant"
		assert_output --regexp "^kt-assert: $variant: byte [0-9]+: "
		assert_equal "${output#*: byte *: }" "$text"
	done <<-'EOF'
		.steps = {}|steps: expected an array of objects or null, found an object
		.steps[1].name = null|steps[1].name: expected a string, found null
		.steps[1].workers[0].cpu_ns = "x"|steps[1].workers[0].cpu_ns: expected a whole number or null, found a string
		del(.steps[1].workers[0].max_gap_ns)|steps[1].workers[0]: expected the key "max_gap_ns"
		.steps[1].workers[0].cgroup_index = 2|steps: expected each worker's cgroup_index to be a position in cgroups
		.steps[1].cgroups[1].index = 2|steps: expected each cgroup's index in a step to be one in cgroups, once
		.steps[1].cgroups[1].index = 0|steps: expected each cgroup's index in a step to be one in cgroups, once
		del(.steps[0].cgroups)|steps[0]: expected the key "cgroups"
	EOF
	step_variant '.steps[1].workers[0].cpu_ns = "x"'
	run -65 kt-assert "$variant"
}
