#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Work types that need what only a guest has: two NUMA nodes, cgroup controllers.
# bats file_tags=vm

# shellcheck disable=SC2154 # bats sets stderr
load lib/kt
load lib/vm

setup() {
	vm_setup
}

@test "on two nodes memory and tasks wander between them, and moved tasks have a task group each" {
	cat >two_nodes.sh <<-'END'
		kt-workload -v -d 100s -e 'cgroup sweep workers=1 work=numa-working-set-sweep:period=50ms' \
			-e 'cgroup churn workers=1 work=numa-migration-churn:period=50ms' \
			-e 'cgroup moves workers=1 work=cgroup-churn:cycle=10ms' \
			-e 'cgroup net workers=1 work=net-traffic' &
		until set -- /sys/fs/cgroup/kt.*/moves/*/cgroup.controllers && [ -e "$2" ]; do sleep 0.1; done
		for i in $(seq 6); do sleep 0.5; done
		cat /sys/fs/cgroup/kt.*/moves/cgroup.type /sys/fs/cgroup/kt.*/moves/*/cgroup.controllers >&2
		kill -TERM $!
		wait
		grep pgmigrate_success /proc/vmstat >&2
		find /sys/fs/cgroup -name 'kt.*' >&2
	END
	run --separate-stderr kt-vmm -n -t 2n2l1c1t -m 1G --include "$(command -v kt-workload):/bin/kt-workload" \
		--include two_nodes.sh --include "$(command -v grep)" --include "$(command -v find)" \
		--include "$(command -v sleep)" --include "$(command -v cat)" -- sh two_nodes.sh
	assert_equal "$status" 0
	stats=$output
	stderr=$(grep -v '^kt-vmm:' <<<"$stderr")
	# The cgroups that cgroup-churn made distribute the CPU, and are gone with the run.
	assert_equal "$(grep -v -e '^kt-workload:' -e pgmigrate <<<"$stderr")" $'domain threaded\ncpu\ncpu'
	refute_regex "$stderr" 'no cpu controller'
	# Pages did move: more than one working set of 1024 pages, by the kernel's own count.
	pages=$(sed -n 's/pgmigrate_success //p' <<<"$stderr")
	[ "$pages" -gt 1024 ]
	# What it runs over is said in words and in the stats, and both agree.
	words=$(grep -c 'net-traffic: a veth pair' <<<"$stderr" || true)
	run jq -ce --argjson veth "$words" '[.cgroups[] | {(.name): .}] | add |
		.sweep.iterations >= 2 and .churn.iterations >= 3 and .churn.migrations >= 2 and
		.moves.iterations >= 10 and .net.work_units > 0 and .net.metrics.veth == $veth' <<<"$stats"
	assert_output true
}
