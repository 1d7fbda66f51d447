#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash disable=SC2086,SC2009,SC2094 # option lists are words, busybox has no pgrep -c
# Runs inside the KVM lab (tests/lab/lab.bats, docs/kvm-lab.md): boots VMs with kt-vmm on the lab's /dev/kvm
# and prints "ok NAME" or "not ok NAME: WHY" for each thing that it looked at. A busybox shell.
# LAB_ENGINE: options of kt-vmm that choose the engine; LAB_BOOTS: how many boots in a row, of any kind;
# LAB_ONLY: the checks to make, all by default; LAB_TOPOLOGIES: those of the check "topology".
set -u
# shellcheck source=tests/lib/topology.sh
. /etc/lab-topology.sh

ENGINE=${LAB_ENGINE:---engine kvm}
BOOTS=${LAB_BOOTS:-25}
TOPOLOGIES=${LAB_TOPOLOGIES:-1n2l1c1t 1n2l2c1t 2n2l1c2t}
SMALL="-m 256M -t 1n1l1c1t"
cd /tmp || exit 1

boots=0 # of them those whose guest did not come up, and those that took kt-vmm's second attempt:
lost=0
again=0

came_up() {
	grep -q '"hello": true' run/run.json && ! grep -q '"hello": false' run/run.json
}

# vmm OPTION... -- COMMAND...: a VM; output in out, messages in err, its run directory in run.
vmm() {
	local status=0
	rm -rf run
	kt-vmm -n $ENGINE -o run --timeout 60s "$@" >out 2>err || status=$?
	boots=$((boots + 1))
	came_up || {
		not_ok "boot $boots" "status $status, $(grep -c '"hello"' run/run.json) attempts"
		if grep -q '"hello": true' run/run.json; then again=$((again + 1)); else lost=$((lost + 1)); fi
		[ ! -f run/console-attempt1.log ] || tail -n 15 run/console-attempt1.log
	}
	return $status
}

ok() {
	echo "ok $1"
}

# not_ok NAME WHY: with the last messages and the end of the console, for who reads the log.
not_ok() {
	echo "not ok $1: $2"
	tail -n 5 err
	[ ! -f run/console.log ] || tail -n 15 run/console.log
}

# expect_status NAME STATUS OUTCOME VMM-ARG...
expect_status() {
	local name=$1 want=$2 outcome=$3 status=0
	shift 3
	vmm "$@" || status=$?
	if [ "$status" = "$want" ] && grep -q "\"outcome\": \"$outcome\"" run/run.json; then
		ok "$name"
	else
		not_ok "$name" "status $status, expected $want; $(grep outcome run/run.json | head -n 1)"
	fi
}

check_topology() {
	local t
	for t in $TOPOLOGIES; do
		topology_expected "$t" >want
		if vmm -m 512M -t "$t" -- sh /etc/lab-tell-topology && cmp -s out want; then
			ok "topology $t"
		else
			not_ok "topology $t" "$(diff want out | grep '^[-+][^-+]' | head -n 4 | tr '\n' ';')"
		fi
	done
}

check_status() {
	expect_status "status 3" 3 exited $SMALL -- sh -c 'exit 3'
	expect_status "status 126" 126 not-executable $SMALL --include /etc/lab-plain:/usr/bin/tool -- tool
	expect_status "status 127" 127 not-found $SMALL --no-auto-include -- /bin/ls
	# shellcheck disable=SC2016
	expect_status "status 137" 137 signalled $SMALL -- sh -c 'kill -9 $$'
	expect_status "timeout" 124 timeout $SMALL --timeout 4s -- sleep 100
}

check_floods() {
	local sum
	vmm $SMALL -- sh -c 'yes 0123456789abcdef | head -c 4000000'
	sum=$(yes 0123456789abcdef | head -c 4000000 | md5sum)
	if [ "$(md5sum <out)" = "$sum" ]; then
		ok "flood of output"
	else
		not_ok "flood of output" "$(wc -c <out) bytes, or others"
	fi
	vmm $SMALL --timeout 150s -- sh -c 'yes 0123456789abcdef | head -c 60000 >/dev/ttyS0; echo done >/dev/ttyS0'
	if [ "$(grep -c '^0123456789abcdef' run/console.log)" -ge 3500 ] && grep -q '^.*done' run/console.log; then
		ok "flood of the console"
	else
		not_ok "flood of the console" "$(grep -c '^0123456789abcdef' run/console.log) lines of 3529"
	fi
}

# await COMMAND...: wait until it succeeds, at most a minute.
await() {
	local _
	for _ in $(seq 600); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

says() { # FILE WORD
	grep -qs "$2" "$1"
}

has_lines() { # FILE N
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# ask REQUEST...: the answers of the VM in run, in the file answers.
ask() {
	: >answers
	{
		printf '%s\n' "$@"
		await has_lines answers $#
	} | socat - UNIX-CONNECT:run/vm.sock >answers 2>&1
}

# Has the machine stood still since mark_still? A look at the clock each 0.2 s is more than a second late then.
mark_still() {
	local last now _
	rm -f still
	while :; do
		read -r last _ </proc/uptime
		sleep 0.2
		read -r now _ </proc/uptime
		[ $((${now%.*}${now#*.} - ${last%.*}${last#*.})) -lt 120 ] || : >still
	done &
	marker=$!
}

stood_still() {
	kill "$marker"
	[ -e still ]
}

# Freezes of a busy guest, with registers read each time, and a long one. It goes on; with the kvm engine its clock
# has stood still meanwhile: no worker saw as much as half of the long one pass, which is more than a pause of the lab's
# own.
check_freeze() {
	local vm status=0 bad='' i gap
	printf 'duration 12s\ncgroup busy workers=2 work=spin-wait\n' >/tmp/busy.kt
	vmm -m 512M -t 1n1l2c1t -i /tmp/busy.kt:/busy.kt -- sh -c 'echo up >&2; exec kt-workload /busy.kt' &
	vm=$!
	await says err up || bad="the guest did not come up"
	for i in 1 2 3 4 5; do
		ask '{"command":"freeze"}' '{"command":"regs"}' '{"command":"thaw"}'
		[ "$(grep -c '"ok": *true' answers)" = 3 ] || bad="freeze $i: $(head -c 300 answers)"
		grep -q rip answers || bad="freeze $i: no registers"
	done
	: >answers
	{
		echo '{"command":"freeze"}'
		sleep 13
		echo '{"command":"thaw"}'
		await has_lines answers 2
	} | socat - UNIX-CONNECT:run/vm.sock >answers
	[ "$(grep -c '"ok": *true' answers)" = 2 ] || bad="the long freeze: $(head -c 300 answers)"
	wait "$vm" || status=$?
	gap=$(sed -n 's/.*"max_gap_ns": *\([0-9]*\).*/\1/p' out | sort -n | tail -n 1)
	[ "${gap:-0}" -gt 0 ] || bad="${bad:-no statistics}"
	case $ENGINE in
	*qemu*) ;;
	*) [ "${gap:-0}" -lt 6500000000 ] || bad="${bad:-a worker stood still for $gap ns}" ;;
	esac
	if [ -z "$bad" ] && [ "$status" = 0 ]; then
		ok "freeze and thaw under load"
	else
		not_ok "freeze and thaw under load" "${bad:-status $status}"
	fi
}

# A new probe finds this KVM good, and with --engine auto it is used, by the engine kvm.
check_selection() {
	kt-vmm --probe >probe 2>err
	if grep -q '"usable": true' probe && vmm --engine auto $SMALL -- true && grep -q '"name": "kvm"' run/run.json; then
		ok "selection"
	else
		not_ok "selection" "$(grep -E '"(usable|why)"' probe; grep -A 3 '"engine"' run/run.json)"
	fi
}

# Snapshots and samples of a busy guest's two CPUs. A watch is armed where the probe saw one delivered, else refused
# with the probe's reason.
check_snapshots() {
	local vm status=0 bad='' f
	printf 'duration 12s\ncgroup busy workers=2 work=spin-wait\n' >/tmp/busy.kt
	kt-vmm --probe >probe 2>/dev/null
	vmm -m 512M -t 1n2l1c1t --snapshots 2 --monitor=200ms -i /tmp/busy.kt:/busy.kt -- kt-workload /busy.kt &
	vm=$!
	for _ in $(seq 600); do
		ask '{"command":"watch","watch":1,"address":"0xffffffff81000000","size":8}' >answers 2>&1
		! grep -q '"ok"\|"error"' answers || break
		sleep 0.1
	done
	case $ENGINE in
	*qemu*) ;;
	*)
		f=$(sed -n 's/.*"watchpoints_why": "\(.*\)".*/\1/p' probe)
		grep -q "${f:-\"ok\": *true}" answers || bad="watch: $(head -c 300 answers)"
		;;
	esac
	wait "$vm" || status=$?
	for f in periodic_000 periodic_001; do
		[ "$(grep -c '"clock_ns"' run/snapshots/$f.json)" = 2 ] || bad="${bad:-$f has not two CPUs}"
		grep -q '"rip"' run/snapshots/$f.json || bad="${bad:-$f has no registers}"
	done
	[ "$(grep -c '"comm": *"spin-wait"' run/monitor.jsonl)" -ge 5 ] || bad="${bad:-the monitor saw no worker}"
	grep -q '"unmet": \[\]' run/run.json || bad="${bad:-$(grep -A 3 unmet run/run.json)}"
	if [ -z "$bad" ] && [ "$status" = 0 ]; then
		ok "snapshots of a busy guest"
	else
		not_ok "snapshots of a busy guest" "${bad:-status $status}"
	fi
}

# All boots count, those that the other checks made as well; the last ones do nothing else.
check_boots() {
	while [ "$boots" -lt "$BOOTS" ]; do
		if vmm $SMALL -- echo "a boot" && [ "$(cat out)" = "a boot" ]; then continue; fi
		came_up || continue # counted
		lost=$((lost + 1))
		not_ok "boot $boots" "its output was '$(head -c 100 out)'"
	done
	# The emulated host itself lets one stand still now and then (docs/kvm-lab.md).
	if [ "$lost" = 0 ] && [ "$again" -le 1 ]; then
		ok "boots in a row"
	else
		not_ok "boots in a row" "of $boots $lost were lost, $again took a second attempt"
	fi
	echo "# $boots boots, $again took a second attempt"
}

check_two() {
	local first second status=0
	kt-vmm -n $ENGINE -m 256M -t 1n1l1c1t --timeout 60s -- echo one >one 2>err &
	first=$!
	kt-vmm -n $ENGINE -m 256M -t 1n2l1c1t --timeout 60s -- nproc >two 2>err2 &
	second=$!
	wait $first || status=$?
	wait $second || status=$?
	! grep 'trying once more' err err2 || status=lost
	if [ "$status" = 0 ] && [ "$(cat one two)" = "$(printf 'one\n2')" ]; then
		ok "two at once"
	else
		not_ok "two at once" "status $status, $(cat one two | tr '\n' ' ')"
	fi
}

as_few() { # PROCESSES
	[ "$(ps -o comm | grep -c -E '^(kt-|qemu)')" -le "$1" ] && [ -z "$(ls -A run)" ]
}

# kill -9 of kt-vmm: no process of it stays, and nothing in its directory.
check_kill() {
	local before after vm left
	before=$(ps -o comm | grep -c -E '^(kt-|qemu)')
	rm -rf run
	kt-vmm -n $ENGINE -o run $SMALL -- sh -c 'echo up; sleep 100' >out 2>err &
	vm=$!
	await says out up
	kill -9 "$vm"
	wait "$vm" 2>/dev/null
	await as_few "$before"
	after=$(ps -o comm | grep -c -E '^(kt-|qemu)')
	left=$(ls -A run)
	if [ "$before" = "$after" ] && [ -z "$left" ]; then
		ok "kill -9 leaves nothing"
	else
		not_ok "kill -9 leaves nothing" "$((after - before)) processes, files: $left"
	fi
}

check_broken_guests() {
	expect_status "a panicking guest" 120 panic $SMALL -- sh -c 'echo c >/proc/sysrq-trigger'
	expect_status "a hanging guest" 123 hang $SMALL --timeout 8s -- sh -c 'echo freeze >/sys/power/state; sleep 1000'
}

check_tutorial() {
	local _
	for _ in 1 2 3; do
		mark_still
		vmm -m 512M -t 1n2l2c1t -- kt-workload -d 3s /etc/lab-mixed.kt
		stood_still || break
	done
	if kt-assert --isolation --min-work-rate 1 run >verdict 2>&1; then
		ok "the tutorial's scenario"
	else
		not_ok "the tutorial's scenario" "$(head -n 3 verdict | tr '\n' ';')"
	fi
}

# Where nothing boots, the rest would only wait for it.
if ! vmm $SMALL -- true; then
	not_ok "a first boot" "status $?"
	exit 1
fi
for check in ${LAB_ONLY:-selection topology status floods freeze snapshots two kill broken_guests tutorial boots}; do
	"check_$check"
	echo "# $check done after $(cut -d . -f 1 /proc/uptime) s"
done
