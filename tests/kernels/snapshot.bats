#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# All that kt-snapshot does, on one kernel: KT_KERNEL, by default the newest. `make check-snapshot` runs
# it on each series that kt-kernel can get. Kernels before 6.16 have no sched_ext here.
# bats file_tags=vm

load ../lib/kt
load ../lib/vm
load ../lib/snapshot

# Each part waits for a line on stdin.
# shellcheck disable=SC2016 # the guest's variables
guest='
	echo 0 >/proc/sys/kernel/kptr_restrict
	echo "symbols $(busybox sed "/\[/d; s/^0*//" /proc/kallsyms | busybox sha256sum)"
	echo "btf $(busybox sha256sum </sys/kernel/btf/vmlinux)"
	'$BPFTOOL_SAYS'
	echo dumped
	read -r go
	'$SCX_SAYS'
	echo held
	read -r go
	kill $load
	cd /
	kt-workload -e "duration 6s" -e "cgroup a workers=2 work=spin-wait" -e "step one" -e "snapshot here" \
		-e "watch jiffies_64" -e "watch $watched" -e "hold 4s" -e "step two" -e "snapshot later" -e "hold 2s" >/dev/null
	echo asked $?
	read -r go
	exec sleep 300'

# wait_for WORD: until the guest has said it.
wait_for() {
	local end=$((SECONDS + 240))
	until grep -qs "^$1" out; do
		((SECONDS < end)) && kill -0 "$(cat pid)" || { cat err >&2; return 1; }
		sleep 0.2
	done
}

setup_file() {
	kt-kernel path >/dev/null 2>&1 && command -v qemu-system-x86_64 >/dev/null || return 0
	cd "$BATS_FILE_TMPDIR" || return
	export KT_KERNEL=${KT_KERNEL:-$(kt-kernel list | awk 'NR == 1 { print $1 }')}
	local sched=(--sched "$KT_ROOT/build/tests/sched/kt-sched" --sched-args "--error-after 3600000") watched=nr_dispatched
	has_scx || sched=() watched=runs
	mkfifo in
	kt-vmm -o run -m 512M -k "$KT_KERNEL" -t 2n2l1c2t --append schedstats=enable "${sched[@]}" -e watched=$watched \
		-i "$(PATH=$PATH:/usr/sbin command -v bpftool)" -i "$(command -v kt-workload)" -- \
		"$KT_ROOT/build/tests/maps/kt-maps" busybox sh -c "$guest" <>in >out 2>err 3>&- &
	echo $! >pid
	wait_for dumped
	kt-snapshot capture run >maps
	echo >in
	wait_for held
	kt-snapshot capture run >snap
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/pid" ] || kill -TERM "$(cat "$BATS_FILE_TMPDIR/pid")" 2>/dev/null || true
	while kill -0 "$(cat "$BATS_FILE_TMPDIR/pid" 2>/dev/null)" 2>/dev/null; do sleep 0.1; done
}

setup() {
	vm_setup
	cd "$BATS_FILE_TMPDIR" || return
}

# Debian's kernels have it from 6.16 on.
has_scx() {
	[[ $KT_KERNEL != 6.1[2-5]* ]]
}

# What the series has not got, each one by its name.
lacking() {
	case $KT_KERNEL in
	6.1[2-5]*)
		printf '%s\n' 'struct rq.scx.nr_running' 'struct rq.scx.flags' 'struct rq.scx.cpu_released' 'struct rq.scx.local_dsq.nr' \
			'struct sched_ext_ops' 'struct sched_domain.lb_imbalance_load' 'struct sched_domain.lb_imbalance_util' \
			'struct sched_domain.lb_imbalance_task' 'struct sched_domain.lb_imbalance_misfit'
		;;
	6.1[67]*)
		printf '%s\n' 'scx.aborting: struct scx_sched.aborting or scx_aborting' \
			'scx.slice_default_ns: struct scx_sched.slice_dfl or scx_slice_dfl' 'struct sched_domain.newidle_call' \
			'struct sched_domain.newidle_success' 'struct sched_domain.newidle_ratio'
		;;
	6.18*)
		printf '%s\n' 'scx.aborting: struct scx_sched.aborting or scx_aborting' \
			'scx.slice_default_ns: struct scx_sched.slice_dfl or scx_slice_dfl'
		;;
	esac
}

@test "nothing is missing but what the kernel has not got" {
	assert_equal "$(jq -r .kernel snap)" "$(basename "$(dirname "$(kt-kernel path "$KT_KERNEL")")")"
	assert_equal "$(jq -r '.missing[]' snap | sort)" "$(lacking | sort)"
}

@test "symbols and types are those that the guest says" {
	assert_equal "$(kt-snapshot symbol run | sed 's/^0x0*//' | sha256sum)" "$(told symbols)"
	assert_equal "$(kt-snapshot btf run | sha256sum)" "$(told btf)"
}

@test "maps and programs are what bpftool says they are" {
	compare_maps maps out
}

@test "sched_ext's state and events are as the guest says" {
	has_scx || skip "no sched_ext in $KT_KERNEL"
	check_state
}

@test "dispatch queues hold the tasks that wait" {
	has_scx || skip "no sched_ext in $KT_KERNEL"
	check_queues
}

@test "scheduling domains are as the guest says" {
	check_domains
}

@test "registers and stacks lead back to how each CPU came into the kernel" {
	check_stacks
}

@test "the monitor sees the load" {
	kt-snapshot monitor --interval 50ms --count 20 run >monitor.jsonl
	assert_equal "$(wc -l <monitor.jsonl)" 20
	assert_equal "$(jq -sc '[.[].cpus[] | .torn, .suspect] | unique' monitor.jsonl)" '[null]'
	assert_equal "$(jq -s '[range(1; length) as $i | .[$i].t_ns > .[$i - 1].t_ns] | all' monitor.jsonl)" true
	assert_equal "$(jq -s 'map([.cpus[].nr_running] | add) | sort | .[10] | . >= 8 and . <= 12' monitor.jsonl)" true
	assert_equal "$(jq -s '.[19] as $b | .[0] as $a | [range(4) | $b.cpus[.].rq_clock > $a.cpus[.].rq_clock] | all' monitor.jsonl)" true
	assert [ "$(jq -s '[.[].cpus[].curr | select(.comm == "spinner")] | length' monitor.jsonl)" -ge 20 ]
	assert_equal "$(jq -sc '.[19].domains | map([.name, .cpus])' monitor.jsonl)" '[["SMT",4],["NUMA",4]]'
	if has_scx; then
		assert_equal "$(jq -sc 'map(.scx_state) | unique' monitor.jsonl)" '["enabled"]'
		assert_equal "$(jq -c '.events | keys' monitor.jsonl | sort -u)" "$(jq -c '.scx.events | keys' snap)"
		assert_equal "$(jq -s '[.[].cpus[] | .scx_nr_running <= .nr_running] | all' monitor.jsonl)" true
	else
		assert_equal "$(jq -sc '[map(.scx_state, .events), map(.cpus[] | .scx_nr_running)] | map(unique)' monitor.jsonl)" '[[null],[null]]'
	fi
}

@test "variables are read and written, and the watchdog is set" {
	run -0 kt-snapshot set run var.minus_one=-12 kernel.printk_delay_msec:u32=0
	run -0 kt-snapshot read run var.minus_one kernel.runqueues.cpu[1].cpu kernel.system_state:system_states kernel.init_task:task_struct.comm kernel.jiffies_64:u64
	assert_line --index 4 --regexp '^[0-9]{10}$'
	unset 'lines[4]'
	output=$(printf '%s\n' "${lines[@]}")
	assert_output '-12
1
SYSTEM_RUNNING
swapper/0'
	if has_scx; then
		run -0 kt-snapshot read run scx.ops.name scx.exit_kind.counter
		assert_output 'kt_sched
0'
		run -0 kt-snapshot watchdog run 60s
		assert_equal "$(kt-snapshot capture --only scx run | jq .scx.watchdog_timeout_ms)" 60000
	else
		run -1 kt-snapshot watchdog run 60s
		assert_output --partial 'has neither scx_sched.watchdog_timeout nor scx_watchdog_timeout'
	fi
}

@test "a scenario's snapshots and watches are on disk" {
	local watched=nr_dispatched name
	has_scx || watched=runs
	echo >in
	wait_for asked
	assert_equal "$(told asked)" 0
	for name in here later jiffies_64.{1..16} $(has_scx && echo $watched.{1..16}); do
		assert_equal "$(jq -c '[.schema, .name, .missing]' "run/snapshots/$name.json")" \
			"$(jq -c --arg name "$name" '["kt-snapshot/1", $name, .missing]' snap)"
	done
	has_scx || return 0
	# The guest stood behind each write.
	for name in {1..16}; do kt-snapshot get "run/snapshots/$watched.$name.json" "var.$watched"; done >values
	assert_equal "$(jq -sc '[range(16) as $i | .[$i] - .[0] - $i] | (max - min) <= 3' values)" true
}

# The last one on this VM.
@test "the scheduler's error exit is seen, with its maps" {
	has_scx || skip "no sched_ext in $KT_KERNEL"
	run -0 kt-snapshot set run var.started_ns=18446740473709551616 # an hour is over
	local end=$((SECONDS + 90))
	until [ "$(jq -r '.outcome // empty' run/run.json 2>/dev/null)" ]; do
		((SECONDS < end))
		sleep 0.2
	done
	assert_equal "$(jq -r .outcome run/run.json)" scheduler-died
	# The error is the scheduler's own, or the kernel's about it, as kt-sched can have it.
	assert_equal "$(jq -c '[.trigger, (.scx.exit.kind | startswith("error")), .scx.exit.kind_value >= 1024]' run/snapshots/sched_exit.json)" \
		'["sched-exit",true,true]'
	run kt-snapshot get run/snapshots/sched_exit.json var.nr_dispatched
	assert_success
}
