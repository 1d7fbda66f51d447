# Four spinners or mixed workers for every CPU. Catches schedulers whose time slices or queues get out
# of hand when there is always someone waiting: gaps grow, spread opens.
duration 15s
cgroup spinners workers=200% work=spin-wait
cgroup mixers workers=200% work=mixed
