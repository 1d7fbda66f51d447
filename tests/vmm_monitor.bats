#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-vmm watches a guest from outside as it runs, and sets its scheduler's watchdog.
# bats file_tags=vm

load lib/kt
load lib/vm

# One run: a scheduler that stalls a task, whose own watchdog would take 30 s (and looks every 15 s). The one of the
# command line looks every 5 s: where the machine stands still, that look is late, which is not to be what it sees.
setup_file() {
	kt-kernel path >/dev/null 2>&1 || return 0 # vm_setup skips the tests
	export RUNS=$BATS_FILE_TMPDIR/runs
	mkdir -p "$RUNS" && cd "$RUNS" || return
	kt-vmm -n -t 1n1l2c1t -m 512M -o run --monitor=50ms --watchdog-timeout 10s \
		--sched "${KT_SCHED:-$KT_ROOT/build/tests/sched/kt-sched}" --sched-args '--stall=victim --watchdog 30000' -- \
		kt-workload -e 'duration 90s' -e 'cgroup a workers=1' -e 'cgroup b workers=1 comm=victim' \
		>out 2>err 3>&- || echo $? >status
}

setup() {
	vm_setup
	cd "$RUNS" || return
}

@test "the kernel throws a stalling scheduler out after the time that the command line gave" {
	assert_equal "$(cat status)" 121
	run jq -r .scheduler.exit_message run/run.json
	assert_regex "$output" 'failed to run for (1[0-9]|2[0-6])\.[0-9]+s'
	assert_equal "$(jq -c '.observed | [.watchdog_timeout_ns, .monitor_ns, .unmet]' run/run.json)" '[10000000000,50000000,[]]'
	[ "$(jq .observed.reader_ready_ns run/run.json)" -gt 0 ]
}

@test "the monitor's samples are in the run directory, in the order of time" {
	[ "$(wc -l <run/monitor.jsonl)" -gt 20 ]
	assert_equal "$(jq -s '[.[] | .t_ns] | . == sort' run/monitor.jsonl)" true
	assert_equal "$(jq -s '[.[] | select(.cpus) | .cpus | length] | unique' -c run/monitor.jsonl)" '[2]'
}

@test "and kt-assert judges them with the rest" {
	# The run itself has failed; its samples were judged.
	run -1 kt-assert --max-local-dsq-depth 100 --format json run
	assert_equal "$(jq -c '.checks[] | select(.check == "max-local-dsq-depth") | [.verdict, .value >= 0]' <<<"$output")" '["pass",true]'
}
