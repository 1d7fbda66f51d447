#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The examples of docs/fleet.md, taken from the page and run as far as one machine can.
# bats file_tags=vm

load lib/kt
load lib/vm

setup() {
	vm_setup
	export KT_TOKENS=$BATS_TEST_TMPDIR/tokens
	printf 'duration 300ms\ncgroup spinner workers=1 work=spin-wait\n' > x.kt
	gauntlet=(kt-gauntlet -t 1n1l1c1t -t 1n1l2c1t --vmm -m --vmm 512M)
}

teardown() {
	[ ! -s server.pid ] || kill "$(cat server.pid)" 2>/dev/null || true
}

# The N-th block of language $1 in docs/fleet.md.
block() {
	awk -v want="$2" -v open="\`\`\`$1" '$0 == open { n++; inside = n == want; next } /^```$/ { inside = 0 } inside' \
		"$KT_ROOT/docs/fleet.md"
}

# An ssh server on the loopback interface with keys, users and a home directory of its own, as the host kt-node.
ssh_server() {
	local at=$BATS_TEST_TMPDIR/ssh port
	mkdir -p "$at/home/.ssh" "$at/bin"
	chmod 700 "$at" "$at/home" "$at/home/.ssh"
	dropbearkey -t ed25519 -f "$at/hostkey" > /dev/null 2>&1
	ssh-keygen -q -t ed25519 -N '' -f "$at/key"
	cp "$at/key.pub" "$at/home/.ssh/authorized_keys"
	echo "$(id -un):x:$(id -u):$(id -g)::$at/home:/bin/bash" > "$at/passwd"
	getent group > "$at/group"
	# What a host's profile would have.
	printf 'export PATH=%q KT_CACHE=%q KT_TOKENS=%q\n' "$PATH" "$(dirname "$(dirname "$(dirname "$(kt-kernel path)")")")" \
		"$KT_TOKENS" > "$at/home/.bashrc"
	for port in $(shuf -i 20000-32000 -n 5); do
		LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD=$at/passwd NSS_WRAPPER_GROUP=$at/group \
			/usr/sbin/dropbear -F -E -s -r "$at/hostkey" -P "$at/pid" -p "127.0.0.1:$port" 2> "$at/log" 3>&- &
		echo $! > server.pid
		for _ in {1..100}; do
			! ss -ltn "sport = :$port" | grep -q LISTEN || break 2
			sleep 0.1
		done
	done
	cat > "$at/config" <<-END
		Host kt-node
			HostName 127.0.0.1
			Port $port
			User $(id -un)
			IdentityFile $at/key
			IdentitiesOnly yes
			UserKnownHostsFile $at/known_hosts
			StrictHostKeyChecking accept-new
			LogLevel ERROR
	END
	printf '#!/bin/sh\nexec %s -F %s "$@"\n' "$(command -v ssh)" "$at/config" > "$at/bin/ssh"
	chmod +x "$at/bin/ssh"
	PATH=$at/bin:$PATH
	export PARALLEL_HOME=$at/parallel
	echo 2/kt-node > hosts
}

@test "GNU parallel over ssh runs each line on a host that shares the directory" {
	ssh_server
	cp x.kt "it's.kt"
	{ "${gauntlet[@]}" -- kt-workload "it's.kt"; echo "-t 1n1l1c1t -m 512M -o runs/bad -- sh -c 'exit 3'"; } > lines
	block sh 1 > example
	run -1 bash example
	assert_output --partial "bad"
	assert_equal "$(awk 'NR > 1 { print $7 }' joblog | sort | paste -sd ' ')" "0 0 1"
	run -1 kt-run --resume lines
	assert_line --regexp "PASS it's/1n1l1c1t.* \(kept\)$"
	assert_line --regexp '^3 runs: 2 passed, 0 flaky, 1 failed, 0 inconclusive, 0 skipped, 0 not run'
}

@test "GNU parallel over ssh sends the scenario to a host of its own and gets the run directories back" {
	command -v rsync > /dev/null || skip "no rsync"
	ssh_server
	"${gauntlet[@]}" -- kt-workload x.kt > lines
	block sh 2 > example
	run -0 bash example
	[ -d "$BATS_TEST_TMPDIR/ssh/home/kt-fleet/runs" ]
	run -0 kt-run --resume --junit junit.xml lines
	assert_line --regexp '^2 runs: 2 passed'
	refute_line --regexp 'PASS .* s\)$'
}

@test "a Slurm array's task runs its line and ends with the verdict" {
	{ "${gauntlet[@]}" -- kt-workload x.kt; echo "-t 1n1l1c1t -m 512M -o runs/bad -- sh -c 'exit 3'"; } > lines
	block bash 1 > fleet.sbatch
	SLURM_JOB_ID=71 SLURM_ARRAY_TASK_ID=2 run -0 bash fleet.sbatch
	assert_line --regexp '^\[1/1\] PASS x/1n1l2c1t'
	SLURM_JOB_ID=72 SLURM_ARRAY_TASK_ID=3 run -1 bash fleet.sbatch
	run -0 cat task-3.tap
	assert_line "not ok 1 - bad"
}

@test "a GitHub Actions matrix gives each job its line" {
	local workflow
	block yaml 1 > gauntlet.yml
	step() {
		yq -r ".jobs.$1.steps[] | select(.id == \"$2\").run" gauntlet.yml
	}
	assert_equal "$(yq -r '.jobs.plan.outputs.matrix' gauntlet.yml)" "\${{ steps.plan.outputs.matrix }}"
	assert_equal "$(yq -r '.jobs.variant.strategy.matrix' gauntlet.yml)" "\${{ fromJSON(needs.plan.outputs.matrix) }}"
	assert_equal "$(yq -r '.jobs.variant.steps[] | select(.id == "run").env.LINE' gauntlet.yml)" "\${{ matrix.line }}"
	step plan plan > plan
	GITHUB_OUTPUT=github-output bash -e plan
	run -0 jq -r '.include | length' <<< "$(sed -n 's/^matrix=//p' github-output)"
	[ "$output" -gt 1 ]
	step variant run > variant
	LINE=$(sed -n 's/^matrix=//p' github-output | jq -r '[.include[] | select(.cpus <= 4)][0].line') run -0 bash -e variant
	assert_line --regexp '^\[1/1\] PASS x/'
	xmllint --noout --schema "$KT_ROOT/tests/fixtures/junit.xsd" junit.xml
}
