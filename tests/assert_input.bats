#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-assert reads stats from anywhere, and tells malformed ones with exit 65 and one line.

load lib/kt
load lib/assert

@test "stats come from a file, from stdin, and from a run directory" {
	good_run "$BATS_TEST_TMPDIR/run"
	run -0 kt-assert "$STATS/fair.json"
	run -0 kt-assert - <"$STATS/fair.json"
	assert_output 'PASS fair [topo=1n2l2c1t]'
	run -0 kt-assert --isolation <"$STATS/fair.json"
	run -0 kt-assert "$BATS_TEST_TMPDIR/run"
	assert_output 'PASS fair [topo=1n2l2c1t]'
}

@test "options may stand between operands" {
	run -1 kt-assert "$STATS/unfair.json" --max-gap-ms 5000 "$STATS/fair.json" --max-spread-pct 20
	assert_line '2 runs: 1 passed, 1 failed, 0 inconclusive, 0 unreadable'
}

@test "the order of keys and arrays does not matter" {
	kt-assert --format json --isolation "$STATS/unfair.json" | jq 'del(.source)' >"$BATS_TEST_TMPDIR/a" || true
	kt-assert --format json --isolation "$STATS/keys-reversed.json" | jq 'del(.source)' >"$BATS_TEST_TMPDIR/b" || true
	run -0 diff "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	run jq -r .verdict "$BATS_TEST_TMPDIR/b"
	assert_output fail
}

@test "unknown keys and their values are passed over" {
	variant '.new = {a: [1, {b: [null, true, "x", 1e999]}]} | .workers[].new = [[]] | .cgroups[].wake_latency |= (if . then .new = {} else . end)'
	run -0 kt-assert "$variant"
}

@test "whole numbers may be written as other JSON writers do" {
	sed 's/"work_units": 1000,/"work_units": 1.0e3,/' "$STATS/fair.json" >"$BATS_TEST_TMPDIR/e.json"
	run -0 kt-assert "$BATS_TEST_TMPDIR/e.json" --min-work-rate 50
	sed 's/"work_units": 1000,/"work_units": 9223372036854775807,/' "$STATS/fair.json" >"$BATS_TEST_TMPDIR/e.json"
	run -0 kt-assert "$BATS_TEST_TMPDIR/e.json"
}

# refused MESSAGE: stdin is refused with this line, nothing on stdout.
refused() {
	run -65 --separate-stderr kt-assert
	assert_output ''
	assert_equal "$stderr" "kt-assert: stdin: $1"
}

@test "no input, half an input and more than one are told by their byte" {
	local n
	refused 'byte 0: the input is empty: expected a JSON object' </dev/null
	n=$(wc -c <"$STATS/fair.json")
	head -c 2200 "$STATS/fair.json" | refused 'byte 2200: workers[2]: the input ends here: expected the rest of the JSON object'
	head -c $((n - 3)) "$STATS/fair.json" |
		refused "byte $((n - 3)): the input ends here: expected the rest of the JSON object"
	cat "$STATS/fair.json" "$STATS/fair.json" | refused "byte $((n + 1)): expected JSON (trailing garbage)"
	{ cat "$STATS/fair.json"; echo x; } | refused "byte $n: expected JSON, found 'x' (trailing garbage)"
}

@test "an input truncated anywhere is refused" {
	local n size
	size=$(wc -c <"$STATS/fair.json")
	for ((n = 0; n < size - 2; n += 97)); do
		run -65 kt-assert -q - < <(head -c "$n" "$STATS/fair.json")
	done
}

@test "NaN and infinities are told as what they are" {
	sed 's/"off_cpu_pct": 10/"off_cpu_pct": NaN/' "$STATS/fair.json" |
		refused "byte 1324: workers[0].off_cpu_pct: expected JSON, found 'NaN' (invalid char in json text.)"
	sed 's/"off_cpu_pct": 10/"off_cpu_pct": -Infinity/' "$STATS/fair.json" |
		refused "byte 1324: workers[0].off_cpu_pct: expected JSON, found '-Infinity' (malformed number, a digit is required after the minus sign.)"
	sed 's/"off_cpu_pct": 10/"off_cpu_pct": 1e999/' "$STATS/fair.json" |
		refused 'byte 1329: workers[0].off_cpu_pct: number out of range: expected a finite number'
}

# wrong EDIT MESSAGE: an edited fair.json is refused; the message without its byte.
wrong() {
	variant "$1"
	run -65 kt-assert "$variant"
	assert_output --regexp "^kt-assert: $variant: byte [0-9]+: "
	assert_equal "${output#*: byte *: }" "$2"
}

@test "values of a wrong type are told by their path" {
	wrong '.workers[1].work_units = "5"' 'workers[1].work_units: expected a whole number or null, found a string'
	wrong '.workers[1].work_units = true' 'workers[1].work_units: expected a whole number or null, found true'
	wrong '.workers[1].work_units = {}' 'workers[1].work_units: expected a whole number or null, found an object'
	wrong '.workers[1].work_units = []' 'workers[1].work_units: expected a whole number or null, found an array'
	wrong '.workers[1].cpus_used = 3' 'workers[1].cpus_used: expected a string or null, found a number'
	wrong '.workers[1].exit = null' 'workers[1].exit: expected a string, found null'
	wrong '.workers[1].cgroup_index = null' 'workers[1].cgroup_index: expected a whole number, found null'
	wrong '.workers[1].off_cpu_pct = "10"' 'workers[1].off_cpu_pct: expected a number or null, found a string'
	wrong '.workers[1] = 5' 'workers[1]: expected an object, found a number'
	wrong '.workers = {}' 'workers: expected an array of objects, found an object'
	wrong '.errors = "none"' 'errors: expected an array of strings, found a string'
	wrong '.errors = ["a", 2]' 'errors[1]: expected a string, found a number'
	wrong '.cgroups[0].wake_latency = 5' 'cgroups[0].wake_latency: expected an object or null, found a number'
	wrong '.cgroups[0].wake_latency.cv = "x"' 'cgroups[0].wake_latency.cv: expected a number or null, found a string'
	wrong '[.]' 'expected an object, found an array'
	wrong '5' 'expected an object, found a number'
}

@test "numbers outside their range are told" {
	wrong '.workers[1].work_units = -1' 'workers[1].work_units: expected a whole number from 0, found -1'
	wrong '.workers[1].work_units = 1.5' 'workers[1].work_units: expected a whole number from 0, found 1.5'
	sed 's/"tid": 12/"tid": 9223372036854775808/' "$STATS/fair.json" >"$BATS_TEST_TMPDIR/big.json"
	run -65 kt-assert "$BATS_TEST_TMPDIR/big.json"
	assert_output --partial 'number out of range: expected a whole number below 2^63'
}

@test "missing keys and keys given twice are told" {
	wrong 'del(.workers)' 'expected the key "workers"'
	wrong 'del(.workers[2].max_gap_ns)' 'workers[2]: expected the key "max_gap_ns"'
	wrong 'del(.cgroups[0].wake_latency.count)' 'cgroups[0].wake_latency: expected the key "count"'
	sed 's/"work_units": 500, "iterations": 500, "wall_ns"/"tid": 1, "wall_ns"/' "$STATS/fair.json" >"$BATS_TEST_TMPDIR/twice.json"
	run -65 kt-assert "$BATS_TEST_TMPDIR/twice.json"
	assert_output --partial 'workers[2].tid: expected this key once, found it twice'
}

@test "other documents are told by their schema" {
	wrong '.schema = "kt-stats/2"' 'schema: expected "kt-stats/1", found "kt-stats/2"'
	wrong '.schema = "other/1"' 'schema: expected "kt-stats/1"'
	wrong '.schema = "kt-stats/x"' 'schema: expected "kt-stats/1"'
	wrong '{a: 1}' 'expected the key "schema"'
}

@test "references and CPU lists that point nowhere are told" {
	wrong '.workers[2].cgroup_index = 2' "workers: expected each worker's cgroup_index to be a position in cgroups"
	wrong '.workers[2].cgroup_index = 99999999999' "workers[2].cgroup_index: expected a cgroup's position, below 65536"
	wrong '.cgroups[1].index = 5' "cgroups[1].index: expected the cgroup's position in the array, below 65536"
	wrong '.workers[2].cpus_used = "3-1"' 'workers[2].cpus_used: expected a CPU list below 4096, for example "0-1,4"'
	wrong '.workers[0].cpus_allowed = "0-9999"' 'workers[0].cpus_allowed: expected a CPU list below 4096, for example "0-1,4"'
}

@test "strings that are no text are refused" {
	wrong '.scenario = "a\u0000b"' 'scenario: expected a string without NUL in it'
	printf '{"schema": "\377"}' | refused 'byte 13: schema: expected JSON (invalid bytes in UTF8 string.)'
	head -c 100000 /dev/zero | refused 'byte 1: expected JSON (invalid char in json text.)'
}

@test "deep nesting is refused, wherever it is" {
	{ printf '{"a":'; printf '[%.0s' {1..100000}; } |
		refused 'byte 69: nested too deeply: expected at most 64 levels'
	{ printf '{"workers":'; printf '[%.0s' {1..10}; } |
		refused 'byte 13: workers[0]: expected an object, found an array'
}

# An address space limit stands in for a small machine.
needs_limit() {
	if grep -q __asan_init "$(command -v kt-assert)"; then
		skip "AddressSanitizer does not run under an address space limit"
	fi
}

@test "an endless string is refused after a megabyte, in little memory" {
	needs_limit
	run -65 bash -c 'ulimit -v 100000; { printf "{\"a\": \""; head -c 300M /dev/zero | tr "\0" x; } 2>/dev/null | kt-assert'
	assert_output --partial 'expected a string or number of at most 1048576 bytes'
	run -65 bash -c 'ulimit -v 100000; { printf "{\"a\": 1"; head -c 300M /dev/zero | tr "\0" 1; } 2>/dev/null | kt-assert'
	assert_output --partial 'expected a string or number of at most 1048576 bytes'
}

@test "memory follows the workers and not the text around them" {
	needs_limit
	# 200 MB of keys that nobody knows, read in an address space of 100 MB.
	run -0 bash -c 'ulimit -v 100000
		{
			printf "{\"new\": ["
			yes "{\"a\": [1, 2, 3, \"some text\"], \"b\": {\"c\": null}}," | head -c 200000000 | head -n -1
			printf "0],"
			tail -c +2 "$1"
		} | kt-assert' _ "$STATS/fair.json"
	assert_output 'PASS fair [topo=1n2l2c1t]'
}

@test "an input that is not there or cannot be read is named" {
	run -65 kt-assert /nonexistent/stats.json
	assert_output "kt-assert: cannot read '/nonexistent/stats.json': No such file or directory"
	run -65 kt-assert ''
	assert_output "kt-assert: cannot read '': No such file or directory"
	touch "$BATS_TEST_TMPDIR/notes.txt"
	run -65 kt-assert "$BATS_TEST_TMPDIR"
	assert_output "kt-assert: $BATS_TEST_TMPDIR: expected a run directory with run.json or stats.json"
}

@test "nothing that fuzzing found makes kt-assert die of a signal" {
	local file n=0
	for file in "$KT_ROOT"/tests/fuzz/corpus/stats/*; do
		run kt-assert -q "$file"
		[[ $status =~ ^(0|1|2|65)$ ]] || fail "$file: exit $status"
		n=$((n + 1))
	done
	[ "$n" -ge 20 ]
}
