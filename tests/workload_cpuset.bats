#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# CPU sets: every form on machines of known shape, read from trees like /sys.

# shellcheck disable=SC2030,SC2031,SC2154 # each test has its own KT_SYSFS; bats sets stderr
load lib/kt

machine() { # NnLlCcTt
	export KT_SYSFS=$BATS_TEST_TMPDIR/$1
	[ -d "$KT_SYSFS" ] || "$BATS_TEST_DIRNAME/lib/make-sysfs" "$1" "$KT_SYSFS"
}

cpus_of() { # SPEC
	kt-workload --dry-run -e "cgroup a cpuset=$1" | jq -r '.cgroups[0].cpuset'
}

assert_cpus() { # SPEC LIST
	assert_equal "$1 is $(cpus_of "$1")" "$1 is $2"
}

assert_no_cpus() { # SPEC MESSAGE
	run --separate-stderr kt-workload --dry-run -e 'cgroup x' -e "cgroup a cpuset=$1"
	assert_equal "$status" 64
	assert_equal "$stderr" "kt-workload: -e:2: $2"
}

@test "llc: and numa: are the CPUs that share a cache or a node" {
	machine 2n4l2c2t
	assert_cpus llc:0 0-3
	assert_cpus llc:3 12-15
	assert_cpus numa:0 0-7
	assert_cpus numa:1 8-15
	assert_no_cpus llc:4 "no LLC '4': expected llc:0 to llc:3"
	assert_no_cpus llc: "no LLC '': expected llc:0 to llc:3"
	assert_no_cpus numa:2 "no NUMA node '2': expected numa:0 to numa:1"
}

@test "fractional sets leave the last CPU free where there are more than two" {
	machine 1n2l4c1t # 8 CPUs, 7 of them usable
	assert_cpus range:0-1 0-6
	assert_cpus range:0-0.5 0-2
	assert_cpus range:0.5-1 3-6
	assert_cpus disjoint:0/2 0-2
	assert_cpus disjoint:1/2 3-6
	assert_cpus disjoint:6/7 6
	assert_cpus llc:1 4-7
	assert_cpus 7 7
	machine 1n1l2c1t
	assert_cpus range:0-1 0-1
	assert_cpus disjoint:1/2 1
	machine 1n1l1c1t
	assert_cpus range:0-1 0
}

@test "disjoint parts share no CPU and leave none out, whatever the number of parts" {
	local n i all
	machine 1n3l5c1t # 14 usable
	for n in 1 2 3 4 5 7 13 14; do
		all=
		for ((i = 0; i < n; i++)); do
			all+=$(cpus_of "disjoint:$i/$n"),
		done
		assert_equal "$(kt-workload --dry-run -e "cgroup a workers=100% cpuset=${all%,}" |
			jq -c '[.cgroups[0] | .cpuset, .workers]')" '["0-13",14]'
		assert_equal "$(tr ',' '\n' <<<"${all%,}" | awk -F- '{n += $NF - $1 + 1} END {print n}')" 14
	done
}

@test "overlapping parts reach into the next one by the fraction of their size, round and round" {
	machine 1n3l3c1t # 8 usable
	assert_cpus overlap:0/2:0.5 0-5
	assert_cpus overlap:1/2:0.5 0-1,4-7
	assert_cpus overlap:0/4:0 0-1
	assert_cpus overlap:3/4:0.1 0,6-7
	assert_cpus overlap:1/2:1 0-7
	assert_cpus overlap:0/1:1 0-7
}

@test "lists are the kernel's list format" {
	machine 1n2l2c1t
	assert_cpus 0-1,3 0-1,3
	assert_cpus 3,0 0,3
	assert_no_cpus 2-7 "CPU set '2-7' lies outside the machine's CPUs 0-3"
	assert_no_cpus '""' "CPU set '' is empty here (usable CPUs: 0-2)"
}

@test "sets that make no sense, or are empty here, are told at their line" {
	machine 1n2l2c1t
	assert_no_cpus disjoint:2/2 \
		"disjoint '2/2': expected part I of N with I below N, for example disjoint:0/2"
	assert_no_cpus disjoint:1 \
		"disjoint '1': expected part I of N with I below N, for example disjoint:0/2"
	assert_no_cpus disjoint:0/9 "CPU set 'disjoint:0/9' is empty here (usable CPUs: 0-2)"
	assert_no_cpus range:0.4-0.5 "CPU set 'range:0.4-0.5' is empty here (usable CPUs: 0-2)"
	assert_no_cpus range:0.7-0.2 \
		"range '0.7-0.2': expected two fractions 0 <= A <= B <= 1, for example range:0-0.5"
	assert_no_cpus range:0-1.5 \
		"range '0-1.5': expected two fractions 0 <= A <= B <= 1, for example range:0-0.5"
	assert_no_cpus overlap:0/2 \
		"overlap '0/2': expected part I of N and a fraction from 0 to 1, for example overlap:0/2:0.5"
	assert_no_cpus overlap:0/2:nan \
		"overlap '0/2:nan': expected part I of N and a fraction from 0 to 1, for example overlap:0/2:0.5"
	assert_no_cpus what \
		"unknown CPU set 'what': expected llc:I, numa:I, range:A-B, disjoint:I/N, overlap:I/N:FRAC or a list like 0-3,6"
}

@test "workers can be a percentage of the cgroup's CPUs, rounded up" {
	machine 1n2l4c1t
	run kt-workload --dry-run -e "cgroup a workers=100% cpuset=llc:0" -e "cgroup b workers=30%" \
		-e "cgroup c workers=1% cpuset=0-1" -e "cgroup d workers=250% cpuset=0-1"
	assert_equal "$(jq -c '[.cgroups[].workers]' <<<"$output")" "[4,3,1,5]"
}

@test "what is below a cgroup has its CPUs, and of its own only some of them" {
	machine 1n2l2c1t
	run kt-workload -n -e 'cgroup a workers=0 cpuset=llc:1' -e 'cgroup a/b workers=100%' -e 'cgroup a/c/d cpuset=3' \
		-e 'step s' -e 'cpuset a/c/d clear' -e 'affinity a/c/d single:2' -e 'hold full'
	assert_success
	assert_equal "$(jq -c '[.cgroups[] | .cpuset, .workers]' <<<"$output")" '["2-3",0,"2-3",2,"3",2]'
	refused() { # LINE MESSAGE
		run --separate-stderr kt-workload -n -e 'cgroup a workers=0 cpuset=0-1' -e 'cgroup a/b' -e 'cgroup c cpuset=2' \
			-e 'step s' -e "$1" -e 'hold full'
		assert_equal "$stderr" "kt-workload: -e:5: $2"
	}
	refused 'cgroup a/d cpuset=1-2' "CPUs 1-2 for cgroup 'a/d': expected some of 0-1, the CPUs of 'a' above it"
	refused 'cpuset a/b 3' "CPUs 3 for cgroup 'a/b': expected some of 0-1, the CPUs of 'a' above it"
	refused 'swap a/b c' "CPUs 2 for cgroup 'a/b': expected some of 0-1, the CPUs of 'a' above it"
	refused 'swap c a/b' "CPUs 2 for cgroup 'a/b': expected some of 0-1, the CPUs of 'a' above it"
	run --separate-stderr kt-workload -n -e 'cgroup a/b' -e 'cgroup a workers=0 cpuset=0'
	assert_equal "$stderr" \
		"kt-workload: -e:2: cpuset= of cgroup 'a', which has 'a/b' below it: expected its line before"
	machine 2n2l2c1t
	run --separate-stderr kt-workload -n -e 'cgroup a workers=0 mems=1' -e 'cgroup a/b mems=0' -e 'cgroup a/c mempolicy=bind:0'
	assert_equal "$stderr" "kt-workload: -e:2: mems='0': expected some of the nodes with memory that the cgroups above have, 1
kt-workload: -e:3: mempolicy='bind:0': the nodes with memory that the workers may use are 1"
}

@test "the topology's shape is told, and null for a machine that is not uniform" {
	machine 2n4l2c2t
	assert_equal "$(kt-workload -n -e 'cgroup a' | jq -r .topology)" 2n4l2c2t
	cp -r "$KT_SYSFS" "$BATS_TEST_TMPDIR/odd"
	export KT_SYSFS=$BATS_TEST_TMPDIR/odd
	echo 0-14 >"$KT_SYSFS/devices/system/cpu/online"
	assert_equal "$(kt-workload -n -e 'cgroup a' | jq -r .topology)" null
}

@test "offline CPUs belong to no set" {
	machine 1n2l2c1t
	cp -r "$KT_SYSFS" "$BATS_TEST_TMPDIR/off"
	export KT_SYSFS=$BATS_TEST_TMPDIR/off
	echo 0,2-3 >"$KT_SYSFS/devices/system/cpu/online"
	assert_cpus llc:0 0
	assert_cpus range:0-1 0,2
	assert_no_cpus 1 "CPU set '1' lies outside the machine's CPUs 0,2-3"
}

@test "without cache files a package is an LLC, without node files all is node 0" {
	machine 2n4l2c1t
	cp -r "$KT_SYSFS" "$BATS_TEST_TMPDIR/bare"
	export KT_SYSFS=$BATS_TEST_TMPDIR/bare
	rm -r "$KT_SYSFS"/devices/system/cpu/cpu*/cache "$KT_SYSFS/devices/system/node"
	assert_cpus llc:0 0-7
	assert_cpus numa:0 0-7
	rm -r "$KT_SYSFS"/devices/system/cpu/cpu*
	assert_cpus llc:0 0-7
	# With nothing at all, the CPUs that may be used are the machine.
	rm -r "$KT_SYSFS"/devices
	assert_cpus llc:0 "$(awk '/^Cpus_allowed_list:/ {print $2}' /proc/self/status)"
}
