# A second cgroup comes while the first has every CPU, and goes again. Catches schedulers that make the
# newcomer wait, or that never give its share back.
duration 12s
cgroup resident workers=100% work=spin-wait
step alone
  hold 30%
step company
  cgroup guest workers=100% work=spin-wait
  hold 40%
step alone_again
  hold full
