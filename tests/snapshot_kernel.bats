#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-snapshot finds its way in a stock kernel: what it reads from outside is what the guest itself says.

load lib/kt
load lib/vm

setup() {
	vm_setup
}

teardown() {
	[ -z "${vmm:-}" ] || kill -KILL "$vmm" 2>/dev/null || true
}

start_vm() { # KERNEL COMMAND...
	kt-vmm -o run -m 512M -k "$1" -t 1n2l1c1t -- "${@:2}" >out 2>err 3>&- &
	vmm=$!
	local end=$((SECONDS + 60))
	until grep -q held out; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}

# A guest that tells where its kernel's symbols are and then holds still.
check_kernel() { # KERNEL
	start_vm "$1" busybox sh -c 'echo 0 >/proc/sys/kernel/kptr_restrict
		for s in jiffies runqueues map_idr init_task __start_BTF schedule; do grep -m1 " $s\$" /proc/kallsyms; done
		echo held; exec busybox sleep 120'
	local names addresses
	names=$(awk '/held/ { exit } { print $3 }' out)
	addresses=$(awk '/held/ { exit } { print "0x" $1 }' out)
	assert_equal "$(wc -w <<<"$names")" 6
	# shellcheck disable=SC2086 # words are meant
	run kt-snapshot symbol run $names
	assert_output "$addresses"

	run --separate-stderr kt-snapshot capture run
	assert_success
	assert_equal "$(jq -c '[.schema, .trigger, (.cpu | length), .missing]' <<<"$output")" '["kt-snapshot/1","demand",2,[]]'
	assert_equal "$(jq -r .kernel <<<"$output")" "$(basename "$(dirname "$(kt-kernel path "$1")")")"
	# The idle guest's CPUs run their idle tasks, or something for a moment.
	assert_equal "$(jq '[.cpu[].curr | .pid >= 0 and (.comm | length > 0)] | all' <<<"$output")" true
	# Time passes, and switches are counted.
	sleep 1
	assert_equal "$(kt-snapshot capture --only cpu run | jq --argjson a "$output" \
		'.t_ns > $a.t_ns and ([.cpu[].nr_switches] | add) > ([$a.cpu[].nr_switches] | add)')" true
	kill -TERM "$vmm"
	wait "$vmm" || true
	vmm=
}

@test "symbols and runqueues of the newest kernel are those that the guest shows" {
	check_kernel "$(kt-kernel list | awk 'NR == 1 { print $1 }')"
}

@test "and those of the oldest with sched_ext" {
	local oldest
	oldest=$(vm_kernels 7.0 | head -n 1)
	[ -n "$oldest" ] || skip "no 7.0 kernel in the cache"
	check_kernel "$oldest"
}

@test "without a VM, or with a wrong word, one line says what was expected" {
	run kt-snapshot capture "$BATS_TEST_TMPDIR"
	assert_failure 1
	assert_output "kt-snapshot: '$BATS_TEST_TMPDIR': No such file or directory: expected the control socket of a VM that runs, or its run directory"
	run kt-snapshot capture --only cpus x
	assert_failure 64
	assert_output "kt-snapshot: unknown section 'cpus': did you mean 'cpu'? (--help lists them)"
	run kt-snapshot captur x
	assert_failure 64
	assert_output "kt-snapshot: unknown command 'captur': did you mean 'capture'? (--help lists them)"
	run kt-snapshot capture
	assert_failure 64
}
