#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What comes along into the guest, and under which path: as --dry-run lists it, or as a guest sees it.

load lib/kt
load lib/vm

setup() {
	vm_setup
}

# The paths that would be carried are the lines of the output.
carried() {
	run -0 kt-vmm -n --accel tcg --dry-run "$@"
}

# kt-vmm ends with status $1 and prints exactly one line, $2.
refused() {
	local status=$1 line=$2
	shift 2
	run "-$status" timeout 20 kt-vmm -n --accel tcg --dry-run "$@"
	assert_output "kt-vmm: $line"
}

# A library $1 that returns what $2 does (a number or a function's name) from a function of its name; the rest
# are arguments of gcc.
library() {
	local path=$1 value=$2 name
	shift 2
	name=$(basename "$path" .so)
	mkdir -p "$(dirname "$path")"
	if [[ $value =~ ^[0-9]+$ ]]; then
		echo "int ${name#lib}(void) { return $value; }"
	else
		echo "int $value(void); int ${name#lib}(void) { return $value(); }"
	fi | gcc -shared -fPIC -o "$path" -x c - -x none "$@"
}

# A program $1 that exits with what function $2 returns.
program() {
	local path=$1 function=$2
	shift 2
	mkdir -p "$(dirname "$path")"
	echo "int $function(void); int main(void) { return $function(); }" | gcc -o "$path" -x c - -x none "$@"
}

@test "object files are data, whatever machine they are for" {
	echo 'int x;' | gcc -x c -c -o prog.bpf.o -
	# The ELF header's machine field: BPF.
	printf '\367\000' | dd of=prog.bpf.o bs=1 seek=18 conv=notrunc status=none
	carried -i prog.bpf.o -- true
	assert_line /root/prog.bpf.o
}

@test "\$ORIGIN of a program is where it lies, not where a link to it does" {
	library lib/tool/lib/libone.so 41
	program lib/tool/bin/tool one -Llib/tool/lib -lone '-Wl,-rpath,$ORIGIN/../lib'
	mkdir bin
	ln -s ../lib/tool/bin/tool bin/tool
	carried -- "$PWD/bin/tool"
	assert_line "$PWD/bin/tool"
	assert_line "$PWD/lib/tool/bin/tool"
	assert_line "$PWD/lib/tool/lib/libone.so"
	carried -- bin/tool
	assert_line /root/bin/tool
	assert_line "$PWD/lib/tool/lib/libone.so"
	run -41 kt-vmm -n -- "$PWD/bin/tool"
}

@test "an executable's DT_RPATH holds for its libraries' needs too" {
	library deep/libtwo.so 42
	library lib/libone.so two -Ldeep -ltwo
	program prog one -Llib -lone '-Wl,--disable-new-dtags,-rpath,$ORIGIN/lib:$ORIGIN/deep' -Wl,-rpath-link,deep
	carried -- ./prog
	assert_line "$PWD/deep/libtwo.so"
	# DT_RUNPATH holds for the object's own needs alone.
	program prog one -Llib -lone '-Wl,--enable-new-dtags,-rpath,$ORIGIN/lib:$ORIGIN/deep' -Wl,-rpath-link,deep
	refused 126 "$PWD/lib/libone.so: needs the library libtwo.so, which is not found" -- ./prog
}

@test "a library that the program has loaded already serves its libraries, wherever it lies" {
	library lib/libtwo.so 43
	library lib/libone.so two -Llib -ltwo
	program prog one -Llib -Wl,--no-as-needed -lone -ltwo '-Wl,--enable-new-dtags,-rpath,$ORIGIN/lib'
	./prog || assert_equal $? 43
	carried -- ./prog
	assert_line "$PWD/lib/libtwo.so"
}

@test "a library that is named by a relative path is found from the working directory" {
	library lib/libone.so 44
	program prog one ./lib/libone.so
	carried -- ./prog
	assert_line /root/lib/libone.so
}

@test "a directory laid over the guest's root keeps its paths, kt's own files stay" {
	mkdir -p over/data over/bin
	echo x > over/data/file
	echo x > over/bin/tool
	carried -i over:/ -- /bin/true
	assert_line /data/file
	refute_line --regexp '^//'
	# /bin is a link to /usr/bin here, and remains one.
	[ ! -L /bin ] || assert_line /usr/bin/tool
	echo x > over/init
	refused 64 "/init: kt's own file in the guest; give another path with --include FILE:GUESTPATH" -i over:/ -- true
	refused 64 "/init: kt's own file in the guest; give another path with --include FILE:GUESTPATH" -i over/init:/init -- true
	refused 64 "/kt/run: kt's own file in the guest; give another path with --include FILE:GUESTPATH" -i over/init:/kt/run -- true
	refused 64 "over/init: the guest's root is a directory, expected a file's path" -i over/init:/ -- true
	refused 64 "--include 'over/init:': expected FILE or FILE:GUESTPATH" -i over/init: -- true
}

@test "a directory behind a link comes along with its content" {
	mkdir real
	echo x > real/file
	ln -s real link
	carried -i link -- true
	assert_line /root/link/file
	carried -i "$PWD/link" -- true
	assert_line "$PWD/link"
	assert_line "$PWD/real/file"
}

@test "what cannot be read in a directory is named" {
	local limited=()
	# Root without the right to read everything.
	[ "$(id -u)" != 0 ] || limited=(setpriv --bounding-set=-dac_override,-dac_read_search)
	mkdir -p tree/closed
	echo x > tree/file
	chmod 0 tree/closed
	run -64 "${limited[@]}" kt-vmm -n --dry-run -i tree -- true
	assert_output "kt-vmm: $PWD/tree/closed: Permission denied"
	chmod 755 tree/closed
	chmod 0 tree/file
	run -64 "${limited[@]}" kt-vmm -n --dry-run -i tree -- true
	assert_output "kt-vmm: $PWD/tree/file: Permission denied"
}

@test "FIFOs and devices are neither carried nor waited for" {
	mkfifo fifo
	refused 64 "fifo: expected a regular file or a directory" -i fifo -- true
	refused 64 "/dev/null: expected a regular file or a directory" -i /dev/null:/x -- true
	chmod 755 fifo
	printf '#!%s/fifo\n' "$PWD" > script
	chmod +x script
	refused 126 "$PWD/script: its interpreter $PWD/fifo is not an executable file" -- ./script
	mkdir tree
	mv fifo tree
	touch tree/file
	carried -v -i tree -- true
	assert_line "kt-vmm: not carried: $PWD/tree/fifo: neither a file nor a directory nor a link"
	assert_line /root/tree/file
	refute_line /root/tree/fifo
	# A FIFO where a library should be.
	library lib/libone.so 1
	program prog one -Llib -lone '-Wl,-rpath,$ORIGIN/lib'
	rm lib/libone.so
	mkfifo lib/libone.so
	refused 126 "$PWD/prog: needs the library libone.so, which is not found" -- ./prog
}

@test "a script that env(1) starts by a relative path brings its program" {
	mkdir tools
	cp /bin/true tools/helper
	printf '#!/usr/bin/env tools/helper\n' > script
	printf '#!/usr/bin/env -S helper -x\n' > split
	printf '#!/usr/bin/env helper\n' > named
	chmod +x script split named
	carried -- ./script
	assert_line /root/tools/helper
	PATH=$PATH:tools carried -- ./named
	assert_line /root/tools/helper
	PATH=$PATH:$PWD/tools carried -- ./split
	assert_line "$PWD/tools/helper"
}

@test "link/../file is the file that the kernel takes it for" {
	mkdir -p there/dir
	ln -s there/dir link
	echo behind > there/file
	echo here > file
	carried -- cat "$PWD/link/../file"
	assert_line "$PWD/there/file"
	refute_line "$PWD/file"
	run -0 kt-vmm -n -- cat "$PWD/link/../file" link/../file
	assert_output $'behind\nbehind'
	refused 64 "$PWD/there/file: not a kernel (expected a bzImage or an ELF vmlinux)" -k link/../file -- true
}

@test "a file that shrinks while it is read is left out as a whole" {
	[ -r /sys/kernel/mm/transparent_hugepage/enabled ] || skip "the host has no such file in /sys"
	# Reading the page past the end of a sysfs attribute gives nothing, though its size says 4096.
	refused 64 "/sys/kernel/mm/transparent_hugepage/enabled: Stale file handle" \
		-i /sys/kernel/mm/transparent_hugepage/enabled:/x -- true
	ln -s /sys/kernel/mm/transparent_hugepage/enabled file
	carried -v -- cat file
	assert_line "kt-vmm: argument 'file': not carried in full: /sys/kernel/mm/transparent_hugepage/enabled: Stale file handle"
	refute_line /root/file
	# What follows it in the archive is whole.
	echo whole > later
	run -0 kt-vmm -n -- sh -c 'cat later; test ! -e file' sh file later
	assert_output whole
}

@test "memory beyond what any host has is refused" {
	refused 64 "-m '9000000T': expected at most 4T" -m 9000000T -- true
	refused 64 "-m '5T': expected at most 4T" -m 5T -- true
	refused 64 "--node-memory '1:16777215T': expected at most 4T" --node-memory 1:16777215T -- true
	refused 64 "--node-memory: expected at most 4T over all nodes" --node-memory 1:4T -- true
}

@test "a run directory in which no file can be made is not left behind" {
	[ "$(id -u)" = 0 ] || skip "needs root for a mount namespace"
	mkdir full
	# Room for two inodes: the root and the run directory.
	run -0 unshare -m bash -c 'mount -t tmpfs -o nr_inodes=2 tmpfs full
		kt-vmm -n --accel tcg -o full/run -- true; echo "status $?"; ls -A full'
	assert_output "kt-vmm: $PWD/full/run: No space left on device
status 125"
}

# bats test_tags=vm
@test "--env replaces defaults, the last of a name counts, and run.json stands what is not UTF-8" {
	run -0 kt-vmm -n --append $'kt.word=\xff' -o run -e HOME=/x -e A=1 -e KT_SEED=9 -e A=2 --seed 3 -- \
		sh -c 'env | grep -E "^(HOME|A|KT_SEED)=" | sort'
	assert_output $'A=2\nHOME=/x\nKT_SEED=9'
	run -0 jq -r '.kernel.cmdline, .kernel.image, .engine.reason, .host.kernel' run/run.json
	assert_line --partial 'kt.word=\xff'
	refute_line null
}
