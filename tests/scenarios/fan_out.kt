# One waker, many woken, all at once. Catches wake-up placement that stacks tasks on the waker's CPU,
# and idle searches that cost too much: wake latencies' p99 and cv grow.
duration 10s
cgroup fan workers=10 work=futex-fan-out
cgroup herd workers=8 work=thundering-herd
