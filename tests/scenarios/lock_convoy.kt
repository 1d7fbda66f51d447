# Contended locks beside spinners. Catches schedulers that preempt or delay the holder of a lock, so
# that all who wait for it wait with it.
duration 10s
cgroup lockers workers=8 work=mutex-contention
cgroup hogs workers=100% work=spin-wait
