# A bit of every path at once, in one crowd. Catches what only shows when the paths meet; the place to
# look first is the family whose figures got worst.
duration 20s
cgroup spin workers=50% work=spin-wait
cgroup locks workers=4 work=mutex-contention
cgroup wakes workers=4 work=pipe-io
cgroup forks workers=1 work=fork-exit
cgroup faults workers=1 work=page-fault-churn
cgroup timers workers=1 work=timer-latency
cgroup signals workers=2 work=signal-storm
cgroup files workers=1 work=io-sync-write
