#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-sched, the scheduler to test with: it attaches everywhere, and each misbehaviour is what it says.

load lib/kt
load lib/vm

setup() {
	KT_SCHED=${KT_SCHED:-$KT_ROOT/build/tests/sched/kt-sched}
	[ -x "$KT_SCHED" ] || fail "$KT_SCHED is not there (make sched)"
}

# sched_vm ARGS COMMAND: run shell COMMAND in a VM with two LLCs under kt-sched ARGS; files in ./run.
# Deterministic, so that CPU time counts no wait of a vCPU for the host.
sched_vm() {
	kt-vmm -n --deterministic -t 1n2l2c1t -m 512M --timeout 300s -o run --sched "$KT_SCHED" --sched-args "$1" \
		-- sh -c "$2"
}

# sched_field NAME: what run.json says of the scheduler.
sched_field() {
	jq -r ".scheduler.$1" run/run.json
}

# stat_of NAME: one of the counts that kt-sched printed at its end.
stat_of() {
	sed -n "s/^stats enqueued.* $1=\([0-9]*\).*/\1/p" run/sched.log | tail -n 1
}

# Seven shells that spin for three seconds: a number that does not settle on four CPUs.
spin7='for i in 1 2 3 4 5 6 7; do while :; do :; done & done; sleep 3'

@test "wrong options end in one line and status 64, before anything is loaded" {
	run -64 "$KT_SCHED" --stal
	assert_output "kt-sched: unknown option '--stal': did you mean '--stall'? (--help lists all)"
	run -64 "$KT_SCHED" --slice fast
	assert_output "kt-sched: --slice 'fast': expected a number of microseconds from 10 to 1000000"
	run -64 "$KT_SCHED" --watchdog 30001
	assert_output "kt-sched: --watchdog '30001': expected a number of milliseconds from 100 to 30000"
	run -64 "$KT_SCHED" --stall=a-name-too-long-for-a-comm
	assert_output --partial "expected a name of 1 to 15 bytes"
	run -64 "$KT_SCHED" --starve ''
	assert_output --partial "expected a name of 1 to 255 bytes"
	run -64 "$KT_SCHED" --ignore-llc now
	assert_output "kt-sched: unexpected argument 'now': expected only options"
}

@test "a kernel without sched_ext is told as such, with status 70" {
	[ ! -d /sys/kernel/sched_ext ] || skip "this machine's kernel has sched_ext"
	run -70 "$KT_SCHED"
	assert_output --partial "kt-sched: cannot load the BPF object"
}

# bats test_tags=vm
@test "it attaches to every 7.x kernel in the cache, schedules, and detaches when asked" {
	vm_setup
	local kernels kernel n=0
	kernels=$(vm_kernels 7.)
	[ -n "$kernels" ] || skip "no 7.x kernel in the cache (bin/kt-kernel fetch)"
	for kernel in $kernels; do
		rm -rf run
		run -0 kt-vmm -n -k "$kernel" -t 1n2l2c1t -m 512M --timeout 300s -o run \
			--sched "$KT_SCHED" -- \
			sh -c "cat /sys/kernel/sched_ext/root/ops; sleep 1 & while kill -0 \$! 2>&-; do :; done"
		assert_output kt_sched
		run -0 cat run/sched.log
		assert_line --index 0 --regexp "^attached ops=kt_sched queues=2:(dsq|pid) llcs=2 cpus=4 "
		assert_line --partial 'exit kind=64 code=0 reason="unregistered from user space"'
		[ "$(stat_of runs)" -gt 0 ]
		n=$((n + 1))
	done
	echo "# attached to $n kernels: ${kernels//$'\n'/ }" >&3
}

# bats test_tags=vm
@test "eight spinners on four CPUs get about the same" {
	vm_setup
	run -0 sched_vm "" 'for i in 1 2 3 4 5 6 7 8; do
			while :; do :; done & pids="$pids $!"; done
		sleep 4; for p in $pids; do cut -d" " -f1 /proc/$p/schedstat; done'
	run awk 'NR == 1 || $1 < min {min = $1} $1 > max {max = $1}
		END {print NR, (min * 1.5 > max ? "fair" : "unfair: " min " to " max)}' run/stats.json
	assert_output "8 fair"
}

# bats test_tags=vm
@test "--stall of a name: the watchdog throws the scheduler out and names the task" {
	vm_setup
	run -121 sched_vm "--watchdog 6000 --stall=victim" \
		'echo -n victim > /proc/self/comm; while :; do :; done'
	assert_equal "$(sched_field exit_kind)" SCX_EXIT_ERROR_STALL
	assert_equal "$(sched_field process)" "exit status 2"
	run -0 sched_field exit_message
	assert_output --regexp '^victim\[[0-9]+\] failed to run for [0-9.]+s$'
	run -0 cat run/sched.log
	assert_line --regexp '^exit kind=1026 code=0 reason="runnable task stall" message="victim\['
	assert_equal "$(stat_of stalled)" 1
}

# bats test_tags=vm
@test "--stall without a name takes a task of user space" {
	vm_setup
	run -121 sched_vm "--watchdog 6000 --stall" 'while :; do sleep 1; done'
	assert_equal "$(sched_field exit_kind)" SCX_EXIT_ERROR_STALL
	assert_equal "$(stat_of stalled)" 1
}

# bats test_tags=vm
@test "--error-after ends with an error of the scheduler's own" {
	vm_setup
	run -121 sched_vm "--error-after 700" 'sleep 30'
	# Where the kernel cannot run scx_bpf_error(), a forbidden dispatch stands in for it.
	run -0 echo "$(sched_field exit_kind) $(sched_field exit_message)"
	assert_output --regexp "^SCX_EXIT_ERROR_BPF kt_sched: error asked for with --error-after 700$|^SCX_EXIT_ERROR non-existent DSQ 0x6b742d6572726f72$"
	assert_equal "$(sched_field process)" "exit status 2"
}

# bats test_tags=vm
@test "a command that ends because the scheduler is on its way out does not hide that" {
	vm_setup
	run -121 sched_vm "--error-after 700" \
		'while read s < /sys/kernel/sched_ext/state && [ $s = enabled ]; do :; done; exit 3'
	assert_equal "$(jq -r .outcome run/run.json)" scheduler-died
	assert_equal "$(sched_field process)" "exit status 2"
}

# bats test_tags=vm
@test "--crash-after kills the user part, and the kernel lets go of the scheduler without an error" {
	vm_setup
	run -121 sched_vm "--crash-after 700" 'sleep 30'
	assert_equal "$(sched_field process)" "killed by signal 6 (Aborted)"
	assert_equal "$(sched_field exit_kind)" SCX_EXIT_UNREG
}

# bats test_tags=vm
@test "--exit-after detaches with status 0 while the command runs" {
	vm_setup
	run -121 sched_vm "--exit-after 700" 'sleep 30'
	assert_equal "$(sched_field process)" "exit status 0"
	assert_equal "$(sched_field exit_kind)" SCX_EXIT_UNREG
}

# bats test_tags=vm
@test "--starve leaves the tasks of one cgroup next to nothing, and the watchdog quiet" {
	vm_setup
	run -0 sched_vm "--watchdog 20000 --starve poor" 'cd /sys/fs/cgroup && mkdir rich poor
		for i in 1 2 3 4; do for g in rich poor; do
			sh -c "echo \$\$ > $g/cgroup.procs; while :; do :; done" & done; done
		sleep 6
		for g in rich poor; do for p in $(cat $g/cgroup.procs); do
			echo $g $(cut -d" " -f1 /proc/$p/schedstat); done; done'
	run -0 awk '{n[$1]++; ns[$1] += $2}
		END {print n["rich"], n["poor"], (ns["poor"] * 10 < ns["rich"] ? "starved" : "not starved")}' \
		run/stats.json
	assert_output "4 4 starved"
	# Once a second each, not never.
	[ "$(stat_of starved)" -ge 8 ]
}

# bats test_tags=vm
@test "--ignore-llc moves tasks between LLCs far more often than the default" {
	vm_setup
	local near
	run -0 sched_vm "" "$spin7"
	near=$(stat_of llc_moves)
	run -0 grep -c "^attached ops=kt_sched queues=2:" run/sched.log
	rm -rf run
	run -0 sched_vm "--ignore-llc" "$spin7"
	run -0 grep -c "^attached ops=kt_sched queues=1:" run/sched.log
	echo "moves: $near, with --ignore-llc $(stat_of llc_moves)"
	[ "$(stat_of llc_moves)" -gt $((3 * near)) ]
}
