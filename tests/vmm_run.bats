#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# One command in one VM: its output, its exit status, its files. Each test boots a real kernel.
# bats file_tags=vm

load lib/kt
load lib/vm

setup() {
	vm_setup
}

@test "output, error output and exit status of the command come back" {
	run --separate-stderr -7 kt-vmm -n -- sh -c 'echo out; echo err >&2; exit 7'
	assert_output out
	assert_equal "$stderr" err
}

@test "the command reads the host's stdin to its end" {
	run -0 kt-vmm -- sh -c 'cat; echo end' <<< $'first\nsecond'
	assert_output $'first\nsecond\nend'
}

@test "a command that leaves its input alone ends all the same" {
	run -3 kt-vmm -- sh -c 'exit 3' < /dev/zero
}

@test "50 MB of output arrive whole, and 20 MB of input" {
	head -c 50000000 /dev/urandom > big
	run -0 kt-vmm -n --include big:/big -m 2G -o run -- cat /big
	cmp big run/stats.json
	head -c 20000000 big > input
	kt-vmm -- md5sum < input > sum
	assert_equal "$(cut -d' ' -f1 sum)" "$(md5sum < input | cut -d' ' -f1)"
}

@test "the command and the files that it names come along, as copies" {
	mkdir -p sub "$BATS_TEST_TMPDIR/elsewhere"
	echo one > sub/relative
	echo two > "$BATS_TEST_TMPDIR/elsewhere/absolute"
	printf '#!/usr/bin/env bash\ncat "$@"; echo changed > "$1"\n' > sub/script
	chmod +x sub/script
	run -0 kt-vmm -n -- sub/script sub/relative "$BATS_TEST_TMPDIR/elsewhere/absolute"
	assert_output $'one\ntwo'
	assert_equal "$(cat sub/relative)" one
}

@test "a program brings its libraries, found through RUNPATH as its loader would" {
	mkdir -p lib inner
	echo 'int inner(void) { return 40; }' | gcc -shared -fPIC -x c -o inner/libinner.so -
	echo 'int inner(void); int outer(void) { return inner() + 2; }' |
		gcc -shared -fPIC -x c -o lib/libouter.so - -Linner -linner '-Wl,-rpath,$ORIGIN/../inner'
	echo 'int outer(void); int main(void) { return outer(); }' |
		gcc -x c -o prog - -Llib -louter '-Wl,-rpath,$ORIGIN/lib' -Wl,-rpath-link,inner
	run -42 kt-vmm -n -- ./prog
	rm inner/libinner.so
	run -126 kt-vmm -n -- ./prog
	assert_output --partial "needs the library libinner.so, which is not found"
}

@test "--no-auto-include carries only what is named" {
	echo text > file
	run -127 kt-vmm -n --no-auto-include -- nosuch
	run -1 kt-vmm -n --no-auto-include --include /bin/sh -- /bin/sh -c 'test -e file'
	run -0 kt-vmm -n --no-auto-include --include /bin/sh --include file -- /bin/sh -c 'test -e file'
}

@test "--env reaches the command, and its world is mounted" {
	export PASSED=along
	local kernel
	kernel=$(vm_kernels '' | tail -n 1)
	run -0 kt-vmm -n -e A=b -e PASSED -k "$kernel" -- sh -c 'echo $A $PASSED; uname -r; nproc
		test -d /sys/fs/cgroup && test -d /sys/kernel/sched_ext && test -e /proc/self
		cat /sys/fs/cgroup/cgroup.subtree_control; 
		ls -d /sys/kernel/tracing/events /sys/fs/bpf /sys/kernel/debug/sched
		ping -c1 127.0.0.1 >/dev/null && echo loopback; pwd; touch /tmp/x /dev/shm/x && echo tmp'
	assert_line "b along"
	assert_line "$kernel"
	assert_line --regexp 'cpuset.*cpu.*memory'
	assert_line loopback
	assert_line tmp
	assert_line /root
	assert_line /sys/kernel/tracing/events
}

@test "/boot holds the kernel's configuration where it is known" {
	local config
	config=$(dirname "$(kt-kernel path)")/config
	[ -e "$config" ] || skip "the newest kernel came without its configuration"
	run -0 kt-vmm -n -- sh -c 'cat /boot/config-$(uname -r)'
	assert_equal "$output" "$(cat "$config")"
}

@test "a run directory holds everything that the run made" {
	run -0 kt-vmm -n -t 1n2l1c1t -o deep/run -- sh -c 'echo data; echo oops >&2'
	assert_equal "$(cat deep/run/stats.json)" data
	assert_equal "$(cat deep/run/stderr.log)" oops
	run -0 jq -r '.schema, .outcome, .exit_status, .topology, .command[0], .kernel.release,
		.engine.name, (.attempts | length), (.boot_ns > 0 and .command_ns > 0)' deep/run/run.json
	assert_line -n 0 kt-run/1
	assert_line -n 1 exited
	assert_line -n 2 0
	assert_line -n 3 1n2l1c1t
	assert_line -n 4 sh
	assert_line -n 8 true
	assert_equal "$(jq -rs '.[0].event' deep/run/events.jsonl)" command-start
	# The guest ended by itself; nobody had to stop it.
	run -0 grep -q "reboot: Power down" deep/run/console.log
	# Used again, it holds the new run alone; a directory with other things in it is left alone.
	touch deep/run/sched.log
	run -0 kt-vmm -n -o deep/run -- true
	assert [ ! -e deep/run/stderr.log ]
	assert [ ! -e deep/run/sched.log ]
	mkdir mine && touch mine/precious
	run -64 kt-vmm -n -o mine -- true
	assert_output --partial "not empty, and not a run directory"
	assert_equal "$(ls mine)" precious
}

@test "--shell is an interactive shell on the terminal" {
	tmux -L "kt$$" -f /dev/null new-session -d -x 100 -y 30 "TERM=xterm $(command -v kt-vmm) --shell; echo status \$?; sleep 60"
	for _ in $(seq 300); do
		tmux -L "kt$$" capture-pane -p | grep -q '[#~] $\|# *$' && break
		sleep 0.2
	done
	tmux -L "kt$$" send-keys 'stty size; echo $((40 + 2)); exit 5' Enter
	for _ in $(seq 300); do
		tmux -L "kt$$" capture-pane -p | grep -q '^status' && break
		sleep 0.2
	done
	run tmux -L "kt$$" capture-pane -p
	tmux -L "kt$$" kill-server
	assert_line --regexp '^30 100'
	assert_line --regexp '^42'
	assert_line --regexp '^status 5'
}

@test "two runs at once do not disturb each other, nor do twenty" {
	local i
	for i in $(seq 20); do
		kt-vmm -n -m 512M -o "run$i" -- sh -c "echo $i; exit $i" > "out$i" 2>&1 &
		pids[i]=$!
	done
	for i in $(seq 20); do
		local status=0
		wait "${pids[i]}" || status=$?
		assert_equal "$status" "$i"
		assert_equal "$(cat "out$i")" "$i"
		assert_equal "$(jq -c '[.exit_status, (.attempts | length)]' "run$i/run.json")" "[$i,1]"
	done
}

@test "stopping kt-vmm with Ctrl-Z freezes the guest, fg thaws it" {
	kt-vmm -n -- sh -c 'i=0; while [ $i -lt 40 ]; do i=$((i+1)); cut -d" " -f1 /proc/uptime; sleep 0.2; done' > out &
	local pid=$!
	for _ in $(seq 300); do [ -s out ] && break; sleep 0.1; done
	kill -TSTP $pid
	give_time 2
	local before after
	before=$(wc -l < out)
	give_time 4
	after=$(wc -l < out)
	kill -CONT $pid
	wait $pid
	assert_equal "$after" "$before"
	assert_equal "$(wc -l < out)" 40
}
