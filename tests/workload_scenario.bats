#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The scenario language: what is accepted, and how mistakes are told.

# shellcheck disable=SC2154 # bats sets stderr
load lib/kt

plan() {
	kt-workload --dry-run "$@"
}

# One mistake in one line: exit 64, one message on stderr that names the line, nothing on stdout.
assert_mistake() { # LINE MESSAGE
	run --separate-stderr kt-workload -e "$1"
	assert_equal "$status" 64
	assert_equal "$output" ""
	assert_equal "$stderr" "kt-workload: -e:1: $2"
}

@test "a mistake in a name is told with the nearest known one, or with all of them" {
	assert_mistake 'cgruop a' "unknown op 'cgruop': did you mean 'cgroup'?"
	run --separate-stderr kt-workload -e xyzzy
	assert_equal "$status" 64
	[[ $stderr == "kt-workload: -e:1: unknown op 'xyzzy': expected duration, cgroup, "*', hold or loop' ]]
	assert_mistake 'cgroup a wrkers=2' "unknown option 'wrkers': did you mean 'workers'?"
	assert_mistake 'cgroup a work=spinwait' "unknown work type 'spinwait': did you mean 'spin-wait'?"
	run --separate-stderr kt-workload -e 'cgroup a work=x'
	assert_equal "$status" 64
	[[ $stderr == "kt-workload: -e:1: unknown work type 'x': expected spin-wait, "*' or exec' ]]
	assert_mistake 'cgroup a work=bursty:brust=3ms' \
		"unknown bursty parameter 'brust': did you mean 'burst'?"
	assert_mistake 'cgroup a work=bursty:burst=3ms,burst=4ms' "bursty parameter 'burst' is given twice"
	assert_mistake 'cgroup a work=spin-wait:spin=1' \
		"work type 'spin-wait' takes no parameters, but got 'spin'"
	assert_mistake 'cgroup a cpuset=lcl:0' "unknown CPU set 'lcl:0': did you mean 'llc:'?"
}

@test "a mistake in a value is told with what was expected" {
	assert_mistake 'duration 0' \
		"duration '0': expected a time above 0 and up to 24h, for example 20s or 500ms"
	assert_mistake 'duration' "duration: expected a time after it"
	assert_mistake 'cgroup a nice=40' "nice='40': expected a number from -20 to 19"
	assert_mistake 'cgroup a comm=' "comm='': expected a name"
	assert_mistake 'cgroup a workers' "option 'workers': expected workers=VALUE"
	assert_mistake 'cgroup a workers=2 workers=3' "option 'workers' is given twice"
	assert_mistake 'cgroup a workers=x' \
		"workers='x': expected a number from 0 to 10000 or a percentage of the cgroup's CPUs, for example 200%"
	assert_mistake 'cgroup a workers=3 work=futex-ping-pong' \
		"work type 'futex-ping-pong' works in groups of 2: expected a number of workers that 2 divides, not 3"
	assert_mistake 'cgroup a work=bursty:burst=0' \
		"bursty parameter burst='0': expected a duration from 1us to 3600s"
	assert_mistake 'cgroup a work=sequence' \
		"sequence: expected phases, for example sequence:spin=100ms,yield=20ms"
	assert_mistake 'cgroup ../a' \
		"cgroup name '../a' has an empty part or one that begins with a dot"
	assert_mistake 'cgroup cgroup.procs' \
		"cgroup name 'cgroup.procs' has a part that begins like one of the kernel's own files"
	assert_mistake 'cgroup a/io.pressure' \
		"cgroup name 'a/io.pressure' has a part that begins like one of the kernel's own files"
	assert_mistake 'cgroup run.x' \
		"cgroup name 'run.x' begins with 'run.', as those that the op run makes for its programs do"
	assert_mistake 'cgroup' \
		"cgroup: expected a name after it, then options: cgroup NAME [workers=N] [work=TYPE] [cpuset=SPEC]"
	assert_mistake 'cgroup "a' "a quote is not closed"
	assert_mistake $'cgroup \x01' "byte 0x01: expected text"
	assert_mistake 'hold 3s' "hold before the first step: expected 'step NAME' first"
	assert_mistake step "step: expected a name after it"
	assert_mistake 'move a b' "unknown cgroup 'a': there is none here"
	assert_mistake 'swap a b' "unknown cgroup 'a': there is none here"
	assert_mistake 'step x' \
		"step 'x' has no hold: expected 'hold full', 'hold 30%' or 'hold 5s' at its end"
}

@test "a mistake in what is asked of the host is found before it is asked" {
	assert_mistake 'snapshot' "snapshot: expected a name after it"
	assert_mistake 'snapshot a/b' \
		"snapshot 'a/b': expected up to 64 letters, digits and _ - . that do not begin with a dot"
	assert_mistake 'watch x y' "watch: expected a kernel symbol or a variable of the scheduler after it"
	assert_mistake 'read vr.x' "unknown target 'vr': did you mean 'var'?"
	assert_mistake 'read nr_dispatched' "unknown target 'nr_dispatched': expected var, map, scx or kernel"
	assert_mistake 'read map' "read map: expected a name behind it, as in map.NAME"
	assert_mistake 'read var..x' "path 'var..x': byte 4: expected a name after the dot"
	assert_mistake 'write var.x' "write: expected a target such as var.NAME and a value after it"
	assert_mistake 'sched' "sched: expected attach, detach, restart or replace and a scheduler's name after it"
	assert_mistake 'sched attch x' "unknown sched action 'attch': did you mean 'attach'?"
	assert_mistake 'sched replace' "sched replace: expected the name of a scheduler after it"
	run plan -e 'cgroup a' -e 'read "kernel.x:u32"' -e 'write map[id=3].x[0] 1' -e 'watch x' -e 'sched detach' -e 'snapshot s'
	assert_success
}

@test "every mistake of a script is reported with its file and line" {
	cat >"$BATS_TEST_TMPDIR/bad.kt" <<-'SCRIPT'
		cgroup a
		step x
		cgroup a            # exists already
		step                # no name
		hold 5x
		step x
		hold full
		cgroup b
	SCRIPT
	run --separate-stderr kt-workload "$BATS_TEST_TMPDIR/bad.kt"
	assert_equal "$status" 64
	bad=$BATS_TEST_TMPDIR/bad.kt
	assert_equal "$stderr" "kt-workload: $bad:3: cgroup 'a' exists already, from line 1
kt-workload: $bad:4: step: expected a name after it
kt-workload: $bad:5: hold '5x': expected full, a percentage up to 100% or a time up to 24h, for example 5s
kt-workload: $bad:6: step 'x' exists already, from line 2
kt-workload: $bad:8: 'cgroup' after the hold of step 'x': expected 'step NAME' first
kt-workload: $bad:2: step 'x' has no hold: expected 'hold full', 'hold 30%' or 'hold 5s' at its end"
}

@test "a scenario without workers, a binary, a directory and a missing file are refused in one line" {
	local file
	for file in /dev/null "$(command -v kt-workload)" "$BATS_TEST_TMPDIR" /nonexistent; do
		run --separate-stderr kt-workload "$file"
		assert_equal "$status" 64
		assert_equal "$output" ""
		assert_equal "${#stderr_lines[@]}" 1
		[[ $stderr == *expected* ]]
	done
}

@test "wrong use of the command line ends with 64 and one line" {
	local args
	for args in "" "a b" "-e cgroup a" "--durations 3s x" "-d 0 x" "-w 0 x" "--seed x x"; do
		# shellcheck disable=SC2086
		run --separate-stderr kt-workload $args
		assert_equal "$status" 64
		assert_equal "${#stderr_lines[@]}" 1
	done
	KT_SEED=abc run --separate-stderr kt-workload -e 'cgroup a'
	assert_equal "$status" 64
	assert_equal "$stderr" \
		"kt-workload: KT_SEED 'abc': expected a number from 0 to 9223372036854775807"
}

@test "words are split as the shell splits them" {
	run plan -e "  'cgroup' \"a\" comm='two words' work=spin-wait  # cpuset=99"
	assert_success
	run jq -r '.cgroups[0] | .name, .comm' <<<"$output"
	assert_output "a
two words"
	run plan -e 'cgroup a#b comm=x\ y'
	assert_failure 64 # '#' within a word is no comment, and no character of a name
	run plan -e 'cgroup a comm=x\ y"\"z'"'#'"'"'
	run jq -r '.cgroups[0].comm' <<<"$output"
	assert_output "x y\"z'#'"
}

@test "a scenario comes from a file, from stdin and from -e lines, and is named after it" {
	echo "cgroup a" >"$BATS_TEST_TMPDIR/some.thing.kt"
	run plan "$BATS_TEST_TMPDIR/some.thing.kt"
	assert_equal "$(jq -r .scenario <<<"$output")" some.thing
	run plan - <<<"cgroup a"
	assert_equal "$(jq -r .scenario <<<"$output")" -
	run plan -e "duration 3s" -e "cgroup a"
	assert_equal "$(jq -r '.scenario, .duration_ns' <<<"$output")" "-e
3000000000"
}

@test "defaults are 12 s, two spin-wait workers and the work type's name as comm; options set them" {
	run plan -e "cgroup a" -e "cgroup b work=sequence:spin=1ms,sleep=2ms,spin=3ms workers=7"
	assert_equal "$(jq -c '[.duration_ns, (.cgroups[] | .workers, .work, .comm, .cpuset, .nice)]' \
		<<<"$output")" \
		'[12000000000,2,"spin-wait","spin-wait",null,null,7,"sequence:spin=1ms,sleep=2ms,spin=3ms","sequence",null,null]'
	run plan --duration 5s --workers 4 -e "duration 3s" -e "cgroup a" -e "cgroup b workers=7"
	assert_equal "$(jq -c '[.duration_ns, .cgroups[].workers]' <<<"$output")" '[5000000000,4,7]'
}

@test "comm is cut at 15 bytes as the kernel does" {
	run plan -e "cgroup a comm=0123456789abcdefgh"
	assert_equal "$(jq -r '.cgroups[0].comm' <<<"$output")" 0123456789abcde
}

@test "text that is no UTF-8 is kept for the kernel, and shown with a '?' for each byte of it" {
	printf 'cgroup a comm="01234567890123\xc3\xa4"\nstep "\xff\xc3\xa4"\ncgroup b comm="\xe4"\nhold full\n' \
		>"$BATS_TEST_TMPDIR/latin.kt"
	run plan "$BATS_TEST_TMPDIR/latin.kt"
	assert_success
	assert_equal "$(jq -c '[.cgroups[].comm, .steps[].name]' <<<"$output")" '["01234567890123?","?","?ä"]'
}

@test "holds are percentages of the duration, times, or what is left" {
	run plan -e 'duration 10s' -e 'cgroup a' -e 'step x' -e 'hold 30%' -e 'step y' -e 'hold 500ms' \
		-e 'step z' -e 'cgroup b' -e 'hold full'
	assert_success
	assert_equal "$(jq -c '[.steps[].hold_ns], [.cgroups[].step]' <<<"$output")" \
		'[3000000000,500000000,6500000000]
[null,"z"]'
	run plan -e 'duration 1s' -e 'cgroup a' -e 'step x' -e 'hold 1s' -e 'step y' -e 'hold full'
	assert_failure 64
	assert_output --partial "-e:6: hold full: the steps before have used up the duration of 1s"
}

@test "a name lives as long as its step and can be used again in the next one" {
	run plan -e 'step x' -e 'cgroup a' -e 'hold 50%' -e 'step y' -e 'cgroup a' -e 'hold full'
	assert_success
	run plan -e 'cgroup a/b' -e 'cgroup a'
	assert_failure 64
	assert_output --partial "cgroup 'a' has workers and others below it: expected workers=0 there"
	run plan -e 'cgroup a/b' -e 'cgroup a workers=0' -e 'cgroup ab'
	assert_success
}

@test "the largest parameters are read as fast as others" {
	local work
	for work in taobench:cache=4G,hit=1,clients=1024,slow=1024 schbench:threads=1024,footprint=1G; do
		run timeout 5 kt-workload -n -e "cgroup a workers=0 work=$work"
		[ "$status" != 124 ] || fail "$work: not read within 5 s"
	done
}

@test "the list of work types says what each one's unit and kernel path are" {
	run kt-workload --list-work
	assert_success
	local type
	for type in spin-wait yield-heavy mixed bursty futex-ping-pong sequence; do
		assert_line --regexp "^$type +[a-z]+ +unit: .+"
		# ... and the manual has it too.
		grep -q "^\*$type\*" <(kt-workload --list-work=scdoc)
	done
	assert_line --regexp "burst=50ms: "
	assert_line --regexp "sleep=100ms: "
}

@test "the scenarios that come along are valid on the topology that they are for" {
	local file nodes
	"$BATS_TEST_DIRNAME"/lib/make-sysfs 1n2l2c1t "$BATS_TEST_TMPDIR/sys1"
	"$BATS_TEST_DIRNAME"/lib/make-sysfs 2n2l2c1t "$BATS_TEST_TMPDIR/sys2"
	for file in "$KT_ROOT"/tests/scenarios/*.kt; do
		nodes=$(sed -n 's/^# gauntlet:.*min-numa-nodes=\([0-9]*\).*/\1/p' "$file")
		KT_SYSFS=$BATS_TEST_TMPDIR/sys${nodes:-1} run plan "$file"
		assert_success
		# Each says first what it catches.
		[[ $(head -n 1 "$file") == "# "* ]]
	done
}

@test "what fuzzing has found so far is a scenario or told as none, and nothing else" {
	local f n=0
	for f in "$KT_ROOT"/tests/fuzz/corpus/scenario/*; do
		run --separate-stderr kt-workload -n "$f"
		[ "$status" = 0 ] || [ "$status" = 64 ] || fail "$f: status $status: $stderr"
		[ "$status" = 0 ] || [ -n "$stderr" ] || fail "$f: refused without a word"
		n=$((n + 1))
	done
	[ "$n" -ge 5 ]
}
