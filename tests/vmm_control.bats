#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# A running VM can be asked over its control socket.
# bats file_tags=vm

load lib/kt
load lib/vm

setup() {
	vm_setup
	rundir=$BATS_TEST_TMPDIR/a/run
}

teardown() {
	[ -z "${vmm:-}" ] || kill -KILL "$vmm" 2>/dev/null || true
}

start_vm() { # COMMAND...
	kt-vmm -o "$rundir" -t 1n1l2c1t -- "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	vmm=$!
	eventually answers
}

answers() {
	[ -S "$rundir/vm.sock" ] && [ "$(ask '{"command":"ram"}' | jq -r .ok)" = true ]
}

# The answers to some lines.
ask() { # LINE...
	talk "$BATS_TEST_TMPDIR/asked" "$(printf '%s\n' "$@" | wc -l)" "$@" || return
	cat "$BATS_TEST_TMPDIR/asked"
}

# Bytes of output so far.
printed() {
	stat -c %s "$BATS_TEST_TMPDIR/out"
}

printed_more() { # BYTES
	[ "$(printed)" -ge "$1" ]
}

no_socket() {
	[ ! -e "$rundir/vm.sock" ]
}

@test "a run's memory, freeze and thaw are to be had on vm.sock, and mistakes are answered" {
	start_vm busybox sh -c 'while :; do cut -d" " -f1 /proc/uptime; done'
	run ask '{"command":"ram","id":7}' 'no json' '{"command":"rum"}' '{"command":"thaw"}'
	assert_equal "$(jq -c '[.ok, .id, .cpus, (.ram | map(.size) | add), .vmcoreinfo.size > 0]' <<<"${lines[0]}")" \
		'[true,7,2,2147483648,true]'
	assert_line --index 1 --partial 'expected a JSON object'
	assert_line --index 2 --partial "unknown command 'rum'"
	assert_line --index 3 --partial 'not frozen by this client'

	# Held frozen by a client, the guest prints nothing; after its end it goes on.
	mkfifo "$BATS_TEST_TMPDIR/in"
	socat - "UNIX-CONNECT:$rundir/vm.sock" <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/answer" 3>&- &
	exec 7>"$BATS_TEST_TMPDIR/in"
	echo '{"command":"freeze"}' >&7
	eventually [ -s "$BATS_TEST_TMPDIR/answer" ]
	assert_equal "$(cat "$BATS_TEST_TMPDIR/answer")" '{"ok":true}'
	give_time 1 # what was under way arrives
	before=$(printed)
	give_time 9
	assert_equal "$(printed)" "$before"
	exec 7>&-
	eventually printed_more "$((before + 1))"
	# Nor has its clock gone on meanwhile, which was 10 s and more.
	run awk 'NR > 1 && $1 - last > most { most = $1 - last } { last = $1 } END { print (most < 7) }' "$BATS_TEST_TMPDIR/out"
	assert_output 1

	kill -TERM "$vmm"
	status=0
	wait "$vmm" || status=$?
	assert_equal "$status" 143
	[ ! -e "$rundir/vm.sock" ]
}

@test "a killed kt-vmm leaves no control socket" {
	start_vm busybox sleep 60
	[ -S "$rundir/vm.sock" ]
	kill -KILL "$vmm"
	eventually no_socket
}

@test "the vCPUs' registers are to be had, and a write to kernel memory stops the guest" {
	start_vm busybox sleep 60
	run ask '{"command":"regs"}'
	# In kernel mode the code lies in the upper half; cr3 is a page's address below the RAM's end.
	assert_equal "$(jq -c '[(.cpus | length), (.cpus[].cr0 | startswith("0x8")), (.cpus[0].rip | test("^0x[0-9a-f]+$"))]' <<<"$output")" \
		'[2,true,true,true]'
	run ask '{"command":"watch","watch":1,"address":3,"size":8}'
	assert_output --partial 'expected an address and a size'
	run ask '{"command":"unwatch","watch":1}'
	assert_output '{"error":"watch 1 is not set"}'
	# Four watches are all that there are, whoever has them, and a client's end frees its own.
	local banner
	banner=$(kt-snapshot symbol "$rundir" linux_banner)
	watches() { # NUMBER...
		printf '{"command":"watch","watch":%d,"address":"'"$banner"'","size":1}\n' "$@"
	}
	mkfifo "$BATS_TEST_TMPDIR/in"
	socat - "UNIX-CONNECT:$rundir/vm.sock" <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/three" 3>&- &
	exec 7>"$BATS_TEST_TMPDIR/in"
	watches 1 2 3 >&7
	eventually has_lines "$BATS_TEST_TMPDIR/three" 3
	run ask "$(watches 1 2)"
	assert_output '{"ok":true}
{"error":"no more watches: expected at most 4 of all clients"}'
	exec 7>&-
	wait %% || true
	run ask "$(watches 1 2 3 4 5)"
	assert_equal "$(grep -c ok <<<"$output")" 4
	# The tick of the kernel's clock is written all the time.
	jiffies=$(kt-snapshot symbol "$rundir" jiffies)
	{
		echo '{"command":"watch","watch":7,"address":"'"$jiffies"'","size":8}'
		eventually has_lines "$BATS_TEST_TMPDIR/hits" 2
		echo '{"command":"thaw"}'
		eventually has_lines "$BATS_TEST_TMPDIR/hits" 4
		give_time 1
	} | socat - "UNIX-CONNECT:$rundir/vm.sock" >"$BATS_TEST_TMPDIR/hits" 3>&-
	run cat "$BATS_TEST_TMPDIR/hits"
	assert_line --index 0 '{"ok":true}'
	assert_line --index 1 --regexp '^\{"event":"watch","id":7,"cpu":[01]\}$'
	assert_line --index 2 '{"ok":true}'
	assert_line --index 3 --regexp '^\{"event":"watch","id":7,"cpu":[01]\}$'
	assert_equal "${#lines[@]}" 4
	# Its end took the watch away: the guest goes on.
	kill -TERM "$vmm"
	status=0
	wait "$vmm" || status=$?
	assert_equal "$status" 143
}

@test "events come to a client that asks for them" {
	# How soon the client is there is not known: the guest goes on saying it.
	start_vm bash -c 'while :; do printf "{\"event\":\"going-on\"}" >&$KT_CHANNEL_FD; sleep 1; done'
	talk "$BATS_TEST_TMPDIR/events" 4 '{"command":"events"}'
	run cat "$BATS_TEST_TMPDIR/events"
	assert_line --index 0 '{"ok":true}'
	assert_equal "$(sed 1d "$BATS_TEST_TMPDIR/events" | jq -r .event | grep -v command-start | sort -u)" going-on
}
