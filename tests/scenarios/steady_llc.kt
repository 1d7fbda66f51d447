# One busy cgroup on each of two LLCs. Catches schedulers that balance across a cache boundary which
# the cpusets draw, and those that forget one side.
# gauntlet: min-llcs=2
duration 10s
cgroup near workers=100% work=cache-pressure cpuset=llc:0
cgroup far workers=100% work=cache-pressure cpuset=llc:1
