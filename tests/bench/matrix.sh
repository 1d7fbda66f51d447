#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kt-gauntlet: printing a million variants, and choosing among a hundred thousand. Medians of five.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

export KT_CACHE=$work/cache
mkdir -p "$KT_CACHE"/kernels/{7.0.4-a,7.1.3-a,7.2.1-a,7.3.4-a}

# declare_flags N: the declaration of a scheduler with so many flags, free of each other.
declare_flags() {
	echo "scheduler scx_foo"
	seq "$1" | sed 's/.*/flag f& args=--flag-&/'
}
declare_flags 4 > "$work/4.flags"
declare_flags 10 > "$work/10.flags"

# 5 topologies, 16 profiles, 4 kernels, 3125 seeds.
million=(kt-gauntlet -p tiny-1llc -p tiny-2llc -p odd-3llc -p smt-2llc -p smt-3llc -k 7.0..7.3 -s ./scx_foo
	--flags "$work/4.flags" --seed 1..3125)
# 10 topologies, 1024 profiles, 10 work types.
many=(kt-gauntlet -p tiny-1llc -p tiny-2llc -p odd-3llc -p odd-5llc -p odd-7llc -p smt-2llc -p smt-3llc -p medium-4llc
	-p medium-8llc -p numa4-8llc -s ./scx_foo --flags "$work/10.flags")
for i in {1..10}; do
	many+=(-w "work$i")
done

[ "$("${million[@]}" -- kt-workload x.kt | wc -l)" = 1000000 ] || { echo "not a million lines" >&2; exit 1; }
[ "$("${many[@]}" -- kt-workload x.kt | wc -l)" = 102400 ] || { echo "not 102400 candidates" >&2; exit 1; }

# Records of every 50th candidate, each of a length of its own, so that no two cost the same.
"${many[@]}" --format names -- kt-workload x.kt | awk -v dir="$work/history/" 'NR % 50 == 1 {
	print dir $0; printf "%.0f\n", 1e9 + (NR * 7919 % 9973) * 1e7 }' |
	while read -r dir && read -r ns; do
		mkdir -p "$dir"
		printf '{"schema":"kt-run/1","outcome":"exited","wall_ns":%d}\n' "$ns" > "$dir/run.json"
	done

# five NAME LIMIT COMMAND...
five() {
	local name=$1 limit=$2
	shift 2
	bound "$name" "$(for _ in 1 2 3 4 5; do wall_ms "$@"; done | median)" "<=" "$limit" ms
}

five "1,000,000 lines" 1000 "${million[@]}" -- kt-workload x.kt
five "1,000,000 names" 1000 "${million[@]}" --format names -- kt-workload x.kt
five "--budget among 102,400, modelled" 1000 "${many[@]}" --budget 2h -- kt-workload x.kt
five "--budget among 102,400, 2,048 of them recorded" 1000 "${many[@]}" --budget 2h --history "$work/history" -- kt-workload x.kt
five "--pairwise among 102,400" 1000 "${many[@]}" --pairwise -- kt-workload x.kt
five "--pairwise=flags among 102,400" 1000 "${many[@]}" --pairwise=flags -- kt-workload x.kt
# What they say of themselves.
"${many[@]}" --budget 2h --history "$work/history" -- kt-workload x.kt > "$work/lines"
"${many[@]}" --pairwise -- kt-workload x.kt > "$work/lines"
"${many[@]}" --pairwise=flags -- kt-workload x.kt > "$work/lines"
exit $missed
