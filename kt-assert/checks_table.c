// SPDX-License-Identifier: GPL-2.0
#include "check_functions.h"
#include "checks.h"
#include "cleanup.h"

/* In the order in which a report lists their findings. */
const struct check checks[] = {
	{
		.name = "max-spread-pct",
		.arg = "P",
		.unit = "%",
		.help = "in one cgroup, max(off_cpu_pct) - min(off_cpu_pct) above P fails",
		.about = "In one cgroup, the difference between the largest and the smallest "
			 "off_cpu_pct of its workers fails above P percentage points.",
		.kind = VALUE_PERCENT,
		.fails = FAILS_ABOVE,
		.on = true,
		.with_starved = true,
		.threshold = 15,
		.relaxed = 35,
		.judge_cgroup = judge_spread,
	},
	{
		.name = "not-starved",
		.unit = "work units",
		.help = "a worker with no work units fails; off also turns the\n"
			"defaults of max-spread-pct and max-gap-ms off",
		.about = "A worker with no work units fails. The defaults of --max-spread-pct "
			 "and --max-gap-ms go with it: while it is off, those two are on only "
			 "when a policy file or the command line gives them a value.",
		.kind = VALUE_SWITCH,
		.fails = FAILS_ZERO,
		.on = true,
		.judge_worker = judge_starved,
	},
	{
		.name = "max-gap-ms",
		.arg = "N",
		.unit = "ms",
		.help = "a worker's longest gap above N fails",
		.about = "A worker's longest gap between two checkpoints fails above N "
			 "milliseconds.",
		.kind = VALUE_WHOLE,
		.fails = FAILS_ABOVE,
		.on = true,
		.with_starved = true,
		.threshold = 2000,
		.relaxed = 3000,
		.judge_worker = judge_gap,
	},
	{
		.name = "isolation",
		.unit = "checkpoints",
		.help = "a worker that ran outside its cgroup's cpuset fails",
		.about = "A worker that ran outside its cgroup's cpuset fails: one with "
			 "isolation violations, or whose CPUs used are not among those allowed. "
			 "Workers without a cpuset are not judged; if there are no others, it is "
			 "inconclusive.",
		.kind = VALUE_SWITCH,
		.fails = FAILS_ANY,
		.judge_worker = judge_isolation,
		.nothing = "no worker was confined to a cpuset",
	},
	{
		.name = "max-throughput-cv",
		.arg = "X",
		.unit = "-",
		.help = "variation of work_units / cpu_ns over a cgroup's workers\n"
			"above X fails",
		.about = "In one cgroup, the coefficient of variation (standard deviation over "
			 "mean) of work units per CPU time fails above X. Workers without CPU "
			 "time are left out. Inconclusive for a cgroup of several workers of "
			 "which fewer than two have CPU time, and when no cgroup has two "
			 "workers.",
		.kind = VALUE_REAL,
		.fails = FAILS_ABOVE,
		.judge_cgroup = judge_throughput_cv,
		.nothing = "no cgroup has two workers",
	},
	{
		.name = "min-work-rate",
		.arg = "X",
		.unit = "1/cpu-s",
		.help = "a worker's work units per CPU second below X fail",
		.about = "A worker's work units per second of CPU time fail below X.",
		.kind = VALUE_REAL,
		.fails = FAILS_BELOW,
		.judge_worker = judge_work_rate,
	},
	{
		.name = "min-iteration-rate",
		.arg = "X",
		.unit = "1/s",
		.help = "a worker's iterations per wall second below X fail",
		.about = "A worker's iterations per second of wall time fail below X.",
		.kind = VALUE_REAL,
		.fails = FAILS_BELOW,
		.judge_worker = judge_iteration_rate,
	},
	{
		.name = "max-migration-ratio",
		.arg = "X",
		.unit = "-",
		.help = "a cgroup's migrations per iteration above X fail",
		.about = "A cgroup's migrations per iteration fail above X.",
		.kind = VALUE_REAL,
		.fails = FAILS_ABOVE,
		.judge_cgroup = judge_migration_ratio,
	},
	{
		.name = "max-p99-wake-latency-ns",
		.arg = "N",
		.unit = "ns",
		.help = "a cgroup's 99th percentile of wake latencies above N fails",
		.about = "The 99th percentile of a cgroup's wake latencies fails above N "
			 "nanoseconds. Cgroups whose workers do not block have no wake latencies "
			 "and are not judged; if there are no others, it is inconclusive.",
		.kind = VALUE_WHOLE,
		.fails = FAILS_ABOVE,
		.judge_cgroup = judge_wake_p99,
		.nothing = "no cgroup has wake latencies",
	},
	{
		.name = "max-wake-latency-cv",
		.arg = "X",
		.unit = "-",
		.help = "a cgroup's variation of wake latencies above X fails",
		.about = "The coefficient of variation of a cgroup's wake latencies fails above "
			 "X, as before.",
		.kind = VALUE_REAL,
		.fails = FAILS_ABOVE,
		.judge_cgroup = judge_wake_cv,
		.nothing = "no cgroup has wake latencies",
	},
	{
		.name = "min-page-locality",
		.arg = "X",
		.unit = "-",
		.help = "share of a cgroup's pages on their expected nodes below X\n"
			"fails",
		.about = "Of a cgroup, the share of its workers' pages that are on the nodes "
			 "where they should be (numa_nodes_expected) fails below X. No pages "
			 "at all fail under a bind policy and are inconclusive otherwise. "
			 "Cgroups whose pages may be anywhere are not judged; if there are no "
			 "others, it is inconclusive.",
		.kind = VALUE_SHARE,
		.fails = FAILS_BELOW,
		.judge_cgroup = judge_page_locality,
		.nothing = "no cgroup says on which nodes its pages should be",
	},
	{
		.name = "max-cross-node-migration-ratio",
		.arg = "X",
		.unit = "-",
		.help = "a cgroup's pages migrated between nodes over all its\n"
			"pages above X fails",
		.about = "Of a cgroup, the pages that were migrated between nodes over all its "
			 "workers' pages fail above X. A page that moved twice counts twice. The "
			 "threads of one process each count its pages, so they need a smaller X.",
		.kind = VALUE_REAL,
		.fails = FAILS_ABOVE,
		.judge_cgroup = judge_page_migration,
	},
	{
		.name = "max-slow-tier-ratio",
		.arg = "X",
		.unit = "-",
		.help = "share of a cgroup's pages on memory-only nodes above X\n"
			"fails",
		.about = "Of a cgroup, the share of its workers' pages that are on nodes "
			 "without CPUs fails above X. Inconclusive when the stats do not tell "
			 "the machine's nodes (numa_nodes).",
		.kind = VALUE_SHARE,
		.fails = FAILS_ABOVE,
		.judge_cgroup = judge_slow_tier,
	},
	{
		.name = "max-imbalance-ratio",
		.arg = "X",
		.unit = "-",
		.help = "monitor: longest runqueue over shortest above X fails",
		.about = "The largest number of runnable tasks on a CPU over the smallest, or "
			 "over 1 if that is 0, fails above X.",
		.kind = VALUE_REAL,
		.input = CHECK_MONITOR,
		.fails = FAILS_ABOVE,
		.on = true,
		.threshold = 4,
	},
	{
		.name = "max-local-dsq-depth",
		.arg = "N",
		.unit = "tasks",
		.help = "monitor: a CPU's local dispatch queue above N fails",
		.about = "A CPU's local dispatch queue fails above N tasks.",
		.kind = VALUE_WHOLE,
		.input = CHECK_MONITOR,
		.fails = FAILS_ABOVE,
		.on = true,
		.threshold = 50,
	},
	{
		.name = "fail-on-stall",
		.unit = "samples",
		.help = "monitor: a runqueue's clock that stands still fails",
		.about = "A CPU fails whose runqueue clock reads the same from sample to sample "
			 "although it has runnable tasks. Idle CPUs and preempted vCPUs are "
			 "exempt.",
		.kind = VALUE_SWITCH,
		.input = CHECK_MONITOR,
		.fails = FAILS_ANY,
		.on = true,
	},
	{
		.name = "max-fallback-rate",
		.arg = "X",
		.unit = "1/s",
		.help = "monitor: select_cpu_fallback events above X fail",
		.about = "The scheduler's events select_cpu_fallback fail above X a second "
			 "between two samples. While there is no scheduler there is nothing to "
			 "count; when there was none in any sample, it is inconclusive if it is "
			 "given on the command line and is not judged otherwise.",
		.kind = VALUE_REAL,
		.input = CHECK_MONITOR,
		.fails = FAILS_ABOVE,
		.on = true,
		.threshold = 200,
	},
	{
		.name = "max-keep-last-rate",
		.arg = "X",
		.unit = "1/s",
		.help = "monitor: dispatch_keep_last events above X fail",
		.about = "The same of the scheduler's events dispatch_keep_last.",
		.kind = VALUE_REAL,
		.input = CHECK_MONITOR,
		.fails = FAILS_ABOVE,
		.on = true,
		.threshold = 100,
	},
	{
		.name = "sustained-samples",
		.arg = "N",
		.unit = "samples",
		.help = "monitor: what does not last N samples in a row is no\n"
			"violation",
		.about = "How many samples in a row make a violation of the checks of monitor "
			 "data. A number that they use, not a check.",
		.kind = VALUE_COUNT,
		.input = CHECK_PARAMETER,
		.fails = FAILS_NEVER,
		.on = true,
		.threshold = 5,
	},
};

const size_t checks_n = ARRAY_SIZE(checks);

_Static_assert(ARRAY_SIZE(checks) <= CHECKS_MAX, "CHECKS_MAX is too small");
