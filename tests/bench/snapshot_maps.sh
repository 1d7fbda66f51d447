#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a snapshot of BPF maps costs the guest: the time that it stands still, with the test scheduler loaded
# and for 64 MB of an array, and how that compares with bpftool in the guest reading the same maps.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"

BIG=$((64 << 20))
ROUNDS=${ROUNDS:-9}
bpftool=$(PATH=$PATH:/usr/sbin command -v bpftool) || { echo "no bpftool (kt-deps test)" >&2; exit 1; }

# In the guest: how long bpftool takes for all maps but the big one, then hold still.
# shellcheck disable=SC2016 # it is the guest's to expand
guest='ids=$(for id in $(busybox seq 1 90); do
	case $(bpftool -j map show id $id 2>/dev/null) in *\"big\"* | "") ;; *) echo $id ;; esac
done)
set -- $(busybox cat /proc/uptime); begin=$1
for id in $ids; do bpftool -j map dump id $id >/dev/null 2>&1; done
set -- $(busybox cat /proc/uptime); echo "held $begin $1"
exec busybox sleep 600'

kt-vmm -o "$work/run" -m 512M -t 1n2l2c1t --sched build/tests/sched/kt-sched -i "$bpftool" -- \
	build/tests/maps/kt-maps --big $BIG busybox sh -c "$guest" >"$work/out" 2>"$work/err" </dev/null &
vmm=$!
trap 'kill "$vmm" 2>/dev/null; wait "$vmm" || true; rm -rf "$work"' EXIT
for _ in $(seq 600); do
	! grep -q ^held "$work/out" || break
	kill -0 $vmm || { cat "$work/err" >&2; exit 1; }
	sleep 0.2
done
read -r _ begin end < <(grep ^held "$work/out")

# Medians of the member $1 of captures with the options that follow.
member_median() {
	local i member=$1
	shift
	for ((i = 0; i < ROUNDS; i++)); do
		kt-snapshot capture "$@" "$work/run" | grep -o "^ \"$member\": [0-9]*" | cut -d ' ' -f 3
	done | median
}

sched_maps=(--map 'kt_sched*' --map task_ctxs --map cpu_stats --map starve_queue --map 'pid_queue*')
ms() { awk -v ns="$1" 'BEGIN { printf "%.2f", ns / 1e6 }'; }

bound "frozen for kt-sched's maps, programs and runqueues" \
	"$(ms "$(member_median frozen_ns "${sched_maps[@]}")")" '<=' 5 ms
bound "the same with the requests to stop and to go on" \
	"$(ms "$(member_median stopped_ns "${sched_maps[@]}")")" '<=' 5 ms
bound "an array of 64 MB, copied while frozen" \
	"$(awk -v ns="$(member_median frozen_ns --only map --map big)" -v n=$BIG 'BEGIN { printf "%.2f", n / ns }')" '>=' 1 GB/s

# All maps but the big one: what the guest sees of either.
small=(--only map --map '[!b]*')
dump_ms=$(awk -v a="$begin" -v b="$end" 'BEGIN { printf "%.0f", (b - a) * 1000 }')
stopped=$(member_median stopped_ns "${small[@]}")
echo "bpftool map dump of all maps but the big one: $dump_ms ms of the guest; a snapshot stops it for $(ms "$stopped") ms"
bound "guest's time of bpftool over that of a snapshot" \
	"$(awk -v a="$dump_ms" -v b="$stopped" 'BEGIN { printf "%.0f", a * 1e6 / b }')" '>=' 20 times
exit $missed
