# SPDX-License-Identifier: GPL-2.0
# Stats of runs whose figures are drawn from normal distributions, always the same for the same seed:
#   awk -v seed=7 -v pairs=1000 -v runs=10 -v cv=0.05 -v factor=0.9 -f samples.awk
# writes PAIR/base/N.json and PAIR/now/N.json (the directories must be there). The work of the runs in now is
# factor times that of those in base; the other figures have the same distributions on both sides.
function gauss(u) {
	do u = rand(); while (u == 0)
	return sqrt(-2 * log(u)) * cos(6.283185307179586 * rand())
}
function near(mean) {
	return mean * (1 + cv * gauss())
}
function run(file, factor, w, work) {
	work = factor * near(1000000)
	printf "{\"schema\":\"kt-stats/1\",\"scenario\":\"drawn\",\"kernel\":\"7.3.4\",\"topology\":\"1n1l2c1t\"," > file
	printf "\"sched\":null,\"exit\":\"completed\",\"errors\":[],\"cgroups\":[{\"name\":\"a\",\"index\":0," > file
	printf "\"wake_latency\":{\"count\":9,\"p99_ns\":%d,\"cv\":%.6f}}],\"workers\":[", near(200000), near(1) > file
	for (w = 0; w < 2; w++)
		printf "%s{\"tid\":%d,\"cgroup_index\":0,\"work_units\":%d,\"iterations\":%d,\"wall_ns\":20000000000," \
			"\"cpu_ns\":10000000000,\"off_cpu_pct\":%.6f,\"migrations\":%d,\"max_gap_ns\":%d,\"exit\":\"completed\"}",
			w ? "," : "", w, work, near(100000), 30 + near(20 * w), near(1000), near(100000000) > file
	print "]}" > file
	close(file)
}
BEGIN {
	srand(seed)
	for (p = 0; p < pairs; p++)
		for (i = 0; i < runs; i++) {
			run(p "/base/" i ".json", 1)
			run(p "/now/" i ".json", factor)
		}
}
