#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What kt-vmm costs over QEMU itself: `kt-vmm -- true` against a hand-trimmed QEMU command that boots the
# same kernel, with the same CPUs and memory, to an init that powers off. Runs alternate, medians
# count. Then what kt-vmm does before QEMU starts, and its own peak memory.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

RUNS=${RUNS:-5}
CMDLINE="console=ttyS0 quiet oops=panic panic=-1 mitigations=off tsc=reliable no_timer_check
rcupdate.rcu_expedited=1 cryptomgr.notests audit=0"

bare_initramfs() {
	gcc -static -Os -x c -o "$work/init" - <<-'END'
	#include <sys/reboot.h>
	int main(void)
	{
		return reboot(RB_POWER_OFF);
	}
	END
	(cd "$work" && echo init | cpio --quiet -o -H newc > bare.cpio)
}

# shellcheck disable=SC2317 # called through wall_ms
bare() {
	qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-accel tcg,thread=single -cpu max -smp 2 -m 2G -kernel "$kernel" \
		-initrd "$work/bare.cpio" -append "${CMDLINE//$'\n'/ }" -serial "file:$work/bare.log"
}

# shellcheck disable=SC2317
ours() {
	kt-vmm -n --accel tcg -m 2G -- true
}

boot_cost() {
	for _ in $(seq "$RUNS"); do
		wall_ms bare >> "$work/bare.ms"
		wall_ms ours >> "$work/ours.ms"
	done
	local bare ours
	bare=$(median < "$work/bare.ms")
	ours=$(median < "$work/ours.ms")
	echo "boot to power-off, median of $RUNS: bare QEMU $bare ms, kt-vmm -- true $ours ms"
	bound "boot: kt-vmm / bare QEMU" "$(awk "BEGIN { printf \"%.3f\", $ours / $bare }")" "<=" 1.15 ""
}

# A stand-in for QEMU that notes when it was started.
before_qemu() {
	local start
	mkdir "$work/shim"
	# shellcheck disable=SC2016
	printf '#!/bin/bash\necho "${EPOCHREALTIME/./}" > %q\n' "$work/began" > "$work/shim/qemu-system-x86_64"
	chmod +x "$work/shim/qemu-system-x86_64"
	for _ in $(seq 15); do
		start=${EPOCHREALTIME/./}
		PATH=$work/shim:$PATH kt-vmm -n -- true > /dev/null 2>&1 || true
		echo $((($(cat "$work/began") - start) / 1000)) >> "$work/before.ms"
	done
	bound "exec of kt-vmm to exec of QEMU, median of 15" "$(median < "$work/before.ms")" "<=" 30 ms
}

# VmHWM of kt-vmm alone while its guest runs.
peak_memory() {
	local size peak
	for size in 512M 8G; do
		kt-vmm -n -m "$size" -- sleep 1 &
		local pid=$!
		while kill -0 $pid 2> /dev/null; do
			peak=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status" 2> /dev/null) &&
				[ -n "$peak" ] && echo "$peak" > "$work/peak"
			sleep 0.1
		done
		wait $pid
		bound "peak memory of kt-vmm, guest of $size" "$(($(cat "$work/peak") / 1024))" "<=" 32 MiB
	done
}

kernel=$(kt-kernel path)
bare_initramfs
boot_cost
before_qemu
peak_memory
exit "$missed"
