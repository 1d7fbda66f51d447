#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-assert writes verdicts as TAP for prove and as JUnit XML for CI servers, whatever is in the texts.

# shellcheck disable=SC2154 # bats sets stderr
load lib/kt
load lib/assert

# A good run, a failed one, one that was not measured, and none: a file each, in the test's directory.
setup() {
	cd "$BATS_TEST_TMPDIR"
	cp "$STATS/fair.json" pass.json
	cp "$STATS/unfair.json" fail.json
	jq '.workers[0].work_units = null' "$STATS/fair.json" >unknown.json
}

# junit FILE...: the runs as valid JUnit XML in out.xml; the status is kt-assert's.
junit() {
	local status=0
	kt-assert --format junit "$@" >out.xml 2>err || status=$?
	xmllint --noout --schema "$KT_ROOT/tests/fixtures/junit-ant.xsd" out.xml >>lint 2>&1 || {
		cat lint
		return 99
	}
	return "$status"
}

xpath() {
	xmllint --xpath "$1" out.xml
}

@test "TAP has a plan and a point for each run, with the report of those that are not ok" {
	run -65 --separate-stderr kt-assert --format tap pass.json fail.json unknown.json none.json
	assert_line --index 0 'TAP version 13'
	assert_line --index 1 '1..4'
	assert_line --index 2 'ok 1 - fair [topo=1n2l2c1t]'
	assert_line --index 3 'not ok 2 - mixed_workloads [topo=1n2l2c1t]'
	assert_line --index 4 '# fail.json:'
	assert_line '#   unfair cgroup: spread=22% (10-32%) 2 workers on 2 cpus (threshold 15%)'
	assert_line 'not ok 3 - fair [topo=1n2l2c1t]'
	assert_line '#   tid 10: not-starved not measured: no work_units'
	assert_line 'not ok 4 - none.json'
	assert_line "# cannot read 'none.json': No such file or directory"
	refute_line --regexp '^[^#no1T]'
	run -1 kt-assert --format tap pass.json fail.json unknown.json
	run -2 kt-assert --format tap pass.json unknown.json
}

@test "prove accepts TAP of passes and skips, and counts what is not ok" {
	kt-assert --format tap pass.json pass.json >good.tap
	kt-assert --format tap --not-starved=off pass.json >skip.tap
	run -0 prove -v good.tap skip.tap
	assert_line --partial 'ok 1 - fair [topo=1n2l2c1t] # SKIP no check is on'
	assert_line --partial 'Files=2, Tests=3,'
	assert_line --partial 'Result: PASS'
	kt-assert --format tap pass.json fail.json unknown.json >bad.tap || true
	run -1 prove bad.tap
	assert_output --partial 'Failed 2/3 subtests'
	refute_output --partial 'Parse errors'
}

@test "no text can forge a TAP line or directive" {
	jq '.scenario = "x # SKIP \\ \n1..9" | .errors = ["a\nok 2 - b"]' pass.json >odd.json
	run -1 kt-assert --format tap odd.json
	assert_line --index 2 'not ok 1 - x \# SKIP \\ \\x0a1..9 [topo=1n2l2c1t]'
	assert_line '#   error: a\x0aok 2 - b'
	run -65 --separate-stderr kt-assert --format tap $'a\nok 2 # TODO'
	assert_line 'not ok 1 - a\\x0aok 2 \# TODO'
	assert_line "# cannot read 'a\\x0aok 2 # TODO': No such file or directory"
}

@test "JUnit has a case for each run and says failures, errors and skips apart" {
	run -65 junit pass.json fail.json unknown.json none.json
	assert_equal "$(xpath 'string(//testsuite/@tests)')" 4
	assert_equal "$(xpath 'string(//testsuite/@failures)')" 1
	assert_equal "$(xpath 'string(//testsuite/@errors)')" 2
	assert_equal "$(xpath 'string(//testsuite/@skipped)')" 0
	assert_equal "$(xpath 'count(//testcase[@classname="pass.json"]/*)')" 0
	assert_equal "$(xpath 'string(//testcase[@classname="fail.json"]/failure/@message)')" \
		'unfair cgroup: spread=22% (10-32%) 2 workers on 2 cpus (threshold 15%)'
	run xpath 'string(//testcase[@classname="fail.json"]/failure)'
	assert_line '  cg0: workers=2 cpus=2 spread=22.4% gap=180ms migrations=8 iter=15230'
	assert_equal "$(xpath 'string(//testcase[3]/error/@type)')" inconclusive
	assert_equal "$(xpath 'string(//testcase[4]/error/@type)')" unreadable
	assert_equal "$(xpath 'string(//testcase[4]/error/@message)')" \
		"cannot read 'none.json': No such file or directory"
	run -0 junit --not-starved=off pass.json
	assert_equal "$(xpath 'count(//testsuite[@skipped=1]/testcase/skipped)')" 1
}

@test "JUnit gives each run's time, and their sum" {
	good_run run '.wall_ns = 22500000000'
	run -65 junit run pass.json none.json
	assert_equal "$(xpath 'string(//testcase[1]/@time)')" 22.500
	assert_equal "$(xpath 'string(//testcase[2]/@time)')" 10.000
	assert_equal "$(xpath 'string(//testcase[3]/@time)')" 0.000
	assert_equal "$(xpath 'string(//testsuite/@time)')" 32.500
}

@test "JUnit stays valid whatever the texts" {
	jq '.scenario = "<a href=\"x\">&amp; \uffff \u0000b" | .errors = ["]]>\u001b\n<é>\u009b\ufffe🙂"]' \
		pass.json | sed 's/ \\u0000//' >odd.json
	run -1 junit odd.json
	assert_equal "$(xpath 'string(//testcase/@name)')" '<a href="x">&amp; \xef\xbf\xbfb [topo=1n2l2c1t]'
	run xpath 'string(//failure/@message)'
	assert_line --index 0 'error: ]]>\x1b'
	assert_line --index 1 '<é>\xc2\x9b\xef\xbf\xbe🙂'
	# Names that are not UTF-8: a byte alone, an overlong slash, a surrogate, one beyond the last, a cut one.
	run -65 junit $'a\xff' $'\xc0\xaf' $'\xed\xa0\x80' $'\xf4\x90\x80\x80' $'\xe2\x82'
	assert_equal "$(xpath 'string(//testcase[1]/@name)')" 'a\xff'
	assert_equal "$(xpath 'string(//testcase[2]/@name)')" '\xc0\xaf'
	assert_equal "$(xpath 'string(//testcase[3]/@name)')" '\xed\xa0\x80'
	assert_equal "$(xpath 'string(//testcase[4]/@name)')" '\xf4\x90\x80\x80'
	assert_equal "$(xpath 'string(//testcase[5]/@name)')" '\xe2\x82'
}

@test "formats without room for thresholds refuse to explain and to list" {
	local format
	for format in tap junit; do
		run -64 kt-assert --format "$format" --explain pass.json
		assert_output "kt-assert: --explain goes with --format text or json, not $format"
		run -64 kt-assert --format "$format" --list-checks
		assert_output "kt-assert: --list-checks goes with --format text or json, not $format"
	done
	run -1 kt-assert -q --format tap fail.json
	assert_output ''
	run -1 kt-assert -q --format junit fail.json
	assert_output ''
}
