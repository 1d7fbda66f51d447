# Request latencies the way schbench takes them, on a machine with company. Catches schedulers that
# trade the tail of wake-up latencies for throughput: p99 and p999 of the requests grow.
duration 15s
cgroup bench workers=200% work=schbench
cgroup company workers=50% work=mixed
