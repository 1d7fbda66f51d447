#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What a snapshot says of sched_ext, scheduling domains, registers and stacks is what the guest says of itself.
# bats file_tags=vm

load lib/kt
load lib/vm

setup() {
	vm_setup
	KT_SCHED=${KT_SCHED:-$KT_ROOT/build/tests/sched/kt-sched}
	[ -x "$KT_SCHED" ] || fail "$KT_SCHED is not there (make sched)"
}

teardown() {
	[ -z "${vmm:-}" ] || kill -KILL "$vmm" 2>/dev/null || true
}

# The guest tells what it knows of itself, then has eight tasks called spinner, and one that copies bytes within the
# kernel, and holds still. What starts a program would wait for its turn: the shell reads by itself.
# shellcheck disable=SC2016 # the guest's variables
guest='
	echo Y >/sys/kernel/debug/sched/verbose
	show() { while read -r line; do echo "$1 $line"; done <$2; }
	cd /sys/kernel/sched_ext
	for f in state switch_all nr_rejected hotplug_seq enable_seq root/ops; do show "scx $f" $f; done
	show event root/events
	for d in /sys/kernel/debug/sched/domains/cpu*/domain*; do
		for f in name flags level imbalance_pct busy_factor; do show "domain ${d#*domains/cpu} $f" $d/$f; done
	done
	show schedstat /proc/schedstat
	for i in 1 2 3 4 5 6 7 8; do
		(printf spinner >/proc/self/comm; while :; do :; done) &
		echo "spinner $!"
	done
	dd if=/dev/zero of=/dev/null bs=64M 2>/dev/null &
	echo "dd $!"
	echo held
	exec sleep 120'

start_vm() { # KERNEL
	kt-vmm -o run -m 512M -k "$1" -t 2n2l1c2t --append schedstats=enable --sched "$KT_SCHED" -- \
		busybox sh -c "$guest" >out 2>err 3>&- &
	vmm=$!
	local end=$((SECONDS + 240))
	until grep -qs '^held' out; do
		((SECONDS < end)) && kill -0 "$vmm" || { cat err >&2; return 1; }
		sleep 0.2
	done
}

end_vm() {
	kill -TERM "$vmm"
	wait "$vmm" || true
	vmm=
}

# The guest's lines that begin with WORD, without it.
told() { # WORD
	sed -n "s/^$1 //p" out
}

check_state() {
	assert_equal "$(jq -r '.scx | "state \(.state)", "switch_all \(if .switch_all then 1 else 0 end)",
		"nr_rejected \(.nr_rejected)", "hotplug_seq \(.hotplug_seq)", "enable_seq \(.enable_seq)",
		"root/ops \(.ops.name)"' snap)" "$(told scx)"
	assert_equal "$(jq -c '.scx | [.bypass_depth, .aborting, .watchdog_timeout_ms, .slice_default_ns, .exit.kind]' snap)" \
		'[0,false,30000,20000000,"none"]'
	# Every counter of the guest's by its name, none of them smaller since, and they are their CPUs' sums.
	assert_equal "$(jq -r '.scx.events | keys[]' snap)" \
		"$(told event | awk '{ sub("^SCX_EV_", ""); print tolower($1) }' | sort)"
	told event | jq -Rn '[inputs | split(" ") | {(.[0][7:] | ascii_downcase): (.[1] | tonumber)}] | add' >events
	assert_equal "$(jq -c --slurpfile told events '.scx.events as $e | $told[0] | to_entries |
		map(select($e[.key] < .value))' snap)" '[]'
	assert_equal "$(jq '.scx | .events as $e | .events_by_cpu as $c | [$e | to_entries[] | .key as $k |
		.value == ([$c[][$k]] | add)] | all' snap)" true
	[ "$(jq .scx.events.bypass_activate snap)" -ge 1 ]
}

# The spinners are either on a CPU or in a queue, each just once. A capture can meet one that is in
# neither, as on its way from one to the other: then the next one will do.
check_queues() {
	assert_equal "$(jq -c '[.scx.dsq[] | select(.type == "local") | .nr] == [.cpu[].local_dsq_depth]' snap)" true
	assert_equal "$(jq -c '[.scx.dsq[] | select(has("left_out") or has("broken") | not) | .nr == (.tasks | length)] | all' snap)" true
	assert_equal "$(jq -c '[.scx.dsq[] | select(.type == "user") | .id]' snap)" '[0,1]'
	assert_equal "$(jq -c '[.scx.dsq[] | select(.type == "global") | .node]' snap)" '[0,1]'
	local i
	for i in $(seq 10); do
		kt-snapshot capture --only cpu --only scx run >spins
		jq -r '(.scx.dsq[].tasks[], .cpu[].curr) | select(.comm == "spinner") | .pid' spins | sort >found
		if cmp -s found <(told spinner | sort); then
			# Four CPUs run four tasks: the others wait.
			assert [ "$(jq '[.scx.dsq[].nr] | add' spins)" -ge 4 ]
			return
		fi
	done
	diff found <(told spinner | sort)
}

check_domains() {
	assert_equal "$(jq -r '.sched_domain[] | .cpu as $c | .domains | to_entries[] | .key as $n | .value |
		"name \(.name)", "flags \(.flags | join(" "))", "level \(.level)", "imbalance_pct \(.imbalance_pct)", "busy_factor \(.busy_factor)" |
		"\($c)/domain\($n) \(.)"' snap | sort)" "$(told domain | sed 's/ *$//' | sort)"
	# /proc/schedstat, version 17: name, mask, eleven numbers for each kind of idleness, twelve more. What the
	# fair class counts stands still since sched_ext took all tasks over; wakeups are counted on.
	told schedstat | jq -Rnc '[inputs | split(" ") | select(.[0] | startswith("domain")) | .[1:]]' >stat
	jq -c '[.sched_domain[].domains[] | [.name] + [range(3) as $i | .lb_count[$i], .lb_balanced[$i], .lb_failed[$i],
		.lb_imbalance_load[$i], .lb_imbalance_util[$i], .lb_imbalance_task[$i], .lb_imbalance_misfit[$i],
		.lb_gained[$i], .lb_hot_gained[$i], .lb_nobusyq[$i], .lb_nobusyg[$i]] + [.alb_count, .alb_failed, .alb_pushed,
		.sbe_count, .sbe_balanced, .sbe_pushed, .sbf_count, .sbf_balanced, .sbf_pushed]]' snap >read
	assert_equal "$(cat read)" "$(jq -c 'map([.[0]] + (.[2:44] | map(tonumber)))' stat)"
	assert [ "$(jq '[.[][1:][]] | add' read)" -gt 0 ]
	assert_equal "$(jq -c --slurpfile told stat '[[.sched_domain[].domains[].ttwu_wake_remote], [$told[0][][44] | tonumber]] |
		transpose | map(select(.[0] < .[1]))' snap)" '[]'
	# Each domain's CPUs are its groups'.
	assert_equal "$(jq -c '[.sched_domain[0].domains[] | [.name, .span, .span_weight, [.groups[].cpus]]]' snap)" \
		'[["SMT","0-1",2,["0","1"]],["NUMA","0-3",4,["0-1","2-3"]]]'
	assert_equal "$(jq '[.sched_domain[].domains[] | .span_weight == ([.groups[].weight] | add)] | all' snap)" true
}

# Whatever a CPU was doing, a stack leads back to how it came into the kernel, unless it stood at the very beginning of
# a BPF program or of an entry.
check_stacks() {
	local i seen=
	for i in $(seq 30); do
		kt-snapshot capture --only cpu --only regs run >regs
		assert_equal "$(jq -c '[.cpu[] | if .mode == "user" then .stack == [] and (.regs.rip | length) <= 14
			else .stack[0].ip == .regs.rip and (.stack_end == "end" or .stack_end == "user" or
				(.stack[-1].symbol // "bpf" | test("bpf|asm_|entry|error"))) end] | all' regs)" true
		seen=$(jq -c --arg pid "$(told dd)" '.cpu[] | select(.curr.pid == ($pid | tonumber)) |
			[.stack[].symbol] | select(index("ksys_read")) | .[index("ksys_read"):] | select(length == 3)' regs | head -n 1)
		[ -z "$seen" ] || break
	done
	assert_equal "$seen" '["ksys_read","do_syscall_64","entry_SYSCALL_64_after_hwframe"]'
	# Per-CPU memory is where a segment register says, the one at work or the one that waits meanwhile.
	assert_equal "$(jq -c '[.cpu[].regs | .gs_base, .kernel_gs_base | select(startswith("0xffff"))] | unique | length >= 4' regs)" true
}

# The pointer to the scheduler leads nowhere: what it led to is not there, and nothing else is lost.
check_astray() {
	run -0 "$KT_ROOT/tests/lib/ram-edit" run 'kt-snapshot read . kernel.scx_root:u64' 0x4141414141414140 \
		kt-snapshot capture --only scx --only cpu .
	assert_equal "$(jq -c '[.scx.state, .scx.ops.name, .scx.events, (.scx.dsq | map(select(.type == "local")) | length), (.cpu | length)]' \
		<<<"$output")" '["enabled",null,null,4,4]'
}

check_kernel() { # KERNEL
	start_vm "$1"
	kt-snapshot capture run >snap
	assert_equal "$(jq -c '.missing | map(select(test("scx|domain|stack|register")))' snap)" '[]'
	check_state
	check_queues
	check_domains
	check_stacks
	check_astray
	end_vm
}

@test "sched_ext, domains, registers and stacks of the newest kernel are as the guest says" {
	check_kernel "$(kt-kernel list | awk 'NR == 1 { print $1 }')"
}

@test "and those of the oldest with sched_ext" {
	local oldest
	oldest=$(vm_kernels 7.0 | head -n 1)
	[ -n "$oldest" ] || skip "no 7.0 kernel in the cache"
	check_kernel "$oldest"
}

@test "without a scheduler there is none" {
	kt-vmm -o run -m 512M -t 1n1l2c1t -- busybox sh -c 'echo held; exec sleep 100' >out 2>err 3>&- &
	vmm=$!
	local end=$((SECONDS + 240))
	until grep -qs '^held' out; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
	assert_equal "$(kt-snapshot capture --only scx run | jq -c '[.scx | .state, .ops, .events, .exit, (.dsq | map(.type) | index("local"))]')" \
		'["disabled",null,null,null,0]'
	# Its CPUs idle, and how they came to it is the same as ever.
	local i idle=
	for i in $(seq 30); do
		idle=$(kt-snapshot capture --only cpu --only regs run | jq -c '[.cpu[] | select(.curr.pid == 0 and .stack_end == "end") |
			[.stack[].symbol] | [index("do_idle"), index("cpu_startup_entry"), .[-1]] | .[1] - .[0], .[2]]')
		[ "$idle" != '[1,"common_startup_64",1,"common_startup_64"]' ] || break
	done
	assert_equal "$idle" '[1,"common_startup_64",1,"common_startup_64"]'
	end_vm
}
