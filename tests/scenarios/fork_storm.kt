# Tasks are born and die as fast as they can beside steady ones. Catches schedulers whose task
# callbacks (init_task, enable, exit_task) are slow or leak, and starvation of what stays.
duration 10s
cgroup forks workers=4 work=fork-exit
cgroup stays workers=100% work=spin-wait
