# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2094,SC2154 # the file is looked at while it grows; suites set what is used here
# For suites that boot VMs: `load lib/vm`, and vm_setup in setup().

# shellcheck source=tests/lib/patience.bash
source "$KT_ROOT/tests/lib/patience.bash"

# A directory of the test's own to work in, where kept run directories go as well. Without a kernel
# nothing boots: skip.
vm_setup() {
	kt-kernel path >/dev/null 2>&1 || skip "no kernel in the cache (kt-kernel fetch)"
	command -v qemu-system-x86_64 >/dev/null || skip "no QEMU (kt-deps run)"
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir -p "$TMPDIR" "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR/work" || return
}

# The kernels of the cache whose release starts with $1, newest first.
vm_kernels() {
	kt-kernel list | awk -v want="$1" 'index($1, want) == 1 { print $1 }'
}

# Say LINEs on the control socket of run directory $rundir, and stay until N lines have come back, in FILE.
talk() { # FILE N LINE...
	{
		printf '%s\n' "${@:3}"
		eventually has_lines "$1" "$2"
	} | socat - "UNIX-CONNECT:$rundir/vm.sock" >"$1" 2>/dev/null
}

has_lines() { # FILE N
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# Processes below $1, one PID a line.
descendants() {
	local child
	for child in $(ps -o pid= --ppid "$1"); do
		echo "$child"
		descendants "$child"
	done
}
