# A high-priority worker waits for a lock whose holder has to compete. With a lock that inherits
# priority. Catches schedulers that do not see boosted tasks.
duration 10s
cgroup inversion workers=3 work=priority-inversion:mode=pi
cgroup hogs workers=100% work=spin-wait
