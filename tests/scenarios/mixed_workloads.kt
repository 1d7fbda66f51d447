# Two lives on two LLCs: a persistent spinner and a worker that alternates between spinning and
# yielding. Catches schedulers that ignore the cache boundary or treat yielding tasks unfairly.
duration 20s
cgroup background_spinner workers=2 work=spin-wait cpuset=llc:0
cgroup phased_worker workers=2 work=sequence:spin=100ms,yield=20ms cpuset=llc:1
