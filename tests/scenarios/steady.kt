# As many spinners as CPUs in two equal cgroups, and nothing else. Catches schedulers that leave CPUs
# idle, or let one of two equal cgroups have more, when the load could not be simpler.
duration 10s
cgroup left workers=50% work=spin-wait
cgroup right workers=50% work=spin-wait
