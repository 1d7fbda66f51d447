# Pairs that wake each other all the time, beside spinners that never sleep. Catches schedulers
# that let hogs go before tasks which have just been woken: the pairs' wake latencies grow.
duration 10s
cgroup pairs workers=4 work=futex-ping-pong
cgroup hogs workers=100% work=spin-wait
