#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What a snapshot says of sched_ext, scheduling domains, registers and stacks is what the guest says of itself.
# bats file_tags=vm

load lib/kt
load lib/vm
load lib/snapshot

setup() {
	vm_setup
	KT_SCHED=${KT_SCHED:-$KT_ROOT/build/tests/sched/kt-sched}
	[ -x "$KT_SCHED" ] || fail "$KT_SCHED is not there (make sched)"
}

teardown() {
	[ -z "${vmm:-}" ] || kill -KILL "$vmm" 2>/dev/null || true
}

start_vm() { # KERNEL
	kt-vmm -o run -m 512M -k "$1" -t 2n2l1c2t --append schedstats=enable --sched "$KT_SCHED" -- \
		busybox sh -c "$SCX_SAYS; echo held; exec sleep 120" >out 2>err 3>&- &
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

# QEMU with a monitor of its own besides, on the socket hmp.
qemu_with_monitor() {
	mkdir qemu
	cat >qemu/qemu-system-x86_64 <<-END
		#!/bin/sh
		exec $(command -v qemu-system-x86_64) "\$@" -chardev socket,id=hmp,path=$PWD/hmp,server=on,wait=off -mon chardev=hmp
	END
	chmod +x qemu/qemu-system-x86_64
}

# Both CPUs, and the prompt after them.
shown_all() {
	[ "$(grep -c '^CPU#' shown)" = 2 ] && [[ $(tail -n 1 shown) == *'(qemu) '* ]] && ! tail -n 1 shown | grep -q registers
}

# The registers are those that QEMU's monitor shows of the same halt, "CPU NAME VALUE" each.
check_registers() {
	mkfifo in
	socat - UNIX-CONNECT:run/vm.sock <in >answer 3>&- &
	exec 7>in
	echo '{"command":"freeze"}' >&7
	eventually [ -s answer ]
	kt-snapshot capture --only regs run >regs
	: >shown
	{
		echo 'info registers -a'
		eventually shown_all
	} | socat - UNIX-CONNECT:hmp >shown
	exec 7>&-
	tr -d '\r' <shown | sed -E 's/ +=/=/g' | awk '
		/^CPU#/ { cpu = substr($0, 5) + 0 }
		/^[CDEFGS]S=/ { print cpu, substr($1, 1, 2), substr($1, 4); if (/^[FG]/) print cpu, substr($1, 1, 2) "_base", $2; next }
		/^(R|CR0|EFER)/ { for (i = 1; i <= NF; i++) if (split($i, a, "=") == 2) print cpu, a[1], a[2] }' |
		tr A-Z a-z | sed -E 's/ rfl / rflags /; s/ 0+([^ ])/ \1/' | grep -E ' (r[a-z0-9]+|[cdefgs]s|[fg]s_base|cr[0234]|efer) ' | sort >theirs
	jq -r '.cpu[] | .cpu as $c | .regs | to_entries[] | select(.key | IN("cr8", "kernel_gs_base") | not) |
		"\($c) \(.key) \(.value[2:])"' regs | sort >ours
	assert_equal "$(wc -l <ours)" 62
	diff ours theirs
}

@test "without a scheduler there is none, and registers are those that QEMU has" {
	qemu_with_monitor
	PATH=$PWD/qemu:$PATH kt-vmm -o run -m 512M -t 1n1l2c1t -- \
		busybox sh -c 'while :; do :; done & echo held; exec sleep 100' >out 2>err 3>&- &
	vmm=$!
	local end=$((SECONDS + 240))
	until grep -qs '^held' out; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
	assert_equal "$(kt-snapshot capture --only scx run | jq -c '[.scx | .state, .ops, .events, .exit, (.dsq | map(.type) | index("local"))]')" \
		'["disabled",null,null,null,0]'
	# One CPU idles, and how it came to it is the same as ever.
	local i idle=
	for i in $(seq 30); do
		idle=$(kt-snapshot capture --only cpu --only regs run | jq -c '[.cpu[] | select(.curr.pid == 0 and .stack_end == "end") |
			[.stack[].symbol] | [index("do_idle"), index("cpu_startup_entry"), .[-1]] | .[1] - .[0], .[2]] | .[:2]')
		[ "$idle" != '[1,"common_startup_64"]' ] || break
	done
	assert_equal "$idle" '[1,"common_startup_64"]'
	check_registers
	end_vm
}
