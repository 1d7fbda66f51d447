#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# How kt-run schedules, repeats, resumes and reports. A stand-in takes kt-vmm's place (tests/lib/kt-vmm-stand-in);
# kt_run.bats has the VMs.

load lib/kt

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export KT_TOKENS=$PWD/tokens TMPDIR=$BATS_TEST_TMPDIR
	mkdir stand
	ln -s "$KT_ROOT/tests/lib/kt-vmm-stand-in" stand/kt-vmm
	PATH=$PWD/stand:$PATH
	unset NO_COLOR
}

teardown() {
	[ ! -s pid ] || kill -KILL "$(cat pid)" 2>/dev/null || true
}

# $1 lines of command $2, named a1, a2, ...
lines() {
	local i
	for ((i = 1; i <= $1; i++)); do
		echo "-t 1n1l1c1t -m ${3:-256M} -o runs/${4:-a}$i -- $2"
	done
}

# The largest number of stand-ins that ran at the same time.
most_at_once() {
	awk '$1 == "start" { n++; if (n > most) most = n } $1 == "end" { n-- } END { print most }' events
}

# Wait up to a minute until the command holds.
until_holds() {
	local i
	for ((i = 0; i < 600; i++)); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

@test "-j is how many VMs run at a time, even beyond the host's CPUs" {
	lines 6 "hold 0.7" | kt-run --no-assert -j 3 > out
	assert_equal "$(most_at_once)" 3
	run -0 tail -n 1 out
	assert_output --regexp '^6 runs: 6 passed, 0 flaky, 0 failed, 0 inconclusive, 0 skipped, 0 not run; [0-9.]+ s$'
}

@test "without -j each VM counts with the CPUs that it keeps busy" {
	local cpus
	cpus=$(nproc)
	lines $((2 * cpus)) pass | kt-run --no-assert > out
	assert_equal "$(most_at_once)" "$cpus"
	rm -r events runs
	# With KVM every vCPU is a thread of its own.
	export STAND_IN_ACCEL=kvm STAND_IN_CPUS=$((cpus + 1))
	lines 3 pass | kt-run --no-assert > out
	assert_equal "$(most_at_once)" 1
	run -0 kt-run --dry-run <<< "-- pass"
	assert_line --regexp "^$cpus\.0 +2048 MB waiting +line-1$"
}

@test "--memory is what all VMs of one kt-run have together" {
	lines 6 pass 1024M | kt-run --no-assert -j 6 --memory 2G > out
	assert_equal "$(most_at_once)" 2
	run -64 kt-run --memory 1G <<< "-m 1025M -- pass"
	assert_output "kt-run: line 1: its VM has 1025 MiB: expected at most those 1024 of --memory"
}

@test "several kt-run at once keep together to what one host has, and each gets its turn" {
	lines 6 "hold 0.5" 256M a > a
	lines 3 "hold 0.5" 256M b > b
	kt-run --no-assert -j 2 a > out-a &
	local first=$!
	until_holds test -s events
	kt-run --no-assert -j 2 b > out-b
	# All of b ran between the runs of a.
	run -0 grep -c '^end runs/a' events
	refute_output 6
	wait "$first"
	assert_equal "$(most_at_once)" 2
	assert_equal "$(tail -n 1 out-a | cut -d, -f1)" "6 runs: 6 passed"
	assert_equal "$(tail -n 1 out-b | cut -d, -f1)" "3 runs: 3 passed"
	run -0 ls tokens
	assert_output turn
}

@test "tokens of a kt-run that was killed are free again, and its VMs are gone" {
	lines 1 "hold 60.0" > a
	kt-run --no-assert -j 1 a > out &
	echo $! > pid
	until_holds test -s events
	local vm
	vm=$(pgrep -P "$(cat pid)" -f "hold 60[.]0")
	kill -KILL "$(cat pid)"
	until_holds eval '! kill -0 '"$vm"' 2>/dev/null || grep -q "^State:.Z" /proc/'"$vm"/status
	run -0 ls tokens
	assert_line --regexp '^vm\.'
	lines 1 pass 256M b | kt-run --no-assert -j 1 > out
	run -0 ls tokens
	assert_output turn
}

@test "a word in a token file is not taken for more than a word" {
	mkdir tokens
	touch tokens/turn
	# shellcheck disable=SC2016 # must not be expanded
	echo 'a[$(touch expanded)] 1' > tokens/vm.1
	flock tokens/vm.1 sleep 8 3>&- &
	until_holds eval '! flock -n tokens/vm.1 true'
	lines 1 pass | kt-run --no-assert > out
	[ ! -e expanded ]
}

@test "what passes only when it is run again is flaky in every output, and its first attempt is kept" {
	{ lines 1 flaky 256M f; lines 1 pass; lines 1 fail 256M x; } > in
	run -1 kt-run --no-assert --retries 2 --tap r.tap --junit r.xml in
	assert_line --regexp '^\[[0-9]/3\] again f1 .*fail: exit status 1; attempt 1 is kept in runs/\.f1\.attempt1$'
	assert_line --regexp '^FLAKY f1 \([0-9.]+ s, passed on attempt 2\)$'
	assert_line --regexp '^3 runs: 1 passed, 1 flaky, 1 failed,'
	assert_equal "$(jq .exit_status runs/.f1.attempt1/run.json runs/f1/run.json | paste -sd ' ')" "1 0"
	[ -d runs/.x1.attempt2 ] && [ ! -e runs/.x1.attempt3 ]
	run -0 cat r.tap
	assert_line "ok 1 - f1 # TODO flaky: passed on attempt 2"
	assert_line "ok 2 - a1"
	assert_line "not ok 3 - x1"
	xmllint --noout --schema "$KT_ROOT/tests/fixtures/junit.xsd" r.xml
	assert_equal "$(xmllint --xpath 'string(//testcase[@name="f1"]/skipped/@message)' r.xml)" "flaky: passed on attempt 2"
	# Flaky it stays when the rest is resumed, and it can count as a failure.
	lines 1 flaky 256M f > in
	run -0 kt-run --no-assert --resume --retries 2 in
	assert_line '[1/1] FLAKY f1 (kept, passed on attempt 2)'
	run -1 kt-run --no-assert --resume --no-flaky --tap r.tap in
	run -0 cat r.tap
	assert_line "not ok 1 - f1"
	# A run from the start is another run.
	run -0 kt-run --no-assert in
	assert_line --regexp '^\[1/1\] PASS f1'
	[ ! -e runs/.f1.attempt1 ]
}

@test "the status is 0, 1 or 2 by the most severe verdict" {
	run -0 kt-run --no-assert <<< "-- pass"
	run -1 kt-run --no-assert < <(lines 1 unread 256M u; lines 1 fail)
	run -2 kt-run --no-assert < <(lines 1 unread 256M u; lines 1 pass; lines 1 broken 256M n)
	assert_line --regexp "INCONCLUSIVE u1 \([0-9.]+ s\): kt-vmm failed \(kt-vmm: failed, status 125\)$"
	assert_line --regexp "INCONCLUSIVE n1 \([0-9.]+ s\): kt-vmm failed \(kt-vmm status 125\): stdin: cannot be read$"
}

@test "--fail-fast starts nothing after the first failure" {
	{ lines 1 fail 256M f; lines 4 pass; } > in
	run -1 kt-run --no-assert -j 1 --fail-fast --tap r.tap in
	assert_line --regexp '^5 runs: 0 passed, 0 flaky, 1 failed, 0 inconclusive, 0 skipped, 4 not run;'
	assert_line "kt-run: --fail-fast after f1; with --resume the other 4 are run, and what is complete is kept"
	run -0 grep -c 'ok . - a. # SKIP not run (--fail-fast after f1)' r.tap
	assert_output 4
	run -1 kt-run --no-assert -j 1 --resume in
	assert_line --regexp '^5 runs: 4 passed, 0 flaky, 1 failed, 0 inconclusive, 0 skipped, 0 not run;'
	assert_equal "$(grep -c ^start events)" 5
}

@test "SIGINT ends the VMs, keeps what is complete, and --resume does the rest" {
	{ lines 1 pass; lines 2 "hold 2.0" 256M h; } > in
	# A shell starts its background commands with SIGINT ignored.
	env --default-signal=INT kt-run --no-assert -j 3 --tap r.tap --junit r.xml in > out 2> err &
	echo $! > pid
	until_holds grep -q PASS out
	kill -INT "$(cat pid)"
	local status=0
	wait "$(cat pid)" || status=$?
	assert_equal "$status" 130
	assert_equal "$(grep -c ^end events)" 3
	run -0 tail -n 1 r.tap
	assert_output "Bail out! interrupted by signal 2"
	assert_equal "$(xmllint --xpath 'count(//skipped[@message="not run: interrupted"])' r.xml)" 2
	run -0 kt-run --no-assert -j 3 --resume in
	assert_line '[1/3] PASS a1 (kept)'
	assert_line --regexp '^3 runs: 3 passed'
	assert_equal "$(grep -c '^start runs/a1' events) $(grep -c '^start runs/h1' events)" "1 2"
}

@test "a second SIGTERM does not wait for a VM that takes no notice of the first" {
	lines 1 "stubborn 200" > in
	kt-run --no-assert in > out 2> err &
	echo $! > pid
	until_holds test -s events
	kill -TERM "$(cat pid)"
	sleep 0.5
	kill -0 "$(cat pid)"
	kill -TERM "$(cat pid)"
	local status=0 start=$SECONDS
	wait "$(cat pid)" || status=$?
	assert_equal "$status" 143
	[ $((SECONDS - start)) -lt 60 ]
}

@test "--resume runs again what is of other arguments, was interrupted, or is not there" {
	printf '%s\n' '-o "runs/a b" --seed 1 -- pass "x\ y"' '-o runs/b -- pass' '-o runs/c -- pass' > in
	kt-run --no-assert in > out
	sed -i 's/"exited"/"interrupted"/' runs/b/run.json
	rm -r runs/c
	run -0 kt-run --dry-run --resume in
	assert_line --regexp 'kept +a b$'
	assert_line --regexp 'waiting +b$'
	assert_line --regexp 'waiting +c$'
	sed -i 's/--seed 1/--seed 2/' in
	run -0 kt-run --no-assert --resume in
	assert_line 'kt-run: a b: what is in runs/a b is of other arguments; it is run again'
	assert_equal "$(grep -c '^start runs/a b' events)" 2
}

@test "a line that is wrong is named with its number before anything is started" {
	local good='-o runs/good -- pass'
	rejects() {
		run -64 kt-run < <(printf '%s\n' "$good" "$1")
		assert_output "kt-run: line 2: $2"
	}
	rejects "-t 'x" "a ' that is not closed"
	rejects '-- pass "' 'a " that is not closed'
	rejects '-- pass \' 'a backslash with nothing after it'
	rejects $'-- pass\r' 'ends in a carriage return: expected a newline only'
	rejects '--nonsense' "unknown option '--nonsense'"
	rejects '--help' "'--help': expected a run"
	rejects '-nV' "'-nV': expected a run"
	rejects '--shell' "'--shell': expected a run"
	rejects '-o ./runs//good/ -- pass' "run directory ./runs//good is that of line 1, too"
	rejects '-noruns/good/x -- pass' "run directory runs/good/x is inside that of line 1"
	mkdir full
	touch full/file
	rejects '-o full -- pass' "full: expected no such directory, an empty one, or an earlier run's"
	run -64 kt-run < /dev/null
	assert_output "kt-run: expected at least one line of kt-gauntlet, found none"
	[ ! -e events ]
}

@test "an option that is wrong is named, and kt-assert's are checked before anything is started" {
	rejects() {
		local expected=$1
		shift
		run -64 kt-run "$@" <<< "-- pass"
		assert_output "kt-run: $expected"
	}
	rejects "unknown option '--retry': did you mean '--retries'? (--help lists all)" --retry
	rejects "unknown option '-x' (--help lists all)" -x
	rejects "option '--tap': expected a value after it" --tap
	rejects "-j '0': expected a whole number, 1 or more" -j0
	rejects "--retries 'x': expected a whole number, 0 or more" --retries=x
	rejects "--memory '12': expected a size such as 8G, in K, M, G or T" --memory 12
	rejects "expected one FILE, found 'b' after it" a b
	rejects "nofile: no such file" nofile
	rejects "--assert '--format=json': how verdicts are printed is kt-run's (--tap, --junit)" --assert --format=json
	rejects "--no-assert: there is no use for options of kt-assert" --no-assert --policy x
	run -64 kt-run --assert --max-gap <<< "-- pass"
	assert_output --partial "kt-run: --assert: unknown option '--max-gap'"
	run -64 kt-run --policy none.policy <<< "-- pass"
	assert_output --partial "none.policy"
	[ ! -e events ]
}

@test "names with spaces and quotes, blank lines and a last line without newline are taken as xargs takes them" {
	printf '%s\n' "-o 'runs/it is' -- pass" '' "  -o runs/\"it's\" -- pass" > in
	printf '%s' '-o runs/b\ c -- pass' >> in
	kt-run --no-assert --tap - in > r.tap 2> out
	xargs -L1 kt-vmm --dry-run < in > /dev/null
	run -0 ls runs
	assert_output $'b c\nit is\nit\'s'
	run -0 cat r.tap
	assert_output $'TAP version 13\n1..3\nok 1 - it is\nok 2 - it\'s\nok 3 - b c'
	run -0 cat out
	assert_line --regexp '^3 runs: 3 passed'
	printf '%s\0' $'-o "runs/two\nlines" -- pass' '-o runs/one -- pass' | kt-run -0 --no-assert > out
	[ -f $'runs/two\nlines/run.json' ] && [ -f runs/one/run.json ]
}

@test "results that cannot be written are status 70, and a file of results is complete or not there" {
	run -70 kt-run --no-assert --tap nowhere/r.tap <<< "-- pass"
	assert_line "kt-run: nowhere/r.tap: cannot be written"
	run -70 kt-run --no-assert --resume --junit /dev/full <<< "-- pass"
	[ -c /dev/full ]
	kt-run --no-assert --resume <<< "-- pass" > /dev/full 2> err && return 1
	run -0 cat err
	assert_output "kt-run: standard output: cannot be written"
	run -70 env TMPDIR=/nonexistent kt-run --no-assert <<< "-- pass"
	assert_output "kt-run: /nonexistent: no temporary file can be made"
}

@test "on a terminal there is one line of progress, which follows its width; elsewhere there are plain lines" {
	lines 2 "hold 3.0" > in
	export TERM=xterm
	tmux -L "kt$$" new-session -d -x 100 -y 10 "kt-run --no-assert -j 1 in; sleep 30" 3>&-
	until_holds eval "tmux -L kt$$ capture-pane -p | grep -q '^0/2 done, 1 running, 0 failed$'"
	until_holds eval "tmux -L kt$$ capture-pane -p | grep -Eq '^1/2 done, 1 running, 0 failed, [0-9]+ s left$'"
	tmux -L "kt$$" resize-window -x 20
	until_holds eval "tmux -L kt$$ capture-pane -p | grep -q '^1/2 done, 1 running$'"
	until_holds eval "tmux -L kt$$ capture-pane -pe | grep -q '\[32mPASS'"
	until_holds eval "tmux -L kt$$ capture-pane -p | grep -q '^2 runs: 2 passed'"
	run -0 tmux -L "kt$$" capture-pane -p
	refute_line "1/2 done, 1 running"
	tmux -L "kt$$" kill-server
	run -0 kt-run --no-assert --resume in
	refute_output --partial $'\033'
	refute_output --partial "running"
}
