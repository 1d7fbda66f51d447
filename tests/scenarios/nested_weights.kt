# Two crowded cgroups whose cpu.weight stands at three to one. Shows what a scheduler makes of weights;
# catches those that ignore them (work_units of the two come out alike).
duration 12s
cgroup heavy workers=100% work=spin-wait cpu.weight=300
cgroup light workers=100% work=spin-wait cpu.weight=100
