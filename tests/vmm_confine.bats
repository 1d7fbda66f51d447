#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# bats file_tags=kvm
# The process that runs the kvm engine's guest: what it holds, what it may do, and how its end is told. A guest
# without a kernel (tests/guests) runs meanwhile, on any /dev/kvm.

load lib/kt
load lib/vm

setup() {
	BUILT=${KT_BIN:+$KT_BIN/../tests}
	BUILT=${BUILT:-$KT_ROOT/build/tests}
	[ -x "$BUILT/kvm/devices" ] || skip "not built (make)"
	[[ $BATS_TEST_DESCRIPTION == QEMU* ]] || { [ -r /dev/kvm ] && [ -w /dev/kvm ]; } || skip "no /dev/kvm"
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	[ -z "${VMM-}" ] || kill -9 "$VMM" 2>/dev/null || true
}

# Has the guest said that it stays? Its console has no name before the end of the run.
staying() {
	local fd
	for fd in "/proc/$VMM/fd"/*; do
		case $(readlink "$fd") in "$PWD/run/"*) grep -q staying "$fd" && return 0 ;; esac
	done
	return 1
}

# start OPTION...: a guest that stays. VMM is kt-vmm's process, MACHINE the one that runs it.
start() {
	local i
	kt-vmm -n --engine kvm -o run -m 256M -t 1n1l2c1t -k "$BUILT/guests/stay.elf" "$@" -- true >out 2>err 3>&- &
	VMM=$!
	for ((i = 0; i < 600; i++)); do
		! staying && kill -0 "$VMM" || break
		sleep 0.1
	done
	MACHINE=$(pgrep -P "$VMM" -x kt-vmm-machine)
}

# ended OUTCOME STATUS MESSAGE: so kt-vmm reports it.
ended() {
	local status=0
	wait "$VMM" || status=$?
	assert_equal "$status" "$2"
	assert_equal "$(jq -r '.outcome, .message' run/run.json)" "$1"$'\n'"$3"
	grep -qF "kt-vmm: $1: $3" err
}

@test "what no running guest needs kills it, from any thread, and what it needs does not" {
	run -0 "$BUILT/kvm/confined"
	refute_line --regexp '^not ok'
	[ "$(grep -c '^ok ' <<<"$output")" -ge 30 ]
}

@test "all its threads are without capabilities and new privileges, and behind a filter" {
	start
	local task state
	for task in "/proc/$MACHINE/task"/*; do
		state=$(awk '/^(CapPrm|CapEff|NoNewPrivs|Seccomp):/ { print $1 $2 }' "$task/status")
		assert_equal "$state" $'CapPrm:0000000000000000\nCapEff:0000000000000000\nNoNewPrivs:1\nSeccomp:2'
	done
	[ "$(find "/proc/$MACHINE/task" -mindepth 1 -maxdepth 1 | wc -l)" -ge 4 ]
}

@test "it has open what a running guest needs, and nothing else" {
	start
	run -0 find "/proc/$MACHINE/fd" -type l -printf '%l\n'
	# Its sockets: stderr, control, the guest's channel.
	assert_equal "$(grep -c '^socket:' <<<"$output")" 3
	assert_equal "$(grep -c 'anon_inode:kvm-vcpu' <<<"$output")" 2
	assert_equal "$(grep -c "^$PWD/run/" <<<"$output")" 1 # the console
	run -0 grep -vE "^(/dev/null|socket:.*|anon_inode:(kvm-v.*|\[(eventfd|eventpoll|timerfd)\])|$PWD/run/.*)\$" <<<"$output
end"
	assert_output end
}

@test "its filter lets it be frozen, read, thawed and stopped" {
	command -v socat >/dev/null || skip "needs socat (kt-deps test)"
	start
	rundir=run
	talk answers 6 '{"command":"freeze"}' '{"command":"regs"}' '{"command":"thaw"}' \
		'{"command":"freeze"}' '{"command":"regs"}' '{"command":"thaw"}'
	assert_equal "$(jq -s -c 'map(.ok)' answers)" '[true,true,true,true,true,true]'
	assert_equal "$(jq -s '[.[].cpus // empty | length] | add' answers)" 4
	kill -INT "$VMM"
	local status=0
	wait "$VMM" || status=$?
	assert_equal "$status" 130
	refute grep -v 'the device stops until it is reset' err
	grep -q '^\.\.\.' run/console.log
}

@test "it ends with kt-vmm, however that ends" {
	start
	kill -9 "$VMM"
	wait "$VMM" || true
	for _ in {1..600}; do
		[ -d "/proc/$MACHINE" ] || break
		sleep 0.1
	done
	[ ! -d "/proc/$MACHINE" ]
}

@test "its own end is reported, by whatever signal" {
	start
	kill -9 "$MACHINE"
	ended failed 125 "the machine process was killed by signal 9 (Killed)"
}

@test "a system call that it has no need of is reported as such" {
	start
	kill -SYS "$MACHINE"
	ended failed 125 "the machine process was killed by seccomp: it made a system call that no running guest needs"
}

@test "QEMU is behind a filter, too, where it is the engine" {
	command -v qemu-system-x86_64 >/dev/null || skip "no QEMU (kt-deps run)"
	local qemu='' state='' i
	mkfifo unread
	exec 7<>unread # whom the guest's output waits for
	kt-vmm -n --engine qemu --accel tcg -m 256M -t 1n1l1c1t --no-auto-include -k "$BUILT/guests/flood.elf" \
		--append guest.mib=8 -- true >unread 2>err 3>&- 7<&- &
	VMM=$!
	for ((i = 0; i < 100; i++)); do
		[[ $state != *Seccomp:2 ]] || break
		sleep 0.1
		qemu=$(pgrep -P "$VMM" qemu) || continue
		state=$(awk '/^(NoNewPrivs|Seccomp):/ { print $1 $2 }' "/proc/$qemu/status")
	done
	assert_equal "$state" $'NoNewPrivs:1\nSeccomp:2'
}

@test "it answers nothing and stops nobody when it hangs: kt-vmm ends it" {
	start
	kill -STOP "$MACHINE"
	kill -INT "$VMM"
	local status=0
	wait "$VMM" || status=$?
	assert_equal "$status" 130
	[ ! -d "/proc/$MACHINE" ]
}
