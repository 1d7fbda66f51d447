# Cgroups are stopped and removed one after the other under load. Catches schedulers that keep state
# of what is gone, or that stall while a cgroup goes away.
duration 12s
cgroup stays workers=100% work=mixed
cgroup first workers=50% work=bursty:burst=5ms,sleep=5ms
cgroup second workers=50% work=yield-heavy
step all
  hold 25%
step less
  remove first
  hold 25%
step least
  remove second
  hold full
