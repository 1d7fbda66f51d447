# Short bursts after long sleeps on an otherwise idle machine. Catches wake-up paths that miss idle
# CPUs or leave a task queued behind nobody: wake latencies grow.
duration 10s
cgroup ticks workers=100% work=idle-churn:burst=200us,sleep=5ms
cgroup bursts workers=50% work=bursty:burst=2ms,sleep=20ms
