# Tasks that change cgroups all the time beside some that stay. Catches schedulers whose cgroup
# callbacks (init, move, exit) are slow, leak, or lose a task on the way.
duration 10s
cgroup stays workers=100% work=spin-wait
cgroup movers workers=2 work=cgroup-churn
cgroup attachers workers=2 work=cgroup-attach-storm
