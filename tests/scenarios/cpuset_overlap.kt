# Two cgroups share half of their CPUs. Catches schedulers that give the shared CPUs to one of the two,
# or that leave the private ones idle while the shared ones are crowded.
duration 12s
cgroup a workers=100% work=spin-wait cpuset=overlap:0/2:0.5
cgroup b workers=100% work=spin-wait cpuset=overlap:1/2:0.5
