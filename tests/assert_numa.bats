#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-assert judges where a cgroup's pages are: on the nodes where they should be, moving, on slow memory.

load lib/kt
load lib/assert

# Of steps.json: cg0 (tids 10 and 11) is bound to node 0, cg1 (tid 12) is not; 90 of each worker's 100
# pages are on node 0 and 10 on node 1, 5 were migrated; node 2 has memory only.
numa_variant() {
	variant "$1" steps.json
}

good() { # EDIT OPTION...
	numa_variant "$1"
	run kt-assert "$variant" "${@:2}"
	assert_output 'PASS steps [topo=1n2l2c1t]'
	assert_success
}

bad() { # EDIT LINE OPTION...
	numa_variant "$1"
	run -1 kt-assert "$variant" "${@:3}"
	assert_line --index 1 "  $2"
	assert_line --index 2 '--- stats ---'
}

unknown() { # EDIT LINE OPTION...
	numa_variant "$1"
	run -2 kt-assert "$variant" "${@:3}"
	assert_line --index 0 "ktstr_test 'steps' [topo=1n2l2c1t] inconclusive:"
	assert_line --index 1 "  $2"
}

@test "page locality fails a cgroup with a smaller share of pages on its nodes, and is off by default" {
	good '.workers[].numa_pages = {"1": 5}'
	good . --min-page-locality 0.9
	bad . 'cg0 misplaced: page_locality=0.90 180 of 200 pages on nodes 0 (threshold 0.91)' --min-page-locality 0.91
	# The cgroup's sum counts, and a value that is just below shows it.
	good '.workers[0].numa_pages = {"1": 100} | .workers[1].numa_pages = {"0": 900}' --min-page-locality 0.9
	bad '.workers[0].numa_pages = {"1": 101} | .workers[1].numa_pages = {"0": 899}' \
		'cg0 misplaced: page_locality=0.899 899 of 1000 pages on nodes 0 (threshold 0.9)' --min-page-locality 0.9
	good '.cgroups[0].numa_nodes_expected = "0-1"' --min-page-locality 1
}

@test "no pages under a bind policy fail, whatever the share, and are inconclusive under others" {
	bad '.workers[0,1].numa_pages = {}' 'cg0 misplaced: no pages under mempolicy bind:0 (threshold 0)' --min-page-locality 0
	bad '.workers[0,1].numa_pages = {"0": 0}' 'cg0 misplaced: no pages under mempolicy bind:0 (threshold 0.5)' \
		--min-page-locality 0.5
	unknown '.workers[0,1].numa_pages = {} | .cgroups[0].mempolicy = "preferred:0"' \
		'cg0: min-page-locality not measured: its workers have no pages' --min-page-locality 0.5
	unknown '.workers[0,1].numa_pages = {} | .cgroups[0].mempolicy = null' \
		'cg0: min-page-locality not measured: its workers have no pages' --min-page-locality 0.5
}

@test "page locality is inconclusive without pages or without a cgroup that expects some nodes" {
	unknown '.workers[1].numa_pages = null' 'cg0: min-page-locality not measured: 1 of 2 workers have no numa_pages' \
		--min-page-locality 0.5
	unknown 'del(.workers[].numa_pages)' 'cg0: min-page-locality not measured: 2 of 2 workers have no numa_pages' \
		--min-page-locality 0.5
	unknown 'del(.cgroups[].numa_nodes_expected)' \
		'run: min-page-locality not measured: no cgroup says on which nodes its pages should be' --min-page-locality 0.5
}

@test "cross-node migration fails a cgroup with more migrated pages for its pages" {
	good . --max-cross-node-migration-ratio 0.05
	bad '.workers[0].numa_pages_migrated = 105' \
		'cg0 restless: cross_node_migration_ratio=0.55 110 pages migrated of 200 (threshold 0.5)' \
		--max-cross-node-migration-ratio 0.5
	# Pages may move more than once, and cgroups without expected nodes are judged too.
	bad '.workers[2].numa_pages_migrated = 300' \
		'cg1 restless: cross_node_migration_ratio=3.00 300 pages migrated of 100 (threshold 2)' \
		--max-cross-node-migration-ratio 2
	good '.workers[].numa_pages_migrated = 1000'
}

@test "cross-node migration is inconclusive when migrations or pages were not counted" {
	unknown '.workers[2].numa_pages_migrated = null' \
		'cg1: max-cross-node-migration-ratio not measured: 1 of 1 workers have no numa_pages_migrated' \
		--max-cross-node-migration-ratio 1
	unknown '.workers[2].numa_pages = null' \
		'cg1: max-cross-node-migration-ratio not measured: 1 of 1 workers have no numa_pages' \
		--max-cross-node-migration-ratio 1
	unknown '.workers[2].numa_pages = {}' \
		'cg1: max-cross-node-migration-ratio not measured: its workers have no pages' --max-cross-node-migration-ratio 1
}

@test "slow tier fails a cgroup with more pages on memory-only nodes" {
	good . --max-slow-tier-ratio 0
	good '.workers[0].numa_pages = {"0": 50, "2": 50}' --max-slow-tier-ratio 0.25
	bad '.workers[0].numa_pages = {"0": 50, "2": 50}' 'cg0 on slow memory: slow_tier_ratio=0.25 50 of 200 pages (threshold 0.2)' \
		--max-slow-tier-ratio 0.2
	# A machine without such nodes has nothing on them.
	good '.numa_nodes[2].memory_only = false | .workers[0].numa_pages = {"2": 1}' --max-slow-tier-ratio 0
	good '.numa_nodes = []' --max-slow-tier-ratio 0
}

@test "slow tier is inconclusive when the machine's nodes or the pages are unknown" {
	unknown '.numa_nodes = null' \
		'cg0: max-slow-tier-ratio not measured: no numa_nodes: which have memory only is unknown' --max-slow-tier-ratio 1
	unknown 'del(.numa_nodes)' \
		'cg0: max-slow-tier-ratio not measured: no numa_nodes: which have memory only is unknown' --max-slow-tier-ratio 1
	unknown '.workers[1].numa_pages = null' 'cg0: max-slow-tier-ratio not measured: 1 of 2 workers have no numa_pages' \
		--max-slow-tier-ratio 1
}

@test "NUMA figures are of the step that is judged, and so are its expected nodes" {
	run -0 kt-assert --step warmup --min-page-locality 1 --max-cross-node-migration-ratio 0 "$STATS/steps.json"
	run -1 kt-assert --step load --min-page-locality 1 "$STATS/steps.json"
	assert_line --index 1 '  cg0 misplaced: page_locality=0.90 180 of 200 pages on nodes 0 (threshold 1)'
	numa_variant '.steps[1].cgroups[0] += {numa_nodes_expected: "0-1", mempolicy: "bind:0-1"}'
	run -0 kt-assert --step load --min-page-locality 1 "$variant"
	run -1 kt-assert --step warmup --min-page-locality 1 --max-slow-tier-ratio 0 \
		<(jq '.steps[0].workers[].numa_pages = {"2": 8}' "$STATS/steps.json")
	assert_line '  cg0 misplaced: page_locality=0.00 0 of 16 pages on nodes 0 (threshold 1)'
	assert_line '  cg0 on slow memory: slow_tier_ratio=1.00 16 of 16 pages (threshold 0)'
}

@test "page counts that are none are refused by their path" {
	local edit text
	while IFS='|' read -r edit text; do
		numa_variant "$edit"
		run -65 kt-assert "$variant"
		assert_output --regexp "^kt-assert: $variant: byte [0-9]+: "
		assert_equal "${output#*: byte *: }" "$text"
	done <<-'EOF'
		.workers[1].numa_pages = 5|workers[1].numa_pages: expected an object or null, found a number
		.workers[1].numa_pages = []|workers[1].numa_pages: expected an object or null, found an array
		.workers[1].numa_pages = {"0": null}|workers[1].numa_pages: expected a whole number, found null
		.workers[1].numa_pages = {"0": -1}|workers[1].numa_pages: expected a whole number from 0, found -1
		.workers[1].numa_pages = {"0": {}}|workers[1].numa_pages: expected a whole number, found an object
		.workers[1].numa_pages = {"": 1}|workers[1].numa_pages: expected whole numbers up to 4095 as keys
		.workers[1].numa_pages = {"n0": 1}|workers[1].numa_pages: expected whole numbers up to 4095 as keys
		.workers[1].numa_pages = {"4096": 1}|workers[1].numa_pages: expected whole numbers up to 4095 as keys
		.workers[1].numa_pages = {"0": 1, "00": 2}|workers[1].numa_pages: expected the key "0" once, found it twice
		.cgroups[0].numa_nodes_expected = "1-0"|cgroups[0].numa_nodes_expected: expected a list of nodes below 4096, for example "0-1"
		.numa_nodes[1].node = 9999|numa_nodes[1].node: expected a node's number, below 4096
		del(.numa_nodes[1].memory_only)|numa_nodes[1]: expected the key "memory_only"
	EOF
}

@test "shares are numbers from 0 to 1: nobody takes them for percentages" {
	local check
	for check in min-page-locality max-slow-tier-ratio; do
		run -64 kt-assert "--$check" 90 "$STATS/steps.json"
		assert_output "kt-assert: --$check: expected a number from 0 to 1, or off, found '90'"
		run -64 kt-assert "--$check=-0.1" "$STATS/steps.json"
		run -0 kt-assert "--$check=off" "$STATS/steps.json"
	done
	echo 'min_page_locality = 1.01' >"$BATS_TEST_TMPDIR/a.policy"
	run -65 kt-assert -p "$BATS_TEST_TMPDIR/a.policy" "$STATS/steps.json"
	assert_output --partial 'a.policy:1: min_page_locality: expected a number from 0 to 1, or off'
}
