# Tasks change their scheduling class, nice level and affinity without pause. Catches state that a
# scheduler keeps of tasks which left its class and came back.
duration 10s
cgroup policies workers=2 work=policy-churn
cgroup levels workers=2 work=nice-sweep
cgroup stays workers=100% work=mixed
