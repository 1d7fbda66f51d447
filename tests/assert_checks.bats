#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Each check of kt-assert passes at its threshold, fails beyond it, and says so in a line of its own.

load lib/kt
load lib/assert

@test "a fair run passes with one line and every check on" {
	run kt-assert "$STATS/fair.json" --isolation --max-throughput-cv 0.5 --min-work-rate 1 \
		--min-iteration-rate 1 --max-migration-ratio 1 --max-p99-wake-latency-ns 10000 \
		--max-wake-latency-cv 1
	assert_success
	assert_output 'PASS fair [topo=1n2l2c1t]'
}

@test "not-starved fails a worker without work units" {
	passes '.workers[1].work_units = 1'
	fails '.workers[1].work_units = 0' 'tid 11 starved (0 work units)'
}

@test "not-starved is inconclusive for a worker whose work was not counted" {
	unmeasured '.workers[1].work_units = null' 'tid 11: not-starved not measured: no work_units'
}

@test "spread fails above 15 percentage points by default and passes at 15" {
	passes '.workers[1].off_cpu_pct = 25'
	fails '.workers[1].off_cpu_pct = 31.7' \
		'unfair cgroup: spread=22% (10-32%) 2 workers on 2 cpus (threshold 15%)'
}

@test "spread takes its bound from the option" {
	fails . 'unfair cgroup: spread=10% (10-20%) 2 workers on 2 cpus (threshold 9.5%)' --max-spread-pct 9.5
	passes . --max-spread-pct=10
}

@test "a spread just above its threshold is printed with the decimals that show it" {
	fails '.workers[1].off_cpu_pct = 25.4' \
		'unfair cgroup: spread=15.4% (10-25%) 2 workers on 2 cpus (threshold 15%)'
	fails '.workers[1].off_cpu_pct = 25.001' \
		'unfair cgroup: spread=15.001% (10-25%) 2 workers on 2 cpus (threshold 15%)'
}

@test "a spread of exactly 15 passes although doubles make it 15.000000000000002" {
	passes '.workers[0].off_cpu_pct = 1.1 | .workers[1].off_cpu_pct = 16.1'
}

@test "spread compares workers of one cgroup only" {
	passes '.workers[2].off_cpu_pct = 90'
}

@test "spread is inconclusive when a worker's share is unknown, unless the others exceed it" {
	unmeasured '.workers[1].off_cpu_pct = null' \
		'cg0: max-spread-pct not measured: 1 of 2 workers have no off_cpu_pct'
	fails '.workers[2].cgroup_index = 0 | .workers[2].off_cpu_pct = null | .workers[1].off_cpu_pct = 60' \
		'unfair cgroup: spread=50% (10-60%) 3 workers on 3 cpus (threshold 15%)'
}

@test "gap fails above 2000 ms by default and passes at 2000" {
	passes '.workers[1].max_gap_ns = 2000000000'
	fails '.workers[1] += {max_gap_ns: 2500000000, max_gap_cpu: 3, max_gap_at_ns: 4200999999}' \
		'tid 11 stuck 2500ms on cpu3 at +4200ms (threshold 2000ms)'
}

@test "a gap just above its threshold is printed with the decimals that show it" {
	fails '.workers[1].max_gap_ns = 2000300000' \
		'tid 11 stuck 2000.3ms on cpu0 at +1000ms (threshold 2000ms)'
}

@test "gap takes its bound from the option and says ? for an unknown place" {
	fails '.workers[1] += {max_gap_cpu: null, max_gap_at_ns: null}' \
		'tid 11 stuck 50ms on cpu? at +?ms (threshold 45ms)' --max-gap-ms 45
}

@test "gap is inconclusive when it was not measured" {
	unmeasured '.workers[1].max_gap_ns = null' 'tid 11: max-gap-ms not measured: no max_gap_ns'
}

@test "isolation fails a worker that left its cpuset, and is off by default" {
	passes '.workers[0] += {isolation_violations: 3, cpus_used: "0-2"}'
	fails '.workers[0] += {isolation_violations: 3, cpus_used: "0-2"}' \
		'tid 10 left its cpuset at 3 checkpoints: ran on cpus 0-2 (cpuset 0-1)' --isolation
}

@test "isolation fails a worker whose CPUs contradict a count of zero" {
	fails '.workers[0].cpus_used = "2"' \
		'tid 10 left its cpuset at 0 checkpoints: ran on cpus 2 (cpuset 0-1)' --isolation
}

@test "isolation is inconclusive when nobody was confined or violations were not counted" {
	unmeasured '.workers[] |= (.cpus_allowed = null | .isolation_violations = null)' \
		'run: isolation not measured: no worker was confined to a cpuset' --isolation
	unmeasured '.workers[0].isolation_violations = null' \
		'tid 10: isolation not measured: no isolation_violations' --isolation
}

@test "throughput-cv fails above its bound: rates of 100 and 300 vary by 0.5" {
	local rates='.workers[0] += {work_units: 900} | .workers[1] += {work_units: 2400}'
	passes "$rates" --max-throughput-cv 0.5
	fails "$rates" 'cg0 uneven: throughput_cv=0.50 2 workers on 2 cpus (threshold 0.49)' \
		--max-throughput-cv 0.49
	passes "$rates"
}

@test "throughput-cv is inconclusive without two workers with CPU time" {
	unmeasured '.workers[0].cpu_ns = 0' \
		'cg0: max-throughput-cv not measured: 1 of 2 workers have CPU time, expected two' \
		--max-throughput-cv 0.5
	unmeasured '.workers[0].cpu_ns = null' \
		'cg0: max-throughput-cv not measured: 1 of 2 workers have no work_units or cpu_ns' \
		--max-throughput-cv 0.5
	unmeasured 'del(.workers[0])' \
		'run: max-throughput-cv not measured: no cgroup has two workers' --max-throughput-cv 0.5
}

@test "work-rate fails a worker below its bound per CPU second" {
	passes . --min-work-rate 50
	fails . 'tid 12 slow: work_rate=50.00/cpu-s (threshold 50.1/cpu-s)' --min-work-rate 50.1
	fails '.workers[].work_units = 10000 | .workers[2].work_units = 9999' \
		'tid 12 slow: work_rate=999.9/cpu-s (threshold 1000/cpu-s)' --min-work-rate 1000
	unmeasured '.workers[2].cpu_ns = 0' \
		'tid 12: min-work-rate not measured: no CPU time or work_units' --min-work-rate 1
}

@test "iteration-rate fails a worker below its bound per wall second" {
	passes . --min-iteration-rate 50
	fails . 'tid 12 slow: iteration_rate=50.00/s (threshold 51/s)' --min-iteration-rate 51
	unmeasured '.workers[2].wall_ns = null' \
		'tid 12: min-iteration-rate not measured: no wall_ns or iterations' --min-iteration-rate 1
}

@test "migration-ratio fails a cgroup above its bound per iteration" {
	passes . --max-migration-ratio 0.002
	fails . 'cg0 unsettled: migration_ratio=0.0020 4 migrations in 2000 iterations (threshold 0.001)' \
		--max-migration-ratio 0.001
	unmeasured '.workers[2].iterations = 0' 'cg1: max-migration-ratio not measured: no iterations' \
		--max-migration-ratio 1
	unmeasured '.workers[2].migrations = null' \
		'cg1: max-migration-ratio not measured: a worker has no migrations or iterations' \
		--max-migration-ratio 1
}

@test "p99 wake latency fails a cgroup above its bound" {
	passes . --max-p99-wake-latency-ns 5000
	fails . 'cg0 late: p99_wake_latency=5000ns over 100 wakes (threshold 4999ns)' \
		--max-p99-wake-latency-ns 4999
}

@test "wake-latency-cv fails a cgroup above its bound" {
	passes . --max-wake-latency-cv 0.4
	fails . 'cg0 erratic: wake_latency_cv=0.40 over 100 wakes (threshold 0.39)' \
		--max-wake-latency-cv 0.39
}

@test "wake latencies are inconclusive when there are none, or none was timed" {
	unmeasured '.cgroups[0].wake_latency = null' \
		'run: max-p99-wake-latency-ns not measured: no cgroup has wake latencies' \
		--max-p99-wake-latency-ns 5000
	unmeasured '.cgroups[0].wake_latency.count = 0' \
		'cg0: max-wake-latency-cv not measured: no wake-up was timed' --max-wake-latency-cv 1
}

@test "of many findings of a check 100 are printed and the rest is counted" {
	variant '.workers = [range(250) as $i | .workers[0] | .tid = $i | .work_units = 0]'
	run -1 kt-assert "$variant"
	assert_line '  tid 99 starved (0 work units)'
	refute_line '  tid 100 starved (0 work units)'
	assert_line '  and 150 more of not-starved'
}

@test "--list-checks names each check with unit, direction and default" {
	run kt-assert --list-checks
	assert_success
	assert_line --regexp '^max-spread-pct +% +above +15$'
	assert_line --regexp '^max-gap-ms +ms +above +2000$'
	assert_line --regexp '^not-starved +work units +zero +on$'
	assert_line --regexp '^min-work-rate +1/cpu-s +below +off$'
	run kt-assert --list-checks --format json
	assert_success
	[ "$(jq -r '.[] | select(.check == "max-gap-ms") | "\(.unit) \(.fails) \(.threshold)"' <<<"$output")" = \
		'ms above 2000' ]
}

@test "every check in --list-checks is an option and a policy key" {
	local check n
	n=$(kt-assert --list-checks --format json | jq 'map(select(.input != "parameter")) | length')
	kt-assert --list-checks | tail -n +2 | while read -r check _; do
		[ "$check" != sustained-samples ] || continue # no check but a number
		kt-assert "--$check=off" --explain >/dev/null
		printf '%s = off\n' "${check//-/_}"
	done >"$BATS_TEST_TMPDIR/off.policy"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/off.policy")" -eq "$n" ]
	run kt-assert --policy "$BATS_TEST_TMPDIR/off.policy" "$STATS/fair.json"
	assert_success
	assert_output 'SKIP fair [topo=1n2l2c1t] (no check is on)'
}

@test "help, the manual's list of checks and that of policy keys have every check" {
	local check key
	kt-assert --help >"$BATS_TEST_TMPDIR/help"
	kt-assert --list-checks --format json >"$BATS_TEST_TMPDIR/checks"
	jq -r -f "$KT_ROOT/docs/man/checks.jq" "$BATS_TEST_TMPDIR/checks" >"$BATS_TEST_TMPDIR/options"
	jq -r -f "$KT_ROOT/docs/man/keys.jq" "$BATS_TEST_TMPDIR/checks" >"$BATS_TEST_TMPDIR/keys"
	kt-assert --list-checks | tail -n +2 | while read -r check _; do
		key=${check//-/_}
		grep -q -- "--$check" "$BATS_TEST_TMPDIR/help" || fail "$check: not in --help"
		grep -q -- "^\*--$check\*" "$BATS_TEST_TMPDIR/options" || fail "$check: not in the manual"
		grep -A2 -- "^|  \*$key\*" "$BATS_TEST_TMPDIR/keys" | grep -q '^:\[ .' || fail "$key: not among the keys"
	done
	run grep -c '^	.*\.' "$BATS_TEST_TMPDIR/options"
	assert_output "$(jq length "$BATS_TEST_TMPDIR/checks")"
	grep -q '^@checks@$' "$KT_ROOT/docs/man/kt-assert.1.scd"
	grep -q '^@keys@$' "$KT_ROOT/docs/man/kt-policy.5.scd"
}
