# A cgroup is frozen and thawed under load. Catches schedulers that hand frozen tasks a CPU, or that
# do not run them again afterwards.
duration 12s
cgroup walks workers=100% work=spin-wait
cgroup stands workers=100% work=mixed
step warm
  hold 20%
step frost
  freeze stands
  sleep 500ms
  thaw stands
  loop 1s
