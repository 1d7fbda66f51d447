#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-vmm --probe, and what is kept of it. Boots no kernel: --accel kvm tells what the choice was made on.

load lib/kt

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	[ -w /dev/kvm ] || skip "no /dev/kvm that can be opened"
	kt-kernel path >/dev/null 2>&1 || skip "no kernel in the cache (kt-kernel fetch)"
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	KEPT=$XDG_RUNTIME_DIR/kt/kvm-probe.json
	MODULE=$(kt-vmm --probe | jq -r '.module // empty')
	[ -n "$MODULE" ] || skip "the module behind /dev/kvm is not known"
}

# plant [JQ]: a kept result of this boot that no probe gives.
plant() {
	jq -n --arg boot "$(cat /proc/sys/kernel/random/boot_id)" --arg mod "$MODULE" \
		'{schema: "kt-probe/1", boot_id: $boot, usable: false, why: "planted", module: $mod,
		  missing_instruction: "planted"} | '"${1:-.}" >"$KEPT.new"
	chmod 600 "$KEPT.new"
	mv "$KEPT.new" "$KEPT"
}

# Does a run go by what is planted?
assert_taken() {
	run -125 kt-vmm -n --engine qemu --accel kvm --dry-run true
	assert_output 'kt-vmm: KVM is not usable: planted'
}

assert_not_taken() {
	run kt-vmm -n --engine qemu --accel kvm --dry-run true
	refute_output --partial planted
}

@test "the probe says whether guests can run, and why not" {
	run kt-vmm --probe
	assert_equal "$(jq -r .schema <<<"$output")" kt-probe/1
	assert_equal "$(jq -r .boot_id <<<"$output")" "$(cat /proc/sys/kernel/random/boot_id)"
	assert_equal "$(jq -r 'if .usable then 0 else 1 end' <<<"$output")" "$status"
	assert_equal "$(jq -r '.usable == (.why == null)' <<<"$output")" true
	assert_equal "$(jq -r '.watchpoints == null or .usable' <<<"$output")" true
}

@test "what was found out is kept for this boot of the host, and taken" {
	plant
	assert_taken
}

# The engine that a run on topology $1 would take: the first word of what would be started.
engine_of() {
	kt-vmm -n --dry-run -t "$1" -m 1G true | head -n 1 | cut -d ' ' -f 1
}

@test "a good KVM's guests run on the kvm engine, those that are too much for it on QEMU" {
	plant '.usable = true | .why = null | .max_cpus = 16 | .split_irqchip = true | .x2apic_ids = true'
	assert_equal "$(engine_of 1n1l16c1t)" kvm:
	assert_equal "$(engine_of 5n5l1c3t)" kvm:
	refute [ "$(engine_of 1n1l17c1t)" = kvm: ]
	plant '.usable = true | .why = null | .max_cpus = 999 | .split_irqchip = false | .x2apic_ids = true'
	assert_equal "$(engine_of 1n2l64c1t)" kvm:
	refute [ "$(engine_of 1n3l65c1t)" = kvm: ]
	plant '.usable = true | .why = null | .max_cpus = 999 | .split_irqchip = true | .x2apic_ids = false'
	refute [ "$(engine_of 1n3l65c1t)" = kvm: ]
}

# A guest whose first instruction is none, and ends it: in the file dead.
dead_guest() {
	local built=${KT_BIN:+$KT_BIN/../tests} entry
	cp "${built:-$KT_ROOT/build/tests}/guests/cpuid.elf" dead
	entry=$(od -An -tu4 -j $((0x1010)) -N 4 dead) # of its note
	printf '\x0f\x0b' | dd of=dead bs=1 seek=$((entry - 0x100000 + 0x1000)) conv=notrunc status=none
}

@test "a guest that does not come up is tried once more, but not on a KVM that is no good: that is said" {
	dead_guest
	plant
	run -122 kt-vmm -n --engine kvm -m 256M -k dead --no-auto-include -o kept -- true
	assert_line --index 0 "kt-vmm: this host's KVM is not usable: planted"
	assert_line --index 1 --partial "kt-vmm: guest-died: triple fault of vCPU 0"
	assert_equal "$(jq '.attempts | length' kept/run.json)" 1
	plant '.usable = true | .why = null'
	run -122 kt-vmm -n --engine kvm -m 256M -k dead --no-auto-include -o kept -- true
	assert_line --index 0 --partial "trying once more"
	assert_equal "$(jq '.attempts | length' kept/run.json)" 2
}

@test "what another boot kept is not taken" {
	plant '.boot_id = "00000000-0000-0000-0000-000000000000"'
	assert_not_taken
}

@test "what another module's KVM gave is not taken" {
	plant '.module = "kvm_none"'
	assert_not_taken
}

@test "a kept file that others may write to is not taken" {
	plant
	chmod 666 "$KEPT"
	assert_not_taken
	plant
	chmod 777 "${KEPT%/*}"
	assert_not_taken
}

@test "a link in the place of the kept file, or of its directory, is not followed" {
	plant
	mv "$KEPT" elsewhere.json
	ln -s "$PWD/elsewhere.json" "$KEPT"
	assert_not_taken
	rm elsewhere.json
	plant
	mv "${KEPT%/*}" elsewhere
	ln -s "$PWD/elsewhere" "${KEPT%/*}"
	assert_not_taken
}

@test "a kept file that is damaged is not taken, and not a failure" {
	plant
	truncate -s 20 "$KEPT"
	assert_not_taken
	plant '.why = null'
	assert_not_taken
}

@test "a probe takes no command" {
	run -64 kt-vmm --probe true
	assert_output 'kt-vmm: --probe: expected no command'
}
