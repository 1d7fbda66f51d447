# A cgroup loses half of its CPUs, then gets them back. Catches schedulers that leave tasks behind on
# CPUs which were taken away, or that never use the ones which come back.
duration 12s
cgroup tide workers=100% work=spin-wait
step wide
  hold 30%
step narrow
  cpuset tide range:0-0.5
  hold 30%
step wide_again
  cpuset tide clear
  hold full
