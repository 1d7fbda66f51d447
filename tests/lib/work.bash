# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # suites use what is set here
# For the suites that go through work types.

# The types that tests/work_tasks.bats goes through, and how many workers each wants.
declare -gA workers_for=(
	[timer-latency]=1
	[net-traffic]=1
	[irq-wake]=2
	[fork-exit]=1
	[nice-sweep]=1
	[policy-churn]=1
	[affinity-churn]=1
	[cross-affinity-churn]=2
	[cgroup-churn]=1
	[cgroup-attach-storm]=1
	[page-fault-churn]=1
	[io-sync-write]=1
	[io-rand-read]=1
	[io-convoy]=1
	[schbench]=2
	[taobench]=2
	["exec:sleep 0.01"]=1
)

# Those that do not block.
not_blocking='net-traffic
nice-sweep
policy-churn
affinity-churn
cross-affinity-churn
cgroup-churn
page-fault-churn'

# All N workers of the cgroup are there, and the first has run since the start. Sets $tid to it.
cgroup_is_at_work() { # CGROUP N
	local tids
	tids=$(workers_of "$1")
	[ "$(wc -w <<<"$tids")" -ge "$2" ] || return 1
	tid=${tids%%$'\n'*}
	[ "$(cut -d ' ' -f 3 "/proc/$tid/schedstat")" -gt 5 ]
}
