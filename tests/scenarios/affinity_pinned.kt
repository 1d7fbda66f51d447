# Every CPU has a spinner, and CPU 0 has pinned company. Catches schedulers that let a pinned task
# starve behind free ones, which could run elsewhere.
duration 10s
cgroup free workers=100% work=spin-wait
cgroup pinned workers=2 work=spin-wait affinity=single:0
