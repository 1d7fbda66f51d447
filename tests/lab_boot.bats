#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The kvm engine boots a stock kernel on a true /dev/kvm: a VM in the emulated KVM host of docs/kvm-lab.md.
# One boot stands for all of tests/lab/lab.bats (`make check-lab`).
# bats file_tags=vm

load lib/kt
load lib/vm

setup() {
	vm_setup
	kt-kernel fetch --modules >/dev/null 2>&1 || skip "no KVM modules for the kernel (kt-kernel fetch --modules)"
}

@test "the kvm engine boots a stock kernel with the declared LLCs, and brings back output and status" {
	# shellcheck disable=SC2016 # for the guest
	run --separate-stderr kt-lab -n --timeout 5m -- kt-vmm --engine kvm -n -m 512M -t 1n2l2c1t --timeout 100s -- \
		sh -c 'nproc; cat /sys/devices/system/cpu/cpu*/cache/index3/shared_cpu_list; exit 7'
	assert_failure 7
	assert_output $'4\n0-1\n0-1\n2-3\n2-3'
}
