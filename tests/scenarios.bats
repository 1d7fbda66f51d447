#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The scenarios that come along run in a guest, and are documented.

load lib/kt
load lib/vm

@test "every scenario runs to its end in a guest of two nodes" {
	vm_setup
	cp -r "$KT_ROOT/tests/scenarios" scenarios
	cat >all.sh <<-'END'
		for file in "$1"/*.kt; do
			kt-workload -d 700ms "$file" >/tmp/stats 2>/tmp/err && echo "ran" && continue
			echo "$file: $(cat /tmp/err)"
		done
	END
	run --separate-stderr kt-vmm -t 2n2l2c1t --timeout 5m --include scenarios -- busybox sh all.sh scenarios
	assert_success
	# shellcheck disable=SC2154 # bats sets lines
	assert_equal "$(printf '%s\n' "${lines[@]}" | sort | uniq -c | awk '{ $1 = $1; print }')" \
		"$(find scenarios -name '*.kt' | wc -l) ran"
}

@test "docs/scenarios.md has each of them, with what stands at its head" {
	local file name
	for file in "$KT_ROOT"/tests/scenarios/*.kt; do
		name=$(basename "$file" .kt)
		run grep -F "| $name | $(sed '/^#/!Q; /gauntlet:/Q; s/^# //' "$file" | paste -s -d ' ') |" "$KT_ROOT/docs/scenarios.md"
		assert_success
	done
	assert_equal "$(grep -c '^| [a-z_]* | [A-Z]' "$KT_ROOT/docs/scenarios.md")" "$(find "$KT_ROOT/tests/scenarios" -name '*.kt' | wc -l)"
}
