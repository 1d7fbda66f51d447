#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The ACPI tables of the kvm engine, as a compiler of theirs reads them. No VM runs. What a kernel makes of their CPUs and
# nodes is looked at by presets.bats.

load lib/kt
load lib/tables

setup_file() {
	cd "$BATS_FILE_TMPDIR"
	presets | while read -r name topology; do
		kt-vmm --dump-tables "$name" -t "$topology" -m 4G
	done
	kt-vmm --dump-tables nodes -t 2n4l2c2t -m 512M --node-memory 1:384M --node-memory 2:128M \
		--distance 0:1:31 --distance 0:2:50 --latency 0:0:90 --latency 1:2:250 --bandwidth 0:0:40000
}

setup() {
	cd "$BATS_FILE_TMPDIR"
}

# What iasl makes of table $2 of machine $1.
disassembly() {
	iasl -d -p "$BATS_TEST_TMPDIR/table" "$1/$2.dat" > "$BATS_TEST_TMPDIR/said" 2>&1
	refute grep -iE 'error|warning|remark|invalid|unknown|unexpected' "$BATS_TEST_TMPDIR/said"
	refute grep -iE 'invalid|incorrect checksum|\*\*\*\*' "$BATS_TEST_TMPDIR/table.dsl"
	cat "$BATS_TEST_TMPDIR/table.dsl"
}

@test "iasl disassembles every table of every preset without a remark" {
	for table in */*.dat; do
		[[ $table != */rsdp.dat ]] || continue
		disassembly "${table%/*}" "$(basename "$table" .dat)" > /dev/null
	done
}

@test "the DSDT compiles again without a remark" {
	disassembly nodes dsdt > /dev/null
	run -0 iasl "$BATS_TEST_TMPDIR/table.dsl"
	assert_output --partial "0 Errors, 0 Warnings, 0 Remarks"
}

@test "the SRAT has each CPU in its node, and the memory of nodes without CPUs" {
	disassembly nodes srat > srat
	run -0 awk '/Proximity Domain Low/ { node = $NF } /Apic ID/ { print $NF, node }' srat
	assert_line --index 0 "00 00"
	assert_line --index 7 "07 00"
	assert_line --index 8 "08 01"
	assert_line --index 15 "0F 01"
	assert_equal "${#lines[@]}" 16
	run -0 awk '/Proximity Domain :/ { node = $NF } /Base Address/ { base = $NF }
		/Address Length/ { print node, base, $NF }' srat
	assert_line "00000000 0000000000000000 0000000010000000"
	assert_line "00000001 0000000010000000 0000000018000000"
	assert_line "00000002 0000000028000000 0000000008000000"
}

@test "the SLIT has the distances that were asked for" {
	disassembly nodes slit > slit
	run -0 grep -E 'Locality +[0-9]' slit
	assert_line --index 0 --regexp '0A 1F 32$'
	assert_line --index 1 --regexp '1F 0A 14$'
	assert_line --index 2 --regexp '32 14 0A$'
}

@test "the HMAT has the latencies and bandwidths that were given, and is there only then" {
	assert [ ! -e tiny-1llc/hmat.dat ]
	disassembly nodes hmat > hmat
	run -0 awk '/ Entry :/ { printf "%s ", $NF } /Data Type/ { printf "%s: ", $NF }' hmat
	assert_output "00: 005A 0000 0000 0000 0000 00FA 03: 9C40 0000 0000 0000 0000 0000 "
	# Node 2, without CPUs, is nearest to node 1.
	run -0 awk '/Attached Initiator/ { printf "%d ", $NF }' hmat
	assert_output "0 1 1 "
}

@test "an HMAT value that does not fit is refused" {
	run -64 kt-vmm --dump-tables bad --latency 0:0:65535
	assert_output "kt-vmm: --latency '0:0:65535': expected NODE:NODE:N with N from 1 to 65534, for example 0:1:180 (ns)"
	run -64 kt-vmm --dump-tables bad --bandwidth 1:0:10
	assert_output "kt-vmm: --bandwidth '1:0:10': expected a node with CPUs (0 to 0), then a node (0 to 0)"
}

@test "memory beyond the hole goes on at 4 GiB" {
	kt-vmm --dump-tables high -t 2n2l1c1t -m 8G
	disassembly high srat > srat
	run -0 awk '/Proximity Domain :/ { node = $NF } /Base Address/ { base = $NF }
		/Address Length/ { print node, base, $NF }' srat
	assert_line "00000000 0000000000000000 00000000C0000000"
	assert_line "00000000 0000000100000000 0000000040000000"
	assert_line "00000001 0000000140000000 0000000100000000"
}
