#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-vmm --perf: which host CPUs a machine is given, on hosts of all shapes (KT_SYSFS), and the locks on
# LLCs between runs. --dry-run plans and locks as a run does; the last test runs a guest without a kernel
# (tests/guests).

load lib/kt

setup() {
	kt-kernel path >/dev/null 2>&1 || skip "no kernel in the cache (kt-kernel fetch)"
	cd "$BATS_TEST_TMPDIR" || return
	export KT_LOCKS=$BATS_TEST_TMPDIR/locks KT_SYSFS=$BATS_TEST_TMPDIR/sys
}

# host TOPOLOGY: a host that looks like this.
host() {
	rm -rf "$KT_SYSFS"
	"$KT_ROOT/tests/lib/make-sysfs" "$1" "$KT_SYSFS"
}

# plan TOPOLOGY: the line that says where its vCPUs go.
plan() {
	kt-vmm -n --engine kvm --perf --dry-run -t "$1" -m 512M true 2>err | grep '^vCPUs'
}

assert_plan() {
	run plan "$1"
	assert_output "vCPUs on the host's CPUs $2, all else on CPU $3"
}

refused() {
	run -64 kt-vmm -n --engine kvm --perf --dry-run -t "$1" -m 512M true
	assert_output --partial "$2"
	assert_output --partial '--no-perf builds the machine on any host'
}

@test "each virtual LLC gets a host LLC, each core a core, and our threads a CPU without a vCPU" {
	host 1n2l4c1t
	assert_plan 1n2l2c1t "0,1 4,5" 2
	assert_plan 1n1l3c1t "0,1,2" 3
}

@test "threads of a core are the threads of a host core" {
	host 1n2l4c2t
	assert_plan 1n2l2c2t "0,1,2,3 8,9,10,11" 4
}

@test "cores go on host cores of which the other threads stay empty" {
	host 1n2l4c2t
	assert_plan 1n2l2c1t "0,2 8,10" 4
}

@test "threads of a core go on cores of their own where the host has no threads" {
	host 1n1l8c1t
	assert_plan 1n1l2c2t "0,1,2,3" 4
}

@test "LLCs of a node stay on one host node where they can" {
	host 2n4l2c1t
	assert_plan 2n2l2c1t "0,1 4,5" 2
	assert_plan 1n2l2c1t "0,1 2,3" 4
}

@test "a host that is too small is refused with the reason" {
	host 1n1l2c1t
	refused 1n2l2c1t "2 LLCs with 2 cores of 1 threads are wanted, the host has 1"
	refused 1n1l4c1t "the host has 0 that are large enough among its 1 with 2 CPUs"
	refused 1n1l2c1t "expected one more for kt-vmm's own threads"
}

@test "what is refused is built with --no-perf" {
	host 1n1l2c1t
	run -0 kt-vmm -n --engine kvm --perf --no-perf --dry-run -t 1n2l2c1t -m 512M true
	refute_line --partial "vCPUs on"
}

@test "an engine that cannot is refused" {
	host 1n2l4c1t
	run -64 kt-vmm -n --engine qemu --accel tcg --perf --dry-run -t 1n2l2c1t true
	assert_output --partial "--perf: expected the kvm engine, and this run is on qemu (asked for)"
}

# Hold the LLC of CPU $1 as a run does, until release.
hold() {
	mkdir -p -m 700 "$KT_LOCKS"
	echo "$BASHPID 1n1l4c1t" >"$KT_LOCKS/llc-$1.lock"
	exec 7<"$KT_LOCKS/llc-$1.lock"
	flock -n 7
}

@test "a host LLC that another run holds is left alone" {
	host 1n3l4c1t
	hold 0
	assert_plan 1n2l2c1t "4,5 8,9" 0
	refused 1n3l2c1t "in use by other runs (process $BASHPID; kt-locks lists them)"
	exec 7<&-
	assert_plan 1n3l2c1t "0,1 4,5 8,9" 2
}

@test "a place for the locks that cannot be used is named" {
	host 1n2l4c1t
	mkdir -m 777 "$KT_LOCKS"
	refused 1n2l2c1t "the host's LLCs cannot be locked: $KT_LOCKS: expected a directory of your own that others cannot write to"
	KT_LOCKS=/dev/null refused 1n2l2c1t "cannot be locked: /dev/null: expected a directory of your own"
	rmdir "$KT_LOCKS"
	mkdir -p -m 700 "$KT_LOCKS/llc-0.lock" "$KT_LOCKS/llc-4.lock"
	refused 1n2l2c1t "the host's LLCs cannot be locked: $KT_LOCKS: Is a directory"
}

@test "kt-locks lists who holds which LLC, and nobody when nobody does" {
	run -0 kt-locks
	assert_output ""
	hold 4
	run -0 kt-locks
	assert_output --regexp "^llc of CPU 4 +process $BASHPID +1n1l4c1t\$"
	exec 7<&-
	run -0 kt-locks
	assert_output ""
}

@test "a vCPU runs where run.json says, under SCHED_FIFO, and what the host did not give is told there" {
	unset KT_SYSFS
	local built=${KT_BIN:+$KT_BIN/../tests} vmm machine vcpu i status=0
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || skip "no /dev/kvm"
	[ "$(nproc)" -ge 2 ] || skip "one CPU: none is left for kt-vmm's own threads"
	kt-vmm -n --engine kvm --perf -o run -m 256M -t 1n1l1c1t -k "${built:-$KT_ROOT/build/tests}/guests/stay.elf" \
		-- true >out 2>err 3>&- &
	vmm=$!
	# The threads are where they belong before this is there.
	for ((i = 0; i < 600; i++)); do [ ! -S run/vm.sock ] || break; sleep 0.1; done
	machine=$(pgrep -P "$vmm" -x kt-vmm-machine)
	vcpu=$(grep -lx vcpu/0 /proc/"$machine"/task/*/comm)
	vcpu=${vcpu%/comm}
	local cpus policy service
	cpus=$(awk '/^Cpus_allowed_list/ { print $2 }' "$vcpu/status")
	policy=$(awk '{ print $41 }' "$vcpu/stat")
	service=$(awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$vmm/status")
	kill "$vmm"
	wait "$vmm" || status=$?
	assert_equal "$(jq -c .perf run/run.json)" "{\"vcpus\":[$cpus],\"service\":$service}"
	grep -q 'SCHED_FIFO' err || assert_equal "$policy" 1 # SCHED_FIFO
	assert_equal "$(jq -r '.warnings[]' run/run.json)" "$(sed -n 's/^kt-vmm: //p' err)"
}
