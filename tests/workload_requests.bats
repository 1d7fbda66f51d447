#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What a scenario asks of its host and of kt-init: values read and written, schedulers that come and go.
# bats file_tags=vm

load lib/kt
load lib/vm

setup_file() {
	kt-kernel path >/dev/null 2>&1 || return 0 # vm_setup skips the tests
	export RUNS=$BATS_FILE_TMPDIR/runs
	local sched=${KT_SCHED:-$KT_ROOT/build/tests/sched/kt-sched} status
	mkdir -p "$RUNS" && cd "$RUNS" || return
	cat >ops.kt <<-'END'
		duration 60s
		cgroup a workers=1 work=spin-wait
		step values
		  write var.nr_stalled 41
		  read var.nr_stalled
		  hold 200ms
		step detached
		  sched detach
		  hold 500ms
		step attached
		  sched attach kt-sched
		  hold 500ms
		step replaced
		  sched replace /bin/kt-other
		  hold 500ms
		step wrong
		  read var.nr_nothing
		  hold 100ms
	END
	(kt-vmm -n -t 1n1l2c1t -m 512M -o ops --sched "$sched" --include "$sched:/bin/kt-other" -- kt-workload ops.kt \
		>ops.out 2>ops.err || echo $? >ops.status) 3>&- &
	(kt-vmm -n -t 1n1l2c1t -m 512M -o wrong --sched "$sched" -- kt-workload -e 'duration 5s' -e 'cgroup a workers=1' \
		-e 'step one' -e 'sched replace /bin/kt-none' -e 'hold 1s' >wrong.out 2>wrong.err || echo $? >wrong.status) 3>&- &
	wait
}

setup() {
	vm_setup
	cd "$RUNS" || return
}

@test "what a scenario writes into the scheduler's memory it can read there" {
	assert_equal "$(jq -c '[.requests[] | select(.op == "read var.nr_stalled") | .reply.value]' ops/stats.json)" '[41]'
}

@test "a scheduler goes, comes back and is exchanged, and neither the run nor the scenario fails of it" {
	assert_equal "$(jq -c '[.requests[] | select(.op | startswith("sched")) | [.op, .reply.scheduler]]' ops/stats.json)" \
		'[["sched detach",null],["sched attach kt-sched","kt_sched"],["sched replace /bin/kt-other","kt_sched"]]'
	assert_equal "$(jq -r 'select(.event | startswith("scheduler-")) | .event' ops/events.jsonl)" 'scheduler-attached
scheduler-exited
scheduler-attached
scheduler-exited
scheduler-attached
scheduler-exited'
	assert_equal "$(jq -c '[.outcome, .scheduler.exit_kind]' ops/run.json)" '["exited","SCX_EXIT_UNREG"]'
	# Each of the three has said what it did.
	assert_equal "$(grep -c ^attached ops/sched.log)" 3
	# None of them erred: there is no snapshot of an exit.
	[ ! -e ops/snapshots ]
}

@test "what is not there fails the run at its line" {
	assert_equal "$(cat ops.status)" 1
	assert_equal "$(jq '.errors | length' ops/stats.json)" 1
	run jq -r '.errors[0]' ops/stats.json
	assert_output --partial "ops.kt:17: 'read var.nr_nothing': "
	assert_equal "$(cat wrong.status)" 1
	run jq -r '.errors[0]' wrong/stats.json
	assert_output "-e:4: 'sched replace /bin/kt-none': cannot execute scheduler /bin/kt-none: No such file or directory (--include carries it into the guest)"
	# What was to be exchanged is gone, and so is its name.
	assert_equal "$(jq -c .scheduler.name wrong/run.json)" null
}
