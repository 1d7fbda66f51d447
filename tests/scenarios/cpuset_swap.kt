# Two cgroups change sides, again and again. Catches schedulers that cache a task's allowed CPUs, and
# those that lose a task which waits in a queue of CPUs it may no longer use.
duration 12s
cgroup left workers=100% work=mixed cpuset=disjoint:0/2
cgroup right workers=100% work=bursty:burst=3ms,sleep=7ms cpuset=disjoint:1/2
step settle
  hold 20%
step churn
  swap left right
  loop 200ms
