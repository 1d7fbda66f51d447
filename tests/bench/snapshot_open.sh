#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How long kt-snapshot takes to open a kernel: VMCOREINFO, page tables, symbols, types. The memory is that of a
# guest of the newest kernel, recorded once; the median of 15 openings counts.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

kt-vmm -n -o "$work/run" -m 256M -- sh -c 'echo up; sleep 60' > "$work/out" &
vmm=$!
for _ in $(seq 300); do
	! grep -q up "$work/out" || break
	sleep 0.1
done
build/tests/snapshot/ram_image record "$work/run" "$work/ram"
kill -TERM $vmm
wait $vmm || true
us=$(build/tests/snapshot/ram_image open "$work/ram" 15)
bound "kt-snapshot: open the newest kernel, median of 15" "$(awk "BEGIN { printf \"%.1f\", $us / 1000 }")" "<=" 150 ms
exit "$missed"
