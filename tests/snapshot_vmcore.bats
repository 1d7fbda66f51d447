#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# A live VM's memory as a core file: what the tools for such files find in it is what the guest is.
# bats file_tags=vm

load lib/kt
load lib/vm

setup_file() {
	command -v qemu-system-x86_64 >/dev/null && kt-kernel path >/dev/null 2>&1 || return 0
	cd "$BATS_FILE_TMPDIR" || return
	# shellcheck disable=SC2016 # the guest's variables
	kt-vmm -n -o run -m 256M -t 1n1l2c1t -- busybox sh -c 'busybox cat /proc/version; while :; do :; done &
		echo "spinner $!"; echo held; exec busybox sleep 120' \
		>out 2>err 3>&- &
	echo $! >pid
	local end=$((SECONDS + 200))
	until grep -q held out; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
	kt-snapshot symbol run linux_banner >banner
	# What each CPU runs is the same in both while another client holds it.
	mkfifo hold
	socat - UNIX-CONNECT:run/vm.sock <hold >answer 3>&- &
	exec 7>hold
	echo '{"command":"freeze"}' >&7
	until [ -s answer ]; do sleep 0.05; done
	kt-snapshot capture --only cpu run >snap 7>&-
	kt-snapshot vmcore run >core 2>said 7>&-
	exec 7>&-
	kt-snapshot vmcore run 2>/dev/null | head -c 65536 >piped || true
	kill -TERM "$(cat pid)"
	wait "$(cat pid)" || true
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/pid" ] || kill -KILL "$(cat "$BATS_FILE_TMPDIR/pid")" 2>/dev/null || true
}

setup() {
	vm_setup
	cd "$BATS_FILE_TMPDIR" || return
	version=$(sed -n 's/^\(Linux version .*\)/\1/p' out)
}

@test "the core has the notes and all of memory, and holes where memory is zero" {
	run -0 readelf -hlnW core
	assert_output --partial 'CORE (Core file)'
	assert_output --partial 'Advanced Micro Devices X86-64'
	assert_equal "$(grep -c NT_PRSTATUS <<<"$output")" 2
	assert_output --partial 'VMCOREINFO'
	# The direct map's segment is all of the guest's memory, from physical address 0.
	assert_output --regexp 'LOAD +0x[0-9a-f]+ 0x[0-9a-f]+ 0x0000000000000000 0x10000000 0x10000000'
	[ "$(stat -c %s core)" -gt $((256 << 20)) ]
	[ "$(($(stat -c %b core) * 512))" -lt $((200 << 20)) ]
	run cat said
	assert_output --regexp '^kt-snapshot: 256\.0 MiB of core; the guest stood still for [0-9.]+ s$'
	# A pipe has no holes; the same begins it, but for the registers.
	assert_equal "$(stat -c %s piped)" 65536
	cmp -n 64 core piped
}

# What drgn and crash look a task's registers up by; kdump has it so.
@test "the registers are said to be those of the task that each CPU runs" {
	run -0 python3 - <<-'EOF'
		import struct
		core = open("core", "rb").read(1 << 20)
		p_type, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", core, 64)
		assert p_type == 4
		notes = core[offset:offset + size]
		while notes:
		    name, desc, kind = struct.unpack_from("<III", notes)
		    at = 12 + (name + 3 & -4)
		    if kind == 1:
		        print(struct.unpack_from("<i", notes, at + 32)[0])
		    notes = notes[at + (desc + 3 & -4):]
	EOF
	assert_output "$(jq .cpu[].curr.pid snap)"
	assert_line "$(sed -n 's/^spinner //p' out)"
}

@test "drgn takes it for a Linux kernel's, and reads what the guest says" {
	/usr/bin/python3 -c 'import drgn' 2>/dev/null || skip "no drgn (python3-drgn)"
	run -0 /usr/bin/python3 - "$(cat banner)" <<-'EOF'
		import drgn, sys
		p = drgn.Program()
		p.set_core_dump("core")
		assert p.flags & drgn.ProgramFlags.IS_LINUX_KERNEL
		print(p.read(int(sys.argv[1], 16), 200).split(b"\n")[0].decode())
	EOF
	assert_output --partial "${version%% (*}"
}

@test "gdb sees its CPUs in the kernel, and reads the kernel's text" {
	command -v gdb >/dev/null || skip "no gdb"
	run -0 gdb -nx -batch -c core -ex 'info threads' -ex "x/s $(cat banner)"
	assert_line --regexp "^[* ] [12] +LWP $(sed -n 's/^spinner //p' out) +0x[0-9a-f]{16} in"
	assert_output --partial "${version%% (*}"
}

@test "crash finds the kernel's release in it" {
	command -v crash >/dev/null || skip "no crash"
	run -0 crash --osrelease core
	assert_output "$(awk '{ print $3 }' <<<"$version")"
}

@test "a terminal gets no core" {
	run -64 script -qec "kt-snapshot vmcore $BATS_FILE_TMPDIR" /dev/null
	assert_output --partial 'standard output is a terminal: expected a file or a pipe'
}
