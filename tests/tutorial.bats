#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# What docs/tutorial.md arrives at: one scenario, one policy, three runs judged. The runs are
# deterministic, so that nothing but the kernel, the scheduler and the policy decides the verdict.
# bats file_tags=vm

load lib/kt
load lib/vm

setup() {
	vm_setup # an empty directory to work in; skips where nothing can boot
	KT_SCHED=${KT_SCHED:-$KT_ROOT/build/tests/sched/kt-sched}

	cat > mixed_workloads.kt <<-'END'
	# Two lives on two LLCs: a persistent spinner, and a worker that
	# alternates between spinning and yielding.
	duration 20s
	cgroup background_spinner workers=2 work=spin-wait cpuset=llc:0
	cgroup phased_worker workers=2 work=sequence:spin=100ms,yield=20ms cpuset=llc:1
	END

	cat > mixed.policy <<-'END'
	# What this suite wants of every scheduler.
	isolation          = on
	max_spread_pct     = 15
	max_throughput_cv  = 0.5
	min_work_rate      = 1
	min_iteration_rate = 1
	END
}

# mixed_workloads [KT-VMM-OPTION...]: boot, run, judge. The status is kt-assert's.
mixed_workloads() {
	kt-vmm -n --deterministic=7 -t 1n2l2c1t -o mixed.run "$@" \
		-- kt-workload mixed_workloads.kt > /dev/null || true # a bad end is judged as well
	kt-assert --policy mixed.policy mixed.run
}

@test "two lives on two LLCs get their share under the kernel's own scheduler" {
	run mixed_workloads
	assert_success
	assert_output 'PASS mixed_workloads [topo=1n2l2c1t]'
}

@test "two lives on two LLCs get their share under a sched_ext scheduler" {
	run mixed_workloads --sched "$KT_SCHED"
	assert_success
	assert_output 'PASS mixed_workloads [sched=kt_sched] [topo=1n2l2c1t]'
}

@test "a scheduler that starves the phased worker fails" {
	run mixed_workloads --sched "$KT_SCHED" --sched-args '--starve phased_worker'
	assert_failure 1
	assert_line "ktstr_test 'mixed_workloads' [sched=kt_sched] [topo=1n2l2c1t] failed:"
	assert_line --regexp '^  tid [0-9]+ slow: iteration_rate=.* \(threshold 1/s\)$'
}
