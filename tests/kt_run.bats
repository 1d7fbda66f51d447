#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-run with VMs: what a gauntlet's lines become, how their ends are told apart, and that no VM is left
# behind. kt_run_schedule.bats has the scheduling.
# bats file_tags=vm

load lib/kt
load lib/vm

setup() {
	vm_setup
	export KT_TOKENS=$BATS_TEST_TMPDIR/tokens
	printf 'duration 300ms\ncgroup spinner workers=1 work=spin-wait\n' > x.kt
}

teardown() {
	[ ! -s pid ] || kill -KILL "$(cat pid)" 2>/dev/null || true
}

# Wait up to a minute until the command holds.
until_holds() {
	local i
	for ((i = 0; i < 600; i++)); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

# The processes of kt-run's VMs in $pids, once $1 of them are QEMU.
vms_of_run() {
	local pid
	pids=$(descendants "$(cat pid)" | while read -r pid; do
		case $(cat "/proc/$pid/comm" 2>/dev/null) in
		qemu*) echo "$pid qemu" ;;
		kt-vmm) echo "$pid" ;;
		esac
	done)
	[ "$(grep -c qemu <<< "$pids")" = "$1" ] || return 1
	pids=${pids// qemu/}
}

gone() {
	local pid
	for pid in $pids; do
		[[ $(sed -n 's/^State:.//p' "/proc/$pid/status" 2>/dev/null) =~ ^(Z|$) ]] || return 1
	done
}

@test "a gauntlet's lines run into their directories, and kt-assert judges each by the options given" {
	kt-gauntlet -t 1n1l1c1t -t 1n1l2c1t --vmm -m --vmm 512M -- kt-workload x.kt > lines
	run -0 kt-run --tap r.tap --junit r.xml lines
	assert_line --regexp '^\[./2\] PASS x/1n1l1c1t/default \([0-9.]+ s\)$'
	assert_line --regexp '^\[./2\] PASS x/1n1l2c1t/default \([0-9.]+ s\)$'
	assert_line --regexp '^2 runs: 2 passed,'
	assert_equal "$(jq -r .topology runs/x/*/default/stats.json | paste -sd ' ')" "1n1l1c1t 1n1l2c1t"
	prove -Q r.tap
	xmllint --noout --schema "$KT_ROOT/tests/fixtures/junit.xsd" r.xml
	# The judge's options decide; what was run stays.
	printf 'max_gap_ms = off\nmin_work_rate = 1e15\n' > strict.policy
	run -1 kt-run --resume --policy strict.policy --tap r.tap lines
	assert_line --regexp '^FAIL x/1n1l1c1t/default \(kept\): .*(threshold|work rate)'
	run -0 grep -c '^not ok' r.tap
	assert_output 2
	run -0 kt-run --resume --assert '--not-starved=off --max-spread-pct off --max-gap-ms off' lines
	assert_line '[1/2] SKIP x/1n1l1c1t/default (kept)'
	assert_line --regexp '^2 runs: 0 passed, 0 flaky, 0 failed, 0 inconclusive, 2 skipped'
}

@test "a VM that failed is said to have, and a command's own status is not taken for it" {
	local vm='-t 1n1l1c1t -m 512M'
	printf '%s\n' "$vm -o panic -- sh -c 'echo c > /proc/sysrq-trigger'" "$vm --timeout 4 -o slow -- sleep 60" \
		"$vm -o own -- sh -c 'exit 124'" > lines
	run -1 kt-run --no-assert lines
	assert_line --regexp "^FAIL panic \([0-9.]+ s\): the guest's kernel panicked \(kt-vmm: panic, status 120\)$"
	assert_line --regexp "^FAIL slow \([0-9.]+ s\): time was up \(kt-vmm: timeout, status 124\)$"
	assert_line --regexp "^FAIL own \([0-9.]+ s\): exit status 124$"
	run -1 kt-run --resume lines
	assert_line "FAIL panic (kept): the guest's kernel panicked (kt-vmm: panic)"
	assert_line "FAIL own (kept): the command exited with status 124 (expected 0)"
}

@test "SIGTERM stops the VMs, keeps the run that is complete, and --resume does the others" {
	printf '%s\n' '-t 1n1l1c1t -m 512M -o a -- kt-workload x.kt' '-t 1n1l1c1t -m 512M -o b -- sleep 5' > lines
	kt-run --no-assert lines > out 2>&1 &
	echo $! > pid
	until_holds grep -q PASS out
	until_holds vms_of_run 1
	kill -TERM "$(cat pid)"
	local status=0
	wait "$(cat pid)" || status=$?
	assert_equal "$status" 143
	gone
	run -0 cat out
	assert_line --regexp '^2 runs: 1 passed, 0 flaky, 0 failed, 0 inconclusive, 0 skipped, 1 not run'
	assert_equal "$(jq -r .outcome a/run.json b/run.json | paste -sd ' ')" "exited interrupted"
	run -0 kt-run --no-assert --resume lines
	assert_line '[1/2] PASS a (kept)'
	assert_line --regexp '^\[2/2\] PASS b \('
}

@test "when kt-run is killed its VMs die with it and leave nothing that --resume stumbles over" {
	printf '%s\n' '-t 1n1l1c1t -m 512M -o a -- sleep 60' '-t 1n1l1c1t -m 512M -o b -- sleep 60' > lines
	kt-run --no-assert -j 2 lines > out 2>&1 &
	echo $! > pid
	until_holds vms_of_run 2
	kill -KILL "$(cat pid)"
	until_holds gone
	run -0 ls "$TMPDIR"
	assert_output ""
	sed -i 's/sleep 60/true/' lines
	run -0 kt-run --no-assert --resume lines
	assert_line --regexp '^2 runs: 2 passed'
}
