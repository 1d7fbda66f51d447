# Working sets that move from node to node. Catches schedulers that work against the kernel's page
# placement, or chase it.
# gauntlet: min-numa-nodes=2
duration 12s
cgroup sweep workers=2 work=numa-working-set-sweep
cgroup churn workers=2 work=numa-migration-churn
cgroup stays workers=50% work=cache-pressure
