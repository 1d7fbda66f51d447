#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Thresholds merge from defaults, policy files and the command line; the last layer that sets one wins.

load lib/kt
load lib/assert

setup() {
	cd "$BATS_TEST_TMPDIR"
}

# explained KEY VALUE FROM [OVERRIDES]: the last run's --explain has this line.
explained() {
	assert_line --regexp "^$1 *= $2 +# $3${4:+, overrides $4}\$"
}

# known: how many rows the table of checks has.
known() {
	kt-assert --list-checks | tail -n +2 | wc -l
}

@test "--explain without a run prints the defaults, and they are a policy file" {
	run -0 kt-assert --explain
	explained max_spread_pct 15 default
	explained max_gap_ms 2000 default
	explained not_starved on default
	explained isolation off default
	assert_equal "${#lines[@]}" "$(known)"
	printf '%s\n' "$output" >explained.policy
	run -0 kt-assert --explain --policy explained.policy
	explained max_spread_pct 15 explained.policy:1 '15 \(default\)'
}

@test "policy files layer in order and the command line wins, wherever it stands" {
	printf 'max_spread_pct = 20\nmax_gap_ms = 500\n' >sched.policy
	printf '# a suite\n\nmax_spread_pct=25 # looser\n\tisolation = on\n' >suite.policy
	run -0 kt-assert --max-gap-ms 700 -p sched.policy --policy=suite.policy --explain
	explained max_spread_pct 25 suite.policy:3 '20 \(sched.policy:1\), 15 \(default\)'
	explained max_gap_ms 700 'command line' '500 \(sched.policy:2\), 2000 \(default\)'
	explained isolation on suite.policy:4 'off \(default\)'
	run -0 kt-assert -p suite.policy -p sched.policy --explain
	explained max_spread_pct 20 sched.policy:1 '25 \(suite.policy:3\), 15 \(default\)'
}

@test "the layered threshold is the one that judges" {
	echo 'max_spread_pct = 23' >a.policy
	run -0 kt-assert -p a.policy "$STATS/unfair.json"
	run -1 kt-assert -p a.policy --max-spread-pct 22 "$STATS/unfair.json"
	assert_line --index 1 '  unfair cgroup: spread=22.4% (10-32%) 2 workers on 2 cpus (threshold 22%)'
}

@test "of an option given twice the last counts" {
	run -0 kt-assert "$STATS/unfair.json" --max-spread-pct 1 --max-spread-pct 30
	run -1 kt-assert "$STATS/unfair.json" --max-spread-pct 30 --max-spread-pct 1
}

@test "off turns a check off, on an option and in a policy" {
	run -0 kt-assert --max-spread-pct off "$STATS/unfair.json"
	echo 'max_spread_pct = off' >a.policy
	run -0 kt-assert -p a.policy "$STATS/unfair.json"
	run -0 kt-assert --isolation --isolation=off --explain
	explained isolation off 'command line' 'off \(default\)'
}

@test "not-starved off takes the defaults of spread and gap with it, but not chosen values" {
	run -0 kt-assert --not-starved=off --explain
	explained max_spread_pct off 'default, off with not_starved'
	explained max_gap_ms off 'default, off with not_starved'
	run -0 kt-assert --not-starved=off --max-gap-ms 9 --explain
	explained max_spread_pct off 'default, off with not_starved'
	explained max_gap_ms 9 'command line' '2000 \(default\)'
}

@test "--relaxed changes the defaults only" {
	run -0 kt-assert --relaxed --explain
	explained max_spread_pct 35 'relaxed: --relaxed' '15 \(default\)'
	explained max_gap_ms 3000 'relaxed: --relaxed' '2000 \(default\)'
	echo 'max_gap_ms = 100' >a.policy
	run -0 kt-assert -p a.policy --relaxed --explain
	explained max_spread_pct 35 'relaxed: --relaxed' '15 \(default\)'
	explained max_gap_ms 100 a.policy:1 '2000 \(default\)'
	run -0 kt-assert --relaxed "$STATS/unfair.json"
	run -1 kt-assert --relaxed --no-relaxed "$STATS/unfair.json"
}

# bad_policy TEXT MESSAGE: what a policy file of this text is told.
bad_policy() {
	printf '%b' "$1" >bad.policy
	run -65 kt-assert -p bad.policy "$STATS/fair.json"
	assert_output "kt-assert: bad.policy:$2"
}

@test "a malformed policy file is refused with its line and what was expected" {
	bad_policy 'max_spread_pct = 3\nmax_spraed_pct = 3\n' \
		"2: unknown key 'max_spraed_pct': did you mean 'max_spread_pct'?"
	bad_policy 'colour = red' "1: unknown key 'colour' (kt-assert --list-checks names all)"
	bad_policy 'max_gap_ms 3\n' "1: expected 'key = value', found 'max_gap_ms 3'"
	bad_policy 'max_gap_ms = 1.5\n' \
		"1: max_gap_ms: expected a whole number from 0, or off, found '1.5'"
	bad_policy 'max_gap_ms = -1\n' "1: max_gap_ms: expected a whole number from 0, or off, found '-1'"
	bad_policy 'max_gap_ms =\n' "1: max_gap_ms: expected a whole number from 0, or off, found ''"
	bad_policy 'max_spread_pct = 101\n' \
		"1: max_spread_pct: expected a percentage from 0 to 100, or off, found '101'"
	bad_policy 'max_throughput_cv = nan\n' \
		"1: max_throughput_cv: expected a number from 0, or off, found 'nan'"
	bad_policy 'min_work_rate = on\n' "1: min_work_rate: expected a number from 0, or off, found 'on'"
	bad_policy 'isolation = yes\n' "1: isolation: expected on or off, found 'yes'"
	bad_policy "$(printf 'x%.0s' {1..2000})" '1: expected a line of at most 1022 bytes without NUL'
	bad_policy 'isolation = on\0# hidden\n' '1: expected a line of at most 1022 bytes without NUL'
}

@test "a policy file that cannot be read is named" {
	run -65 kt-assert -p nowhere.policy "$STATS/fair.json"
	assert_output "kt-assert: policy 'nowhere.policy': No such file or directory"
	run -65 kt-assert -p / "$STATS/fair.json"
	assert_output "kt-assert: policy '/': Is a directory"
}

@test "wrong options are usage errors that name what is known" {
	run -64 kt-assert --max-spred-pct 3 "$STATS/fair.json"
	assert_output --partial "did you mean '--max-spread-pct'?"
	run -64 kt-assert --max-spread-pct x "$STATS/fair.json"
	assert_output "kt-assert: --max-spread-pct: expected a percentage from 0 to 100, or off, found 'x'"
	run -64 kt-assert --max-gap-ms
	assert_output --partial "option '--max-gap-ms': expected N after it"
	run -64 kt-assert --isolation=maybe "$STATS/fair.json"
	assert_output "kt-assert: --isolation: expected on or off, found 'maybe'"
	run -64 kt-assert --format jsn "$STATS/fair.json"
	assert_output "kt-assert: unknown format 'jsn': did you mean 'json'?"
	run -64 kt-assert --format yaml "$STATS/fair.json"
	assert_output "kt-assert: unknown format 'yaml': expected text, json, tap or junit"
}
