#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the kvm engine takes until its guest begins, on this host's /dev/kvm: from the exec of kt-vmm to the first
# KVM_RUN of the boot CPU, with a guest of a few KB (tests/guests) and with the newest kernel; with the latter as
# on a CPU that walks the guest's page tables, where the guest begins while the kernel is still copied
# (kt-vmm/kvm/load.h), and which this host may not have. Its memory beside the guest's.
# Then, with LAB=1, in the KVM lab (docs/kvm-lab.md): boot to kt-init and the channel's throughput, beside
# QEMU on the same KVM. Times are an emulator's there; ratios count.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

RUNS=${RUNS:-5}
LAB=${LAB:-0}
small=build/tests/guests/stay.elf

# first_instruction TEXT LIMIT OPTION...: the median of milliseconds from exec to the first instruction.
first_instruction() {
	local text=$1 limit=$2
	shift 2
	# One more: what it reads is in memory from then on.
	for _ in $(seq 0 "$RUNS"); do
		"$work/until_first_run" "$work/first_run.so" kt-vmm -n --engine kvm "$@" -- true 2> /dev/null
	done | tail -n +2 > "$work/ms"
	bound "exec to first instruction, $text" "$(median < "$work/ms")" "<=" "$limit" ms
}

# RssAnon and RssFile of the processes $@ in KiB.
own_memory() {
	local pid
	for pid; do
		awk '/RssAnon|RssFile/ { print $2 }' "/proc/$pid/status" 2> /dev/null || true
	done | awk '{ sum += $1 } END { print sum + 0 }'
}

peak_memory() {
	local peak=0 now pid
	timeout 10 kt-vmm -n --engine kvm --timeout 2s -m 2G "$@" -- true > /dev/null 2>&1 &
	pid=$!
	while kill -0 $pid 2> /dev/null; do
		# shellcheck disable=SC2046 # words
		now=$(own_memory $(pgrep -f -x 'kt-vmm -n --engine kvm --timeout 2s -m 2G.*'))
		((now > peak)) && peak=$now
		sleep 0.005
	done
	wait $pid || true
	bound "memory beside the guest's, guest of 2 GiB" "$((peak / 1024))" "<=" 15 MiB
}

# In the lab: boots of both engines by turns, "ENGINE BOOT_NS BYTES_PER_SECOND" each.
lab_script() {
	cat <<-END
	for i in \$(seq $RUNS); do
		for engine in "kvm" "qemu --accel kvm --append noxsave"; do
			rm -rf run
			kt-vmm -n --engine \$engine -o run -t 1n1l2c1t -m 512M -- sh -c '
				read -r a b < /proc/uptime
				dd if=/dev/zero bs=64k count=160 2> /dev/null
				read -r c d < /proc/uptime
				echo "\$a \$c" | awk "{ printf \"%d\", 10485760 / (\\\$2 - \\\$1 + 0.001) }" >&2
				' > /dev/null 2> rate || continue
			echo "\${engine%% *} \$(sed -n 's/.*"boot_ns": \([0-9]*\).*/\1/p' run/run.json) \$(cat rate)"
		done
	done
	END
}

in_lab() {
	kt-lab --qemu --timeout 30m -n -- sh -c "$(lab_script)" > "$work/lab"
	ratio() {
		local ours theirs
		ours=$(awk -v f="$1" '$1 == "kvm" { print $f }' "$work/lab" | median)
		theirs=$(awk -v f="$1" '$1 == "qemu" { print $f }' "$work/lab" | median)
		echo "$ours $theirs" >&2
		awk "BEGIN { printf \"%.2f\", $ours / $theirs }"
	}
	bound "lab: boot to kt-init, kvm engine / QEMU on KVM" "$(ratio 2)" "<=" 1 ""
	bound "lab: channel throughput, kvm engine / QEMU on KVM" "$(ratio 3)" ">=" 1 ""
}

if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
	gcc -O2 -shared -fPIC -o "$work/first_run.so" tests/bench/first_run.c
	gcc -O2 -o "$work/until_first_run" tests/bench/until_first_run.c
	first_instruction "a guest of a few KB, 4 CPUs" 10 -t 1n2l2c1t -m 512M -k $small
	first_instruction "a guest of a few KB, 64 CPUs" 40 -t 1n8l8c1t -m 2G -k $small
	echo Y > "$work/tables"
	export FIRST_RUN_TABLES=$work/tables
	first_instruction "the kernel, 4 CPUs, 512 MiB" 10 -t 1n2l2c1t -m 512M
	first_instruction "the kernel, 4 CPUs, 8 GiB" 10 -t 1n2l2c1t -m 8G
	first_instruction "the kernel, 64 CPUs, 2 GiB" 40 -t 1n8l8c1t -m 2G
	unset FIRST_RUN_TABLES
	peak_memory -k $small
else
	echo "kvm_boot: skipped on this host: no /dev/kvm"
fi
if [ "$LAB" = 1 ]; then
	in_lab
else
	echo "kvm_boot: skipped: the lab's part (LAB=1)"
fi
exit "$missed"
