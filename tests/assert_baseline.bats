#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-assert --baseline finds regressions that are there, seldom one that is not, and compares only what is alike.

# shellcheck disable=SC2154 # bats sets stderr
load lib/kt

setup() {
	cd "$BATS_TEST_TMPDIR"
}

# draw PAIRS RUNS CV FACTOR: pairs of sets of runs below 0/, 1/, ...; see lib/samples.awk.
draw() {
	local i
	for ((i = 0; i < $1; i++)); do
		echo "$i/base" "$i/now"
	done | xargs mkdir -p
	awk -v seed=20261122 -v pairs="$1" -v runs="$2" -v cv="$3" -v factor="$4" -f "$KT_ROOT/tests/lib/samples.awk"
}

# count PAIRS STATUS: how many of the comparisons exit with it; none may exit with a status beyond 2.
count() {
	local i status hits=0
	for ((i = 0; i < $1; i++)); do
		status=0
		kt-assert -q --baseline "$i"/base/*.json -- "$i"/now/*.json || status=$?
		((status <= 2)) || return 1
		((status != $2)) || hits=$((hits + 1))
	done
	echo "$hits"
}

# runs DIR JQ_FILTER...: a run directory for each filter, of the fair fixture changed by it.
runs() {
	local dir=$1 n=0 filter
	shift
	for filter; do
		mkdir -p "$dir/$n"
		jq "$filter" "$KT_ROOT/tests/fixtures/stats/fair.json" >"$dir/$n/stats.json"
		echo '{"schema":"kt-run/1","outcome":"exited","exit_status":0}' >"$dir/$n/run.json"
		n=$((n + 1))
	done
}

# Filters that give the work a factor.
work() {
	local f
	for f; do
		echo ".workers[].work_units |= (. * $f | round)"
	done
}

@test "of 1000 pairs of samples from one distribution at most 5% are flagged" {
	pairs=1000
	# Sanitizers make it ten times as slow and the figure no other.
	[ -z "${KT_BIN:-}" ] || pairs=100
	draw "$pairs" 10 0.05 1
	run -0 count "$pairs" 1
	[ $((output * 100)) -le $((pairs * 5)) ] || fail "flagged: $output of $pairs"
}

@test "so it is with more noise, where the gates let everything by" {
	draw 300 6 0.25 1
	run -0 count 300 1
	[ "$output" -le 15 ] || fail "flagged: $output of 300"
}

@test "planted shifts of 10% are found in at least 90% with 10 runs a side" {
	draw 200 10 0.05 0.9
	run -0 count 200 1
	[ "$output" -ge 180 ] || fail "found: $output of 200"
}

@test "a table shows each metric, and what changed beyond both gates and chance" {
	draw 1 10 0.03 0.8
	run -1 kt-assert --baseline 0/base -- 0/now
	assert_line --index 0 'drawn [topo=1n1l2c1t] [kernel=7.3.4]: 10 baseline runs [sched=-], 10 now [sched=-]'
	assert_line --index 1 --regexp '^  CGROUP METRIC +UNIT +BASELINE +NOW +CHANGE +P +RESULT$'
	assert_line --regexp '^  cg0 +work_rate +1/cpu-s +[0-9.]+ +[0-9.]+ +-(19|20|21)\.[0-9]% +[0-9.e-]+  worse$'
	assert_line --regexp '^  cg0 +max_gap_ms .* same'
	assert_line --partial 'FAIL 8 metrics: 1 worse, 0 better, 0 undecided, 7 the same'
	run -0 kt-assert --baseline 0/now -- 0/base
	assert_line --regexp 'work_rate .* better$'
	assert_line 'PASS 8 metrics: 0 worse, 1 better, 0 undecided, 7 the same'
}

@test "a change must pass the relative and the absolute gate" {
	draw 1 10 0.01 0.9
	run -1 kt-assert -q --baseline 0/base -- 0/now
	run -0 kt-assert -q --baseline --relative-gate 15 0/base -- 0/now
	run -0 kt-assert -q --baseline --relative-gate work_rate=15 0/base -- 0/now
	run -1 kt-assert -q --baseline --relative-gate max_gap_ms=15 0/base -- 0/now
	run -0 kt-assert -q --baseline --absolute-gate work_rate=20000 0/base -- 0/now
	run -1 kt-assert -q --baseline --absolute-gate work_rate=5000 0/base -- 0/now
	run -0 kt-assert -q --baseline --metric max_gap_ms 0/base -- 0/now
	run -1 kt-assert -q --baseline --metric work_rate 0/base -- 0/now
	run -2 kt-assert -q --baseline --alpha 0.000001 0/base -- 0/now
}

@test "the exact rank test agrees with the distribution by hand" {
	# All of 5 above all of 5 is one of the 252 ways to choose them; two cgroups have the metric.
	mapfile -t filters < <(work 1.00 1.01 1.02 1.03 1.04)
	runs a "${filters[@]}"
	mapfile -t filters < <(work 0.80 0.81 0.82 0.83 0.84)
	runs b "${filters[@]}"
	run -1 kt-assert --format json --metric work_rate --baseline a -- b
	assert_equal "$(jq -c '[(.groups[0].metrics[0].p * 252 | round), .tests, .worse]' <<<"$output")" '[1,2,2]'
	assert_equal "$(jq -c '.groups[0].metrics[0].p_adjusted * 252 | round' <<<"$output")" 2
	# Ties: 3 of 3 values are equal on both sides but for one. Of the 20 ways to choose three of the ranks
	# 2.5 2.5 2.5 2.5 5 6, those with both high ones are 4.
	mapfile -t filters < <(work 1 1 1)
	runs c "${filters[@]}"
	mapfile -t filters < <(work 1 0.8 0.7)
	runs d "${filters[@]}"
	run kt-assert --format json --metric work_rate --baseline c -- d
	assert_equal "$(jq -c '.groups[0].metrics[0].p' <<<"$output")" 0.2
}

@test "too few runs to tell are inconclusive and told how many would do; below three the gates decide alone" {
	mapfile -t filters < <(work 1.00 1.01 1.02)
	runs a "${filters[@]}"
	mapfile -t filters < <(work 0.70 0.71 0.72)
	runs b "${filters[@]}"
	run -2 kt-assert --baseline a -- b
	assert_line --regexp 'work_rate .* undecided \(too few runs to tell among [0-9]+ metrics: [45] a side could\)'
	run -1 kt-assert -q --baseline --alpha 0.2 a -- b
	run -0 kt-assert -q --baseline --allow-inconclusive a -- b
	run -1 kt-assert --baseline a/0 a/1 -- b/0 b/1
	assert_line --regexp 'work_rate .* worse \(no rank test with fewer than 3 runs a side\)'
	run -0 kt-assert --baseline a/0 -- a/1
}

@test "runs of other scenarios, topologies and kernels are said and not compared, unless asked for" {
	mapfile -t filters < <(work 1 1 1)
	runs base/a "${filters[@]}"
	runs now/a "${filters[@]}"
	runs now/b '.topology = "1n4l2c1t"'
	runs base/c '.kernel = "6.19.1"' '.scenario = "other"'
	run -0 kt-assert --baseline base -- now
	assert_line --regexp '^fair \[topo=1n2l2c1t\] \[kernel=.*\]: 3 baseline runs .*, 3 now'
	assert_line --regexp '^only in the new runs: fair \[topo=1n4l2c1t\] .* \(1 runs\)$'
	assert_line --regexp '^only in the baseline: fair .*\[kernel=6.19.1\] \(1 runs\)$'
	assert_line --regexp '^only in the baseline: other '
	run -2 kt-assert --baseline base/a -- now/b
	assert_line 'nothing to compare: the runs differ in topology 1n2l2c1t (baseline) and 1n4l2c1t'
	run -0 kt-assert --baseline --across topology base/a -- now/b
	run -2 kt-assert -q --baseline base/a -- base/c/0
	run -0 kt-assert -q --baseline --across kernel base/a -- base/c/0
	run -2 kt-assert -q --baseline base/a -- base/c/1
	run -0 kt-assert -q --baseline --across scenario base/a -- base/c/1
}

@test "schedulers may differ between the sides, and are told apart within one" {
	mapfile -t filters < <(work 1 1 1)
	runs a "${filters[@]}"
	mapfile -t filters < <(work 1 1 1 | sed 's/$/ | .sched = "foo"/')
	runs b "${filters[@]}"
	run -0 kt-assert --baseline a -- b
	assert_line --index 0 --partial '3 baseline runs [sched=-], 3 now [sched=foo]'
	mkdir both
	cp -r a both/a
	cp -r b both/b
	run -0 kt-assert --baseline both -- b
	assert_line --partial '3 baseline runs [sched=foo], 3 now [sched=foo]'
	assert_line --partial 'only in the baseline: '
}

@test "incomplete, crashed and foreign runs are named, left out and inconclusive" {
	mapfile -t filters < <(work 1 1 1 1 1 1 1)
	runs a "${filters[@]}"
	runs b "${filters[@]}"
	rm b/0/stats.json
	rm b/1/*
	echo '{"schema":"kt-run/1","outcome":"panic","exit_status":120}' >b/2/run.json
	echo '{"schema":"kt-stats/2"}' >b/3/stats.json
	jq '.exit = "interrupted"' a/4/stats.json >b/4/stats.json
	run -2 kt-assert --baseline a -- b
	assert_line 'left out: b/0: it has no stats.json'
	assert_line 'left out: b/1: it has neither run.json nor stats.json'
	assert_line 'left out: b/2: the run ended badly (outcome panic)'
	assert_line 'left out: b/3: its stats are kt-stats/2 (expected kt-stats/1)'
	assert_line "left out: b/4: its workload ended 'interrupted'"
	assert_line --partial '7 baseline runs [sched=-], 2 now'
	run -2 kt-assert --baseline a -- b/0 b/1
	assert_line 'nothing to compare: no complete run after the --'
}

@test "comparisons come as JSON, TAP and JUnit, and take expect-fail" {
	draw 1 8 0.03 0.8
	run -1 kt-assert --format json --baseline 0/base -- 0/now
	assert_equal "$(jq -c '[.schema, .verdict, .worse, .same, (.groups[0].metrics[0] | .metric, .better, .result,
		(.baseline_samples | length))]' <<<"$output")" '["kt-comparison/1","fail",1,7,"work_rate","higher","worse",8]'
	kt-assert --format tap --baseline 0/base -- 0/now >out.tap || true
	run -1 prove out.tap
	assert_output --partial 'Failed 1/8 subtests'
	kt-assert --format junit --baseline 0/base -- 0/now >out.xml || true
	xmllint --noout --schema "$KT_ROOT/tests/fixtures/junit-ant.xsd" out.xml 2>lint
	assert_equal "$(xmllint --xpath 'string(//testsuite/@failures)' out.xml)" 1
	run -0 kt-assert --expect-fail --baseline 0/base -- 0/now
	assert_line --partial '(a regression, as expected)'
	run -1 kt-assert --expect-fail --baseline 0/base -- 0/base
	assert_line --partial '(expected a regression)'
}

# refused STATUS TEXT ARGUMENT...: the status, and one line on stderr that holds TEXT.
refused() {
	run "-$1" --separate-stderr kt-assert "${@:3}"
	assert_equal "${#stderr_lines[@]}" 1
	[[ $stderr == *"$2"* ]] || fail "expected '$2' in: $stderr"
}

@test "mistakes are refused in one line" {
	runs a . .
	refused 64 'expected baseline runs, --, and runs, found 2 and 0' --baseline a/0 a/1
	refused 64 'expected baseline runs, --, and runs, found 0 and 1' --baseline -- a/0
	refused 64 "unknown metric 'workrate': did you mean 'work_rate'?" --baseline --metric workrate a -- a
	refused 64 'expected a percentage from 0, or METRIC=PCT' --baseline --relative-gate x a -- a
	refused 64 'expected METRIC=X' --baseline --absolute-gate 5 a -- a
	refused 64 "expected a percentage from 0, or METRIC=PCT, found 'work_rate=nan'" \
		--baseline --relative-gate work_rate=nan a -- a
	refused 64 '--alpha: expected a number between 0 and 1' --baseline --alpha 1.5 a -- a
	refused 64 'expected scenario, topology or kernel' --baseline --across time a -- a
	refused 64 '--alpha goes with --baseline' --alpha 0.1 a
	refused 64 '--isolation is for a run that is judged by itself' --baseline --isolation a -- a
	refused 64 '--baseline compares runs' --baseline --nondecreasing x a -- a
	refused 65 "cannot read 'gone': No such file" --baseline gone -- a
	head -c 100 a/0/stats.json >a/1/stats.json
	refused 65 'a/1/stats.json: line' --baseline a -- a
	jq 'del(.workers)' a/0/stats.json >a/1/stats.json
	refused 65 'expected the keys "cgroups" and "workers"' --baseline a -- a
	jq '.workers[0].cgroup_index = 99' a/0/stats.json >a/1/stats.json
	refused 65 'expected a cgroup_index that is a position' --baseline a -- a
}
