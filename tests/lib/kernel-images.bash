# SPDX-License-Identifier: GPL-2.0
# For the tests of kt-kernel: files that pass for kernels, small enough to make by the dozen.

# An unsigned number $1 as $2 little-endian bytes.
le() {
	local i value=$1
	for ((i = 0; i < $2; i++)); do
		# shellcheck disable=SC2059 # the format is the byte
		printf "\\x$(printf %02x $((value & 255)))"
		value=$((value >> 8))
	done
}

# make_vmlinux FILE RELEASE [MACHINE]: the smallest file that passes for a kernel's ELF image: the
# header's identification and machine (62 is x86-64), and the version banner.
make_vmlinux() {
	{
		printf '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0'
		le 2 2
		le "${3:-62}" 2
		head -c 4000 /dev/zero
		printf 'Linux version %s (someone@somewhere) #1 SMP\n\0' "$2"
		head -c 4000 /dev/zero
	} >"$1"
}

# make_bzimage FILE VMLINUX RELEASE COMPRESSOR...: a boot sector with a setup header (offsets from
# Documentation/arch/x86/boot.rst) of one sector, the version string behind it, and the payload.
make_bzimage() {
	local file=$1 vmlinux=$2 release=$3 payload=$1.payload gap=37
	shift 3
	"$@" <"$vmlinux" >"$payload"
	# gzip's format ends with the size; the kernel's build appends it to the others.
	[ "$1" = gzip ] || le "$(stat -c %s "$vmlinux")" 4 >>"$payload"
	{
		head -c $((0x1f1)) /dev/zero
		le 2 1 # setup sectors
		head -c $((0x202 - 0x1f2)) /dev/zero
		printf HdrS
		le $((0x20f)) 2 # protocol
		head -c $((0x20e - 0x208)) /dev/zero
		le $((0x300 - 0x200)) 2 # version string
		head -c $((0x248 - 0x210)) /dev/zero
		le "$gap" 4
		le "$(stat -c %s "$payload")" 4
		head -c $((0x300 - 0x250)) /dev/zero
		printf '%s (someone@somewhere) #1 SMP\0' "$release"
	} >"$file"
	truncate -s $((3 * 512 + gap)) "$file"
	cat "$payload" >>"$file"
	head -c 333 /dev/zero >>"$file" # what follows the payload in a real image
	rm "$payload"
}

zstd_kernel() {
	make_vmlinux vmlinux.tmp "$2"
	make_bzimage "$1" vmlinux.tmp "$2" zstd -qc
	rm vmlinux.tmp
}

# The process $1 ends within a minute; else it is killed, and this fails.
assert_ends() {
	local _
	for _ in {1..1200}; do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.05
	done
	kill -KILL "$1"
	fail "process $1 is still there"
}
