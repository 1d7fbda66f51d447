#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How many run directories kt-assert judges in a second, and whether its memory grows with their number:
# tests/bench/assert_runs.sh [DIRECTORIES], 10000 by default. They are links to the files of a run of 20 s with
# two steps and eight workers, every tenth to those of one that fails; then the same with monitor data. Medians of 3.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

directories=${1:-10000}
RUNS=3

# The stats of a run: kt-stats/1 as kt-workload writes it, $1 the off-CPU share of the last worker.
stats() {
	jq -n --argjson worst "$1" '
		def worker($i; $t): {
			tid: (120 + $i), comm: "spin-wait", cgroup: "cg_\($i % 2)", cgroup_index: ($i % 2), work: "spin-wait",
			work_units: (4000000 + $i), iterations: (290000 + $i), wall_ns: ($t + 1397806), cpu_ns: ($t - 99991879),
			off_cpu_pct: (if $i == 7 then $worst else 0.5069 + $i / 7 end), run_delay_ns: 113179861, timeslices: 25,
			voluntary_switches: 0, involuntary_switches: 24, migrations: $i, cpus_used: "0-1", cpus_allowed: "0-3",
			isolation_violations: 0, max_gap_ns: (44232236 + $i), max_gap_cpu: 1, max_gap_at_ns: 8641190942,
			wake_latency: null, numa_pages: {"0": (200 + $i)}, numa_pages_migrated: 0};
		def cgroups: [range(2) | {name: "cg_\(.)", index: ., numa_nodes_expected: "0", mempolicy: null, workers: 4, cpus: 2,
			off_cpu_pct_min: 0.5, off_cpu_pct_max: 1.5, spread_pct: 1, max_gap_ns: 44232236, max_gap_tid: 120,
			max_gap_cpu: 1, max_gap_at_ns: 8641190942, migrations: 12, iterations: 1160006, work_units: 16000012,
			throughput_cv: 0.008, wake_latency: null}];
		def step($name; $from; $to): {name: $name, start_ns: $from, end_ns: $to, cgroups: cgroups,
			workers: [range(8) | worker(.; $to - $from)]};
		{schema: "kt-stats/1", scenario: "bench", kernel: "7.3.4+deb13-cloud-amd64", topology: "1n2l2c1t", sched: "simple",
		 seed: null, cpus: "0-3", numa_nodes: [{node: 0, cpus: "0-3", memory_only: false}], confinement: "cpuset",
		 duration_ns: 20000000000, wall_ns: 20000000000, exit: "completed", errors: [], cgroups: cgroups,
		 steps: [step("warmup"; 0; 5000000000), step("load"; 5000000000; 20000000000)],
		 workers: [range(8) | worker(.; 20000000000) + {exit: "completed"}]}'
}

run_json() {
	jq -n '{schema: "kt-run/1", version: "0.1", outcome: "exited", exit_status: 0, message: null,
		argv: ["kt-vmm", "-o", "run", "-t", "1n2l2c1t", "--", "kt-workload", "bench.kt"], command: ["kt-workload", "bench.kt"],
		topology: "1n2l2c1t", nodes: [{memory_bytes: 2147483648, distances: [10]}],
		scheduler: {file: "scx_simple", args: null, name: "simple", process: "still running", exit_kind: "SCX_EXIT_UNREG",
			exit_reason: "unregistered from user space", exit_message: null, error: false},
		kernel: {release: "7.3.4+deb13-cloud-amd64", image: "vmlinux", cmdline: "console=ttyS0 quiet"},
		engine: {name: "qemu", accelerator: "tcg", reason: "no /dev/kvm"}, deterministic: false, seed: null, emulated: false,
		oversubscribed: false, host: {kernel: "6.1.0", machine: "x86_64", cpus: 2}, started: "2026-11-22T21:36:54Z",
		boot_ns: 2301979685, command_ns: 20143674809, wall_ns: 22520554873, oom_kills: 0, kernel_warnings: 0,
		attempts: [{outcome: "exited", message: null, hello: true, wall_ns: 22520554873}]}'
}

events() {
	printf '{"event":"%s","t_ns":%d,"step":"%s","line":%d}\n' step-start 2326249706 warmup 4 step-end 7326249706 warmup 4 \
		step-start 7326249706 load 7 step-end 22326249706 load 7
}

# Samples of 20 s, four CPUs each.
monitor() {
	jq -nc 'range(200) as $i | {t_ns: (2326249706 + $i * 100000000),
		cpus: [range(4) | {nr_running: (1 + (. + $i) % 2), scx_nr_running: 1, local_dsq_depth: ((. + $i) % 3),
			rq_clock: (2326249706 + $i * 100000000 + .), preempted: false}],
		events: {select_cpu_fallback: $i, dispatch_keep_last: ($i * 3)}}'
}

# link_runs FROM DIRECTORY: fill DIRECTORY with links to the runs FROM/good and, one in ten, FROM/bad.
link_runs() {
	mkdir "$2"
	# shellcheck disable=SC2016 # the dollars are perl's
	perl -e '
		my ($from, $to, $n) = @ARGV;
		my %files = map { my $kind = $_; $kind => [map { s,.*/,,r } glob "$from/$kind/*"] } qw(good bad);
		for my $i (1 .. $n) {
			my $kind = $i % 10 ? "good" : "bad";
			my $dir = sprintf "%s/%05d", $to, $i;
			mkdir $dir or die "$dir: $!\n";
			link "$from/$kind/$_", "$dir/$_" or die "$dir/$_: $!\n" for @{$files{$kind}};
		}' "$1" "$2" "$directories"
}

# judge DIRECTORY NAME: judge all in it, RUNS times; wall times go to NAME.ms and the peak in KiB to NAME.kib.
judge() {
	local start end
	for _ in $(seq "$RUNS"); do
		start=${EPOCHREALTIME/./}
		(cd "$1" && /usr/bin/time -q -f %M -a -o "$work/$2.kib" kt-assert -- *) > "$work/$2.out" || [ $? -eq 1 ]
		end=${EPOCHREALTIME/./}
		echo $(((end - start) / 1000)) >> "$work/$2.ms"
	done
	tail -n 1 "$work/$2.out" > "$work/$2.sum"
	printf '%d runs: %d passed, %d failed, 0 inconclusive, 0 unreadable\n' "$3" $(($3 - $3 / 10)) $(($3 / 10)) |
		cmp -s - "$work/$2.sum" || { echo "kt-assert says '$(cat "$work/$2.sum")'" >&2; exit 1; }
}

rate() {
	awk -v n="$directories" -v ms="$(median < "$work/$1.ms")" 'BEGIN { printf "%d", n * 1000 / ms }'
}

for kind in good bad; do
	mkdir -p "$work/plain/$kind" "$work/monitored/$kind"
	run_json > "$work/plain/$kind/run.json"
	events > "$work/plain/$kind/events.jsonl"
	seq -f 'scheduler: statistics of second %.0f' 20 > "$work/plain/$kind/sched.log"
	stats "$([ $kind = good ] && echo 1 || echo 40)" > "$work/plain/$kind/stats.json"
	ln "$work/plain/$kind"/* "$work/monitored/$kind"
	monitor > "$work/monitored/$kind/monitor.jsonl"
done
link_runs "$work/plain" "$work/runs"
link_runs "$work/monitored" "$work/monitored-runs"
all=$directories
judge "$work/runs" plain "$all"
judge "$work/monitored-runs" monitored "$all"
# A tenth of them, for the memory.
directories=$((all / 10))
link_runs "$work/plain" "$work/few-runs"
judge "$work/few-runs" few "$directories"
directories=$all

size() {
	cat "$1"/good/* | wc -c | awk '{ printf "%.0f", $1 / 1000 }'
}
bound "run directories a second, of $(size "$work/plain") kB each" "$(rate plain)" '>=' 1000 /s
bound "the same with monitor data, $(size "$work/monitored") kB each" "$(rate monitored)" '>=' 1000 /s
bound "peak memory, $all directories over $((all / 10))" \
	"$(awk -v a="$(median < "$work/plain.kib")" -v b="$(median < "$work/few.kib")" 'BEGIN { printf "%.2f", a / b }')" '<=' 1.5 times
bound "peak memory for $all directories" "$(($(median < "$work/plain.kib") / 1024))" '<=' 32 MiB
exit "$missed"
