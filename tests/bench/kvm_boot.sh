#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the kvm engine takes until its guest begins, on this host's /dev/kvm: from the exec of kt-vmm to the first
# KVM_RUN of the boot CPU, with the newest kernel, as on a CPU that walks the guest's page tables, where the guest
# begins while the kernel is still copied (kt-vmm/kvm/load.h); and, without a bound, as this host has it. Its memory
# beside the guest's.
# Then, with LAB=1, in the KVM lab (docs/kvm-lab.md): the first instruction and kt-init's word, beside QEMU on the
# same KVM. Times are an emulator's there; ratios count.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

RUNS=${RUNS:-5}
LAB=${LAB:-0}

# runs OPTION...: a line "MS MS" for each of RUNS starts: from exec to the first instruction, and how much of it
# is KVM's own, making tables of the guest's memory.
runs() {
	# One more: what it reads is in memory from then on.
	for _ in $(seq 0 "$RUNS"); do
		"$work/until_first_run" "$work/first_run.so" kt-vmm -n --engine kvm "$@" -- true 2> /dev/null
	done | tail -n +2
}

# first_instruction TEXT LIMIT OPTION...
first_instruction() {
	FIRST_RUN_TABLES=$work/tables runs "${@:3}" > "$work/runs"
	bound "exec to first instruction, $1" "$(cut -d ' ' -f 1 "$work/runs" | median)" "<=" "$2" ms
}

# The same with more memory. Here KVM may walk the guest's page tables itself: then it makes a table of every page
# first (KVM_SET_USER_MEMORY_REGION), which it does not on a CPU that walks them, and which is counted out.
first_instruction_memory() {
	FIRST_RUN_TABLES=$work/tables runs "${@:3}" > "$work/runs"
	printf '%-58s %10s ms\n' "exec to first instruction, $1" "$(cut -d ' ' -f 1 "$work/runs" | median)"
	bound "the same but for KVM's tables of memory" "$(awk '{ print $1 - $2 }' "$work/runs" | median)" "<=" "$2" ms
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

# In the lab, both engines by turns, a line "WHAT ENGINE NUMBER" each: "4" and "64", the milliseconds until
# the first instruction with so many CPUs; "boot", the nanoseconds until kt-init.
lab_script() {
	cat <<-'END'
		kvm="--engine kvm"
		qemu="--engine qemu --accel kvm --append noxsave"
		first() {
			for engine in kvm qemu; do
				eval "options=\$$engine"
				# kt-vmm probes KVM before it starts QEMU.
				[ $engine = kvm ] && of=kt-vmm || of=qemu-system-x86_64
				echo "$1 $engine $(FIRST_RUN_OF=$of /until_first_run /first_run.so kt-vmm -n $options -t "$2" -m "$3" -- true)"
			done 2> /dev/null
		}
		boot() {
			for engine in kvm qemu; do
				eval "options=\$$engine"
				rm -rf run
				kt-vmm -n $options -o run -t 1n1l2c1t -m 512M -- true || continue
				echo "boot $engine $(sed -n 's/.*"boot_ns": \([0-9]*\).*/\1/p' run/run.json)"
			done
		}
		for i in $(seq 0 "$1"); do
			first 4 1n2l2c1t 512M
			first 4x8G 1n2l2c1t 8G
			first 64 1n8l8c1t 2G
		done
		for i in $(seq "$1"); do boot; done
	END
}

# lab_ratio WHAT PER_MS TEXT: the first of RUNS + 1 only brings into memory what is read.
lab_ratio() {
	local ours theirs
	ours=$(lab_median "$1" kvm "$2")
	theirs=$(lab_median "$1" qemu "$2")
	if [ "$ours" = 0 ] || [ "$theirs" = 0 ]; then
		echo "lab: $3: nothing measured"
		missed=1
		return
	fi
	bound "lab: $3, $ours ms / QEMU $theirs ms" "$(awk "BEGIN { printf \"%.2f\", $ours / $theirs }")" "<=" 1 ""
}

# KVM there walks the guest's page tables: how much memory a guest has makes no difference.
lab_memory() {
	local small large
	small=$(lab_median 4 kvm 1)
	large=$(lab_median 4x8G kvm 1)
	if [ "$small" = 0 ] || [ "$large" = 0 ]; then
		echo "lab: memory: nothing measured"
		missed=1
		return
	fi
	bound "lab: first instruction, 8 GiB $large ms / 512 MiB $small ms" \
		"$(awk "BEGIN { printf \"%.2f\", $large / $small }")" "<=" 1.2 ""
}

lab_median() {
	awk -v what="$1" -v engine="$2" -v per_ms="$3" \
		'$1 == what && $2 == engine && $3 { printf "%.0f\n", $3 / per_ms }' "$work/lab" |
		tail -n "$RUNS" | median
}

in_lab() {
	kt-lab --qemu --timeout 60m -n -i "$work/first_run.so:/first_run.so" \
		-i "$work/until_first_run:/until_first_run" -- sh -c "$(lab_script)" sh "$RUNS" \
		> "$work/lab"
	lab_ratio 4 1 "first instruction, 4 CPUs"
	lab_memory
	lab_ratio 64 1 "first instruction, 64 CPUs"
	lab_ratio boot 1000000 "boot to kt-init"
}

gcc -O2 -shared -fPIC -o "$work/first_run.so" tests/bench/first_run.c
gcc -O2 -o "$work/until_first_run" tests/bench/until_first_run.c
if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
	echo Y > "$work/tables"
	first_instruction "4 CPUs, 512 MiB" 10 -t 1n2l2c1t -m 512M
	first_instruction_memory "4 CPUs, 8 GiB" 10 -t 1n2l2c1t -m 8G
	first_instruction "64 CPUs, 2 GiB" 40 -t 1n8l8c1t -m 2G
	printf '%-58s %10s ms\n' "as this host has it, 4 CPUs, 512 MiB" "$(runs -t 1n2l2c1t -m 512M | cut -d ' ' -f 1 | median)"
	peak_memory -k build/tests/guests/stay.elf
else
	echo "kvm_boot: skipped on this host: no /dev/kvm"
fi
if [ "$LAB" = 1 ]; then
	in_lab
else
	echo "kvm_boot: skipped: the lab's part (LAB=1)"
fi
exit "$missed"
