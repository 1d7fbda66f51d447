# All tasks of one cgroup move to another one and back, while both are busy. Catches schedulers that
# account a task to the cgroup it was born in.
duration 12s
cgroup old workers=100% work=mixed cpuset=disjoint:0/2
cgroup new workers=50% work=spin-wait cpuset=disjoint:1/2
step before
  hold 30%
step moved
  move old new
  hold full
