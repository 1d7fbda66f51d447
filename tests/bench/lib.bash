# SPDX-License-Identifier: GPL-2.0
# Shared by the benchmarks, each of which sources it.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
export PATH=$PWD/bin:$PATH
work=$(mktemp -d)
export TMPDIR=$work
trap 'rm -rf "$work"' EXIT
missed=0

# Median of the numbers on stdin, one a line.
median() {
	sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# Wall time of a command in ms; its output goes nowhere.
wall_ms() {
	local start=$EPOCHREALTIME
	"$@" > /dev/null 2>&1 < /dev/null
	local end=$EPOCHREALTIME
	echo $(((${end/./} - ${start/./}) / 1000))
}

# bound NAME VALUE OP LIMIT UNIT: print the figure and note when it misses its bound.
bound() {
	local verdict=ok
	awk -v v="$2" -v limit="$4" -v op="$3" \
		'BEGIN { exit !(op == "<=" ? v <= limit : v >= limit) }' || { verdict=MISSED; missed=1; }
	printf '%-58s %10s %-4s (%s %s) %s\n' "$1" "$2" "$5" "$3" "$4" "$verdict"
}
