#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the kvm engine's channel carries to the host: on this host's /dev/kvm from a guest without a kernel
# (tests/guests/flood.c), to kt-vmm's stdout and the run's file. Then, with LAB=1, in the KVM lab
# (docs/kvm-lab.md): what a command says in a stock kernel, beside QEMU's virtserialport on the same KVM.
# Rates are an emulator's there; the ratio counts.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

RUNS=${RUNS:-5}
LAB=${LAB:-0}
MIB=256

flood() {
	timeout 60 kt-vmm -n --engine kvm -t 1n1l1c1t -m 256M -k build/tests/guests/flood.elf --append "guest.mib=$1" -- true
}

# Without the start, and what the guest does before its first frame.
on_this_host() {
	local before after size
	size=$(flood $MIB | wc -c)
	if ((size < MIB << 20)); then
		echo "kvm_channel: the guest said $size bytes instead of $MIB MiB"
		missed=1
		return
	fi
	for _ in $(seq "$RUNS"); do
		before=$(wall_ms flood 1)
		after=$(wall_ms flood $((MIB + 1)))
		awk "BEGIN { printf \"%.0f\\n\", $MIB * 1048.576 / ($after - $before) }"
	done > "$work/rates"
	bound "channel to the host, $MIB MiB without a kernel" "$(median < "$work/rates")" ">=" 100 MB/s
}

# A VM of each engine, with one CPU: which of two CPUs that share the outer one runs a pipe's reader
# would count for more than the device. Who is named on stdin says 2 MiB, and the rate is told on stdout.
lab_script() {
	cat <<-'END'
		set -e
		start() {
			mkfifo "$1.in" "$1.out"
			kt-vmm --engine $2 -t 1n1l1c1t -m 400M -- sh -c '
				echo up
				while read -r go; do dd if=/dev/zero bs=64k count=32 2> /dev/null; done
				' < "$1.in" > "$1.out" &
		}
		now() {
			read -r up idle < /proc/uptime
			echo "${up%.*}${up#*.}"
		}
		cd /tmp
		start kvm kvm
		exec 3> kvm.in 4< kvm.out
		read -r up <&4
		start qemu "qemu --accel kvm --append noxsave"
		exec 5> qemu.in 6< qemu.out
		read -r up <&6
		while read -r name; do
			from=$(now)
			if [ "$name" = kvm ]; then
				echo go >&3
				dd iflag=fullblock bs=64k count=32 <&4 > /dev/null 2> dd.out
			else
				echo go >&5
				dd iflag=fullblock bs=64k count=32 <&6 > /dev/null 2> dd.out
			fi
			grep -q '^32+0 records in' dd.out
			echo $((32 * 65536 * 100 / ($(now) - from)))
		done
		exec 3>&- 4<&- 5>&- 6<&-
		wait
	END
}

rate_of() {
	local rate
	echo "$1" >&7
	read -r rate <&8 || return
	echo "$rate"
}
rate_kvm() { rate_of kvm; }
rate_qemu() { rate_of qemu; }

in_lab() {
	mkfifo "$work/to" "$work/from"
	kt-lab --qemu --timeout 60m -- sh -c "$(lab_script)" < "$work/to" > "$work/from" &
	exec 7> "$work/to" 8< "$work/from"
	rate_kvm > /dev/null
	rate_qemu > /dev/null
	compare "lab: channel, kvm engine / QEMU on KVM" rate_qemu rate_kvm 1
	exec 7>&- 8<&-
	wait $! || true
}

if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
	on_this_host
else
	echo "kvm_channel: skipped on this host: no /dev/kvm"
fi
if [ "$LAB" = 1 ]; then
	in_lab
else
	echo "kvm_channel: skipped: the lab's part (LAB=1)"
fi
exit "$missed"
