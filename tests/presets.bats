#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Guests see the declared topology, the same on both engines, for every preset of the gauntlet: lib/topology.sh says what
# sysfs has to show. The presets of up to KT_PRESET_CPUS CPUs boot a stock kernel, which shows it. `make check-presets`
# boots more of them, and on the kvm engine those of up to KT_PRESET_LAB_CPUS CPUs in the KVM lab. For all of them the
# tables that the kernel makes it of are checked: those of the kvm engine as --dump-tables writes them, QEMU's as it
# tells them to a guest without a kernel (tests/guests/topology.c), which runs on the kvm engine, too.
# bats file_tags=vm

load lib/kt
load lib/vm
load lib/lab
load lib/tables

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	presets >presets
	mkdir want kvm guest qemu
	while read -r name topology; do
		expected "$topology" >"want/$name"
	done <presets
}

setup() {
	BUILT=${KT_BIN:+$KT_BIN/../tests}
	GUEST=${BUILT:-$KT_ROOT/build/tests}/guests/topology.elf
	cd "$BATS_FILE_TMPDIR" || return
	export TMPDIR=$BATS_TEST_TMPDIR
}

need_qemu() {
	command -v qemu-system-x86_64 >/dev/null || skip "no QEMU (kt-deps run)"
}

# Is the installed QEMU older than $1?
qemu_older() {
	local version
	version=$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')
	[ "$version" != "$1" ] && [ "$(printf '%s\n' "$version" "$1" | sort -V | head -n 1)" = "$version" ]
}

# What the file $1 wants, where QEMU emulates Intel's CPUs: before 9.1 each thread has an L1 of its own there.
emulated() {
	if qemu_older 9.1; then
		sed -E 's/^(cpu([0-9]+) .* L1d=)[^ ]+ L1i=[^ ]+/\1\2 L1i=\2/' "$1"
	else
		cat "$1"
	fi
}

# The CPUs of topology $1.
count_of() {
	topology_fields "$1"
	echo "$cpus"
}

# Boot a stock kernel on the machine of kt-vmm's options $2... and topology $1, and compare with the file want.
boots() {
	kt-vmm -n -t "$1" -m "$((256 + 16 * $(count_of "$1")))M" "${@:2}" -- sh "$KT_ROOT/tests/lib/tell-topology" >told
	diff want.now told
}

@test "every preset of the gauntlet is looked at" {
	run -0 cat presets
	assert [ "${#lines[@]}" -ge 24 ]
	assert_line "max-cpu 1n14l9c2t"
	assert_line "numa4-12llc 4n12l8c2t"
	run -0 cat want/numa4-12llc
	assert_line "cpu191 core=190-191 die=176-191 package=3:144-191 L1d=190-191 L1i=190-191 L2=190-191 L3=176-191"
	assert_line "node3 cpus=144-191 distance=20 20 20 10"
}

@test "kvm engine: every preset's tables tell a kernel, on an Intel CPU or by AMD's own leaves" {
	while read -r name topology; do
		kt-vmm --dump-tables "kvm/$name" -t "$topology" -m 4G
		tables_match "kvm/$name" GenuineIntel "want/$name"
		# AMD's own leaves know no dies: a package is one.
		sed -E 's/ die=[^ ]+ package=([0-9]+):([^ ]+)/ die=\2 package=\1:\2/' "want/$name" >want.now
		tables_match "kvm/$name" AuthenticAMD want.now 0x1f 0xb
	done <presets
}

@test "kvm engine: a guest is told by its CPUs and finds in memory what the tables say, APIC ids beyond 8 bits too" {
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || skip "no /dev/kvm"
	for topology in 1n1l2c1t 3n9l3c1t 5n15l3c3t; do
		expected "$topology" >want.now
		kt-vmm -n --engine kvm -m 256M -k "$GUEST" --no-auto-include -t "$topology" -- true >told
		tables_of_guest "guest/$topology" <told
		tables_match "guest/$topology" "$(jq -rs '.[0].vendor' "guest/$topology/cpuid.json")" want.now
	done
}

@test "qemu engine: QEMU tells a guest every preset, by its CPUs and in memory" {
	need_qemu
	while read -r name topology; do
		status=0
		kt-vmm -n --engine qemu --accel tcg -m 256M -k "$GUEST" --no-auto-include -t "$topology" -- true \
			>told 2>errors || status=$?
		# QEMU emulates no x2APIC before 9.0: the dry run is all that there is.
		if [ "$status" = 125 ] && qemu_older 9.0 && [[ $name == max-cpu* ]]; then
			grep -F X2APIC errors
			continue
		fi
		[ "$status" = 0 ]
		tables_of_guest "qemu/$name" <told
		emulated "want/$name" >want.emulated
		tables_match "qemu/$name" GenuineIntel want.emulated
	done <presets
}

@test "qemu engine: every preset's QEMU command declares its sockets, dies, cores, threads and nodes" {
	while read -r name topology; do
		topology_fields "$topology"
		kt-vmm --dry-run --engine qemu -m 4G -k "$GUEST" --no-auto-include -t "$topology" -- true | head -n 1 >command
		grep -qF -- " -smp $cpus,sockets=$nodes,dies=$((llcs / nodes)),cores=$cores,threads=$threads " command
		grep -oE 'nodeid=[0-9]+,memdev=ram[0-9]+,cpus=[0-9-]+' command | sed -E 's/.*=([0-9]+),.*cpus=/node\1 cpus=/' |
			diff <(sed -n 's/^\(node.*\) distance.*/\1/p' "want/$name") -
		grep -oE 'dist,src=[0-9]+,dst=[0-9]+,val=[0-9]+' command | sed 's/.*=//' | paste -sd ' ' |
			diff <(sed -n 's/^node.* distance=//p' "want/$name" | paste -sd ' ' | sed 's/^10$//') -
	done <presets
}

@test "qemu engine: a stock kernel shows every preset of up to ${KT_PRESET_CPUS:=4} CPUs" {
	need_qemu
	vm_setup
	while read -r name topology; do
		[ "$(count_of "$topology")" -le "$KT_PRESET_CPUS" ] || continue
		echo "$name:"
		emulated "$BATS_FILE_TMPDIR/want/$name" >want.now
		boots "$topology" --engine qemu --accel tcg --timeout 10m
	done <"$BATS_FILE_TMPDIR/presets"
}

@test "kvm engine: a stock kernel shows every preset, where /dev/kvm can run one" {
	[ "$(kt-vmm --probe | jq -r .usable)" = true ] || skip "this /dev/kvm cannot run a stock kernel; make check-presets"
	vm_setup
	while read -r name topology; do
		cp "$BATS_FILE_TMPDIR/want/$name" want.now
		echo "$name:"
		boots "$topology" --engine kvm
	done <"$BATS_FILE_TMPDIR/presets"
}

@test "kvm engine: in the KVM lab a stock kernel shows every preset of up to ${KT_PRESET_LAB_CPUS:=0} CPUs" {
	[ "$KT_PRESET_LAB_CPUS" -gt 0 ] || skip "make check-presets boots them"
	need_qemu
	vm_setup
	while read -r name topology; do
		[ "$(count_of "$topology")" -gt "$KT_PRESET_LAB_CPUS" ] || LAB_TOPOLOGIES+=" $topology"
	done <"$BATS_FILE_TMPDIR/presets"
	LAB_ONLY=topology LAB_BOOTS=1 LAB_TIMEOUT=2h lab_engine >report
	for topology in $LAB_TOPOLOGIES; do
		grep -qx "ok topology $topology" report || { cat report; return 1; }
	done
}
