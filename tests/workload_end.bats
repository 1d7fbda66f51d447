#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# However a run ends, nothing of it is left.

# shellcheck disable=SC2016,SC2154 # single quotes are meant; bats and lib/workload set variables
load lib/kt
load lib/workload

setup() {
	need_cgroups
}

teardown() {
	stop_workload
}

gone() { # PID...
	local p
	for p; do
		# A zombie is gone too: its parent has yet to notice.
		[ ! -e "/proc/$p/stat" ] || [ "$(awk '{print $3}' "/proc/$p/stat")" = Z ] || return 1
	done
}

@test "a run that ends by itself leaves no process and no cgroup" {
	start_workload -d 6s -e 'cgroup a' -e 'cgroup b/c' -e 'step s' -e 'cgroup d' -e 'hold full'
	eventually cgroup_is_working a
	local children
	mapfile -t children < <(pgrep -P "$pid")
	[ "${#children[@]}" -ge 5 ] # workers and the guardian
	end_workload
	assert_equal "$status" 0
	no_run_root
	gone "${children[@]}"
}

@test "SIGINT, SIGTERM and SIGHUP stop the run: stats up to there, 128+N, nothing left" {
	local signal number children
	for signal in INT:2 TERM:15 HUP:1; do
		number=${signal#*:}
		start_workload -d 200s -e 'cgroup a' -e 'cgroup p work=futex-ping-pong' \
			-e 'cgroup s work=sequence:sleep=200s'
		eventually cgroup_is_working a
		mapfile -t children < <(pgrep -P "$pid")
		SECONDS=0
		kill "-${signal%:*}" "$pid"
		end_workload
		assert_equal "$status" $((128 + number))
		[ "$SECONDS" -lt 60 ]
		no_run_root
		gone "${children[@]}"
		assert_equal "$(jq -c '[.exit, .errors, ([.workers[].exit] | unique)]' "$stats")" \
			'["interrupted",[],["completed"]]'
		assert_equal "$(jq '.wall_ns < 1.5e11 and .workers[0].work_units > 0' "$stats")" true
	done
}

@test "a signal during a step, and while workers are being started, is as clean" {
	local children
	start_workload -d 60s -e 'cgroup a' -e 'step s' -e 'cgroup b' -e 'hold full'
	eventually cgroup_is_working b
	mapfile -t children < <(pgrep -P "$pid")
	kill -TERM "$pid"
	end_workload
	assert_equal "$status" 143
	gone "${children[@]}"
	no_run_root
	start_workload -d 60s -e 'cgroup a workers=2000 work=sequence:sleep=1s'
	eventually has_run_root
	kill -TERM "$pid"
	end_workload
	assert_equal "$status" 143
	no_run_root
}

@test "SIGKILL takes the workers along, and the guardian removes the cgroups" {
	local children
	start_workload -d 60s -e 'cgroup a workers=4' -e 'cgroup b/c workers=4 work=bursty'
	eventually cgroup_is_working a
	mapfile -t children < <(pgrep -P "$pid")
	[ "${#children[@]}" -ge 9 ]
	kill -KILL "$pid"
	end_workload
	eventually gone "${children[@]}"
	eventually no_run_root
	assert_equal "$(cat "$stats")" ""
}

many_threads_work() {
	leader=$(pgrep -P "$pid" -x many) && [ "$(find "/proc/$leader/task" -mindepth 1 -maxdepth 1 | wc -l)" -gt 3000 ]
}

@test "SIGKILL takes thousands of threads along" {
	start_workload -d 60s -e 'cgroup a workers=3000 pcomm=many work=sequence:sleep=5s'
	local leader
	eventually many_threads_work
	kill -KILL "$pid"
	end_workload
	eventually gone "$leader"
	eventually no_run_root
}

@test "what a run left whose guardian was killed too goes at the next start; live runs stay" {
	local children alive
	start_workload -d 60s -e 'cgroup a' -e 'cgroup b/c'
	eventually cgroup_is_working a
	mapfile -t children < <(pgrep -P "$pid")
	kill -STOP "$pid" # so that nobody can clean up
	kill -KILL "${children[@]}" "$pid"
	end_workload
	eventually gone "${children[@]}"
	has_run_root
	local left=$pid
	start_workload -d 60s -e 'cgroup a'
	eventually cgroup_is_working a
	alive=$pid
	run --separate-stderr kt-workload -v -d 100ms -e 'cgroup a'
	assert_success
	pid=$left no_run_root
	pid=$alive
	has_run_root
	kill -TERM "$pid"
	end_workload
	assert_equal "$status" 143
}

run_twenty() {
	local i pids=()
	for ((i = 0; i < 20; i++)); do
		kt-workload -d 1s -e "cgroup a workers=1 comm=run$i" >"$BATS_TEST_TMPDIR/$i.json" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
}

@test "twenty runs at once do not disturb each other" {
	local i
	undisturbed run_twenty
	for ((i = 0; i < 20; i++)); do
		assert_equal "$(jq -c '[.exit, .workers[0].comm, .workers[0].work_units > 0]' \
			"$BATS_TEST_TMPDIR/$i.json")" "[\"completed\",\"run$i\",true]"
	done
}

@test "stats that cannot be written are an error" {
	run --separate-stderr bash -c "kt-workload -d 100ms -e 'cgroup a' >/dev/full"
	assert_equal "$status" 70
	assert_equal "$stderr" "kt-workload: cannot write the stats: No space left on device"
}

@test "a worker that cannot be placed or prepared fails the run, by name" {
	run --separate-stderr env TMPDIR=/nonexistent kt-workload -d 100ms \
		-e 'cgroup a workers=1 work=sequence:io=1ms'
	assert_equal "$status" 1
	[[ $stderr == *"of cgroup 'a': cannot make a file in /nonexistent: No such file or directory" ]]
	assert_equal "$(jq -c '[.exit, (.errors | length), .workers[0].exit]' <<<"$output")" \
		'["failed",1,"exited:1"]'
	run --separate-stderr setpriv --bounding-set -sys_nice kt-workload -d 100ms \
		-e 'cgroup a workers=1 nice=-5'
	assert_equal "$status" 1
	assert_equal "$stderr" \
		"kt-workload: -e:1: cannot set nice=-5 in cgroup 'a': Permission denied (it needs CAP_SYS_NICE)"
	run --separate-stderr setpriv --reuid 65534 --clear-groups kt-workload -d 100ms -e 'cgroup a'
	assert_equal "$status" 70
	[[ $stderr == *"expected to run as root or in a delegated cgroup" ]]
}

@test "in a delegated cgroup a run needs no root; without more processes it fails, and its workers go on" {
	local base
	base=$(mktemp -d "$CGROUP_MOUNT/kt-mine.XXXXXX")
	chown -R 65534 "$base"
	as_nobody() { # PROCESSES LINE
		undisturbed run --separate-stderr bash -c 'echo $$ >"$1/cgroup.procs" && exec setpriv --reuid 65534 --clear-groups \
			prlimit --nproc="$2" kt-workload -d 300ms -e "$3"' - "$base" "$@"
	}
	as_nobody 1000 'cgroup a workers=50'
	local status_enough=$status
	as_nobody 20 'cgroup a workers=50'
	local left
	left=$(find "$base" -mindepth 1 -type d)
	rmdir "$base"
	assert_equal "$status_enough $status $left" "0 1 "
	assert_equal "$(sed 's/^\(kt-workload: \)[0-9]* of/\1K of/' <<<"$stderr")" \
		"kt-workload: -e:1: cannot start 50 workers in cgroup 'a': out of processes
kt-workload: K of 50 workers of cgroup 'a' were never started"
	local work
	for work in fork-exit exec:true; do
		undisturbed run --separate-stderr prlimit --nproc=1 kt-workload -d 200ms -e "cgroup a workers=1 uid=65534 work=$work"
		assert_equal "$status" 1
		assert_regex "$stderr" \
			"^kt-workload: worker [0-9]+ of cgroup 'a': cannot make a process: Resource temporarily unavailable$"
		assert_equal "$(jq -r '.workers[].exit' <<<"$output")" completed
	done
}

@test "a disk that gets full fails the run, and so do figures of steps that find no room there" {
	local full=$BATS_TEST_TMPDIR/full
	mkdir "$full"
	mount -t tmpfs -o size=64k full "$full" || skip "cannot mount a file system"
	head -c 1M /dev/zero >"$full/file" || true
	TMPDIR=$full undisturbed run --separate-stderr kt-workload -d 200ms -e 'cgroup a workers=1 work=io-sync-write'
	local status_write=$status stderr_write=$stderr
	TMPDIR=$full run --separate-stderr kt-workload -e 'cgroup a workers=1' -e 'step s' -e 'hold 20ms' \
		-e 'step t' -e 'hold 20ms'
	umount "$full"
	assert_equal "$status_write" 1
	assert_regex "$stderr_write" "worker [0-9]+ of cgroup 'a': cannot write to its file: No space left on device"
	assert_failure 1
	assert_regex "$stderr" "cannot keep what the workers of cgroup 'a' did: No space left on device"
}
