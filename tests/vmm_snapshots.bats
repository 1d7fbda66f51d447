#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Whatever is to make a snapshot makes one in RUNDIR/snapshots, in guests that live, misbehave, panic and hang.
# bats file_tags=vm

load lib/kt
load lib/vm

# All runs of this suite, two at a time: the boots are what takes long.
setup_file() {
	kt-kernel path >/dev/null 2>&1 || return 0 # vm_setup skips the tests
	export RUNS=$BATS_FILE_TMPDIR/runs
	local sched=${KT_SCHED:-$KT_ROOT/build/tests/sched/kt-sched}
	mkdir -p "$RUNS" && cd "$RUNS" || return
	cat >asked.kt <<-'END'
		duration 16s
		cgroup a workers=2 work=spin-wait
		step one
		  snapshot here
		  snapshot here
		  watch jiffies_64
		  watch nr_dispatched
		  hold 8s
		step two
		  hold 8s
	END
	start_run asked --sched "$sched" --snapshots 3 -- kt-workload asked.kt
	start_run error --sched "$sched" --sched-args '--error-after 12500' -- kt-workload -e 'duration 60s' -e 'cgroup a workers=1' \
		-e 'step one' -e 'watch scx_enable_state_var' -e 'hold 60s'
	wait
	start_run panic -- busybox sh -c 'sleep 1; echo c >/proc/sysrq-trigger; sleep 20'
	start_run late --timeout 2s -- busybox sleep 100
	wait
	two_asked=(-e 'duration 30s' -e 'cgroup a workers=1' -e 'step one' -e 'snapshot first' -e 'hold 12s' -e 'step two'
		-e 'snapshot second' -e 'hold 1s')
	start_run killed -- kt-workload "${two_asked[@]}"
	kill_reader $! killed &
	mkdir blocked && : >blocked/run.json && : >blocked/snapshots
	start_run blocked -- kt-workload "${two_asked[@]}"
	wait
	start_run four -- kt-workload -e 'duration 5s' -e 'cgroup a workers=1' -e 'step one' -e 'watch linux_banner' \
		-e 'watch saved_command_line_len' -e 'watch init_task' -e 'watch linux_proc_banner' -e 'hold 1s'
	wait
}

start_run() { # NAME KT-VMM-ARG...
	(
		status=0
		kt-vmm -n -t 1n1l2c1t -m 512M -o "$1" "${@:2}" >"$1.out" 2>"$1.err" || status=$?
		echo "$status" >"$1.status"
	) 3>&- &
}

# Kill the reader of run $2, below process $1, once its first snapshot is there.
kill_reader() {
	local end=$((SECONDS + 300)) pid
	until [ -e "$2/snapshots/first.json" ]; do
		((SECONDS < end)) && [ ! -e "$2.status" ] || return 0
		sleep 0.1
	done
	for pid in $(descendants "$1"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != kt-snapshot ] && continue
		grep -E '^(Seccomp|CapEff|NoNewPrivs):' "/proc/$pid/status" >"$2.confined"
		ls -l "/proc/$pid/fd" >"$2.fds"
		kill -KILL "$pid"
	done
}

setup() {
	vm_setup
	cd "$RUNS" || return
}

# The snapshots of run $1, in the order in which they were taken.
taken() {
	jq -r 'select(.event == "snapshot") | .file | sub("snapshots/"; "") | sub(".json$"; "")' "$1/events.jsonl"
}

# Each file of run $1 is a document that knows its name, whole and by the trigger that the event tells.
check_documents() {
	local name
	for name in $(taken "$1"); do
		assert_equal "$(jq -c '[.schema, .name, .t_ns > 0, (.cpu | length)]' "$1/snapshots/$name.json")" \
			"[\"kt-snapshot/1\",\"$name\",true,2]"
	done
	assert_equal "$(find "$1/snapshots" -type f | wc -l)" "$(taken "$1" | wc -l)"
	assert_equal "$(jq .observed.snapshots "$1/run.json")" "$(taken "$1" | wc -l)"
}

@test "a scenario's snapshots are on disk when its op is done, the second of a name with a number" {
	assert_equal "$(cat asked.status)" 0
	check_documents asked
	assert_equal "$(jq -c '[.requests[0,1] | .reply.file]' asked/stats.json)" \
		'["snapshots/here.json","snapshots/here.2.json"]'
	# In the guest's order of things: the op, its snapshot, the next op.
	assert_equal "$(jq -r 'select(.event == "snapshot" or .event == "op") | .op // .file' asked/events.jsonl | sed -n 2,5p)" \
		'snapshot here
snapshots/here.json
snapshot here
snapshots/here.2.json'
	assert_equal "$(jq -r .trigger asked/snapshots/here.json)" scenario
}

@test "a watched variable of the kernel and one of the scheduler fire sixteen times, and are let go" {
	local name
	for name in jiffies_64 nr_dispatched; do
		assert_equal "$(taken asked | grep -c "^$name\.")" 16
		assert_equal "$(taken asked | grep "^$name\." | tail -n 1)" "$name.16"
		assert_equal "$(jq -r .trigger "asked/snapshots/$name.1.json")" watch
	done
	assert_equal "$(jq -r 'select(.event == "watch-disarmed") | "\(.watch) \(.fires)"' asked/events.jsonl | sort)" \
		'jiffies_64 16
nr_dispatched 16'
	# The guest stood behind the writes, which count up one by one. Where the other CPU had written too before it stood
	# still, the value is one ahead, and that CPU's own fire comes afterwards: docs/control.md.
	local values
	values=$(for i in $(seq 16); do kt-snapshot get "asked/snapshots/nr_dispatched.$i.json" var.nr_dispatched; done)
	assert_equal "$(jq -sc '[range(16) as $i | .[$i] - .[0] - $i] | (max - min) <= 1' <<<"$values")" true
}

@test "a fourth watch is refused at its line" {
	assert_equal "$(cat four.status)" 1
	assert_equal "$(jq -c .errors four/stats.json)" \
		"[\"-e:7: 'watch linux_proc_banner': no more watches: expected at most 3 at a time\"]"
}

@test "three snapshots lie in the middle of the scenario, at even distances" {
	assert_equal "$(taken asked | grep periodic)" 'periodic_000
periodic_001
periodic_002'
	local start
	start=$(jq 'select(.event == "scenario-start") | .t_ns' asked/events.jsonl)
	# 0.3, 0.5 and 0.7 of 16 s; they come as soon after as the host has time for them.
	assert_equal "$(jq -s --argjson start "$start" '[.[] | select(.trigger == "periodic") | (.t_ns - $start) / 16e9] |
		[.[0] >= 0.28, .[1] >= 0.48, .[2] >= 0.68, .[2] < 1, .[0] < .[1], .[1] < .[2]] | all' asked/events.jsonl)" true
}

@test "kt-assert finds in a run's snapshots what kt-snapshot get finds in them" {
	run -0 kt-assert --series asked --nondecreasing var.nr_dispatched --each map.kt_sched.type:eq:struct_ops
	local last
	last=$(kt-snapshot get asked/snapshots/periodic_002.json var.nr_dispatched)
	run -1 kt-assert --series asked/snapshots/periodic_002.json --each "var.nr_dispatched:ne:$last"
	assert_line --partial "$last in sample 1"
}

@test "a scheduler that errs is seen while its maps are still there" {
	assert_equal "$(cat error.status)" 121
	check_documents error
	assert_equal "$(taken error | head -n 2)" 'sched_exit
scx_enable_state_var.1'
	assert_equal "$(jq -r .trigger error/snapshots/sched_exit.json)" sched-exit
	run kt-snapshot get error/snapshots/sched_exit.json var.nr_dispatched
	assert_success
	assert_regex "$output" '^[0-9]+$'
	# The kernel disables it: by then all is said of the error.
	assert_equal "$(jq -c '.scx | [.state, .ops.name, .exit.kind, .exit.code, .exit.reason, .exit.message]' error/snapshots/scx_enable_state_var.1.json)" \
		'["disabling","kt_sched","error_bpf",0,"scx_bpf_error","kt_sched: error asked for with --error-after 12500"]'
	# Before it was torn down.
	assert_equal "$(jq -s '(map(select(.file == "snapshots/sched_exit.json")) | .[0].t_ns) <
		(map(select(.event == "scheduler-exited")) | .[0].t_ns)' error/events.jsonl)" true
}

@test "a panic and a time limit leave a snapshot, with two runs side by side" {
	assert_equal "$(cat panic.status)" 120
	check_documents panic
	assert_equal "$(taken panic)" panic
	# The panic's own words were all said.
	tail -n 1 panic/console.log | grep -q 'Rebooting in'
	assert_equal "$(cat late.status)" 124
	check_documents late
	assert_equal "$(taken late)" timeout
	assert_equal "$(jq -r .trigger late/snapshots/timeout.json)" timeout
}

@test "a reader that is killed is said, what is asked of it then is an error at its line, and the run ends as it would" {
	assert_equal "$(cat killed.status)" 1
	assert_equal "$(taken killed)" first
	run cat killed.err
	assert_line 'kt-vmm: kt-snapshot is gone: killed by signal 9 (Killed): no more snapshots of this run'
	assert_line --partial "'snapshot second': kt-snapshot is gone: killed by signal 9 (Killed)"
	assert_equal "$(jq -r .outcome killed/run.json)" exited
}

@test "the reader has no privileges, and nothing open but its socket and our stderr" {
	[ -s killed.confined ]
	assert_equal "$(tr -s '\t' ' ' <killed.confined)" 'CapEff: 0000000000000000
NoNewPrivs: 1
Seccomp: 2'
	run grep -c -- '->' killed.fds
	assert_output 3 # 0: the socket, 1: /dev/null, 2: stderr
}

@test "once confined, a program opens no file, starts no other and makes no memory code, but writes and reads on" {
	command -v gcc >/dev/null || skip "no compiler"
	cd "$BATS_TEST_TMPDIR" || return
	cat >held.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <sys/socket.h>
		#include <unistd.h>
		#include "confine.h"
		int main(void)
		{
			char *why = NULL;
			if (open("/etc/hostname", O_RDONLY) < 0 || confine(&why))
				return 2;
			printf("%d", open("/etc/hostname", O_RDONLY) < 0);
			printf("%d", fork() < 0);
			printf("%d", socket(AF_INET, SOCK_STREAM, 0) < 0);
			printf("%d", mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
			printf("%d", execl("/bin/true", "true", NULL) < 0);
			printf("%d\n", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
			return 0;
		}
	END
	gcc -D_GNU_SOURCE -I"$KT_ROOT/kt-snapshot" -I"$KT_ROOT/libcommon" -o held held.c "$KT_ROOT/kt-snapshot/confine.c" \
		"$KT_ROOT"/libcommon/diag.c -ljansson -lseccomp -lcap
	run ./held
	assert_success
	assert_output 111111
}

@test "a snapshot that cannot be kept fails its op, with the reason" {
	assert_equal "$(cat blocked.status)" 1
	run cat blocked.err
	assert_line --partial "cannot keep the snapshot: snapshots/first.json: Not a directory"
	[ -f blocked/snapshots ] # what was not a run's stays
}

@test "what excludes each other, and figures that are none, are said in a line" {
	run kt-vmm --deterministic --snapshots 3 -- true
	assert_failure 64
	assert_output 'kt-vmm: --snapshots: the guest would be stopped at moments of the host'\''s, which excludes --deterministic'
	run kt-vmm --snapshots 0 -- true
	assert_failure 64
	assert_output "kt-vmm: --snapshots '0': expected a whole number from 1 to 1000"
	run kt-vmm --watchdog-timeout 5 -- true
	assert_failure 64
	assert_output 'kt-vmm: --watchdog-timeout: expected --sched FILE with it'
	run kt-vmm --monitor=0 -- true
	assert_failure 64
	assert_output "kt-vmm: --monitor '0': expected a time from 1ms to 24h, for example 100ms or 5s"
	run kt-snapshot serve
	assert_failure 64
	assert_output 'kt-snapshot: serve: expected to be started by kt-vmm, with a socket as stdin'
}

@test "a disk that is full is said in one line, and nothing half stands on it" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	mkdir full
	mount -t tmpfs -o size=12k tmpfs full
	# Three pages: for the console, the events, and either the snapshot or run.json.
	run -124 kt-vmm -n -o full/run --timeout 100ms -m 256M -t 1n1l1c1t -- busybox sleep 9
	cp -r full/run there
	umount full
	assert_equal "$(grep -c 'No space left on device' <<<"$output")" 1
	run find there -type f -name '*.json*' -size +0 -exec jq -s length {} +
	assert_success
	run find there -type f -name '.*'
	assert_output ''
}

@test "an earlier run's snapshots do not outlive the next run in its directory" {
	mkdir -p again/snapshots
	: >again/run.json
	: >again/monitor.jsonl
	: >again/snapshots/old.json
	run kt-vmm -n -o again --kernel "$RUNS/none" -- true
	run kt-vmm -n -o again --timeout 100ms -m 256M -t 1n1l1c1t -- busybox sleep 9
	[ ! -e again/snapshots/old.json ]
	[ ! -e again/monitor.jsonl ]
}
