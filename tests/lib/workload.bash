# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # suites use what is set here
# For the suites that run kt-workload on this machine.

# shellcheck source=tests/lib/patience.bash
source "$KT_ROOT/tests/lib/patience.bash"

# Skip what can't be done here.
need_cgroups() {
	CGROUP_MOUNT=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
	[ -n "$CGROUP_MOUNT" ] || skip "no cgroup2 file system is mounted"
	[ "$(id -u)" = 0 ] || skip "making cgroups needs root"
}

need_cpus() { # N
	[ "$(nproc)" -ge "$1" ] || skip "needs $1 CPUs"
}

# Start kt-workload in the background: its PID is in $pid, its stats go to $stats.
start_workload() { # ARGS...
	stats=$BATS_TEST_TMPDIR/stats.json
	kt-workload "$@" >"$stats" 2>"$BATS_TEST_TMPDIR/stderr" 3>&- &
	workload=$!
	pid=$workload
}

# Wait for it; its exit status goes to $status.
end_workload() {
	status=0
	wait "$workload" || status=$?
	workload=
}

# The directory of the run's cgroups, if it is there.
run_root() {
	find "$CGROUP_MOUNT" -type d -name "kt.$pid"
}

has_run_root() {
	[ -n "$(run_root)" ]
}

no_run_root() {
	[ -z "$(run_root)" ]
}

# The workers in one cgroup of the run.
workers_of() { # CGROUP
	cat "$(run_root)/$1/cgroup.procs" 2>/dev/null
}

# The load is on: the first worker of the cgroup has used CPU time. Sets $tid to it.
cgroup_is_working() { # CGROUP
	tid=$(workers_of "$1" | head -n 1)
	[ -n "$tid" ] && [ "$(cut -d ' ' -f 1 "/proc/$tid/schedstat")" -gt 20000000 ]
}

# End it early, when the test has seen enough; the stats are complete up to there.
interrupt_workload() {
	kill -TERM "$workload"
	end_workload
	[ "$status" = 143 ]
}

# Wait until task $tid has run MS more, 5 if not told, so that it came to checkpoints.
runs_on() { # [MS]
	ran_until=$(($(cut -d ' ' -f 1 "/proc/$tid/schedstat") + ${1:-5} * 1000000))
	eventually ran
}

ran() {
	[ "$(cut -d ' ' -f 1 "/proc/$tid/schedstat")" -ge "$ran_until" ]
}

# For teardown: a test that failed leaves nothing running.
stop_workload() {
	[ -z "${workload:-}" ] || kill -KILL "$workload" 2>/dev/null || true
}
