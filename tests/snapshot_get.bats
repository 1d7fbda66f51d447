#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Snapshots are read by dotted paths, compared and printed; what is not there, or not clear, is said.

load lib/kt

# A document with the cases that a scheduler's maps make: a name that one map has, one that several have, keys that
# are numbers and keys that are structs, values by CPU.
setup_file() {
	cat >"$BATS_FILE_TMPDIR/some.json" <<-'EOF'
		{"schema": "kt-snapshot/1", "name": "some", "trigger": "demand",
		 "cpu": [{"cpu": 0, "curr": {"comm": "worker\n"}}, {"cpu": 1, "curr": {"comm": "swapper/1"}}],
		 "map": [
		  {"id": 1, "name": "task_ctx", "type": "hash", "entries": [
		   {"key": {"pid": 97, "tgid": 90}, "value": {"runtime_ns": 5, "state": "RUNNING"}},
		   {"key": {"pid": 98, "tgid": 90}, "value": {"runtime_ns": 6, "state": "WAITING"}}]},
		  {"id": 2, "name": "stats", "type": "percpu_array", "entries": [{"key": 0, "cpu": [1, 2]}, {"key": 1, "cpu": [3, 4]}]},
		  {"id": 3, "name": "a.bss", "type": "array", "vars": {"nr_x": 1, "type": 2}},
		  {"id": 4, "name": "b.bss", "type": "array", "vars": {"nr_x": 3}},
		  {"id": 5, "name": "b.bss", "type": "array", "vars": {"nr_x": 4, "nr_z": 7}}],
		 "prog": [{"id": 9, "name": "enqueue", "type": "struct_ops"}]}
	EOF
}

setup() {
	some=$BATS_FILE_TMPDIR/some.json
}

# gets PATH VALUE
gets() {
	run -0 kt-snapshot get "$some" "$1"
	assert_output "$2"
}

# misses PATH LINE
misses() {
	run -1 kt-snapshot get "$some" "$1"
	assert_output "kt-snapshot: $2"
}

@test "variables, entries by key, values by CPU and plain members are found" {
	gets var.nr_z 7
	gets 'map."a.bss".nr_x' 1
	gets 'map."a.bss".type' 2
	gets 'map[id=5].nr_x' 4
	gets 'map.task_ctx[pid=98].runtime_ns' 6
	gets 'map.task_ctx[pid=97]' '{"key":{"pid":97,"tgid":90},"value":{"runtime_ns":5,"state":"RUNNING"}}'
	gets 'map.stats[1].cpu[1]' 4
	gets map.stats.type percpu_array
	gets prog.enqueue.id 9
	gets 'cpu[1].curr.comm' swapper/1
}

@test "several paths give one line each, as JSON if wanted, and - is standard input" {
	run -0 kt-snapshot get "$some" 'cpu[0].curr.comm' 'map.task_ctx[pid=97].state'
	assert_output 'worker\x0a
RUNNING'
	run -0 kt-snapshot get --json - 'cpu[0].curr.comm' 'map.stats[0].cpu' <"$some"
	assert_output '"worker\n"
[1,2]'
	# What is there is printed all the same.
	run -1 --separate-stderr kt-snapshot get "$some" var.nr_z var.nr_q map.stats.id
	assert_output '7
2'
}

@test "a miss says which step failed and what was there" {
	misses 'cpu[2].curr.comm' 'cpu[2]: no such element in cpu; it has 2 elements'
	misses 'cpu[0].cur' 'cpu[0].cur: no such member in cpu[0]; it has cpu, curr'
	misses var.nr_q 'var.nr_q: no map has a variable of that name; there are nr_x, type, nr_x, nr_x, nr_z'
	misses map.tasks 'map.tasks: nothing of that name in map; it has task_ctx, stats, "a.bss", "b.bss", "b.bss"'
	misses 'map.stats[7]' 'map.stats[7]: no entry with that key in map.stats; its keys are 0, 1'
	misses 'map.task_ctx[pid=9].x' \
		'map.task_ctx[pid=9]: no entry with that key in map.task_ctx; its keys are {"pid":97,"tgid":90}, {"pid":98,"tgid":90}'
	misses scx.root 'scx: no such member in the document; it has schema, name, trigger, cpu, map, prog'
	jq 'del(.map)' "$some" >"$BATS_TEST_TMPDIR/without.json"
	run -1 kt-snapshot get "$BATS_TEST_TMPDIR/without.json" var.nr_z
	assert_output 'kt-snapshot: var.nr_z: the snapshot has no section map, which variables are in'
}

@test "an ambiguous name names the maps it may mean, as paths that work" {
	misses var.nr_x 'var.nr_x: 3 maps have a variable of that name: expected one of map."a.bss".nr_x, map[id=4].nr_x, map[id=5].nr_x'
	misses 'map."b.bss".nr_x' 'map."b.bss": 2 are called that: expected one of map[id=4], map[id=5]'
}

@test "wrong paths are wrong usage, and what is no snapshot is bad input" {
	run -64 kt-snapshot get "$some" 'var.'
	assert_output "kt-snapshot: path 'var.': byte 4: expected a name after the dot"
	run -64 kt-snapshot get "$some"
	assert_output --partial 'expected a snapshot'
	run -64 kt-snapshot get "$BATS_TEST_TMPDIR/none" var.x
	assert_output --partial 'No such file or directory: expected a snapshot'
	run -65 kt-snapshot get - var.x <<<'{"schema":"kt-stats/1"}'
	assert_output "kt-snapshot: '-': expected a snapshot, schema \"kt-snapshot/1\""
	run -65 kt-snapshot get - var.x <<<'{"schema":'
	assert_output --partial "'-': expected a snapshot's JSON: line"
}

@test "diff says what changed, came and went, by paths that get takes" {
	jq '.map[0].entries[0].value.runtime_ns = 9 | .map[0].entries[1].value.state = "RUNNING" | .map[1].entries[1].cpu[0] = 1
		| del(.map[3]) | .map[2].vars.nr_new = 1 | .cpu[1].curr.comm = "x" | .name = "other" | .frozen_ns = 5
		| .big = "18446744073709551615"' "$some" >"$BATS_TEST_TMPDIR/other.json"
	jq '.big = "18446744073709551610"' "$some" >"$BATS_TEST_TMPDIR/some.json"
	run -1 kt-snapshot diff "$BATS_TEST_TMPDIR/some.json" "$BATS_TEST_TMPDIR/other.json"
	assert_output 'cpu[1].curr.comm: "swapper/1" -> "x"
map.task_ctx[pid=97].runtime_ns: 5 -> 9 (+4)
map.task_ctx[pid=98].state: "WAITING" -> "RUNNING"
map.stats[1].cpu[0]: 3 -> 1 (-2)
map."a.bss".nr_new: new 1
map[id=4]: gone, was {"id":4,"name":"b.bss","type":"array","vars":{"nr_x":3}}
big: "18446744073709551610" -> "18446744073709551615" (+5)'
	run -1 kt-snapshot diff --json - "$BATS_TEST_TMPDIR/other.json" <"$BATS_TEST_TMPDIR/some.json"
	assert_equal "$(jq -c '[.schema, .b.name, .changes[1]]' <<<"$output")" \
		'["kt-snapshot-diff/1","other",{"path":"map.task_ctx[pid=97].runtime_ns","a":5,"b":9,"difference":4}]'
	local path
	while read -r path; do
		run -0 kt-snapshot get "$BATS_TEST_TMPDIR/some.json" "$path"
	done < <(jq -r '.changes[] | select(has("a")).path' <<<"$output")
	run -0 kt-snapshot diff "$some" "$some"
	assert_output ''
	run -64 kt-snapshot diff "$some"
	assert_output 'kt-snapshot: diff: expected two snapshots'"'"' files, one of which may be -'
}

@test "print shows tables of at most 80 columns, without colours in a pipe" {
	jq '.t_ns = 1500000000 | .frozen_ns = 250000 | .missing = ["struct rq.x"] | .map[4].vars.long = ("y" * 200)' \
		"$some" >"$BATS_TEST_TMPDIR/tall.json"
	run -0 kt-snapshot print - <"$BATS_TEST_TMPDIR/tall.json"
	assert_line --index 0 --partial 'some  trigger demand'
	assert_line 'at 1.500000 s of the guest'"'"'s time; it stood still for 0.250 ms'
	assert_line 'missing: struct rq.x'
	assert_line --regexp '^ID +NAME +TYPE +KEY +VALUE +MAX +ENTRIES$'
	assert_line --regexp '^ 1 +task_ctx +hash .* 2$'
	assert_line 'Variables of a.bss'
	assert_line --regexp '^nr_z +7$'
	# A guest's control characters do not reach the terminal.
	assert_line --partial 'worker\x0a'
	local line
	for line in "${lines[@]}"; do
		[ ${#line} -le 80 ] || fail "longer than 80: $line"
	done
	refute_output --partial $'\033'
}
