#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What kt-vmm is told wrongly, or lacks, is named in one line, before anything is started.

load lib/kt
load lib/vm

setup() {
	vm_setup
}

# kt-vmm ends with status $1 and prints exactly one line, $2.
refused() {
	local status=$1 line=$2
	shift 2
	run "-$status" kt-vmm -n "$@"
	assert_output "kt-vmm: $line"
}

@test "unknown and malformed options are named with what is known" {
	refused 64 "expected a command to run in the guest, or --shell"
	refused 64 "unknown option '--topolgy': did you mean '--topology'? (--help lists all)" --topolgy 1n1l1c1t -- true
	refused 64 "topology '1n3l2c': expected NnLlCcTt, for example 1n2l4c1t" -t 1n3l2c -- true
	refused 64 "topology '2n3l2c1t': expected a number of LLCs that divides evenly over the NUMA nodes" -t 2n3l2c1t -- true
	refused 64 "engine 'xen': unknown; known: auto, kvm, qemu" --engine xen -- true
	refused 64 "accelerator 'hvf': unknown; known: auto, kvm, tcg" --accel hvf -- true
	refused 64 "-m 'lots': expected a size such as 512M or 2G" -m lots -- true
	refused 64 "-m '16M': expected at least 96M, and 16M for each NUMA node" -m 16M -- true
	refused 64 "--timeout 'soon': expected a time such as 90s or 5m" --timeout soon -- true
	refused 64 "--deterministic 'x': expected a whole number" --deterministic=x -- true
	refused 64 "--deterministic: expected the seed as --deterministic=7" --deterministic 7 true
	refused 64 "--node-memory '7:1G': expected node 0 to 1" --node-memory 7:1G -- true
	refused 64 "--distance '0:1:5': expected a distance of 11 to 254" -t 2n2l1c1t --distance 0:1:5 -- true
	refused 64 "--sched-args: expected --sched FILE with it" --sched-args x -- true
	refused 64 "--sched-args: a quote is not closed" --sched /bin/true --sched-args "it's" -- true
	refused 64 "--shell: expected stdin to be a terminal" --shell < /dev/null
	touch file
	refused 64 "run directory file: a file of this name is there" -o file -- true
	refused 64 "-m '512': expected whole MiB, for example 512M" -m 512 -- true
	refused 64 "--dump-tables: expected no command" --dump-tables here true
	[ ! -e here ]
	run -64 kt-vmm --append "$(printf '%02000d' 0)" -- true
	assert_output --regexp "^kt-vmm: --append: the kernel's command line would have 2[0-9]+ bytes, expected at most 2047\$"
	refused 64 "--env '=x': expected NAME or NAME=VALUE" -e =x -- true
}

@test "kernels that are unknown or none are named" {
	run -64 kt-vmm -n -k 9.9 -- true
	assert_output --regexp "^kt-vmm: kernel '9.9': not in the cache; known: .*7\."
	KT_CACHE=$PWD/empty refused 64 \
		"no kernel in the cache $PWD/empty/kernels: expected 'kt-kernel fetch' to have been run, or -k FILE" -- true
	echo text > plain
	refused 64 "$PWD/plain: not a kernel (expected a bzImage or an ELF vmlinux)" -k ./plain -- true
	refused 64 "./none: No such file or directory" -k ./none -- true
	run -64 kt-vmm -n -k /bin/true -- true
	assert_output --partial "/bin/true: an ELF file without a PVH entry"
	mkdir tree
	run -64 kt-vmm -n -k ./tree -- true
	assert_output --partial "expected a built kernel tree"
}

@test "schedulers and files that cannot be carried are named" {
	refused 64 "scheduler './none': expected an executable file" --sched ./none -- true
	cp /bin/true arm
	# The ELF header's machine field: AArch64.
	printf '\267\000' | dd of=arm bs=1 seek=18 conv=notrunc status=none
	refused 64 "$PWD/arm: an ELF file for AArch64, expected x86-64" --sched ./arm -- true
	refused 126 "$PWD/arm: an ELF file for AArch64, expected x86-64" -- ./arm
	refused 64 "none: No such file or directory" --include none -- true
	echo x > file
	run -64 kt-vmm -n --include file:/proc/x -- true
	assert_output --partial "the guest mounts its own /proc, /sys and /dev"
	truncate -s 300M large
	run -64 kt-vmm -n -m 256M --include large -- true
	assert_output --partial "expected at most half of the guest's 256 MiB"
}

@test "a missing QEMU is named" {
	mkdir bin
	ln -s "$(command -v kt-vmm)" bin/
	PATH=$PWD/bin refused 125 \
		"failed: QEMU: cannot execute qemu-system-x86_64: No such file or directory (kt-deps installs it)" \
		-- /bin/true
}

# A QEMU that does $1, in $monitor the number of its monitor's descriptor, makes kt-vmm fail with the words $2.
qemu_that() {
	mkdir -p shim
	cat >shim/qemu-system-x86_64 <<-END
		#!/bin/bash
		for word; do case \$word in socket,id=qmp,fd=*) monitor=\${word##*=} ;; esac; done
		$1
	END
	chmod +x shim/qemu-system-x86_64
	PATH=$PWD/shim:$PATH run -125 kt-vmm -n --engine qemu --accel tcg -- true
	assert_line --regexp "^kt-vmm: failed: $2\$"
}

# shellcheck disable=SC2016 # the shim expands them
@test "a QEMU that fails without a word is told from one that is killed, and from one whose monitor is none" {
	qemu_that 'exit 3' 'QEMU ended with status 3 without saying why'
	qemu_that 'echo "qemu-system-x86_64: no room" >&2; exit 1' 'QEMU: no room'
	qemu_that 'kill -9 $$' 'QEMU was killed by signal 9 \(Killed\)'
	qemu_that 'echo "{}" >&"$monitor"; exec sleep 100' "QEMU's monitor: Bad message"
	qemu_that 'echo "{\"QMP\": 1}" >&"$monitor"; read -r -u "$monitor" line; exit 4' \
		'QEMU ended with status 4 without saying why'
}

# Without a mount namespace to break things in, skip.
needs_namespace() {
	unshare -m true 2>/dev/null || skip "needs the right to make a mount namespace"
}

# Run kt-vmm in a mount namespace of its own, prepared with $1.
in_namespace() {
	local prepare=$1
	shift
	unshare -m bash -c "$prepare"'; exec kt-vmm -n "$@"' kt-vmm "$@"
}

@test "without /dev/kvm, or without the right to it, the machine is emulated and --accel kvm refused" {
	needs_namespace
	local hide='mount --bind /dev/null /dev/kvm 2>/dev/null || { mkdir -p dev; mount --bind dev /dev; }'
	run -125 in_namespace "$hide" --accel kvm -- true
	assert_output --partial "KVM is not usable"
	run -0 in_namespace "$hide" -v -- echo emulated
	assert_line --partial "engine qemu with tcg"
	assert_line emulated
}

@test "no space for the run's files, and no memory for the guest, are named" {
	needs_namespace
	mkdir full
	run -125 in_namespace 'mount -t tmpfs -o size=64k tmpfs full' -o full/run -- sh -c 'head -c 1000000 /dev/zero'
	assert_output --partial "No space left on device"
	mkdir shim
	printf '#!/bin/bash\nulimit -v 1500000; exec %s "$@"\n' "$(command -v qemu-system-x86_64)" \
		> shim/qemu-system-x86_64
	chmod +x shim/qemu-system-x86_64
	PATH=$PWD/shim:$PATH run -125 kt-vmm -n -m 1T -- true
	assert_output --regexp "^kt-vmm: failed: QEMU: .*"
	refute_output --partial "Usage"
	if [ "$(id -u)" = 0 ]; then
		mkdir unwritable && chmod 555 unwritable
		run -64 setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-all \
			kt-vmm -n -k "$(kt-kernel path)" -o unwritable/run -- true
		assert_output "kt-vmm: run directory unwritable/run: Permission denied"
	fi
}

@test "--dry-run prints what would be started and carried, and starts nothing" {
	echo x > scenario.kt
	run -0 kt-vmm -n --dry-run -t 2n2l1c1t -- kt-workload scenario.kt
	assert_line -n 0 --regexp '^qemu-system-x86_64 .*-smp 2,sockets=2,dies=1,cores=1,threads=1 '
	assert_line /init
	assert_line /kt/bin/kt-workload
	assert_line /root/scenario.kt
}

@test "--help names every option's meaning and --version the version" {
	run -0 kt-vmm --help
	assert_line --regexp '^  -t, --topology SPEC +NUMA nodes'
	run -0 kt-vmm --version
	assert_output --regexp '^kt-vmm [0-9.]+$'
}
