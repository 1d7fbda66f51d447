#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The stats are what docs/kt-stats-1.schema.json and docs/stats.md say.

# shellcheck disable=SC2016,SC2154 # single quotes are meant; lib/workload sets variables
load lib/kt
load lib/workload

setup() {
	need_cgroups
	schema=$KT_ROOT/docs/kt-stats-1.schema.json
}

teardown() {
	stop_workload
}

validate() { # FILE
	/usr/bin/python3 -m jsonschema -i "$1" "$schema" 2>&1 | tail -c 300
	return "${PIPESTATUS[0]}"
}

# Every property below a path of the schema.
properties() { # JQ-PATH
	jq -r "$1.properties | keys[]" "$schema"
}

# Words in backquotes of a section of docs/stats.md; "" is the part before the first heading.
documented() { # SECTION
	awk -v want="$1" '
		/^## / { section = $0; sub(/^## `/, "", section); sub(/\[\]`.*/, "", section); next }
		section == want { print }' "$KT_ROOT/docs/stats.md" | grep -o '`[a-z0-9_]*`' | tr -d '`' | sort -u
}

@test "what a run with everything in it prints is valid, and what is not is refused" {
	run --separate-stderr kt-workload -d 1s -e 'cgroup a cpuset=0' -e 'cgroup p work=futex-ping-pong mempolicy=bind:0' \
		-e 'run p metric=([a-z])=([0-9]) -- printf x=3' -e 'step s' -e 'cgroup b' -e 'hold 300ms' -e 'step t' -e 'hold full'
	assert_success
	echo "$output" >"$BATS_TEST_TMPDIR/stats.json"
	run validate "$BATS_TEST_TMPDIR/stats.json"
	assert_success
	local change
	for change in '.extra = 1' 'del(.cgroups[0].name)' '.workers[0].cpu_ns = "1"' '.workers[0].exit = "fine"' \
		'.steps[0].workers[0].tid = -1' '.cgroups[0].cpuset = "0-"' '.payloads[0].metrics.x = null'; do
		jq "$change" "$BATS_TEST_TMPDIR/stats.json" >"$BATS_TEST_TMPDIR/changed.json"
		run validate "$BATS_TEST_TMPDIR/changed.json"
		assert_failure
	done
}

@test "what a run that fails or is interrupted prints is valid as well" {
	run --separate-stderr kt-workload -d 500ms -e 'cgroup a workers=1' -e 'run x -- false' -e 'run y -- no-such-program'
	assert_failure 1
	echo "$output" >"$BATS_TEST_TMPDIR/stats.json"
	run validate "$BATS_TEST_TMPDIR/stats.json"
	assert_success
	start_workload -d 200s -e 'cgroup a' -e 'step s' -e 'cgroup b' -e 'hold full'
	eventually cgroup_is_working b
	kill -KILL "$tid"
	interrupt_workload
	run validate "$stats"
	assert_success
}

@test "docs/stats.md explains every key of the schema" {
	run comm -23 <(properties '' | grep -vx -e schema -e cgroups -e steps -e workers -e payloads -e requests | sort) <(documented "")
	assert_output ""
	run comm -23 <(properties '.properties.cgroups.items' | sort) <(documented cgroups)
	assert_output ""
	run comm -23 <(properties '.properties.workers.items' | sort) <(documented workers)
	assert_output ""
	run comm -23 <(properties '.properties.payloads.items' | sort) <(documented payloads)
	assert_output ""
	run comm -23 <(properties '.properties.requests.items' | sort) <(documented requests)
	assert_output ""
	run comm -23 <(properties '.properties.steps.items' | sort) <(documented steps)
	assert_output ""
}
