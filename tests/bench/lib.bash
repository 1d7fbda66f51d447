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

# Of the numbers on stdin: their median and the interval that holds the true one with a confidence of
# 99% (order statistics, the binomial distribution by its normal approximation), "MEDIAN LOW HIGH".
median_interval() {
	sort -n | awk '{ v[NR] = $1 }
		END {
			m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
			off = 1.288 * sqrt(NR)
			low = int(NR / 2 - off)
			if (low < 1)
				low = 1
			printf "%.4f %.4f %.4f\n", m, v[low], v[NR + 1 - low]
		}'
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

ROUNDS_MIN=15
ROUNDS_MAX=75

# compare NAME PEER OURS LIMIT: PEER and OURS print rates. Run them by turns, first the one and then
# the other, so that what drifts counts for both, and judge the median of the rounds' ratios
# OURS / PEER, which has to be at least LIMIT. There are as many rounds as it takes until the median
# is above or below LIMIT with a confidence of 99%; when even ROUNDS_MAX do not tell, the verdict
# says so.
compare() {
	local name=$1 peer=$2 ours=$3 limit=$4 ratios="" n m low high sum_peer sum_ours a b c d
	for ((n = 1; n <= ROUNDS_MAX; n++)); do
		a=$($peer); b=$($ours); c=$($ours); d=$($peer)
		read -r sum_peer sum_ours < <(awk "BEGIN { print ($a + $d) / 2, ($b + $c) / 2 }")
		ratios+=$(awk "BEGIN { print $sum_ours / $sum_peer }")$'\n'
		((n >= ROUNDS_MIN && n % 5 == 0)) || continue
		read -r m low high < <(printf %s "$ratios" | median_interval)
		awk "BEGIN { exit !($low > $limit || $high < $limit) }" && break
	done
	printf '%s: last round %.0f/s, the peer %.0f/s\n' "$name" "$sum_ours" "$sum_peer"
	((n <= ROUNDS_MAX)) || echo "$name: $ROUNDS_MAX rounds do not tell it from its bound"
	bound "$name: $low to $high" "$m" ">=" "$limit" ""
}
