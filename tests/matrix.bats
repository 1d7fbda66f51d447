#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# A matrix of VMs from one pipeline, judged in one go.
# bats file_tags=vm

# shellcheck disable=SC2154 # bats sets stderr
load lib/kt
load lib/vm

setup() {
	vm_setup
}

@test "kt-gauntlet piped to xargs runs each variant into a directory named after it" {
	printf 'duration 500ms\ncgroup spinner workers=2 work=spin-wait cpuset=llc:0\n' > x.kt
	kt-gauntlet --max-cpus 4 --vmm --deterministic=1 --vmm -n -- kt-workload x.kt | xargs -P2 -L1 kt-vmm > /dev/null
	run -0 ls runs/x
	assert_output $'tiny-1llc\ntiny-2llc'
	assert_equal "$(jq -r '.topology' runs/x/tiny-1llc/default/stats.json runs/x/tiny-2llc/default/stats.json | tr '\n' ' ')" \
		"1n1l4c1t 1n2l2c1t "
	run -0 kt-assert --isolation runs/x/tiny-1llc/default runs/x/tiny-2llc/default
	assert_line --partial "PASS x [topo=1n1l4c1t]"
	assert_line --partial "PASS x [topo=1n2l2c1t]"
	# Two workers on one LLC of one CPU each cannot both have it: the judge sees the contention.
	kt-gauntlet -t 1n2l1c1t --vmm --deterministic=1 --vmm -n -- kt-workload x.kt | xargs -L1 kt-vmm > /dev/null
	run -1 kt-assert --max-gap-ms 1 runs/x/1n2l1c1t/default
	assert_line --regexp '^ktstr_test .x. \[topo=1n2l1c1t\] failed:$'
	assert_line --regexp '^  tid [0-9]+ stuck [0-9]+ms on cpu0 at \+[0-9]+ms \(threshold 1ms\)$'
}

@test "a profile's arguments reach the scheduler, and a seed and a kernel the run" {
	KT_SCHED=${KT_SCHED:-$KT_ROOT/build/tests/sched/kt-sched}
	printf 'duration 200ms\ncgroup spinner workers=1 work=spin-wait\n' > x.kt
	kt-gauntlet -t 1n1l2c1t --sched "$KT_SCHED" --flags "$KT_ROOT/tests/sched/kt-sched.flags" \
		--require-flag tight-watchdog --exclude-flag ignore-llc -k 7.3..7.3 --seed 5 --vmm -n -- kt-workload x.kt > lines
	assert_equal "$(wc -l < lines)" 1
	xargs -L1 kt-vmm < lines > /dev/null
	local release run
	release=$(vm_kernels 7.3. | tail -1)
	run=runs/x/1n1l2c1t/short-slice+tight-watchdog/$release/kt-sched/seed5/run.json
	assert_equal "$(jq -c '[.outcome, .scheduler.args, .scheduler.name, .seed, .deterministic, .kernel.release]' "$run")" \
		"[\"exited\",\"--slice 1000 --watchdog 5000\",\"kt_sched\",5,true,\"$release\"]"
	# The run is known to the next matrix, by its own time.
	run --separate-stderr kt-gauntlet -t 1n1l2c1t --sched "$KT_SCHED" --flags "$KT_ROOT/tests/sched/kt-sched.flags" \
		--require-flag tight-watchdog --exclude-flag ignore-llc -k "$release" --seed 5 --budget 1h --history runs \
		--format names -- kt-workload x.kt
	assert_success
	assert_output "x/1n1l2c1t/short-slice+tight-watchdog/$release/kt-sched/seed5"
	assert_regex "$stderr" "1 of 1 variants, .* \(1 recorded, 0 estimated\)"
}

@test "a work type replaces that of the cgroups that a scenario leaves open" {
	printf 'duration 200ms\ncgroup open workers=1 work=spin-wait swappable\ncgroup fixed workers=1 work=spin-wait\n' > x.kt
	kt-gauntlet -t 1n1l2c1t -w bursty -w own --vmm --deterministic=1 --vmm -n -- kt-workload x.kt | xargs -P2 -L1 kt-vmm > /dev/null
	run -0 jq -c '[.workers[] | [.cgroup, .work]]' runs/x/1n1l2c1t/default/bursty/stats.json runs/x/1n1l2c1t/default/own/stats.json
	assert_output '[["open","bursty"],["fixed","spin-wait"]]
[["open","spin-wait"],["fixed","spin-wait"]]'
}
