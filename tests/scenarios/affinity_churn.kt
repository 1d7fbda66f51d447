# Tasks that change their own affinity, and their neighbours', in a tight loop. Catches races between
# set_cpumask callbacks and dispatch.
duration 10s
cgroup churn workers=100% work=affinity-churn
cgroup cross workers=2 work=cross-affinity-churn
cgroup steady workers=50% work=spin-wait
