#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What the kvm engine tells its guests: ACPI tables and CPUID leaves, over every preset. No VM runs.

load lib/kt

# NAME TOPOLOGY of every preset.
presets() {
	kt-gauntlet --max-llcs 64 --max-cpus 252 --max-numa-nodes 8 -o x -- true | sed -E 's/^-t ([^ ]+) -o [^ ]*\/([^/ ]+)\/[^/ ]+ .*/\2 \1/'
}

setup_file() {
	cd "$BATS_FILE_TMPDIR"
	load lib/kt
	presets > presets
	while read -r name topology; do
		kt-vmm --dump-tables "$name" -t "$topology" -m 4G
		groups "$name" > "$name/groups"
	done < presets
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

@test "every preset of the gauntlet is looked at" {
	run -0 presets
	assert [ "${#lines[@]}" -ge 24 ]
	assert_line "max-cpu 1n14l9c2t"
	assert_line "numa4-12llc 4n12l8c2t"
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

@test "the MADT has every CPU once, by an x2APIC entry where its id needs one" {
	while read -r name topology; do
		disassembly "$name" apic > madt
		awk '/Local Apic ID :/ || /Processor x2Apic ID/ { print $NF }' madt | sort > ids
		cpus=$(jq -s 'map(select(.vendor == "GenuineIntel" and .leaf == "0x1")) | length' \
			"$name/cpuid.json")
		assert_equal "$(wc -l < ids)" "$cpus"
		assert_equal "$(sort -u ids | wc -l)" "$cpus"
		# The same ids as CPUID tells.
		jq -r 'select(.vendor == "GenuineIntel" and .leaf == "0xb" and .subleaf == 0) | .edx' \
			"$name/cpuid.json" | xargs printf '%X\n' | sed 's/^/0000000/' |
			sed -E 's/.*(.{8})$/\1/' | sort > told
		sed 's/^/0000000/' ids | sed -E 's/.*(.{8})$/\1/' | sort | diff - told
		wide=$(awk '$0 > "000000FE"' told | wc -l)
		assert_equal "$(grep -c 'Processor x2Apic ID' madt)" "$wide"
	done < presets
}

# The groups of CPUs that each way of telling makes of machine $1: "WAY FIRST-LAST:COUNT".
groups() {
	jq -rs '
		# Bits that tell . things apart, and $n bits of . from bit $from on.
		def bits: if . <= 1 then 0 else (. - 1 | log2 | floor) + 1 end;
		def field($from; $n): . / pow(2; $from) | floor | . % pow(2; $n);
		def shifted($id; $by): $id / pow(2; $by) | floor;
		def shared($id): .eax | field(14; 12) + 1 | bits | shifted($id; .);
		group_by(.vendor, .cpu) | map(
			(map({key: "\(.leaf)/\(.subleaf)", value: .}) | from_entries) as $l |
			$l["0xb/0"].edx as $id | {cpu: .[0].cpu} + ({
				"1f-core": shifted($id; $l["0x1f/0"].eax),
				"1f-llc": shifted($id; $l["0x1f/1"].eax),
				"1f-node": shifted($id; $l["0x1f/2"].eax),
				"0b-core": shifted($id; $l["0xb/0"].eax),
				"0b-node": shifted($id; $l["0xb/1"].eax)
			} + if .[0].vendor == "GenuineIntel" then {
				"4-l1-core": ($l["0x4/0"] | shared($id)),
				"4-l2-core": ($l["0x4/2"] | shared($id)),
				"4-l3-llc": ($l["0x4/3"] | shared($id))
			} else {
				"1d-l1-core": ($l["0x8000001d/0"] | shared($id)),
				"1d-l3-llc": ($l["0x8000001d/3"] | shared($id)),
				"1e-node": ($l["0x8000001e/0"].ecx | field(0; 8)),
				"08-node": shifted($id; $l["0x80000008/0"].ecx | field(12; 4))
			} end | with_entries(.key |= "way-" + .))) as $cpus |
		($cpus | map(keys[]) | unique[] | select(startswith("way-"))) as $way |
		$cpus | map(select(has($way))) | group_by(.[$way]) |
		map(map(.cpu) | unique) | sort_by(.[0])[] |
		"\($way | ltrimstr("way-")) \(.[0])-\(.[-1]):\(length)"' "$1/cpuid.json"
}

# The groups of $2 CPUs each that CPUs 0 to $1 - 1 fall into.
expected_groups() {
	local first
	for ((first = 0; first < $1; first += $2)); do
		echo "$first-$((first + $2 - 1)):$2"
	done
}

# The ways $@ of telling make the declared groups, in every preset.
check_groups() {
	local name topology n l c t way size
	while read -r name topology; do
		IFS=nlct read -r n l c t <<< "$topology"
		for way; do
			case $way in
			*-core) size=$t ;;
			*-llc) size=$((c * t)) ;;
			*-node) size=$((l / n * c * t)) ;;
			esac
			diff <(sed -n "s/^$way //p" "$name/groups") \
				<(expected_groups $((l * c * t)) $size)
		done
	done < presets
}

@test "leaf 0x1F tells cores, LLCs as dies and nodes as packages; 0xB the same" {
	check_groups 1f-core 1f-llc 1f-node 0b-core 0b-node
}

@test "leaf 4 has the L1 and L2 of cores and the L3 of LLCs" {
	check_groups 4-l1-core 4-l2-core 4-l3-llc
}

@test "AMD's leaf 0x8000001D has the same caches, 0x8000001E and 0x80000008 the nodes" {
	check_groups 1d-l1-core 1d-l3-llc 1e-node 08-node
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
