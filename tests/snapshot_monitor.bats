#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The monitor samples a guest that runs on: what it says is what the load was made to be.
# bats file_tags=vm

load lib/kt
load lib/vm

setup_file() {
	load lib/kt
	load lib/vm
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR vm_setup
	KT_SCHED=${KT_SCHED:-$KT_ROOT/build/tests/sched/kt-sched}
	# Three tasks that never sleep on CPU 1, none elsewhere.
	# shellcheck disable=SC2016 # the guest's variables
	kt-vmm -o run -m 512M -t 1n2l1c1t --append schedstats=enable -- busybox sh -c 'for i in 1 2 3; do
		(printf spinner >/proc/self/comm; while :; do :; done) &
		busybox taskset -p 2 $! >/dev/null
	done
	sleep 1
	echo held; exec sleep 300' >out 2>err 3>&- &
	echo $! >vmm
	local end=$((SECONDS + 240))
	until grep -qs '^held' out; do
		((SECONDS < end)) && kill -0 "$(cat vmm)" || { cat err >&2; return 1; }
		sleep 0.2
	done
}

setup() {
	cd "$BATS_FILE_TMPDIR/work" || skip "no VM"
	export TMPDIR=$BATS_FILE_TMPDIR/tmp
}

teardown_file() {
	cd "$BATS_FILE_TMPDIR/work" || return 0
	kill -TERM "$(cat vmm)" 2>/dev/null || true
	for _ in $(seq 300); do kill -0 "$(cat vmm)" 2>/dev/null || break; sleep 0.1; done
	kill -KILL "$(cat vmm)" 2>/dev/null || true
}

# judge OPTION...: what kt-assert says of m.jsonl beside the stats of a good run.
judge() {
	kt-assert --format json --monitor m.jsonl "$@" "$KT_ROOT/tests/fixtures/stats/fair.json"
}

@test "a load that was made shows in every sample, with the guest's own time" {
	kt-snapshot monitor --interval 50ms --count 40 run >m.jsonl
	assert_equal "$(wc -l <m.jsonl)" 40
	assert_equal "$(jq -sc '[.[0].schema, ([.[].cpus | length] | unique), ([.[].events] | unique), ([.[].scx_state] | unique)]' m.jsonl)" \
		'["kt-monitor/1",[2],[null],["disabled"]]'
	# Somebody else may come by for a moment: three at least, and mostly three.
	assert_equal "$(jq -s '[.[].cpus[1].nr_running >= 3] | all' m.jsonl)" true
	assert_equal "$(jq -s '[.[].cpus[1].nr_running] | sort | .[length / 2 | floor]' m.jsonl)" 3
	assert_equal "$(jq -s '[.[].cpus[0].nr_running] | sort | .[length / 2 | floor]' m.jsonl)" 0
	assert [ "$(jq -s '[.[].cpus[1].curr | select(.comm == "spinner")] | length' m.jsonl)" -ge 30 ]
	assert_equal "$(jq -s '[.[].cpus[] | .scx_nr_running == 0 and .local_dsq_depth == 0] | all' m.jsonl)" true
	# Time and clocks run, the CPU's clock is some ticks behind, all but ever, switches are counted.
	assert_equal "$(jq -s '[range(1; length) as $i | .[$i].t_ns > .[$i - 1].t_ns] | all' m.jsonl)" true
	assert_equal "$(jq -s '[range(1; length) as $i | .[$i].cpus[1].rq_clock >= .[$i - 1].cpus[1].rq_clock] | all' m.jsonl)" true
	assert_equal "$(jq -s '(.[-1].t_ns - .[0].t_ns) / 1e6 | . > 1900 and . < 60000' m.jsonl)" true
	assert_equal "$(jq -s '[.[] | (.t_ns - .cpus[1].rq_clock) / 1e6 | select(. > -500 and . < 2000)] | length >= 36' m.jsonl)" true
	assert_equal "$(jq -s '.[-1].cpus[1].nr_switches > .[0].cpus[1].nr_switches' m.jsonl)" true
	assert_equal "$(jq -sc '[.[] | .cpus[] | .torn, .suspect] | unique' m.jsonl)" '[null]'
	# Two caches of a core each: one level over both, and the spinner's CPU was balanced there.
	assert_equal "$(jq -c '[.domains[] | [.name, .cpus]]' <(tail -n 1 m.jsonl))" '[["PKG",2]]'
	assert [ "$(tail -n 1 m.jsonl | jq '.domains[0].lb_count')" -gt 0 ]
	assert_equal "$(jq -s '.[-1].domains[0].lb_count >= .[0].domains[0].lb_count' m.jsonl)" true
}

@test "kt-assert judges the samples as they are" {
	kt-snapshot monitor --interval 20ms --count 30 run >m.jsonl
	run -1 judge --max-imbalance-ratio 2
	assert_equal "$(jq -r '.monitor | [.samples, .cpus, .max_imbalance_ratio >= 3] | @csv' <<<"$output")" '30,2,true'
	assert_equal "$(jq -r '[.checks[] | select(.verdict == "fail") | .check] | @csv' <<<"$output")" '"max-imbalance-ratio"'
	run judge --max-imbalance-ratio 20
	assert_equal "$(jq -r '[.checks[] | select(.verdict == "fail") | .check] | @csv' <<<"$output")" ''
}

@test "a guest that stands still with runnable tasks is a stall, and goes on afterwards" {
	# Held frozen by a client of the control socket.
	mkfifo in
	socat - UNIX-CONNECT:run/vm.sock <in >answer 3>&- &
	exec 7>in
	echo '{"command":"freeze"}' >&7
	eventually [ -s answer ]
	kt-snapshot monitor --interval 20ms --count 10 run >m.jsonl
	exec 7>&-
	rm in
	assert_equal "$(jq -s '[.[].cpus[1].rq_clock] | unique | length' m.jsonl)" 1
	run -1 judge --max-imbalance-ratio off
	assert_equal "$(jq -r '.monitor.stalled_samples' <<<"$output")" 9
	assert_equal "$(jq -r '[.checks[] | select(.verdict == "fail") | .check] | @csv' <<<"$output")" '"fail-on-stall"'
	kt-snapshot monitor --interval 50ms --count 10 run >m.jsonl
	assert_equal "$(jq -s '[.[].cpus[1].rq_clock] | unique | length > 3' m.jsonl)" true
}

# Sample while CPU 1's clock reads NUMBER for a while, and before and after.
sample_edited() { # NUMBER
	rm -f m.jsonl
	kt-snapshot monitor --interval 50ms run >m.jsonl 3>&- &
	local monitor=$!
	eventually [ -s m.jsonl ]
	"$KT_ROOT/tests/lib/ram-edit" run 'kt-snapshot capture --only cpu . | jq .cpu[1].clock_ns' "$1" \
		sh -c 'for i in 1 2 3 4 5; do sleep 0.1; done'
	give_time 0.5
	kill "$monitor"
	wait "$monitor" || true
}

@test "numbers that cannot be are null and named, and later ones are believed again" {
	sample_edited 0x7000000000000000
	assert_equal "$(jq -sc '[.[].cpus[1] | select(.suspect) | [.rq_clock, .suspect, .nr_running >= 3]] | unique' m.jsonl)" \
		'[[null,["rq_clock"],true]]'
	assert_equal "$(jq -s '.[-1].cpus[1] | .rq_clock > 0 and .suspect == null' m.jsonl)" true
	# Back in time: the first sample of it is not believed.
	sample_edited 77
	assert_equal "$(jq -s '[.[].cpus[1] | select(.suspect == ["rq_clock"])] | length' m.jsonl)" 1
	assert_equal "$(jq -s '.[-1].cpus[1] | .rq_clock > 77 and .suspect == null' m.jsonl)" true
}

@test "it ends with the VM's end, its count or its reader's, and says what is wrong with its words" {
	run bash -c 'kt-snapshot monitor --interval 10ms run | head -n 1 | jq -r .schema'
	assert_success
	assert_output kt-monitor/1
	run -64 kt-snapshot monitor --interval 10us run
	assert_output "kt-snapshot: --interval '10us': expected a time of at least 1ms"
	run -64 kt-snapshot monitor --count 0 run
	assert_output "kt-snapshot: --count '0': expected a whole number from 1"
	run -64 kt-snapshot monitor
	assert_output "kt-snapshot: monitor: expected one run directory or control socket"
	run -1 kt-snapshot monitor "$BATS_TEST_TMPDIR"
	# A file gets its lines by the second, and the rest at the end.
	rm -f m.jsonl
	kt-snapshot monitor --interval 10ms run >m.jsonl 3>&- &
	local monitor=$! lines status=0
	until [ -s m.jsonl ]; do kill -0 "$monitor"; sleep 0.1; done
	lines=$(wc -l <m.jsonl)
	give_time 0.3
	kill -TERM "$monitor"
	wait "$monitor" || status=$?
	assert_equal "$status" 143
	assert [ "$(wc -l <m.jsonl)" -gt "$lines" ]
	assert_equal "$(tail -n 1 m.jsonl | jq -r .schema)" kt-monitor/1
	rm m.jsonl
	kt-snapshot monitor run >m.jsonl 3>&- &
	monitor=$!
	eventually [ -s m.jsonl ]
	give_time 0.5
	kill -TERM "$(cat vmm)"
	wait "$monitor"
	assert [ "$(wc -l <m.jsonl)" -ge 2 ]
	assert_equal "$(tail -n 1 m.jsonl | jq -r .schema)" kt-monitor/1
}
