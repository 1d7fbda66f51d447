#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-assert's reports keep the wording that other tools read, to the letter.

load lib/kt
load lib/assert

@test "a failing run is reported as the tutorial shows it" {
	run -1 kt-assert "$STATS/unfair.json"
	assert_output - <<-'EOF'
		ktstr_test 'mixed_workloads' [topo=1n2l2c1t] failed:
		  unfair cgroup: spread=22% (10-32%) 2 workers on 2 cpus (threshold 15%)

		--- stats ---
		4 workers, 4 cpus, 12 migrations, worst_spread=22.4%, worst_gap=180ms
		  cg0: workers=2 cpus=2 spread=22.4% gap=180ms migrations=8 iter=15230
		  cg1: workers=2 cpus=2 spread=4.1% gap=120ms migrations=4 iter=14870
	EOF
}

@test "unfair, starved and stuck stand in this order" {
	variant '.workers[1] += {tid: 7, work_units: 0, max_gap_ns: 1500000000, max_gap_cpu: 3,
		max_gap_at_ns: 4200000000}' unfair.json
	run -1 kt-assert --max-gap-ms 1000 "$variant"
	assert_line --index 1 '  unfair cgroup: spread=22% (10-32%) 2 workers on 2 cpus (threshold 15%)'
	assert_line --index 2 '  tid 7 starved (0 work units)'
	assert_line --index 3 '  tid 7 stuck 1500ms on cpu3 at +4200ms (threshold 1000ms)'
}

@test "the scheduler's name stands before the topology" {
	variant '.sched = "simple"' unfair.json
	run -1 kt-assert "$variant"
	assert_line --index 0 "ktstr_test 'mixed_workloads' [sched=simple] [topo=1n2l2c1t] failed:"
	run -0 kt-assert --max-spread-pct 30 "$variant"
	assert_output 'PASS mixed_workloads [sched=simple] [topo=1n2l2c1t]'
}

@test "an irregular topology is a dash" {
	variant '.topology = null'
	run -0 kt-assert "$variant"
	assert_output 'PASS fair [topo=-]'
}

@test "an inconclusive run has a header and stats of the same build" {
	variant '.workers[] |= (.off_cpu_pct = null | .max_gap_ns = null)'
	run -2 kt-assert --not-starved=off --max-spread-pct 15 "$variant"
	assert_output - <<-'EOF'
		ktstr_test 'fair' [topo=1n2l2c1t] inconclusive:
		  cg0: max-spread-pct not measured: 2 of 2 workers have no off_cpu_pct
		  cg1: max-spread-pct not measured: 1 of 1 workers have no off_cpu_pct

		--- stats ---
		3 workers, 3 cpus, 4 migrations, worst_spread=-, worst_gap=-
		  cg0: workers=2 cpus=2 spread=- gap=- migrations=4 iter=2000
		  cg1: workers=1 cpus=1 spread=- gap=- migrations=0 iter=500
	EOF
}

@test "failures stand before what could not be measured, and the run fails" {
	variant '.workers[0].work_units = null | .workers[1].work_units = 0'
	run -1 kt-assert "$variant"
	assert_line --index 0 "ktstr_test 'fair' [topo=1n2l2c1t] failed:"
	assert_line --index 1 '  tid 11 starved (0 work units)'
	assert_line --index 2 '  tid 10: not-starved not measured: no work_units'
}

@test "a run without workers is inconclusive" {
	variant '.workers = [] | .cgroups = []'
	run -2 kt-assert "$variant"
	assert_line --index 0 "ktstr_test 'fair' [topo=1n2l2c1t] inconclusive:"
	assert_line --index 1 '  no workers in the stats: nothing was measured'
	assert_line '0 workers, 0 cpus, 0 migrations, worst_spread=-, worst_gap=-'
}

@test "errors, an unfinished workload and a lost worker fail with their lines" {
	variant '.errors = ["cgroup a: worker 0 died"] | .exit = "failed" | .workers[0].exit = "signalled:9"'
	run -1 kt-assert "$variant"
	assert_line --index 1 '  error: cgroup a: worker 0 died'
	assert_line --index 2 "  the workload ended 'failed' (expected completed)"
	assert_line --index 3 "  tid 10 ended 'signalled:9' (expected completed)"
}

@test "an error fails a run even with every check off" {
	variant '.errors = ["lost a worker"]'
	run -1 kt-assert --not-starved=off "$variant"
	assert_line '  error: lost a worker'
}

@test "-q prints nothing and exits with the verdict" {
	run -0 kt-assert -q "$STATS/fair.json"
	assert_output ''
	run -1 kt-assert -q "$STATS/unfair.json"
	assert_output ''
}

@test "-v prints the stats of a pass" {
	run -0 kt-assert -v "$STATS/fair.json"
	assert_line --index 0 'PASS fair [topo=1n2l2c1t]'
	assert_line '3 workers, 3 cpus, 4 migrations, worst_spread=10.0%, worst_gap=50ms'
}

@test "--expect-fail turns a fail into a pass and a pass into a fail" {
	run -0 kt-assert --expect-fail "$STATS/unfair.json"
	assert_output 'PASS mixed_workloads [topo=1n2l2c1t] (failed as expected)'
	run -1 kt-assert --expect-fail "$STATS/fair.json"
	assert_line --index 0 "ktstr_test 'fair' [topo=1n2l2c1t] failed:"
	assert_line --index 1 '  every check passed (expected a failure)'
}

@test "--expect-fail leaves inconclusive and skip as they are" {
	variant '.workers[0].work_units = null'
	run -2 kt-assert --expect-fail "$variant"
	run -0 kt-assert --expect-fail --not-starved=off "$STATS/fair.json"
	assert_output 'SKIP fair [topo=1n2l2c1t] (no check is on)'
}

@test "several runs get a verdict each, a summary, and the most severe status" {
	run -1 kt-assert "$STATS/fair.json" "$STATS/unfair.json"
	assert_line --index 0 "$STATS/fair.json:"
	assert_line --index 1 'PASS fair [topo=1n2l2c1t]'
	assert_line --index 2 "$STATS/unfair.json:"
	assert_line '2 runs: 1 passed, 1 failed, 0 inconclusive, 0 unreadable'
	run -65 kt-assert "$STATS/unfair.json" /nonexistent "$STATS/fair.json"
	assert_line '3 runs: 1 passed, 1 failed, 0 inconclusive, 1 unreadable'
}

@test "control characters of the input do not reach the report" {
	variant '.errors = ["a\u001b[2Jb\nc\u009bd\u007f"] | .scenario = "x\ry"'
	run -1 kt-assert "$variant"
	assert_line --index 0 "ktstr_test 'x\\x0dy' [topo=1n2l2c1t] failed:"
	assert_line --index 1 '  error: a\x1b[2Jb\x0ac\x9bd\x7f'
}

@test "json says for each check what was measured, on whom, against what, and from where" {
	run -1 kt-assert --format json --isolation "$STATS/unfair.json"
	assert_equal "$(jq -r .schema <<<"$output")" kt-verdict/1
	assert_equal "$(jq -r .verdict <<<"$output")" fail
	assert_equal "$(jq -c '.checks[] | select(.check == "max-spread-pct") |
		[.verdict, .value, .threshold, .unit, .who, .from]' <<<"$output")" \
		'["fail",22.4,15,"%","cg0","default"]'
	assert_equal "$(jq -r '.checks[0].findings[0].text' <<<"$output")" \
		'unfair cgroup: spread=22% (10-32%) 2 workers on 2 cpus (threshold 15%)'
	assert_equal "$(jq -c '.checks[] | select(.check == "isolation") | [.verdict, .on, .from]' \
		<<<"$output")" '["pass",true,"command line"]'
	assert_equal "$(jq -c '.checks[] | select(.check == "min-work-rate") | [.verdict, .on]' \
		<<<"$output")" '["skip",false]'
	assert_equal "$(jq -c '.stats | [.workers, .cpus, .cgroups[1].spread_pct]' <<<"$output")" '[4,4,4.1]'
}

@test "json gives one line for each of several runs and stays valid whatever the text" {
	variant '.errors = ["\u0007\"\\é"]'
	run -1 --separate-stderr kt-assert --format json "$STATS/fair.json" "$variant"
	assert_equal "${#lines[@]}" 2
	assert_equal "$(jq -c '[.source, .verdict]' <<<"${lines[0]}")" "[\"$STATS/fair.json\",\"pass\"]"
	assert_equal "$(jq -c '.completed.findings[0].text' <<<"${lines[1]}")" '"error: \u0007\"\\é"'
}

# A terminal to write to, from util-linux.
on_terminal() {
	TERM=xterm script -qec "$*" /dev/null
}

@test "colour stands on a terminal only, and NO_COLOR turns it off" {
	local red=$'\033[31mfailed:\033[0m' green=$'\033[32mPASS\033[0m'
	unset NO_COLOR
	run on_terminal kt-assert "$STATS/unfair.json"
	assert_output --partial "$red"
	run on_terminal kt-assert "$STATS/fair.json"
	assert_output --partial "$green"
	run -1 kt-assert "$STATS/unfair.json"
	refute_output --partial $'\033'
	NO_COLOR=1 run on_terminal kt-assert "$STATS/unfair.json"
	refute_output --partial $'\033'
	assert_output --partial 'failed:'
}

@test "a verdict that cannot be written is an error" {
	run -70 bash -c 'kt-assert "$1" >/dev/full' _ "$STATS/fair.json"
	assert_output 'kt-assert: cannot write the verdict: No space left on device'
}
