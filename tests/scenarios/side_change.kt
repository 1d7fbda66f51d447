# Sleepers on one half of the machine, then on the other, before a constant load. Catches schedulers
# that keep to a task's former CPUs, or forget its new ones, when the load moves to other CPUs.
duration 12s
cgroup backdrop workers=100% work=mixed
step left
  cgroup sleepers workers=4 work=bursty:burst=5ms,sleep=20ms cpuset=disjoint:0/2
  hold 50%
step right
  cgroup sleepers workers=4 work=bursty:burst=5ms,sleep=20ms cpuset=disjoint:1/2
  hold full
