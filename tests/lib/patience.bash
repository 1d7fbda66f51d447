# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For tests on a machine that now and then stands still for seconds while its clocks go on: `load lib/patience`.

# Wait, a minute at most, until a command succeeds.
eventually() { # COMMAND...
	local end=$((SECONDS + 60))
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.02
	done
}

# Let others run for so long, a whole number of tenths. While the machine stands still a sleep goes on, this one for a
# tenth at most.
give_time() { # SECONDS
	local i tenths
	tenths=$(awk -v s="$1" 'BEGIN { printf "%d", s * 10 + 0.5 }')
	for ((i = 0; i < tenths; i++)); do
		sleep 0.1
	done
}

# Run a command, and again where the machine stood still meanwhile, by another process' clock: what is measured then
# says nothing. The command's own checks come afterwards. Returns its last status.
undisturbed() { # COMMAND...
	local try watch told=$BATS_TEST_TMPDIR/stood-still code
	for try in {1..6}; do
		: >"$told"
		"$KT_ROOT/tests/lib/stood-still" >"$told" 3>&- &
		watch=$!
		# No load takes the CPU from it.
		chrt -f -p 99 "$watch" 2>/dev/null || true
		eventually grep -q up "$told"
		code=0
		"$@" || code=$?
		kill -TERM "$watch"
		wait "$watch" || true
		[ "$(tail -n 1 "$told")" -ge 100 ] || break
		echo "the machine stood still for $(tail -n 1 "$told") ms, try $try" >&2
	done
	return "$code"
}
