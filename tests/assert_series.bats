#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-assert --series judges what fields do over time, names field, pattern, samples and times, and takes no
# sample that could not be measured for a good one.

# shellcheck disable=SC2154 # bats sets stderr
load lib/kt

# Ten samples, 100 ms apart: n rises by 10, flat wavers within 1 of 101, sq is the square within a map entry.
setup() {
	cd "$BATS_TEST_TMPDIR"
	jq -nc 'range(10) | {t_ns: (5000000000 + . * 100000000),
		var: {n: (. * 10), flat: (100 + . % 3), ok: true, name: "x", "a.b:c": 1},
		cpu: [{nr: 1}, {nr: (if . == 4 then 7 else 2 end)}],
		map: {tasks: [{key: {pid: 96}, value: {run: 1}}, {value: {run: (. * .)}, key: {pid: 97}}]}}' >s.jsonl
}

# change NUMBER FILTER: s.jsonl with the sample of that number changed by jq, on stdout.
change() {
	jq -c "if input_line_number == $1 then $2 else . end" s.jsonl
}

@test "nondecreasing passes a field that rises or stays and names the samples and times where it falls" {
	run -0 kt-assert --series s.jsonl --nondecreasing var.n --nondecreasing var.ok.no --nondecreasing 'cpu[0].nr' \
		--allow-inconclusive
	change 5 '.var.n = 15' >fall.jsonl
	run -1 kt-assert --series fall.jsonl --nondecreasing var.n
	assert_line --index 1 '  nondecreasing var.n: fell from 30 (sample 4 at +300ms) to 15 (sample 5 at +400ms)'
	assert_equal "$(grep -c 'fell from' <<<"$output")" 1
}

@test "strictly-increasing fails where a field stays" {
	run -0 kt-assert --series s.jsonl --strictly-increasing var.n
	run -1 kt-assert --series s.jsonl --strictly-increasing 'cpu[0].nr'
	assert_line --index 1 '  strictly-increasing cpu[0].nr: did not rise from 1 (sample 1 at +0ms) to 1 (sample 2 at +100ms)'
}

@test "rate-within bounds the change per millisecond, from one side or both" {
	run -0 kt-assert --series s.jsonl --rate-within var.n:0.1:0.1 --rate-within var.n::0.2 --rate-within var.n:0:
	change 3 '.var.n = 40' >jump.jsonl
	run -1 kt-assert --series jump.jsonl --rate-within var.n:0:0.2
	assert_line --index 1 '  rate-within var.n: 0.3/ms (expected 0 to 0.2) from 10 (sample 2 at +100ms) to 40 (sample 3 at +200ms)'
	assert_line --index 2 '  rate-within var.n: -0.1/ms (expected 0 to 0.2) from 40 (sample 3 at +200ms) to 30 (sample 4 at +300ms)'
	run -1 kt-assert --series jump.jsonl --rate-within var.n::0.2
	assert_line --partial '(expected at most 0.2)'
	run -1 kt-assert --series jump.jsonl --rate-within var.n:0:
	assert_line --partial '(expected at least 0)'
}

@test "steady-within holds the samples after the warm-up against their mean" {
	run -0 kt-assert --series s.jsonl --steady-within var.flat:0s:1.5 --steady-within var.flat:0s:2%
	run -1 kt-assert --series s.jsonl --steady-within var.flat:0s:0.5
	change 1 '.var.flat = 1000' >warm.jsonl
	run -0 kt-assert --series warm.jsonl --steady-within var.flat:100ms:1.5
	run -1 kt-assert --series warm.jsonl --steady-within var.flat:0s:1.5
	assert_line --index 1 --regexp '^  steady-within var.flat: 1000 \(sample 1 at \+0ms\) is 809\.1 off the mean 190\.9 of 10 samples \(tolerance 1\.5\), the other extreme is 100 \(sample 4 at \+300ms\)$'
	run -2 kt-assert --series s.jsonl --steady-within var.flat:900ms:5
	assert_line --partial 'not measured: 1 samples with the field from +900ms on (expected at least 2)'
}

@test "converges-to wants three samples in a row up to the deadline, the last on it at the latest" {
	jq -nc 'range(8) | {t_ns: (. * 1000000), v: ([9, 100, 9, 100, 101, 99, 100, 50][.])}' >c.jsonl
	run -0 kt-assert --series c.jsonl --converges-to v:100:1:5ms --converges-to v:100:1%:1s
	run -1 kt-assert --series c.jsonl --converges-to v:100:1:4ms
	assert_line --index 1 '  converges-to v: not within 1 of 100 in 3 samples in a row up to +4ms, nearest 100 (sample 2 at +1ms), last 101 (sample 5 at +4ms)'
	run -1 kt-assert --series c.jsonl --converges-to v:100:0.5:7ms
	# What ends before the deadline might still have converged; two samples cannot be three.
	run -2 kt-assert --series c.jsonl --converges-to v:300:1:1s
	assert_line --partial 'not measured: the samples end before +1000ms'
	run -2 kt-assert --series c.jsonl --converges-to v:9:1:1ms
	# A sample without the field is none of three in a row.
	jq -c 'if .t_ns == 4000000 then del(.v) else . end' c.jsonl >gap.jsonl
	run -1 kt-assert --series gap.jsonl --converges-to v:100:1:7ms
}

@test "always-true takes true and numbers but 0, and a missing field is a failure" {
	run -0 kt-assert --series s.jsonl --always-true var.ok --always-true 'cpu[0].nr'
	run -1 kt-assert --series s.jsonl --always-true var.n
	assert_line --index 1 '  always-true var.n: 0 in sample 1 at +0ms (expected true)'
	change 3 'del(.var.ok)' >gone.jsonl
	run -1 kt-assert --series gone.jsonl --always-true var.ok
	assert_line --index 1 '  always-true var.ok: no such field (found var) in sample 3 at +200ms, last held in sample 2 at +100ms'
	change 3 '.var.ok = null' >null.jsonl
	run -1 kt-assert --series null.jsonl --always-true var.ok
	assert_line --partial 'null in sample 3 at +200ms'
}

@test "ratio-within divides two fields of a sample, and cannot divide by 0" {
	run -0 kt-assert --series s.jsonl --ratio-within var.n:var.flat:0:1
	run -1 kt-assert --series s.jsonl --ratio-within var.n:var.flat::0.7
	assert_line --index 1 '  ratio-within var.n / var.flat: 0.784314 (80 / 102) in sample 9 at +800ms (expected at most 0.7), last held in sample 8 at +700ms'
	run -0 kt-assert --series s.jsonl --ratio-within var.flat:var.n:0:100 -v
	assert_line --partial '10 samples, 1 gaps, the first: var.n in sample 1 at +0ms: 0'
	jq -c '.var.n = 0' s.jsonl >zero.jsonl
	run -2 kt-assert --series zero.jsonl --ratio-within var.flat:var.n:0:100
}

@test "each compares numbers, strings and words, and a missing field is a failure" {
	run -0 kt-assert --series s.jsonl --each var.n:ge:0 --each 'var.n:<=:90' --each 'var.name:==:x' --each var.ok:eq:true \
		--each var.name:ne:y --each 'cpu[1].nr:gt:1' --each var.n:!=:5
	run -1 kt-assert --series s.jsonl --each 'cpu[1].nr:lt:5'
	assert_line --index 1 '  each cpu[1].nr: 7 in sample 5 at +400ms (expected <5), last held in sample 4 at +300ms'
	run -1 kt-assert --series s.jsonl --each var.n:lt:90
	run -1 kt-assert --series s.jsonl --each var.n:gt:0
	run -1 kt-assert --series s.jsonl --each var.n:le:89
	run -1 kt-assert --series s.jsonl --each var.n:ge:1
	run -1 kt-assert --series s.jsonl --each var.gone:eq:1
	run -1 kt-assert --series s.jsonl --each var.name:lt:5
	change 2 '.var.n = null' >null.jsonl
	run -1 kt-assert --series null.jsonl --each var.n:ne:99999
	assert_line --partial 'null in sample 2'
}

@test "paths take names, positions, elements by key, entries' values and quoted names" {
	run -0 kt-assert --series s.jsonl --nondecreasing 'map.tasks[pid=97].run' --each 'map.tasks[pid=96].run:eq:1' \
		--nondecreasing 'map.tasks[1].value.run' --each 'map.tasks[pid=97].key.pid:eq:97' --each 'var."a.b:c":eq:1' \
		--each 'cpu[nr=1].nr:eq:1'
	run -1 kt-assert --series s.jsonl --each 'map.tasks[pid=98].run:eq:1'
	assert_line --index 1 --partial 'no such field (found map.tasks) in sample 1'
}

@test "paths into snapshots lead where kt-snapshot get finds: variables, entries by key, what has a name" {
	jq -nc 'range(4) | {t_ns: (5000000000 + . * 100000000), map: [
		{name: "tasks", id: 1, entries: [{key: 7, value: {run: 3}}, {key: 0, value: {run: .}}, {key: {pid: 97}, value: {run: (2 * .)}}]},
		{id: 2, vars: {nr: ., both: 1, max: 9}, name: "x.bss", max: 5},
		{name: "y.bss", vars: {both: 2, own: {deep: .}}, max: 6}],
		dsq: [{name: "a", nr: 4}, {name: "b", nr: 5}]}' >maps.jsonl
	run -0 kt-assert --series maps.jsonl --strictly-increasing var.nr --strictly-increasing var.own.deep \
		--strictly-increasing 'map.tasks[0].run' --strictly-increasing 'map.tasks[pid=97].run' --each 'map.tasks[7].run:eq:3' \
		--each 'map."x.bss".max:eq:9' --each 'map."y.bss".max:eq:6' --each 'map[id=2].nr:lt:4' --each 'map."y.bss".both:eq:2' \
		--each 'dsq.b.nr:eq:5'
	# A variable that two maps have is none, and neither is one that there is not.
	for path in var.both var.nil map.tasks.nil 'map.tasks[3].run' map.nil.max dsq.c.nr; do
		run -1 kt-assert --series maps.jsonl --each "$path:eq:1"
		assert_line --partial 'no such field'
	done
}

@test "a sample without the field is a noted gap for the trend patterns" {
	change 3 'del(.var.n)' | jq -c 'if .t_ns == 5300000000 then .var.n = null else . end' >gaps.jsonl
	run -0 kt-assert --series gaps.jsonl --nondecreasing var.n -v
	assert_line '  nondecreasing var.n: pass, 8 samples, 2 gaps, the first: sample 3 at +200ms: no such field (found var)'
	# Across the gap the pattern goes on.
	jq -c 'if .t_ns == 5400000000 then .var.n = 5 else . end' gaps.jsonl >fall.jsonl
	run -1 kt-assert --series fall.jsonl --nondecreasing var.n
	assert_line --index 1 '  nondecreasing var.n: fell from 10 (sample 2 at +100ms) to 5 (sample 5 at +400ms)'
	run -0 kt-assert --series gaps.jsonl --nondecreasing var.n --format json
	assert_equal "$(jq -c '.series.patterns[0] | [.pattern, .argument, .verdict, .samples, .gaps]' <<<"$output")" \
		'["nondecreasing","var.n","pass",8,2]'
}

@test "too few samples are inconclusive, and say why" {
	head -1 s.jsonl >one.jsonl
	for pattern in --nondecreasing=var.n --strictly-increasing=var.n --rate-within=var.n:0:1 --steady-within=var.n:0s:5 \
		--converges-to=var.n:0:1:1s --ratio-within=var.gone:var.n:0:1; do
		run -2 kt-assert --series one.jsonl "$pattern"
		assert_line --partial 'not measured'
	done
	run -2 kt-assert --series s.jsonl --nondecreasing var.name
	assert_line --index 1 '  nondecreasing var.name not measured: 0 samples with the field (expected at least 2), the first without: sample 1 at +0ms: "x"'
	run -0 kt-assert --series one.jsonl --each var.n:eq:0 --always-true var.ok
}

@test "files are put in the order of their times, a directory and a run directory give theirs" {
	mkdir -p snaps run/snapshots
	for i in 1 2 3 4; do
		sed -n "${i}p" s.jsonl | jq . >"snaps/$((9 - i)).json"
	done
	echo '{"no": "sample"}' >snaps/notes.txt
	run -0 kt-assert --series snaps --nondecreasing var.n --each var.n:lt:40
	run -0 kt-assert --nondecreasing var.n --series snaps/*.json
	run -1 kt-assert --series snaps --each var.n:lt:30
	assert_line --index 1 '  each var.n: 30 in sample 4 (5.json) at +300ms (expected <30), last held in sample 3 (6.json) at +200ms'
	cp snaps/*.json run/snapshots
	echo '{"schema":"kt-run/1","outcome":"exited","exit_status":0}' >run/run.json
	run -0 kt-assert --series run --nondecreasing var.n
}

@test "stdin is a series, and 64-bit counters are compared to the unit" {
	run -0 kt-assert --series --nondecreasing var.n <s.jsonl
	run -0 kt-assert --series --nondecreasing var.n - <s.jsonl
	printf '{"t_ns":%d,"v":%s}\n' 1 18446744073709551614 2 18446744073709551615 >big.jsonl
	run -0 kt-assert --series big.jsonl --strictly-increasing v --each v:gt:18446744073709551613
	run -1 kt-assert --series big.jsonl --each v:ne:18446744073709551615
	assert_line --index 1 --partial 'each v: 18446744073709551615 in sample 2'
}

@test "a run directory's snapshots are judged with the run, and there must be some" {
	mkdir -p run/snapshots
	cp "$KT_ROOT/tests/fixtures/stats/fair.json" run/stats.json
	echo '{"schema":"kt-run/1","outcome":"exited","exit_status":0}' >run/run.json
	head -2 s.jsonl | tail -1 >run/snapshots/b.json
	head -1 s.jsonl >run/snapshots/a.json
	run -0 kt-assert run --nondecreasing var.n
	run -1 kt-assert run --each var.n:gt:0
	assert_line --partial '  each var.n: 0 in sample 1 (a.json) at +0ms (expected >0)'
	assert_line '--- stats ---'
	rm -r run/snapshots
	run -2 kt-assert run --nondecreasing var.n
	assert_line '  nondecreasing var.n not measured: no series (expected RUNDIR/snapshots, or --series)'
}

@test "verdicts of a series come in all formats, and take expect-fail, allow-inconclusive and no-skip" {
	run -1 kt-assert --series s.jsonl --always-true var.n --format tap
	assert_line --index 2 'not ok 1 - s.jsonl [topo=-]'
	assert_line --partial '#   always-true var.n: 0 in sample 1'
	kt-assert --series s.jsonl --always-true var.n --format junit >out.xml || true
	xmllint --noout --schema "$KT_ROOT/tests/fixtures/junit-ant.xsd" out.xml 2>lint
	assert_equal "$(xmllint --xpath 'string(//failure/@message)' out.xml)" \
		'always-true var.n: 0 in sample 1 at +0ms (expected true)'
	run -1 kt-assert --series s.jsonl --always-true var.n --format json
	assert_equal "$(jq -r '.verdict, .series.samples, .series.duration_ns, .series.patterns[0].findings[0].text' <<<"$output")" \
		$'fail\n10\n900000000\nalways-true var.n: 0 in sample 1 at +0ms (expected true)'
	run -0 kt-assert --series s.jsonl --always-true var.n --expect-fail
	run -1 kt-assert --series s.jsonl --always-true var.ok --expect-fail
	run -0 kt-assert --series s.jsonl --nondecreasing var.gone --allow-inconclusive
	run -0 kt-assert --series s.jsonl
	assert_output --partial 'SKIP'
	run -1 kt-assert --series s.jsonl --no-skip
	run -1 kt-assert -q --series s.jsonl --always-true var.n
	assert_output ''
}

# refused STATUS TEXT ARGUMENT...: the status, and one line on stderr that holds TEXT.
refused() {
	run "-$1" --separate-stderr kt-assert "${@:3}"
	assert_equal "${#stderr_lines[@]}" 1
	# shellcheck disable=SC2016
	[[ $stderr == *"$2"* ]] || fail "expected '$2' in: $stderr"
}

@test "paths, operators and numbers that are none are refused with what was expected" {
	refused 64 "path '.n': byte 0: expected a name" --series s.jsonl --nondecreasing .n
	refused 64 "path 'a..b': byte 2: expected a name after the dot" --series s.jsonl --nondecreasing a..b
	refused 64 "path 'a[x': byte 3: expected = after the name in [NAME=VALUE]" --series s.jsonl --nondecreasing 'a[x'
	refused 64 "path 'a[pid=97': byte 8: expected ] here" --series s.jsonl --nondecreasing 'a[pid=97'
	refused 64 "byte 1: expected . or [ here" --series s.jsonl --nondecreasing 'a=b'
	refused 64 "expected a closing quote" --series s.jsonl --nondecreasing 'a."b'
	refused 64 "expected a position below 2147483648" --series s.jsonl --nondecreasing 'a[99999999999]'
	refused 64 "expected F (nothing after the field), found 'a:5'" --series s.jsonl --nondecreasing a:5
	refused 64 "OP is one of == != < <= > >= or eq ne lt le gt ge" --series s.jsonl --each a:is:5
	refused 64 "VALUE is a number with this OP" --series s.jsonl --each a:lt:nan
	refused 64 "--rate-within: expected F:LO:HI (two numbers" --series s.jsonl --rate-within a:nan:5
	refused 64 "--rate-within: expected F:LO:HI (two numbers" --series s.jsonl --rate-within a:6:5
	refused 64 "--rate-within: expected F:LO:HI (two numbers" --series s.jsonl --rate-within a::
	refused 64 "WARMUP is a duration" --series s.jsonl --steady-within a:soon:5
	refused 64 "TOL is a number from 0" --series s.jsonl --steady-within a:1s:-5
	refused 64 "TOL is a number from 0" --series s.jsonl --converges-to a:1:inf:5s
	refused 64 "DEADLINE is a duration" --series s.jsonl --converges-to a:1:1:late
	refused 64 "--max-gap-ms is for a run that is judged by itself" --series s.jsonl --max-gap-ms 5
	refused 64 "did you mean '--nondecreasing'" --series s.jsonl --nondecreasin a
}

@test "series that are none are bad input, named with the line" {
	: >empty.jsonl
	refused 65 'empty.jsonl: expected at least one sample, found none' --series empty.jsonl --nondecreasing a
	head -c 100 s.jsonl >cut.jsonl
	refused 65 'cut.jsonl: line 1, byte 100: the input ends here' --series cut.jsonl --nondecreasing a
	(head -3 s.jsonl && echo '{"t_ns": 6000000000, "a": NaN}') >nan.jsonl
	refused 65 "nan.jsonl: line 4, byte 26: expected JSON, found 'NaN'" --series nan.jsonl --nondecreasing a
	printf '{"t_ns":1,"a":1e5000}' >inf.jsonl
	refused 65 'expected a finite number' --series inf.jsonl --nondecreasing a
	echo '[{"t_ns":1}]' >array.json
	refused 65 'expected an object for each sample' --series array.json --nondecreasing a
	(head -3 s.jsonl && echo '{"a": 1}') >no_time.jsonl
	refused 65 'no_time.jsonl: line 4: expected the key "t_ns" in each sample' --series no_time.jsonl --nondecreasing a
	(head -3 s.jsonl && head -1 s.jsonl) >back.jsonl
	refused 65 'back.jsonl: line 4: t_ns: expected a time not before the sample before' --series back.jsonl --nondecreasing a
	echo '{"t_ns":-1}' >minus.jsonl
	refused 65 't_ns: expected a whole number from 0' --series minus.jsonl --nondecreasing a
	(printf '{"t_ns":1,"a":' && printf '[%.0s' {1..100}) >deep.jsonl
	refused 65 'nested too deeply: expected at most 64 levels' --series deep.jsonl --nondecreasing a
	(printf '{"t_ns":1,"a":"' && head -c 3000000 /dev/zero | tr '\0' x) >long.jsonl
	refused 65 'expected a string or number of at most 1048576 bytes' --series long.jsonl --nondecreasing a
	mkdir none
	refused 65 'none: expected samples in *.json, found no such file' --series none --nondecreasing a
	refused 65 "cannot read 'gone': No such file" --series gone --nondecreasing a
	refused 65 'stdin: expected regular files where there are several' --series - s.jsonl --nondecreasing a
}

@test "memory does not grow with a series, nor with one large line of it" {
	awk 'BEGIN { for (i = 0; i < 200000; i++) printf "{\"t_ns\":%d,\"v\":%d,\"pad\":[%d,%d,%d]}\n", i, i, i, i, i
		printf "{\"t_ns\":200000,\"v\":200000,\"pad\":["
		for (i = 0; i < 3000000; i++) printf "%d,", i
		print "0]}" }' >large.jsonl
	/usr/bin/time -f %M -o kib kt-assert -q --series large.jsonl --strictly-increasing v --steady-within v:0s:1e9
	# 35 MB in some 3; sanitizers take more. The bound of 64 MB at 1 GB is the benchmark's.
	limit=8192
	[ -z "${KT_BIN:-}" ] || limit=65536
	[ "$(cat kib)" -lt "$limit" ]
}
