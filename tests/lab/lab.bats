#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The kvm engine on a true /dev/kvm, in the KVM lab (docs/kvm-lab.md). One outer guest runs
# tests/lab/engine.sh, which reports a line for each test here. `make check` runs this suite beside the others,
# `make check-lab` alone; LAB_BOOTS and LAB_ENGINE are passed on.
# bats file_tags=vm

load ../lib/kt
load ../lib/vm
load ../lib/lab

setup_file() {
	command -v socat >/dev/null || skip "needs socat (kt-deps test)"
	kt-kernel path >/dev/null 2>&1 || skip "no kernel in the cache (kt-kernel fetch)"
	cd "$BATS_FILE_TMPDIR" || return
	export TMPDIR=$BATS_FILE_TMPDIR REPORT=$BATS_FILE_TMPDIR/report
	local status=0
	echo plain >plain
	sed 's/^duration.*/duration 20s/' "$KT_ROOT/tests/scenarios/mixed_workloads.kt" >mixed.kt
	lab_engine -i plain:/etc/lab-plain -i mixed.kt:/etc/lab-mixed.kt -i "$(command -v socat)" -i /bin/ls \
		>"$REPORT" 2>errors || status=$?
	[ "$status" = 0 ] || echo "# the lab ended with $status: $(tail -n 3 errors)" >>"$REPORT"
}

# The lab reported this to be so.
reported() {
	local line
	if ! grep -qx "ok $1" "$REPORT"; then
		line=$(grep -n "^not ok $1" "$REPORT" | head -n 1 | cut -d : -f 1)
		tail -n "+${line:-1}" "$REPORT" | head -n 25
		tail -n 3 "$REPORT"
		return 1
	fi
}

@test "the probe finds this KVM good, and --engine auto uses it" {
	reported "selection"
}

@test "two LLCs of one core are seen as declared" {
	reported "topology 1n2l1c1t"
}

@test "two LLCs of two cores are seen as declared" {
	reported "topology 1n2l2c1t"
}

@test "two nodes of a core of two threads are seen as declared" {
	reported "topology 2n2l1c2t"
}

@test "the command's exit status comes back" {
	reported "status 3"
}

@test "a command that cannot be executed" {
	reported "status 126"
}

@test "a command that is not there" {
	reported "status 127"
}

@test "a command that a signal ended" {
	reported "status 137"
}

@test "a command that takes too long" {
	reported "timeout"
}

@test "four megabytes of output come back as they were" {
	reported "flood of output"
}

@test "a flood on the console is logged in full" {
	reported "flood of the console"
}

@test "a busy guest is frozen, read and thawed time and again, and its clock stands still meanwhile" {
	reported "freeze and thaw under load"
}

@test "a busy guest's snapshots and samples are taken, and a watch that would not be delivered is refused" {
	reported "snapshots of a busy guest"
}

@test "two VMs run at once" {
	reported "two at once"
}

@test "a killed kt-vmm leaves no process and no file" {
	reported "kill -9 leaves nothing"
}

@test "a panic is told from other ends" {
	reported "a panicking guest"
}

@test "a guest that no longer answers is told from others" {
	reported "a hanging guest"
}

@test "the tutorial's scenario runs and is judged" {
	reported "the tutorial's scenario"
}

@test "many boots in a row lose none" {
	reported "boots in a row"
}
