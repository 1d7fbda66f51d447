# One cgroup may use half a CPU, the other is free. Catches schedulers that do not run a throttled
# cgroup again in the next period, or let its neighbour wait with it.
duration 12s
cgroup throttled workers=2 work=spin-wait cpu.max=50000/100000
cgroup free workers=100% work=spin-wait
