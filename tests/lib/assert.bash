# SPDX-License-Identifier: GPL-2.0
# For the suites of kt-assert: `load lib/assert`, after lib/kt.

STATS=$KT_ROOT/tests/fixtures/stats

# variant EDIT... [FIXTURE.json]: a fixture (fair.json) changed by a jq program, in $variant.
variant() {
	variant=$BATS_TEST_TMPDIR/stats.json
	jq "$1" "$STATS/${2:-fair.json}" >"$variant"
}

# passes EDIT OPTION..., fails EDIT LINE OPTION..., unmeasured EDIT LINE OPTION...: the verdict on
# a variant of fair.json; LINE is a whole line of the report.
passes() {
	variant "$1"
	run kt-assert "$variant" "${@:2}"
	assert_success
	assert_output 'PASS fair [topo=1n2l2c1t]'
}

fails() {
	variant "$1"
	run -1 kt-assert "$variant" "${@:3}"
	assert_line --index 0 "ktstr_test 'fair' [topo=1n2l2c1t] failed:"
	assert_line --index 1 "  $2"
}

unmeasured() {
	variant "$1"
	run -2 kt-assert "$variant" "${@:3}"
	assert_line --index 0 "ktstr_test 'fair' [topo=1n2l2c1t] inconclusive:"
	assert_line --index 1 "  $2"
}

# good_run DIR [EDIT]: a run directory of a good run, with fair.json for its stats; run.json is changed by a jq program.
good_run() {
	mkdir -p "$1"
	cp "$STATS/fair.json" "$1/stats.json"
	jq "${2:-.}" >"$1/run.json" <<-'EOF'
		{"schema": "kt-run/1", "outcome": "exited", "exit_status": 0, "message": null,
		 "topology": "1n2l2c1t", "scheduler": null, "emulated": false, "oversubscribed": false}
	EOF
}
