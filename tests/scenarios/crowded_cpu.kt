# More spinners than CPUs on part of the machine, with an empty part beside it. Catches schedulers
# that run tasks outside their cpuset when it is full, or give some of them more than their share.
duration 10s
cgroup crowd workers=300% cpuset=range:0-0.5
cgroup alone workers=1 work=sequence:spin=20ms,sleep=5ms,alu=20ms cpuset=range:0.5-1
