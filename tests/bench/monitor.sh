#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a sample of the monitor costs in CPU time of the host, from reading the guest to write(2), of
# guests with more and more CPUs under load. What 128 CPUs cost is drawn out from the two largest
# guests that boot in reasonable time (CPUS), as both the reading and the text grow with the CPUs.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

SCHED=${KT_SCHED:-build/tests/sched/kt-sched}
CPUS=${CPUS:-4 16 32}
SAMPLES=${SAMPLES:-200}
vmm=

# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -z "$vmm" ] || kill -TERM "$vmm" 2>/dev/null || true
	[ -z "$vmm" ] || wait "$vmm" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

# A guest of $1 CPUs, half of which are busy.
guest() {
	kt-vmm -o "$work/run" -m 1G -t "1n2l$(($1 / 2))c1t" --timeout 15m --sched "$SCHED" -- busybox sh -c \
		"for i in \$(seq $(($1 / 2))); do (while :; do :; done) & done; echo held; exec sleep 900" \
		>"$work/out" 2>"$work/err" &
	vmm=$!
	until grep -q held "$work/out"; do
		kill -0 "$vmm" || { cat "$work/err" >&2; return 1; }
		sleep 0.5
	done
}

# The mean cost of a sample in us, at 100 ms.
cost() {
	kt-snapshot monitor -v --count "$SAMPLES" "$work/run" 2>&1 >"$work/samples" |
		awk '/ns of CPU each/ { print $(NF - 4) / 1000 }'
}

command -v qemu-system-x86_64 >/dev/null || { echo "monitor: skipped: no QEMU (kt-deps run)"; exit 0; }
points=
for n in $CPUS; do
	guest "$n"
	us=$(cost)
	echo "a sample of $n CPUs: $us us, $(($(stat -c %s "$work/samples") / SAMPLES)) bytes"
	points+="$n $us"$'\n'
	[ "$n" != 4 ] || {
		bound "monitor: a sample of 4 CPUs" "$us" "<=" 50 us
		bound "monitor: of one host CPU at 100 ms" "$(awk "BEGIN { print $us / 1000 }")" "<=" 1 "%"
	}
	kill -TERM "$vmm"
	wait "$vmm" || true
	vmm=
done
large=$(printf %s "$points" | tail -n 2 | awk '{ n[NR] = $1; us[NR] = $2 }
	END { print us[2] + (128 - n[2]) * (us[2] - us[1]) / (n[2] - n[1]) }')
bound "monitor: a sample of 128 CPUs, drawn out" "$large" "<=" 1000 us
exit "$missed"
