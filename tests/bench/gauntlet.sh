#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Twelve variants two at a time with kt-run, against the same lines one by one with xargs. Each VM is
# emulated by one thread, so that two CPUs are used to the full by two.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

export KT_TOKENS=$work/tokens

# shellcheck disable=SC2317 # called through wall_ms
one_by_one() {
	xargs -L1 kt-vmm --accel tcg -n < "$work/lines"
}

# shellcheck disable=SC2317
two_at_a_time() {
	sed 's/^/--accel tcg -n /' "$work/lines" > "$work/lines-tcg"
	kt-run -j 2 --junit "$work/junit.xml" "$work/lines-tcg"
}

if [ "$(nproc)" -lt 2 ]; then
	echo "two at a time: skipped, this host has one CPU"
	exit 0
fi
printf 'duration 500ms\ncgroup spinner workers=2 work=spin-wait\n' > "$work/x.kt"
topologies=()
for topology in 1n1l{1,2,3,4,6,8}c1t 1n2l{1,2,3,4}c1t 1n{1,2}l2c2t; do
	topologies+=(-t "$topology")
done
kt-gauntlet "${topologies[@]}" --vmm -m --vmm 512M -o "$work/runs" -- kt-workload "$work/x.kt" > "$work/lines"
apart=$(wall_ms one_by_one)
together=$(wall_ms two_at_a_time)
bad=$(grep -c '<failure\|<error' "$work/junit.xml" || true)
printf '%d variants: one by one %d ms, two at a time and judged %d ms\n' "$(wc -l < "$work/lines")" "$apart" "$together"
bound "variants two at a time, of one by one" "$(awk "BEGIN { printf \"%.3f\", $together / $apart }")" '<=' 0.6 x
bound "variants that did not pass" "$bad" '<=' 0 ''
exit $missed
