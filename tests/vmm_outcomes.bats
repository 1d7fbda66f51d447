#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Every way in which a guest can end badly is told apart, by exit status and in run.json, and nothing
# stays behind.
# bats file_tags=vm

load lib/kt
load lib/vm

setup() {
	vm_setup
}

# The outcome's word, the exit status and whether the message matches $1.
assert_outcome() {
	run -0 jq -r '"\(.outcome) \(.exit_status)"' run/run.json
	assert_output "$1"
	[ -z "${2-}" ] || jq -e --arg re "$2" '.message | test($re)' run/run.json
}

@test "a command that is not there, or cannot be executed, boots nothing" {
	run -127 kt-vmm -n -o run -- no-such-command
	assert_output "kt-vmm: command 'no-such-command': not found among kt's guest programs, on PATH or in what is included"
	run -126 kt-vmm -n -o run -- /etc
	assert_output "kt-vmm: command '/etc': expected an executable file"
	assert [ ! -e run ]
}

@test "a command that only the guest finds missing or broken is told apart there" {
	printf '\177ELF garbage' > broken && chmod +x broken
	echo text > plain
	run -126 kt-vmm -n --include plain:/usr/bin/tool -o run -- tool
	assert_outcome "not-executable 126"
	run -127 kt-vmm -n --no-auto-include -o run -- /bin/ls
	assert_outcome "not-found 127"
	run -126 kt-vmm -n -- ./broken
	assert_output --partial "damaged ELF file"
}

@test "a module that the kernel refuses; nothing is started" {
	echo junk > junk.ko
	run -125 kt-vmm -n -m 256M --module junk.ko -o run -- echo started
	assert_output "kt-vmm: module-failed: junk.ko: Exec format error"
	assert_outcome "module-failed 125" "^junk.ko: Exec format error$"
}

@test "a command that dies of a signal" {
	run -139 kt-vmm -n -o run -- sh -c 'kill -SEGV $$'
	assert_outcome "signalled 139"
}

@test "an OOM kill" {
	run -137 kt-vmm -n -m 256M -o run -- sh -c 'x=x; while :; do x=$x$x$x; done'
	assert_outcome "oom-kill 137" "OOM killer"
}

@test "a panic, with the kernel's words" {
	run -120 kt-vmm -n -o run -- sh -c 'echo c > /proc/sysrq-trigger'
	assert_output --partial "panic: the guest's kernel: Kernel panic - not syncing: sysrq triggered crash"
	assert_outcome "panic 120" "sysrq triggered crash"
	run -0 grep -c "Call Trace" run/console.log
}

@test "an oops, though the command went on and succeeded" {
	# What the kernel prints; no unprivileged program can make a stock kernel really oops.
	run -119 kt-vmm -n -o run -- sh -c 'echo "<0>BUG: kernel NULL pointer dereference, address: 0" > /dev/kmsg; sleep 0.2'
	assert_outcome "oops 119" "NULL pointer dereference"
}

@test "a guest that powers off without a word" {
	run -122 kt-vmm -n -o run -- poweroff -f
	assert_outcome "guest-died 122" "without reporting"
}

@test "a command that takes too long" {
	run -124 kt-vmm -n --timeout 6s -o run -- sh -c 'echo begun; sleep 1000'
	assert_line begun
	assert_outcome "timeout 124" "still ran after 6 s"
}

@test "a guest that no longer answers" {
	run -123 kt-vmm -n --timeout 8s -o run -- sh -c 'echo freeze > /sys/power/state; sleep 1000'
	assert_outcome "hang 123" "no longer answered"
}

@test "a guest that writes garbage to the channel" {
	# Steals kt-init's descriptor of the channel, the only one that there can be.
	gcc -static -x c -o garble - <<-'END'
	#define _GNU_SOURCE
	#include <stdio.h>
	#include <string.h>
	#include <sys/pidfd.h>
	#include <unistd.h>
	int main(void)
	{
		char path[64], target[64] = "", garbage[100000];
		int init = pidfd_open(1, 0);

		memset(garbage, 0xa5, sizeof(garbage));
		for (int fd = 0; fd < 64; fd++) {
			snprintf(path, sizeof(path), "/proc/1/fd/%d", fd);
			if (readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "vport"))
				return write(pidfd_getfd(init, fd, 0), garbage, sizeof(garbage)) < 0;
		}
		return 1;
	}
	END
	run -122 kt-vmm -n -o run --include garble -- sh -c './garble && sleep 100'
	assert_outcome "guest-died 122" "broke the channel's protocol: frame longer than"
}

@test "a kernel that breaks before kt-init speaks is tried once more, and the record shows it" {
	run -120 kt-vmm -n -o run --append rdinit=/nowhere -- true
	assert_outcome "panic 120"
	run -0 jq -c '[.attempts[] | [.outcome, .hello]]' run/run.json
	assert_output '[["panic",false],["panic",false]]'
	run -0 grep -q "Kernel panic" run/console-attempt1.log
}

@test "a failed run without -o is kept, and named" {
	run -124 kt-vmm -n --timeout 1s -- sleep 100
	local dir
	dir=$(sed -n 's/.*everything the run made is in //p' <<< "$output")
	assert [ -e "$dir/run.json" ]
	run -0 kt-vmm -n -- true
	run -5 kt-vmm -n -- sh -c 'exit 5'
	assert_equal "$(ls -A "$TMPDIR" | wc -l)" 1
}

# Kill kt-vmm with $1 after $2 seconds; nothing of it may stay.
kill_leaves_nothing() {
	kt-vmm -n -- sleep 1000 > out 2>&1 3>&- &
	local pid=$! children
	sleep "$2"
	children=$(descendants $pid)
	kill "-$1" $pid
	wait $pid || true
	# A killed child is gone at once, or a zombie that its new parent has yet to reap.
	for _ in $(seq 600); do
		local left=0 child
		for child in $children; do
			case $(ps -o stat= -p "$child") in ''|Z*) ;; *) left=1 ;; esac
		done
		[ $left = 0 ] && break
		sleep 0.1
	done
	assert_equal "$left" 0
	assert_equal "$(ls -A "$TMPDIR")" ""
}

@test "SIGINT, SIGTERM and SIGKILL at any moment leave nothing behind" {
	local signal delay
	for signal in INT TERM KILL; do
		for delay in 0.01 0.05 0.2 1 3; do
			kill_leaves_nothing $signal $delay
		done
	done
}

@test "an interrupted run says so in its status and its record" {
	kt-vmm -n -o run -- sh -c 'echo begun; sleep 1000' >out 3>&- &
	local pid=$! status=0
	eventually grep -q begun out
	kill -TERM $pid
	wait $pid || status=$?
	assert_equal "$status" 143
	assert_outcome "interrupted 143"
}

@test "a reader that takes nothing keeps neither a signal nor the timeout from working" {
	mkfifo pipe
	sleep 1000 < pipe 3>&- &
	local reader=$! status=0
	kt-vmm -n -o run --timeout 8s -- yes > pipe || status=$?
	assert_equal "$status" 124
	assert_outcome "timeout 124" "held up by its reader"
	kt-vmm -n -o run -- yes > pipe 3>&- &
	local pid=$!
	sleep 6
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	kill $reader
	assert_equal "$status" 143
}

@test "input for a guest that has stopped reading does not stop the timeout" {
	local status=0
	(while echo x; do sleep 0.003; done) 2>/dev/null |
		kt-vmm -o run --timeout 8s -- sh -c 'echo freeze > /sys/power/state; sleep 1000' || status=$?
	assert_equal "$status" 123
}

@test "a panicked guest that stays is still a panic" {
	run -120 kt-vmm -n -o run --append panic=0 --timeout 8s -- sh -c 'echo c > /proc/sysrq-trigger'
	assert_outcome "panic 120"
}

@test "a closed stdout is an error, not a place to lose output in" {
	run -125 bash -c 'kt-vmm -n -- echo lost >&-'
	assert_output --partial "stdout: Bad file descriptor"
}

@test "a reader that goes away ends the run" {
	run bash -c 'set -o pipefail; kt-vmm -n -- sh -c "while :; do echo y; done" | head -n 1'
	assert_equal "$status" 141
	assert_output y
}
