#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# No work type hides a stall: what stops a worker is in its max_gap.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # single quotes are meant; bats and lib/workload set variables
load lib/kt
load lib/workload

setup() {
	need_cgroups
	pinned=cpuset=$(($(nproc) - 1))
}

teardown() {
	stop_workload
}

last_has_run() { # WORKERS
	has_run_root || return 1
	local tids
	tids=$(workers_of a | sort -n)
	tid=${tids##*$'\n'}
	[ "$(wc -w <<<"$tids")" -ge "$1" ] && [ "$(cut -d ' ' -f 1 "/proc/$tid/schedstat")" -gt 3000000 ]
}

uptime_ns() {
	awk '{ printf "%.0f", $1 * 1e9 }' /proc/uptime
}

# What the stats say of worker $tid, that was stopped as stop-running says; the run ended between
# $ending and $ended. A process that was let go on may have to wait for a CPU, which is in its run
# delay; the 20 ms beyond that are for the test's own look at the clock. A wait that had not ended
# when the worker was stopped has up to 300 us of it.
judge_gap() { # LEAST MOST DELAY CPU SINCE
	jq -r --argjson tid "$tid" --argjson least "$1" --argjson most "$2" --argjson delay "$3" --argjson cpu "$4" \
		--argjson since "$5" --argjson ending "$ending" --argjson ended "$ended" '
		.wall_ns as $wall | .workers[] | select(.tid == $tid) |
		if .max_gap_ns < $least - 3e5 then "missed"
		elif $ending - $wall + .max_gap_at_ns > $since + 2e7 or $ended - $wall + .max_gap_at_ns < $since - 3e7 then
			"another gap is longer"
		elif .max_gap_ns > $most + 20e6 + $delay then "too long"
		elif .cpus_used == "\($cpu)" and .max_gap_cpu != $cpu then "not on CPU \($cpu)"
		else "seen" end' "$stats"
}

# Stop the last worker of a cgroup with this work for 300 ms, while it runs, and compare.
stop_and_judge() { # WORKERS WORK OPTIONS...
	local stop how=
	case $2 in
	# These are hardly ever out of the kernel, and no wait of theirs is one for more than 200 us.
	io-* | irq-wake* | timer-latency* | thundering-herd*) how=any ;;
	esac
	start_workload -d 60s -e "cgroup a workers=$1 'work=$2' ${*:3}"
	eventually last_has_run "$1" || return
	read -ra stop < <("$BATS_TEST_DIRNAME/lib/stop-running" "$tid" 300 $how)
	ending=$(uptime_ns)
	interrupt_workload || return
	ended=$(uptime_ns)
	verdict=$(judge_gap "${stop[@]}")
	[ "$verdict" = seen ] || echo "$2: $verdict: stopped ${stop[*]}, ended $ending to $ended" \
		"$(jq -c --argjson tid "$tid" '[.wall_ns, (.workers[] | select(.tid == $tid))]' "$stats")"
}

# Nothing may ever be missed. The machine has other users, though, and a gap that they make may be longer.
assert_stop_is_seen() { # WORKERS WORK OPTIONS...
	local try
	for try in 1 2 3; do
		undisturbed stop_and_judge "$@" || return
		[ "$verdict" != seen ] || return 0
		[ "$verdict" != missed ] || return 1
	done
	return "$try"
}

@test "a worker of any CPU, burst or cache type that is stopped for 300 ms shows a gap of that length" {
	assert_stop_is_seen 2 spin-wait "$pinned"
	assert_stop_is_seen 2 yield-heavy "$pinned"
	assert_stop_is_seen 2 mixed "$pinned"
	assert_stop_is_seen 2 alu-hot "$pinned"
	assert_stop_is_seen 2 smt-sibling-spin
	assert_stop_is_seen 2 ipc-variance "$pinned"
	assert_stop_is_seen 2 bursty:burst=5ms,sleep=5ms "$pinned"
	assert_stop_is_seen 2 idle-churn "$pinned"
	assert_stop_is_seen 2 cache-pressure "$pinned"
	assert_stop_is_seen 2 cache-yield "$pinned"
	assert_stop_is_seen 1 sequence:spin=1ms,alu=1ms,yield=1ms,sleep=1ms "$pinned"
}

@test "a worker of any wake-up type that is stopped for 300 ms shows a gap of that length" {
	assert_stop_is_seen 2 pipe-io "$pinned"
	assert_stop_is_seen 2 futex-ping-pong "$pinned"
	assert_stop_is_seen 2 cache-pipe "$pinned"
	assert_stop_is_seen 3 futex-fan-out:fan-out=2 "$pinned"
	assert_stop_is_seen 3 fan-out-compute:fan-out=2 "$pinned"
	assert_stop_is_seen 3 wake-chain:depth=3 "$pinned"
	assert_stop_is_seen 2 wake-chain:depth=2,via=futex "$pinned"
	assert_stop_is_seen 2 asymmetric-waker
	assert_stop_is_seen 3 epoll-storm
	assert_stop_is_seen 3 thundering-herd:waiters=2,gap=100us "$pinned"
}

@test "a worker of any lock or signal type that is stopped for 300 ms shows a gap of that length" {
	assert_stop_is_seen 4 mutex-contention "$pinned"
	assert_stop_is_seen 3 priority-inversion
	assert_stop_is_seen 3 priority-inversion:mode=pi
	assert_stop_is_seen 3 producer-consumer-imbalance:rate=10000,work=10000 "$pinned"
	assert_stop_is_seen 2 signal-storm "$pinned"
	assert_stop_is_seen 3 preempt-storm
	assert_stop_is_seen 2 rt-starvation
}

@test "a worker of any timer, network or I/O type that is stopped for 300 ms shows a gap of that length" {
	assert_stop_is_seen 1 timer-latency:interval=20us "$pinned"
	assert_stop_is_seen 1 net-traffic "$pinned"
	assert_stop_is_seen 2 irq-wake:interval=20us "$pinned"
	assert_stop_is_seen 1 io-sync-write "$pinned"
	assert_stop_is_seen 1 io-rand-read "$pinned"
	assert_stop_is_seen 1 io-convoy "$pinned"
}

@test "a worker of any other type that is stopped for 300 ms shows a gap of that length" {
	assert_stop_is_seen 1 fork-exit "$pinned"
	assert_stop_is_seen 1 nice-sweep "$pinned"
	assert_stop_is_seen 1 policy-churn "$pinned"
	assert_stop_is_seen 1 affinity-churn
	assert_stop_is_seen 2 cross-affinity-churn
	assert_stop_is_seen 1 cgroup-churn "$pinned"
	assert_stop_is_seen 1 cgroup-attach-storm "$pinned"
	assert_stop_is_seen 1 page-fault-churn "$pinned"
	assert_stop_is_seen 2 schbench "$pinned"
	assert_stop_is_seen 2 taobench "$pinned"
	assert_stop_is_seen 1 "exec:sleep 0.01" "$pinned"
}
