#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The guest's memory is not trusted, and neither are files: whatever they hold, kt-snapshot ends by itself, in time.

load lib/kt
load lib/vm

# wait_for WORD: until the guest has said it.
wait_for() {
	local end=$((SECONDS + 200))
	until grep -qs "^$1" out; do
		((SECONDS < end)) && kill -0 "$vmm" || { cat err >&2; return 1; }
		sleep 0.2
	done
}

# One guest's memory twice: as it is, and with maps of every type.
setup_file() {
	kt-kernel path >/dev/null 2>&1 && command -v qemu-system-x86_64 >/dev/null || return 0
	cd "$BATS_FILE_TMPDIR" || return
	export IMAGE=$KT_ROOT/build/tests/snapshot/ram_image
	[ -z "${KT_BIN:-}" ] || [ ! -x "${KT_BIN%/bin}/tests/snapshot/ram_image" ] || IMAGE=${KT_BIN%/bin}/tests/snapshot/ram_image
	[ -x "$IMAGE" ] || { echo "$IMAGE is not there (make)" >&2; return 1; }
	mkfifo in
	kt-vmm -o run -m 256M -t 1n1l2c1t --sched "$KT_ROOT/build/tests/sched/kt-sched" -i "$KT_ROOT/build/tests/maps/kt-maps:/bin/kt-maps" -- \
		busybox sh -c 'echo held; read -r go; exec kt-maps busybox sh -c "echo filled; exec busybox sleep 120"' \
		<>in >out 2>err 3>&- &
	local vmm=$!
	wait_for held
	"$IMAGE" record run ram
	echo >in
	wait_for filled
	"$IMAGE" record run filled
	kill -TERM "$vmm"
	wait "$vmm" || true
}

@test "ten thousand captures of a spoilt memory end, within bounds" {
	vm_setup
	# Each is bounded by ten seconds and all by 8 GiB of addresses in the program itself. The seed moves on by the day.
	local seed=$((10#$(date +%j) * 10000))
	echo "# seed $seed" >&3
	run -0 timeout 300 "$IMAGE" hostile "$BATS_FILE_TMPDIR/ram" 10000 "$seed"
	assert_output --regexp '^[0-9]+ captures of 10000, [0-9]+ spoilt kernels opened, [0-9]+ and [0-9]+ pages, peak [0-9]+ MiB$'
	echo "# $output" >&3
	# Most memory is not so spoilt that nothing could be seen, and what is has bounds.
	local captures=${output%% *} peak=${output##*peak }
	((captures > 8000))
	((${peak% MiB} < 2048))
}

@test "a symbol, type or member that a kernel lacks turns off what needs it, by name, and nothing else" {
	vm_setup
	run -0 timeout 300 "$IMAGE" lacking "$BATS_FILE_TMPDIR/filled"
	echo "# $output" >&3
	assert_output --regexp '^2[0-9]{2} names, [0-9]+ sections changed, 0 wrong$'
}

# answers TEXT: get, print and diff refuse a file of TEXT in one line.
answers() {
	local command
	printf '%s' "$1" >"$BATS_TEST_TMPDIR/bad"
	for command in "get $BATS_TEST_TMPDIR/bad var.x" "print $BATS_TEST_TMPDIR/bad" \
		"diff $BATS_TEST_TMPDIR/bad $BATS_TEST_TMPDIR/bad"; do
		# shellcheck disable=SC2086 # words are meant
		run -65 timeout 20 kt-snapshot $command
		assert_equal "${#lines[@]}" 1
		assert_output --partial "kt-snapshot: '$BATS_TEST_TMPDIR/bad': expected a snapshot"
	done
}

@test "files that are no snapshots are refused in one line" {
	answers ''
	answers '{'
	answers '[1,2]'
	answers '"kt-snapshot/1"'
	answers '{"schema":7}'
	answers '{"schema":"kt-snapshot/1","schema":"kt-snapshot/1"}'
	answers "$(head -c 3000 /dev/urandom | base64 -w0)"
	answers "{\"schema\":\"kt-snapshot/1\",\"a\":$(printf '[%.0s' $(seq 100000))"
	head -c 100000 /dev/urandom >"$BATS_TEST_TMPDIR/noise"
	run -65 kt-snapshot print "$BATS_TEST_TMPDIR/noise"
	assert_equal "${#lines[@]}" 1
}

@test "snapshots whose members are of other kinds than they should be are read all the same" {
	local doc command
	for doc in '{"map":3,"cpu":{"a":1},"scx":[1],"prog":"x"}' '{"map":[null,1,{"name":5,"vars":[1]},{"vars":{"x":{}}}]}' \
		'{"cpu":[[],{"curr":[]},7],"t_ns":"x","missing":[{}],"scx":{"dsq":{"a":1},"events":[2]}}' \
		"{\"map\":$(printf '[%.0s' $(seq 1500))$(printf ']%.0s' $(seq 1500))}"; do
		jq -c '.schema = "kt-snapshot/1"' <<<"$doc" >"$BATS_TEST_TMPDIR/odd" 2>/dev/null ||
			sed 's/^{/{"schema":"kt-snapshot\/1",/' <<<"$doc" >"$BATS_TEST_TMPDIR/odd"
		run -0 kt-snapshot print "$BATS_TEST_TMPDIR/odd"
		run -1 kt-snapshot get "$BATS_TEST_TMPDIR/odd" var.y
		assert_equal "${#lines[@]}" 1
		echo '{"schema":"kt-snapshot/1"}' | run -1 kt-snapshot diff - "$BATS_TEST_TMPDIR/odd"
		run -0 kt-snapshot diff "$BATS_TEST_TMPDIR/odd" "$BATS_TEST_TMPDIR/odd"
		assert_output ''
	done
}
