# One cgroup for each of two nodes, with its memory bound there. Catches schedulers that move tasks
# away from their memory.
# gauntlet: min-numa-nodes=2
duration 12s
cgroup near workers=100% work=page-fault-churn cpuset=numa:0 mempolicy=bind:0
cgroup far workers=100% work=page-fault-churn cpuset=numa:1 mempolicy=bind:1
