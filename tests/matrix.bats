#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# A matrix of VMs from one pipeline, judged in one go.
# bats file_tags=vm

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
	assert_equal "$(jq -r '.topology' runs/x/tiny-1llc/stats.json runs/x/tiny-2llc/stats.json | tr '\n' ' ')" \
		"1n1l4c1t 1n2l2c1t "
	run -0 kt-assert --isolation runs/x/tiny-1llc runs/x/tiny-2llc
	assert_line --partial "PASS x [topo=1n1l4c1t]"
	assert_line --partial "PASS x [topo=1n2l2c1t]"
	# Two workers on one LLC of one CPU each cannot both have it: the judge sees the contention.
	kt-gauntlet -t 1n2l1c1t --vmm --deterministic=1 --vmm -n -- kt-workload x.kt | xargs -L1 kt-vmm > /dev/null
	run -1 kt-assert --max-gap-ms 1 runs/x/1n2l1c1t
	assert_line --regexp '^ktstr_test .x. \[topo=1n2l1c1t\] failed:$'
	assert_line --regexp '^  tid [0-9]+ stuck [0-9]+ms on cpu0 at \+[0-9]+ms \(threshold 1ms\)$'
}
