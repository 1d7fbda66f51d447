# Workers get new random pairs of CPUs over and over. Catches schedulers that trust the CPU they chose
# when a task woke, after its affinity has changed.
duration 12s
cgroup steady workers=50% work=bursty:burst=4ms,sleep=4ms
cgroup drift workers=100% work=spin-wait affinity=random:2
step settle
  hold 20%
step drift
  affinity drift random:2
  loop 250ms
