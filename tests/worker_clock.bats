#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What workers measure with: their cheap reading of the clock, and their histograms; and how they are waited for.

load lib/kt

setup_file() {
	make -s -C "$KT_ROOT" build/tests/worker_clock build/tests/histogram build/tests/patience
}

check() { # SYSFS MS FILTER
	run "$KT_ROOT/build/tests/worker_clock" "$1" "$2"
	assert_success
	echo "$output"
	jq -e "$3" <<< "$output"
}

@test "a worker's clock agrees with CLOCK_MONOTONIC and never goes back" {
	check /sys 1000 '.readings > 100000 and .back == 0 and .outside_ns <= 200'
}

@test "where the kernel's clock is not the TSC, a worker reads the kernel's" {
	mkdir -p "$BATS_TEST_TMPDIR/devices/system/clocksource/clocksource0"
	echo hpet > "$BATS_TEST_TMPDIR/devices/system/clocksource/clocksource0/current_clocksource"
	check "$BATS_TEST_TMPDIR" 50 '.usable == false and .rate == 0 and .outside_ns == 0'
}

@test "a histogram's percentiles are within 0.8% of the values' own, and the rest is exact" {
	run "$KT_ROOT/build/tests/histogram"
	assert_success
	echo "$output"
	jq -e '.exact and .percentile <= 0.008 and .cv <= 0.01 and .mean < 1e-9' <<< "$output"
}

@test "of a time in which who waits does not run itself, only a little counts, up to a cap" {
	# A look counts 10 ms, however long it took to come to it.
	run -0 "$KT_ROOT/build/tests/patience" 1000 20
	assert_output 100
	# At 20 times the limit it is over: before the tenth look, which would be the last.
	run -0 "$KT_ROOT/build/tests/patience" 100 300
	[ "$output" -lt 10 ]
}
