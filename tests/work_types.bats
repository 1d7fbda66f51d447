#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Work types of the families CPU, burst, cache, wake-ups, locks and signals: what they do with their
# parameters, seen in what is counted.

# shellcheck disable=SC2016,SC2030,SC2031,SC2054,SC2154 # single quotes and commas are meant; bats and lib/workload set variables
load lib/kt
load lib/workload

setup() {
	need_cgroups
}

teardown() {
	stop_workload
}

# Run for a moment in which the machine did not stand still; $stats has the JSON.
run_work() { # TIME LINES...
	undisturbed run_once "$@"
}

run_once() {
	local time=$1 line args=()
	shift
	for line; do
		args+=(-e "$line")
	done
	stats=$BATS_TEST_TMPDIR/stats.json
	kt-workload -d "$time" "${args[@]}" >"$stats" 2>"$BATS_TEST_TMPDIR/stderr" || {
		jq -c .errors "$stats"
		cat "$BATS_TEST_TMPDIR/stderr"
		return 1
	}
}

assert_stats() { # JQ-CONDITION
	run jq "$1" "$stats"
	[ "$output" = true ] || {
		echo "not true: $1"
		jq -c '.workers[] | {work, work_units, iterations, cpu_ns, wall_ns, max_gap_ns, voluntary_switches,
			involuntary_switches, wake: .wake_latency.count, request: .request_latency, metrics}' "$stats"
		return 1
	}
}

assert_refused() { # WORK MESSAGE
	run kt-workload -e "cgroup a workers=4 work=$1"
	assert_equal "$status" 64
	assert_output "kt-workload: -e:1: $2"
	no_run_root
}

# Sum of a cgroup's units, by its position.
UNITS='def units(i): .cgroups[i].work_units;'

@test "every type of the families works, stops in time and has wake latencies if it blocks" {
	local quiet=(spin-wait yield-heavy mixed alu-hot smt-sibling-spin ipc-variance:period=1 cache-pressure
		cache-yield signal-storm)
	local blocks=(bursty:burst=1ms,sleep=1ms idle-churn pipe-io futex-ping-pong cache-pipe wake-chain:depth=2
		wake-chain:depth=2,via=futex asymmetric-waker futex-fan-out:fan-out=1 fan-out-compute:fan-out=1
		thundering-herd:waiters=1,batches=1 epoll-storm:consumers=1 mutex-contention:contenders=2
		producer-consumer-imbalance:producers=1 preempt-storm:spinners=1 rt-starvation:duty=20)
	local lines=() work n=0
	for work in "${quiet[@]}" "${blocks[@]}"; do
		lines+=("cgroup c$((n++)) workers=2 work=$work")
	done
	lines+=("cgroup inversion workers=3 work=priority-inversion:burst=1ms")
	lines+=("cgroup pi workers=3 work=priority-inversion:mode=pi,burst=1ms")
	run_work 1500ms "${lines[@]}"
	assert_stats '[.workers[] | .exit == "completed" and .work_units > 0 and .iterations > 0] | all'
	assert_stats "[.cgroups[:${#quiet[@]}][] | .wake_latency == null] | all"
	assert_stats "[.cgroups[${#quiet[@]}:][] | .wake_latency.count > 0] | all"
	# All are told to stop at one time, and come before they would be killed.
	assert_stats '.wall_ns as $wall | [.workers[] | .wall_ns < $wall + 4e9] | all'
}

@test "groups work as threads of one process, too" {
	run_work 600ms 'cgroup a workers=4 clone=thread work=pipe-io' \
		'cgroup b workers=4 pcomm=lead work=mutex-contention' 'cgroup c workers=2 pcomm=lead work=signal-storm' \
		'cgroup d workers=3 pcomm=lead work=priority-inversion:mode=pi,burst=1ms' \
		'cgroup e workers=3 clone=thread work=epoll-storm' 'cgroup f workers=3 clone=thread work=futex-fan-out:fan-out=2'
	assert_stats '[.workers[] | .exit == "completed" and .work_units > 0] | all'
	assert_stats '.cgroups[2].metrics.signals_received > 0'
}

@test "a grouped type refuses other numbers of workers before anything starts" {
	assert_refused wake-chain:depth=3 \
		"work type 'wake-chain' works in groups of 3: expected a number of workers that 3 divides, not 4"
	assert_refused futex-fan-out \
		"work type 'futex-fan-out' works in groups of 5: expected a number of workers that 5 divides, not 4"
	assert_refused epoll-storm:producers=2,consumers=7 \
		"work type 'epoll-storm' works in groups of 9: expected a number of workers that 9 divides, not 4"
	run kt-workload -n -e 'cgroup a workers=10 work=fan-out-compute' -e 'cgroup b workers=6 work=priority-inversion'
	assert_success
}

@test "a wrong value of a parameter is refused with what it may be" {
	assert_refused cache-pressure:stride=0 \
		"cache-pressure parameter stride='0': expected a size from 1 to 1M"
	assert_refused cache-pressure:size=4K,stride=8K \
		"cache-pressure: stride=8192 is more than size=4096: expected a stride up to the size"
	assert_refused wake-chain:via=socket "wake-chain parameter via='socket': expected pipe or futex"
	assert_refused priority-inversion:mode=none \
		"priority-inversion parameter mode='none': expected pi or plain"
	assert_refused wake-chain:depth=65 "wake-chain parameter depth='65': expected a number from 2 to 64"
	assert_refused rt-starvation:duty=96 "rt-starvation parameter duty='96': expected a number from 1 to 95"
	assert_refused thundering-herd:gap=2s \
		"thundering-herd parameter gap='2s': expected a duration from 0ns to 1s"
	assert_refused alu-hot:width=1024 \
		"alu-hot parameter width='1024': expected widest, 64, 128, 256 or 512"
	assert_refused mutex-contention:contender=4 \
		"unknown mutex-contention parameter 'contender': did you mean 'contenders'?"
	assert_refused producer-consumer-imbalance:producers=30,consumers=3 \
		"producer-consumer-imbalance: 30 producers and 3 consumers: expected at most 32 of both"
}

@test "each message of a fan-out wakes all its receivers" {
	run_work 400ms 'cgroup a workers=2 work=futex-fan-out:fan-out=1' \
		'cgroup b workers=7 work=futex-fan-out:fan-out=6' 'cgroup c workers=4 work=fan-out-compute:fan-out=3,ops=1'
	# A receiver has had all messages but for the one on its way, and waited for every one of them.
	assert_stats '[.workers | (.[:2], .[2:9], .[9:]) | .[0].work_units as $sent |
		.[1:][] | .work_units - $sent | . >= -1 and . <= 0] | all'
	assert_stats '[.workers | (.[1], .[3:9][]) | .wake_latency.count - .work_units | fabs <= 2] | all'
	# With a sleep, twice; and the answer took that sleep.
	assert_stats '[.workers[10:][] | .wake_latency.count >= 2 * .work_units - 1] | all'
	assert_stats '[.workers[10:][] | .request_latency.min_ns >= 100000] | all'
}

@test "a chain hands one token round, through pipes and futexes" {
	run_work 400ms 'cgroup a workers=2 work=wake-chain:depth=2,work=1ms' \
		'cgroup b workers=8 work=wake-chain:depth=8,work=1ms,via=futex'
	# All members of a ring have had it equally often, and no two at a time.
	assert_stats '[.workers | (.[:2], .[2:]) | [.[].work_units] | max - min <= 1] | all'
	assert_stats '([.workers[].wall_ns] | max) as $wall | [.cgroups[] | .work_units <= $wall / 1e6 + 1] | all'
	assert_stats '[.workers[].work_units > 0] | all'
}

@test "two chains of a cgroup do not get in each other's way" {
	run_work 300ms 'cgroup a workers=6 work=wake-chain:depth=3' 'cgroup b workers=4 work=pipe-io'
	assert_stats '[.workers | (.[:3], .[3:6], .[6:8], .[8:]) | [.[].work_units] |
		min > 0 and max - min <= 1] | all'
}

@test "a herd is woken at once, in rounds" {
	run_work 500ms 'cgroup a workers=5 work=thundering-herd:waiters=4,batches=5,gap=10ms'
	assert_stats '.workers[0] | .work_units <= .wall_ns / 1e7 + 1 and .work_units > 5 and
		(.iterations - .work_units / 5 | fabs <= 1)'
	assert_stats '.workers as $w | [$w[1:][] | .work_units <= $w[0].work_units and .wake_latency.count > 0] | all'
}

@test "events of an epoll storm are taken once each" {
	run_work 300ms 'cgroup a workers=5 work=epoll-storm:producers=2,consumers=3,events=8'
	# All but those of the last burst of each producer.
	assert_stats '[.workers[:2][].work_units, .workers[2:][].work_units * -1] | add | . >= 0 and . <= 16'
	assert_stats '[.workers[:2][] | .work_units / 8 - .iterations | . >= 0 and . <= 1] | all'
}

@test "a mutex is held by one at a time, and contended" {
	# 25600 turns are 100 spin units: what is held is no more than one CPU can spin, as fast as it was meanwhile.
	run_work 1s 'cgroup a workers=4 work=mutex-contention:hold=25600,work=0' 'cgroup b workers=1 work=spin-wait nice=10'
	assert_stats "$UNITS .workers[4] as \$w | units(0) * 100 <= \$w.work_units / \$w.cpu_ns * \$w.wall_ns * 1.25"
	assert_stats '[.workers[] | .voluntary_switches > 0] | any'
	assert_stats '.cgroups[0].request_latency.count == .cgroups[0].work_units'
	assert_stats '.cgroups[0].wake_latency.count > 0'
}

@test "no contender for a mutex is forgotten" {
	run_work 700ms 'cgroup a workers=8 work=mutex-contention:contenders=2,hold=0,work=0'
	assert_stats '[.workers[].work_units] | min * 20 > max'
}

@test "with priority inheritance the high worker does not wait for the medium one" {
	run_work 1s 'cgroup a workers=3 work=priority-inversion:mode=plain,burst=20ms cpuset=0'
	assert_stats '.workers[0].request_latency.p99_ns > 5e6'
	local plain
	plain=$(jq '.workers[0].request_latency.p99_ns' "$stats")
	run_work 1s 'cgroup a workers=3 work=priority-inversion:mode=pi,burst=20ms cpuset=0'
	assert_stats ".workers[0].request_latency.p99_ns * 5 < $plain"
	assert_stats '.workers[0].work_units > 100'
}

@test "a queue loses no items, and is slow when consumers are" {
	run_work 600ms 'cgroup a workers=3 work=producer-consumer-imbalance:rate=500,depth=4' \
		'cgroup b workers=2 work=producer-consumer-imbalance:producers=1,rate=1000,work=10000000,depth=4'
	assert_stats '[.workers | (.[:3], .[3:]) | ([.[:-1][].work_units] | add) - .[-1].work_units |
		. >= 0 and . <= 5] | all'
	assert_stats '.workers[2] | .work_units > 100 and .work_units <= .wall_ns / 1e6 + 2'
	# The slow one's queue is full, and its items wait for those before them.
	assert_stats '.cgroups[1].request_latency.p50_ns > 3 * .cgroups[0].request_latency.p50_ns'
}

@test "signals arrive, and no more than were sent" {
	run_work 400ms 'cgroup a workers=2 work=signal-storm:signals=4'
	assert_stats '.cgroups[0].metrics | .signals_received > 0 and .signals_received <= .signals_sent'
	assert_stats '.cgroups[0] | .metrics.signals_sent == .work_units'
	assert_stats '[.workers[] | .work_units / 4 - .iterations | fabs <= 1] | all'
}

@test "a realtime worker preempts the spinners of its CPU" {
	run_work 500ms 'cgroup a workers=2 work=preempt-storm:spinners=1,sleep=2ms cpuset=0'
	assert_stats '.workers[0] | .work_units > 20 and .work_units <= .wall_ns / 2e6 + 1'
	assert_stats '.workers[1].involuntary_switches > .workers[0].work_units * 0.2'
}

@test "realtime workers starve their victims, and leave them the rest of the time" {
	run_work 1s 'cgroup a workers=2 work=rt-starvation:duty=80,period=50ms cpuset=0'
	assert_stats '.workers[0] | .cpu_ns > .wall_ns * 0.5 and .cpu_ns < .wall_ns * 0.9'
	assert_stats '.workers[1] | .cpu_ns < .wall_ns * 0.5 and .cpu_ns > 0 and .max_gap_ns > 20e6'
}

@test "a type that needs CAP_SYS_NICE says so when it is missing" {
	local work
	for work in preempt-storm:spinners=1 rt-starvation asymmetric-waker; do
		run --separate-stderr setpriv --bounding-set=-sys_nice --inh-caps=-sys_nice \
			kt-workload -d 100ms -e "cgroup a workers=2 work=$work"
		assert_equal "$status" 1
		assert_equal "$(jq -r '.errors[0] | sub("^worker [0-9]+ of "; "")' <<<"$output")" \
			"cgroup 'a': ${work%%:*} cannot have class fifo: Operation not permitted (it needs CAP_SYS_NICE)"
	done
	run setpriv --bounding-set=-sys_nice --inh-caps=-sys_nice \
		kt-workload -d 100ms -e "cgroup a workers=2 work=asymmetric-waker:waker=batch,wakee=idle"
	assert_success
}

@test "a partner that is killed does not keep the others from stopping" {
	local work
	for work in pipe-io futex-ping-pong futex-fan-out:fan-out=1 mutex-contention:contenders=2 \
		epoll-storm:consumers=1; do
		start_workload -d 60s -e "cgroup a workers=2 work=$work"
		eventually cgroup_is_working a || fail "$work"
		kill -KILL "$tid"
		give_time 0.1
		kill -TERM "$workload"
		end_workload
		assert_stats '[.workers[].exit] | sort == ["completed", "signalled:9"]'
	done
}

@test "a working set that caches do not hold makes fewer units" {
	run_work 400ms 'cgroup a workers=1 work=cache-pressure:size=4K cpuset=0' \
		'cgroup b workers=1 work=cache-pressure:size=256M,stride=4K cpuset=0'
	assert_stats '[.workers[] | .work_units / .cpu_ns] | .[0] > 1.5 * .[1]'
	assert_stats '.workers[0] | .work_units / 64 - .iterations | fabs <= 1'
}

@test "the manual has every work type with its parameters" {
	local type page
	page=$(kt-workload --list-work=scdoc |
		sed -e '/^@WORK_TYPES@$/{r /dev/stdin' -e 'd;}' "$KT_ROOT/docs/man/kt-work.7.scd" |
		scdoc | mandoc -Tutf8 | sed 's/.\x08//g')
	for type in $(kt-workload --list-work | awk '/ unit: / { print $1 }'); do
		grep -q "^       $type\(:.*\)\?$" <<<"$page" || fail "kt-work(7) does not have $type"
	done
	grep -q "^ *events=32: events in a burst (a number from 1 to 1000000)" <<<"$page"
}
