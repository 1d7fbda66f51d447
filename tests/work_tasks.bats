#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The work types of timers, interrupts, task life and class, memory, I/O, benchmarks and commands.

load lib/kt
load lib/workload
load lib/work

setup() {
	need_cgroups
}

teardown() {
	stop_workload
}

# One cgroup of each, as few workers as it takes.
each_type() {
	local type
	for type in "${!workers_for[@]}"; do
		printf 'cgroup %s workers=%d "work=%s"\n' "${type%%:*}" "${workers_for[$type]}" "$type"
	done
}

run_all() {
	start_workload -d 1s "$BATS_TEST_TMPDIR/each.kt"
	end_workload
}

@test "every type completes, with units and iterations, and leaves no cgroup behind" {
	each_type >"$BATS_TEST_TMPDIR/each.kt"
	undisturbed run_all
	assert_equal "$status" 0
	run jq -r '.cgroups[] | select(.work_units == 0 or .iterations == 0) | .name' "$stats"
	assert_output ""
	run jq -r '.workers[] | select(.exit != "completed") | .cgroup' "$stats"
	assert_output ""
	run /usr/bin/python3 -m jsonschema -i "$stats" "$KT_ROOT/docs/kt-stats-1.schema.json"
	assert_success
	# None of them waits for something beyond the stop: after five seconds it would be killed.
	run jq -r '.workers[] | select(.wall_ns > 4000000000) | "\(.cgroup) \(.wall_ns)"' "$stats"
	assert_output ""
	run no_run_root
	assert_success
}

@test "every type works in threads as well, of the run and of one leader" {
	local key
	for key in clone=thread pcomm=leader; do
		each_type | sed "s/\$/ $key/" >"$BATS_TEST_TMPDIR/each.kt"
		undisturbed run_all
		assert_equal "$status" 0
		run jq -r '.cgroups[] | select(.work_units == 0 or .iterations == 0) | .name' "$stats"
		assert_output ""
	done
}

@test "types that block have wake latencies, benchmarks have request latencies and figures" {
	each_type >"$BATS_TEST_TMPDIR/each.kt"
	undisturbed run_all
	run jq -r '[.cgroups[] | select(.wake_latency.count > 0) | .name] | sort | join(" ")' "$stats"
	assert_output "$(printf '%s\n' "${!workers_for[@]}" | sed 's/:.*//' | grep -xvF "$not_blocking" |
		sort | paste -sd ' ')"
	run jq -r '[.cgroups[] | select(.request_latency.p99_ns > 0) | .name] | sort | join(" ")' "$stats"
	assert_output "schbench taobench"
	run jq -e '.cgroups[] | select(.name == "schbench") | .metrics.requests_per_second > 0' "$stats"
	assert_success
	run jq -e '.cgroups[] | select(.name == "taobench").metrics |
		.qps > 0 and .hit_ratio > 0.8 and .hit_ratio < 0.99 and
		(.qps - .fast_qps - .slow_qps | fabs) < 1' "$stats"
	assert_success
}

@test "schbench at a rate puts all of a second's requests at its begin" {
	undisturbed run kt-workload -d 700ms -e 'cgroup a workers=3 work=schbench:threads=2,rps=40,ops=1,sleep=0'
	assert_success
	assert_equal "$(jq -c '[.workers[0].work_units, ([.workers[1:][].work_units] | add)]' <<<"$output")" '[40,40]'
}

@test "matrices that no cache holds are multiplied with a checkpoint every 100 us" {
	local steps=() i
	[ "$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)" -gt 2000000 ] || skip "needs 2 GB of memory"
	for ((i = 0; i < 20; i++)); do
		steps+=(-e "step s$i" -e 'hold 10ms')
	done
	# Filling them takes its time before the start; nobody takes the CPU from it then.
	run --separate-stderr kt-workload -e 'cgroup a workers=2 policy=fifo:1 work=schbench:footprint=1G,sleep=0,ops=1' \
		-e 'step filled' -e 'hold 4s' "${steps[@]}"
	assert_success
	# Interrupts, and a machine that stands still, make gaps longer; none makes one shorter.
	run jq -c '[.steps[1:][].workers[1].max_gap_ns] | sort | .[4] < 100000' <<<"$output"
	assert_output true
}

# The kernel's count of the migrations of task $tid, or nothing where it keeps none.
kernel_migrations() {
	awk '$1 == "se.nr_migrations" { print $3 }' "/proc/$tid/sched" 2>/dev/null
}

migrated_enough() {
	[ "$(kernel_migrations)" -ge 1000 ]
}

@test "1000 forced migrations are counted within 1%" {
	local kernel
	need_cpus 2
	start_workload -d 120s -e 'cgroup a workers=1 work=affinity-churn:spin=0'
	eventually cgroup_is_at_work a 1
	[ -n "$(kernel_migrations)" ] || skip "the kernel does not count a task's migrations"
	eventually migrated_enough
	kernel=$(kernel_migrations)
	interrupt_workload
	run jq -e --argjson kernel "$kernel" '.workers[0] | .migrations >= $kernel * 0.99 and
		.work_units >= 990 and (.migrations - .work_units | fabs) <= .work_units / 100' "$stats"
	assert_success
}

run_forks() {
	kt-workload -d 1s -e 'cgroup a workers=1 work=fork-exit' >"$BATS_TEST_TMPDIR/stats"
}

@test "fork-exit makes as many processes as it says" {
	before=$(awk '/^processes/ { print $2 }' /proc/stat)
	undisturbed run_forks
	after=$(awk '/^processes/ { print $2 }' /proc/stat)
	units=$(jq .workers[0].work_units "$BATS_TEST_TMPDIR/stats")
	# Others make processes too: the machine's count is a bound.
	[ "$units" -gt 10 ]
	[ "$units" -le $((after - before)) ]
}

@test "page-fault-churn's units are the minor faults that the kernel counts" {
	start_workload -d 120s -e 'cgroup a workers=1 work=page-fault-churn'
	eventually cgroup_is_working a
	runs_on 200
	faults=$(awk '{ sub(/^.*\) /, ""); print $8 }' "/proc/$tid/stat")
	interrupt_workload
	run jq -e --argjson faults "$faults" '.workers[0] |
		(.metrics.minor_faults - .work_units | fabs) <= .work_units / 100 and
		.metrics.minor_faults > $faults * 0.9' "$stats"
	assert_success
}

@test "net-traffic's bytes are those on its own interface, and the host's see none" {
	start_workload -d 120s -e 'cgroup a workers=1 work=net-traffic'
	eventually cgroup_is_working a
	runs_on 200
	bytes=$(nsenter -t "$tid" -n awk '{ sub(/:/, " ") } $1 == "ktveth1" { print $2 }' /proc/net/dev)
	host=$(grep -c ktveth /proc/net/dev || true)
	assert_equal "$host" 0
	interrupt_workload
	[ -n "$bytes" ] || skip "no veth here: the type runs over loopback"
	run jq -e --argjson bytes "$bytes" '.workers[0] |
		.metrics.veth == 1 and .metrics.net_bytes >= $bytes - 1048576 and
		.metrics.net_bytes == .work_units * 1024' "$stats"
	assert_success
}

@test "cgroup-churn moves between cgroups below its own, which go with the run" {
	start_workload -d 120s -e 'cgroup a workers=1 work=cgroup-churn:groups=3,cycle=1ms'
	eventually cgroup_is_at_work a 1
	runs_on 200
	root=$(run_root)
	assert_equal "$(find "$root/a" -mindepth 1 -type d | wc -l)" 3
	assert_equal "$(cat "$root"/a/*/cgroup.type | sort -u)" threaded
	interrupt_workload
	run jq -e '.workers[0].iterations >= 20' "$stats"
	assert_success
	[ ! -d "$root" ]
}

run_commands() {
	start_workload -d 500ms -e "cgroup a workers=1 'work=exec:sh -c \"echo x; exit 3\"'" \
		-e "cgroup b workers=1 'work=exec:sleep 77.7'" -e "cgroup c workers=1 work=exec:true"
	end_workload
}

@test "exec runs the command until the stop, counts failures, and leaves nothing running" {
	undisturbed run_commands
	assert_equal "$status" 0
	run jq -e '[.cgroups[] | {(.name): .}] | add |
		.a.work_units > 0 and .a.metrics.failed_runs == .a.work_units and
		.b.work_units == 0 and .c.work_units > 0 and .c.metrics.failed_runs == 0' "$stats"
	assert_success
	run pgrep -f '^sleep 77[.]7$'
	assert_failure
}

@test "a command dies with its worker when kt-workload is killed" {
	start_workload -d 120s -e "cgroup a workers=1 'work=exec:sleep 77.8'"
	eventually pgrep -f '^sleep 77[.]8$' >/dev/null
	kill -KILL "$workload"
	workload=
	eventually gone '^sleep 77[.]8$'
	eventually no_run_root
}

gone() { # PATTERN
	! pgrep -f "$1" >/dev/null
}

@test "exec says which command is missing, and what it expects" {
	run -1 --separate-stderr kt-workload -d 1s -e 'cgroup a workers=1' -e 'cgroup b work=exec:no-such-command-77'
	assert_equal "$stderr" "kt-workload: -e:2: exec: cannot run 'no-such-command-77': No such file or directory"
	assert_equal "$(jq -c '[.workers[].exit] | unique' <<<"$output")" '["never-started"]'
	local command
	for command in '' : ': ' ':#no'; do
		run -64 kt-workload -d 1s -e "cgroup a workers=1 'work=exec$command'"
		assert_output --partial "-e:1: exec: expected a command"
	done
	run -64 kt-workload -d 1s -e "cgroup a workers=1 'work=exec:\"open'"
	assert_output --partial "quote"
}

@test "nice-sweep and policy-churn leave their standing as it was" {
	start_workload -d 120s -e 'cgroup a workers=1 work=nice-sweep nice=3' \
		-e 'cgroup b workers=1 work=policy-churn policy=batch'
	eventually cgroup_is_working b
	nice=$(workers_of a)
	policy=$(workers_of b)
	seen=$(for _ in {1..60}; do
		awk '{ sub(/^.*\) /, ""); print $17 }' "/proc/$nice/stat"
		awk '{ sub(/^.*\) /, ""); print "policy", $39 }' "/proc/$policy/stat"
	done | sort -u)
	interrupt_workload
	# Field 19 of proc(5)'s stat is the nice level, field 41 the policy.
	[ "$(grep -cv policy <<<"$seen")" -ge 3 ]
	[ "$(grep -c policy <<<"$seen")" -ge 3 ]
	run jq -e 'all(.workers[]; .exit == "completed")' "$stats"
	assert_success
}

@test "without CAP_SYS_NICE, CAP_SYS_ADMIN or CAP_NET_RAW the error names it" {
	run -1 capsh --drop=cap_sys_nice -- -c \
		"kt-workload -d 1s -e 'cgroup a workers=1 work=nice-sweep'" 3>&-
	assert_output --partial "nice-sweep needs CAP_SYS_NICE"
	run -1 capsh --drop=cap_sys_nice -- -c \
		"kt-workload -d 1s -e 'cgroup a workers=1 work=policy-churn'" 3>&-
	assert_output --partial "policy-churn needs CAP_SYS_NICE"
	run -1 capsh --drop=cap_net_raw -- -c \
		"kt-workload -d 1s -e 'cgroup a workers=1 work=net-traffic'" 3>&-
	assert_output --partial "net-traffic needs CAP_NET_RAW"
}

@test "what a worker may not do once it is another user is told, and fails the run" {
	undisturbed run -1 kt-workload -d 500ms -e 'cgroup a workers=1 work=nice-sweep uid=65534' \
		-e 'cgroup c workers=1 work=cross-affinity-churn uid=65534' -e 'work c work=spin-wait uid=0'
	assert_output --partial "of cgroup 'a': nice-sweep cannot change its level: Permission denied"
	if [ "$(nproc)" -gt 1 ]; then
		assert_output --partial "of cgroup 'c': cannot change the affinity of another user's task: Operation not permitted"
	fi
	# It is of the idle class before, and waits for long where anything else runs.
	undisturbed run -1 kt-workload -d 4s -e 'cgroup b workers=1 work=policy-churn uid=65534'
	assert_output --partial "of cgroup 'b': policy-churn cannot change its policy: Operation not permitted"
}

@test "types that need two NUMA nodes are refused at their line where there is one" {
	[ ! -d /sys/devices/system/node/node1 ] || skip "this machine has two"
	run -64 kt-workload -e 'cgroup a workers=1' -e 'cgroup b workers=1 work=numa-migration-churn'
	assert_output --partial "-e:2: numa-migration-churn: expected a machine with two or more NUMA nodes"
	run -64 kt-workload -e 'cgroup b workers=1 work=numa-working-set-sweep'
	assert_output --partial "numa-working-set-sweep: expected a machine with two or more NUMA nodes"
}

@test "parameters that do not fit each other are refused at their line" {
	run -64 kt-workload -e 'cgroup a workers=1 work=page-fault-churn:region=64K,touches=17'
	assert_output --partial "touches=17: expected at most the region's 16 pages"
	run -64 kt-workload -e 'cgroup a workers=2 work=schbench:threads=2'
	assert_output --partial "3"
	run -64 kt-workload -e 'cgroup a workers=3 work=taobench'
	assert_failure
}
