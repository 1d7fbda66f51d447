#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The guest sees the declared topology: in sysfs, in its NUMA nodes and in its scheduler domains.
# bats file_tags=vm

load lib/kt
load lib/vm

setup() {
	vm_setup
	cat > show <<-'END'
	cd /sys/devices/system
	for cpu in $(seq 0 $(($(nproc) - 1))); do
		echo "cpu$cpu l3=$(cat cpu/cpu$cpu/cache/index3/shared_cpu_list)" \
			"core=$(cat cpu/cpu$cpu/topology/thread_siblings_list)" \
			"package=$(cat cpu/cpu$cpu/topology/physical_package_id)"
	done
	for node in node/node[0-9]*; do
		echo "${node##*/} cpus=$(cat $node/cpulist) distance=$(cat $node/distance)" \
			"mib=$(awk '/MemTotal/ { printf "%d", ($4 + 65535) / 65536 }' $node/meminfo)x64"
	done
	awk '/^cpu/ { cpu = $1 } /^domain/ { sub(/^0*/, "", $3); print cpu, $2, $3 }' /proc/schedstat
	END
}

@test "1n3l3c1t: counts that are no powers of two" {
	run -0 kt-vmm -n -t 1n3l3c1t -m 512M -- sh show
	assert_line "cpu2 l3=0-2 core=2 package=0"
	assert_line "cpu3 l3=3-5 core=3 package=0"
	assert_line "cpu8 l3=6-8 core=8 package=0"
	assert_line --regexp '^node0 cpus=0-8 '
	assert_line "cpu0 MC 7"
	assert_line "cpu8 MC 1c0"
	assert_line "cpu0 PKG 1ff"
}

@test "2n4l2c2t: SMT, nodes with their own memory and distances, and a node without CPUs" {
	run -0 kt-vmm -n -t 2n4l2c2t -m 512M --node-memory 1:384M --node-memory 2:128M \
		--distance 0:1:31 --distance 0:2:50 -- sh show
	assert_line "cpu0 l3=0-3 core=0-1 package=0"
	assert_line "cpu7 l3=4-7 core=6-7 package=0"
	assert_line "cpu8 l3=8-11 core=8-9 package=1"
	assert_line "cpu15 l3=12-15 core=14-15 package=1"
	assert_line --regexp '^node0 cpus=0-7 distance=10 31 50 mib=[34]x64'
	assert_line --regexp '^node1 cpus=8-15 distance=31 10 20 mib=6x64'
	assert_line --regexp '^node2 cpus= distance=50 20 10 mib=2x64'
	assert_line "cpu0 SMT 3"
	assert_line "cpu0 NUMA ffff"
}

@test "the topology is the same on the oldest kernel in the cache" {
	run -0 kt-vmm -n -k "$(vm_kernels '' | tail -n 1)" -t 1n2l1c2t -m 512M -- sh show
	assert_line "cpu1 l3=0-1 core=0-1 package=0"
	assert_line "cpu2 l3=2-3 core=2-3 package=0"
}
