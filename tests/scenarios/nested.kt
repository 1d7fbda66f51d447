# Cgroups four deep with the load in the leaves. Catches schedulers that look only at a task's own
# cgroup, or whose hierarchy walks grow with depth.
duration 12s
cgroup top workers=0
cgroup top/left workers=0
cgroup top/left/deep workers=0
cgroup top/left/deep/leaf workers=100% work=spin-wait
cgroup top/right workers=100% work=spin-wait
