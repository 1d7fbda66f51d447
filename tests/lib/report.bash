# SPDX-License-Identifier: GPL-2.0
# Run directories for the suites of kt-report: `load lib/report`, after lib/kt.

# good_run DIR [EDIT]: a run that ended well, its stats a fixture changed by a jq program.
good_run() {
	mkdir -p "$1"
	jq "${2:-.}" "$KT_ROOT/tests/fixtures/stats/fair.json" >"$1/stats.json"
	run_json "$1" '.'
	printf '%s\n' '{"event":"command-start","t_ns":1000000000}' \
		'{"event":"scenario-start","t_ns":1100000000,"scenario":"fair"}' \
		'{"event":"op","t_ns":1200000000,"op":"cgroup cg0 workers=2","line":1}' \
		'{"event":"step-start","t_ns":1300000000,"step":"warm","line":2}' \
		'{"event":"step-end","t_ns":2300000000,"step":"warm","line":2}' \
		'{"event":"scenario-end","t_ns":5000000000,"exit":"completed"}' >"$1/events.jsonl"
}

# run_json DIR EDIT: the run.json of a run that ended well, changed by a jq program.
run_json() {
	jq -n '{schema: "kt-run/1", version: "0.1", outcome: "exited", exit_status: 0, message: null,
		argv: ["kt-vmm", "-o", "run", "--", "kt-workload", "fair.kt"], command: ["kt-workload", "fair.kt"],
		topology: "1n2l2c1t", nodes: [], scheduler: null, deterministic: false, seed: 7,
		kernel: {release: "7.3.4-test", image: "/boot/vmlinux", cmdline: ""},
		engine: {name: "qemu", accelerator: "kvm", reason: ""}, emulated: false, oversubscribed: false,
		host: {kernel: "7.0.0", machine: "x86_64", cpus: 8}, started: "2026-11-22T21:43:43Z",
		boot_ns: 2822674259, command_ns: 5021709400, wall_ns: 8061513199, oom_kills: 0, kernel_warnings: 0,
		attempts: [{outcome: "exited", message: null, hello: true, wall_ns: 8061513199}]} | '"$2" >"$1/run.json"
}

# crashed_run DIR: its kernel panicked.
crashed_run() {
	mkdir -p "$1"
	: >"$1/stats.json"
	: >"$1/events.jsonl"
	printf '%s\n' '[    2.4] Kernel panic - not syncing: test' '[    2.5]  <TASK>' >"$1/console.log"
	run_json "$1" '.outcome = "panic" | .exit_status = 120 | .message = "not syncing: test" | .command_ns = null'
}

# samples DIR N [EDIT]: N samples of two CPUs, each changed by a jq program that may use $i.
samples() {
	seq 0 $(($2 - 1)) | jq -c '. as $i | {t_ns: (5000000000 + $i * 100000000),
		cpus: [{nr_running: 2, scx_nr_running: 2, local_dsq_depth: 1, rq_clock: ($i * 1000 + 7), preempted: false},
		       {nr_running: 1, scx_nr_running: 1, local_dsq_depth: 0, rq_clock: ($i * 1000 + 9), preempted: false}],
		events: {select_cpu_fallback: ($i * 10), dispatch_keep_last: ($i * 5)}} |'"${3:-.}" >"$1/monitor.jsonl"
}
