# A wake-up passes down a chain of tasks through pipes, in a crowd. Catches schedulers whose delay per
# wake-up adds up over a pipeline's stages.
duration 10s
cgroup chain workers=4 work=wake-chain
cgroup crowd workers=100% work=mixed
