#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-gauntlet: names and what is chosen by them, the formats, and choices that cover much with few variants.

# shellcheck disable=SC2016,SC2154 # single quotes are meant; bats sets stderr
load lib/kt

# A cache of kernels that are nothing but names.
setup() {
	export KT_CACHE=$BATS_TEST_TMPDIR/cache
	mkdir -p "$KT_CACHE"/kernels/{7.0.4-a,7.1.3-a,7.2.1-a,7.3.4-a}
	cd "$BATS_TEST_TMPDIR" || return
	cat > foo.flags <<-'END'
	scheduler foo
	flag a args=-a
	flag b args=-b
	flag c args=-c requires=b
	flag d args=-d
	END
}

names() {
	kt-gauntlet --format names "$@"
}

@test "a pattern for names matches a part, or the whole name" {
	local all=(-k 7.0..7.3 -s none -s foo -r 2)
	assert_equal "$(names "${all[@]}" --only 'tiny-1*' -- x | wc -l)" 16
	assert_equal "$(names "${all[@]}" --only 'tiny-1*' --only 7.3.4-a -- x | wc -l)" $((16 + 14 * 4))
	assert_equal "$(names "${all[@]}" --only foo -- x | wc -l)" $((15 * 4 * 2))
	assert_equal "$(names "${all[@]}" --only rep2 -- x | wc -l)" $((15 * 4 * 2))
	assert_equal "$(names "${all[@]}" --only x -- x | wc -l)" $((15 * 4 * 4))
	assert_equal "$(names "${all[@]}" --only 'x/odd-?llc/*/7.[12]*/foo/rep1' -- x)" "x/odd-3llc/default/7.1.3-a/foo/rep1
x/odd-3llc/default/7.2.1-a/foo/rep1
x/odd-5llc/default/7.1.3-a/foo/rep1
x/odd-5llc/default/7.2.1-a/foo/rep1
x/odd-7llc/default/7.1.3-a/foo/rep1
x/odd-7llc/default/7.2.1-a/foo/rep1"
	# The table shows the topologies of what is left.
	run kt-gauntlet "${all[@]}" --only '*/tiny-?llc/*/rep1' --list
	assert_equal "${#lines[@]}" 3
	assert_line --index 2 --partial tiny-2llc
}

@test "shards divide the variants, and a variant stays where it is when others come" {
	local all=(-k 7.0..7.2 -s none -s foo) i
	names "${all[@]}" -- x | sort > want
	for i in 1 2 3 4; do
		names "${all[@]}" --shard $i/4 -- x > shard$i
		names "${all[@]}" -k 7.3 --seed 1 --shard $i/4 -- x > /dev/null
		# Of 90 variants none is far from a fourth.
		assert [ "$(wc -l < shard$i)" -ge 10 ]
		names -k 7.0..7.3 -s none -s bar -s foo --shard $i/4 -- x | grep -v -e 7.3 -e bar | sort > more
		run diff <(sort shard$i) more
		assert_success
	done
	run diff <(sort shard?) want
	assert_success
	assert_equal "$(sort -u shard? | wc -l)" 90
}

@test "an empty shard is no mistake, a wrong one is" {
	run --separate-stderr kt-gauntlet -p tiny-1llc --shard 1/2 -- x
	local one=$output
	run --separate-stderr kt-gauntlet -p tiny-1llc --shard 2/2 -- x
	assert_success
	assert_equal "$one$output" "-t 1n1l4c1t -o runs/x/tiny-1llc/default -- x"
	[ -n "$stderr" ] || run --separate-stderr kt-gauntlet -p tiny-1llc --shard 1/2 -- x
	assert_regex "$stderr" '^kt-gauntlet: shard [12]/2 holds none of 1 variants$'
	local wrong
	for wrong in 0/4 5/4 1 /4 1/ 1/0 a/b -1/4 1/4/4 ''; do
		run --separate-stderr kt-gauntlet --shard "$wrong" -- x
		assert_failure 64
		assert_output ""
		assert_equal "$stderr" "kt-gauntlet: --shard '$wrong': expected I/N with I from 1 to N"
	done
}

# Names of files and values that readers could get wrong.
nasty=(-o "r u'n" -s "my \"sched\" isn't" -s '$(id)' -k "./ker nel's" -w "a'b c" -w '#x"y' --seed 1)

@test "names with spaces and quotes come back whole from a shell, xargs and parallel" {
	local command=(kt-workload "dir/it's a \"b\" \$HOME.kt") want got line n=0
	kt-gauntlet -p tiny-1llc -p smt-2llc "${nasty[@]}" -- "${command[@]}" > lines
	kt-gauntlet -p tiny-1llc -p smt-2llc "${nasty[@]}" --format json -- "${command[@]}" > json
	assert_equal "$(wc -l < lines)" 8
	# What the words are is told by the JSON, which has them apart.
	jq -j '(.args | map("<" + . + ">") | join("")), "\n"' json > want
	xargs -L1 sh -c 'printf "<%s>" "$@"; echo' sh < lines > got
	run diff want got
	assert_success
	while IFS= read -r line; do
		sh -c "printf '<%s>' $line; echo"
	done < lines > got
	run diff want got
	assert_success
	command -v parallel > /dev/null || skip "no parallel (kt-deps run)"
	parallel --will-cite -k -j1 "printf '<%s>' {=uq=}; echo" < lines > got
	run diff want got
	assert_success
	# Each word after -o is the directory that goes with the name.
	names -p tiny-1llc -p smt-2llc "${nasty[@]}" -- "${command[@]}" | sed "s,^,r u'n/," > want
	jq -r '.args[(.args | index("-o")) + 1]' json > got
	run diff want got
	assert_success
	jq -r .rundir json > got
	run diff want got
	assert_success
	assert_equal "$(sed -n 1p want)" \
		"r u'n/it's a \"b\" \$HOME/tiny-1llc/default/ker nel's/my \"sched\" isn't/a'b c/seed1"
}

@test "a run directory is one word, whichever part of it needs quotes" {
	local line want
	for line in "$(kt-gauntlet -p tiny-1llc -o "r u'n" -- x)" "$(kt-gauntlet -p tiny-1llc -o run -- "x'y z")" \
		"$(kt-gauntlet -p tiny-1llc -o run -k "./k'e l" -- x)"; do
		want=$(sh -c "printf '%s\n' $line" | grep "tiny-1llc/default")
		assert_regex "$want" "^r u'n/x/|^run/x'y z/|^run/x/.*/k'e l$"
		assert_equal "$(xargs -L1 printf '%s\n' <<<"$line" | grep "tiny-1llc/default")" "$want"
	done
}

@test "--format null ends each line with a NUL, so that words may have newlines" {
	local two=$'a\nb'
	kt-gauntlet --max-cpus 4 --format null -- "cmd" "$two" 'c d' > lines
	assert_equal "$(tr -cd '\0' < lines | wc -c)" 2
	run bash -c "xargs -0 -I{} sh -c 'printf \"<%s>\" {}' < lines"
	assert_output "<-t><1n1l4c1t><-o><runs/cmd/tiny-1llc/default><--><cmd><$two><c d><-t><1n2l2c1t><-o><runs/cmd/tiny-2llc/default><--><cmd><$two><c d>"
	kt-gauntlet --max-cpus 4 --format json -- cmd "$two" > json
	assert_equal "$(jq -s '.[0].args[6]' json)" '"a\nb"'
}

@test "--format json tells each variant's values and words" {
	printf 'duration 1s\n' > x.kt
	run kt-gauntlet -t 2n4l3c2t -k 7.0 -s d/foo --flags foo.flags --require-flag c --exclude-flag d,a -w yield --seed 3 -r 1 \
		--format json -- kt-workload x.kt
	assert_success
	assert_equal "$(jq -cS . <<<"$output")" "$(jq -cS . <<'END'
{"schema": "kt-variant/1", "name": "x/2n4l3c2t/b+c/7.0/foo/yield/seed3/rep1", "scenario": "x", "preset": "2n4l3c2t",
"topology": "2n4l3c2t", "cpus": 24, "llcs": 4, "numa_nodes": 2, "smt": true, "profile": "b+c", "flags": ["b", "c"],
"sched": "d/foo", "kernel": "7.0", "work": "yield", "seed": 3, "rep": 1,
"rundir": "runs/x/2n4l3c2t/b+c/7.0/foo/yield/seed3/rep1",
"args": ["-t", "2n4l3c2t", "-k", "7.0", "--sched", "d/foo", "--sched-args", "-b -c", "--deterministic=3", "-o",
"runs/x/2n4l3c2t/b+c/7.0/foo/yield/seed3/rep1", "--", "kt-workload", "--work=yield", "x.kt"]}
END
	)"
	run kt-gauntlet -p tiny-1llc --format json -- x
	assert_equal "$(jq -c '[.kernel, .sched, .work, .seed, .rep, .flags]' <<<"$output")" '[null,null,null,null,null,[]]'
	run --separate-stderr kt-gauntlet --format json -- x $'\xff'
	assert_failure 64
	assert_output ""
}

@test "--format github-matrix is one line with a job for each variant" {
	kt-gauntlet --max-cpus 4 --format github-matrix -- kt-workload "it's.kt" > matrix
	assert_equal "$(wc -l < matrix)" 1
	assert_equal "$(jq -c 'keys, [.include[].name]' matrix)" '["include"]
["it'"'"'s/tiny-1llc/default","it'"'"'s/tiny-2llc/default"]'
	# A job's line is what a shell is given.
	run bash -c "printf '<%s>' $(jq -r '.include[1].line' matrix)"
	assert_output "<-t><1n2l2c1t><-o><runs/it's/tiny-2llc/default><--><kt-workload><it's.kt>"
	# GitHub would refuse more jobs than this.
	run --separate-stderr kt-gauntlet -r 20 --format github-matrix -- x
	assert_success
	assert_equal "$stderr" "kt-gauntlet: github-matrix of 300 jobs: GitHub takes at most 256 in one matrix (--budget, --pairwise and --shard make it smaller)"
	run --separate-stderr kt-gauntlet --format github -- x
	assert_failure 64
	assert_equal "$stderr" "kt-gauntlet: unknown format 'github': did you mean 'github-matrix'?"
}

# Pairs of name parts, by their columns; repetitions are none.
pairs() {
	awk -F / '{ for (i = 1; i < NF; i++) for (j = i + 1; j <= NF; j++) print i "=" $i, j "=" $j }' "$@" | sort -u
}

@test "--pairwise covers every pair of values that any variant has, with few of them" {
	local all=(--max-cpus 16 -k 7.0..7.3 -s foo --flags foo.flags --seed 1..5 -w a -w b -w own) n
	check() {
		names "${all[@]}" "$@" -- kt-workload x.kt > all
		names "${all[@]}" "$@" --pairwise -- kt-workload x.kt > chosen 2> said
		run diff <(pairs all) <(pairs chosen)
		assert_success
		# Each is one of all, in their order.
		run diff chosen <(grep -Fxf chosen all)
		assert_success
	}
	check
	# 12 profiles and 7 topologies.
	n=$(wc -l < chosen)
	assert [ "$n" -ge 84 ]
	assert [ "$n" -le 100 ]
	assert_equal "$(cat said)" "kt-gauntlet: pairwise: $n of 5040 variants cover all 359 pairs of values (no fewer than 84 can)"
	# Where not all go together: some schedulers have no flags, and a pattern cuts corners off.
	check -s none -s bar
	check -s none --only '*/tiny-*/[bd]*' --only '*/smt-2llc/*/7.[01]*' --only '*/default/*/seed[23]'
	assert [ "$(wc -l < chosen)" -lt "$(($(wc -l < all) / 10))" ]
	# Repetitions come with what is chosen.
	names --max-cpus 4 -k 7.0..7.3 -r 3 --pairwise -- x > chosen 2> said
	assert_equal "$(wc -l < chosen)" 24
}

# In place of the profile, a part for each of the flags a to d: x-, x+, or x? for a scheduler without.
flag_parts() {
	awk -F / -v OFS=/ '{
		parts = ""
		for (i = 1; i <= 4; i++) {
			flag = substr("abcd", i, 1)
			parts = parts (i > 1 ? "/" : "") flag ($5 != "foo" ? "?" : index("+" $3 "+", "+" flag "+") ? "+" : "-")
		}
		$3 = parts
		print
	}' "$@"
}

@test "--pairwise=flags covers every pair of flags, on and off, and of flags and other values, with fewer" {
	local all=(--max-cpus 16 -k 7.0..7.3 -s none -s foo --flags foo.flags --seed 1..3)
	names "${all[@]}" -- kt-workload x.kt | flag_parts > all
	names "${all[@]}" --pairwise=flags -- kt-workload x.kt 2> said > chosen
	run diff <(pairs all) <(flag_parts chosen | pairs)
	assert_success
	names "${all[@]}" --pairwise -- kt-workload x.kt > profiles 2>&1
	assert [ "$(wc -l < chosen)" -ge 28 ]
	assert [ $((2 * $(wc -l < chosen))) -lt "$(wc -l < profiles)" ]
	run --separate-stderr kt-gauntlet --pairwise=sched -- x
	assert_failure 64
	assert_equal "$stderr" "kt-gauntlet: --pairwise 'sched': expected nothing, or flags"
}

@test "--budget chooses within the time what covers most, and says what that is" {
	printf 'duration 10s\n' > x.kt
	local all=(--max-cpus 64 -k 7.0..7.3 -s foo --flags foo.flags)
	kt-gauntlet "${all[@]}" --budget 2m --format json -- kt-workload x.kt > json 2> said
	# Twelve seconds and more for each: at most ten of them.
	assert [ "$(wc -l < json)" -le 10 ]
	# All that there is to cover is covered.
	assert_equal "$(jq -r .kernel json | sort -u | wc -l)" 4
	assert_equal "$(jq -r .llcs json | sort -u | paste -sd ' ')" "1 2 3 4 5 7 8"
	assert_equal "$(jq -r .smt json | sort -u | paste -sd ' ')" "false true"
	jq -r '.flags as $f | range($f | length) as $i | range($i) as $j | $f[$j] + $f[$i]' json | sort -u | paste -sd ' ' > pairs
	assert_equal "$(cat pairs)" "ab ac ad bc bd cd"
	assert_regex "$(cat said)" "^kt-gauntlet: budget 2m00s: $(wc -l < json) of 528 variants, about 1m[0-9]+s \(0 recorded, [0-9]+ estimated\), cover 32 of 32 features: 5/5 CPU counts, 7/7 LLC counts, 2/2 SMT, 1/1 NUMA nodes, 1/1 schedulers, 5/5 flags, 6/6 flag pairs, 4/4 kernels, 1/1 work types$"
	# Less time covers less, and never takes longer than that.
	kt-gauntlet "${all[@]}" --budget 40s --format json -- kt-workload x.kt > json 2> said
	assert_equal "$(wc -l < json)" 3
	assert_regex "$(cat said)" "about (3[0-9]|40)\.[0-9]s .* cover (1[0-9]|2[0-9]) of 32 features"
}

# A run of this name that took so many seconds.
record() {
	mkdir -p "$1"
	printf '{"schema": "kt-run/1", "outcome": "%s", "wall_ns": %s000000000}\n' "${3:-exited}" "$2" > "$1/run.json"
}

@test "--history prefers what is known to be short, and scales the model by what is known" {
	record old/x/tiny-1llc/default 100
	record new/runs/x/tiny-1llc/default 200
	record new/runs/x/tiny-2llc/default 3
	record new/runs/x/smt-2llc/default/rep4 1
	record new/runs/x/odd-3llc/default 1 interrupted
	local all=(-p tiny-1llc -p tiny-2llc -p smt-2llc -p odd-3llc --estimate 1s --history old --history new -f names)
	# Recorded: 150 s (the mean), 3 s and 1 s.
	run --separate-stderr kt-gauntlet "${all[@]}" --budget 5s -- kt-workload x.kt
	assert_output "x/tiny-2llc/default
x/smt-2llc/default"
	assert_regex "$stderr" "2 of 4 variants, about 4.0s \(2 recorded, 0 estimated\)"
	# The odd one is not recorded: modelled at 4 s, times the mean of 150/3.5, 3/3.5 and 1/3.9.
	run --separate-stderr kt-gauntlet "${all[@]}" --budget 1h --only 'odd*' -- kt-workload x.kt
	assert_regex "$stderr" "1 of 1 variants, about 3.9s \(0 recorded, 1 estimated\)"
	run --separate-stderr kt-gauntlet "${all[@]}" --budget 1h --only 'odd*' --only 'tiny-1*' -- kt-workload x.kt
	assert_regex "$stderr" "2 of 2 variants, about 5m[0-9]+s \(1 recorded, 1 estimated\)"
}

# The greedy choice, made the slow way: every candidate is counted anew at every step. Lines of name, seconds, features.
choose_slowly() {
	awk -F '\t' -v left="$1" '
	{ name[NR] = $1; cost[NR] = $2; features[NR] = $3 }
	END {
		for (;;) {
			best = 0
			for (i = 1; i <= NR; i++) {
				if (cost[i] > left)
					continue
				n = split(features[i], f, " ")
				gain = 0
				for (k = 1; k <= n; k++)
					gain += !(f[k] in covered)
				if (gain && (!best || gain * cost[best] > best_gain * cost[i])) {
					best = i
					best_gain = gain
				}
			}
			if (!best)
				exit
			print name[best]
			left -= cost[best]
			n = split(features[best], f, " ")
			for (k = 1; k <= n; k++)
				covered[f[k]] = 1
		}
	}'
}

@test "the choice for a budget is that of counting every variant anew at each step" {
	local all=(--max-cpus 16 -k 7.0..7.1 -s none -s foo --flags foo.flags) n=0 name budget
	names "${all[@]}" -- x > names
	while read -r name; do
		n=$((n + 1))
		echo $((1 + n * 7919 % 97)) "$name"
	done < names > costs
	while read -r n name; do
		record "h/$name" "$n"
	done < costs
	kt-gauntlet "${all[@]}" --format json -- x | jq -r '
		def bucket: [., 0] | until(.[0] <= 1; [.[0] / 2, .[1] + 1]) | .[1];
		[.name, ([(.cpus | "c\(bucket)"), "l\(.llcs)", "s\(.smt)", "n\(.numa_nodes)", "k\(.kernel)", "sched\(.sched)",
			(.flags[]), if .flags == [] then "default\(.sched)" else empty end,
			(.flags as $f | range($f | length) as $i | range($i) as $j | $f[$j] + "+" + $f[$i])] | join(" "))] | @tsv' |
		awk -F '\t' -v OFS='\t' 'NR == FNR { split($0, c, " "); cost[c[2]] = c[1]; next } { print $1, cost[$1], $2 }' costs - > table
	assert_equal "$(wc -l < table)" $((7 * 2 * 13))
	for budget in 3 10 25 60 1000; do
		names "${all[@]}" --history h --budget ${budget}s -- x > chosen 2> said
		run diff <(choose_slowly $budget < table | sort) <(sort chosen)
		assert_success
		assert_regex "$(cat said)" "\($(wc -l < chosen) recorded, 0 estimated\)"
	done
}

@test "one long variant is taken instead of short ones that cover less" {
	record h/x/tiny-1llc/default/foo 1
	record h/x/tiny-1llc/a+b+d/foo 10
	local all=(-p tiny-1llc -s foo --flags foo.flags --only default --only a+b+d --history h)
	assert_equal "$(names "${all[@]}" --budget 10s -- x 2> said)" x/tiny-1llc/a+b+d/foo
	assert_regex "$(cat said)" "1 of 2 variants, .* cover 13 of 14 features"
	assert_equal "$(names "${all[@]}" --budget 11s -- x 2> said | wc -l)" 2
	assert_equal "$(names "${all[@]}" --budget 9s -- x 2> said)" x/tiny-1llc/default/foo
}

@test "a run.json that is none is named and passed over, a directory that is not there refused" {
	record h/x/tiny-1llc/default 100
	mkdir h/b h/c h/d
	echo '{' > h/b/run.json
	echo '{"schema": "kt-run/2", "outcome": "exited", "wall_ns": 1}' > h/c/run.json
	echo '{"schema": "kt-run/1", "outcome": "exited", "wall_ns": "soon"}' > h/d/run.json
	run --separate-stderr kt-gauntlet -p tiny-1llc --budget 1h --history h -- x
	assert_success
	local at
	at=$(realpath h)
	assert_equal "$(grep -c 'passed over: expected a kt-run/1 object with outcome and wall_ns$' <<<"$stderr")" 3
	for dir in b c d; do
		assert_regex "$stderr" "kt-gauntlet: $at/$dir/run.json: passed over"
	done
	assert_regex "$stderr" "about 1m40s \(1 recorded"
	run --separate-stderr kt-gauntlet --budget 1h --history nothing -- x
	assert_failure 64
	assert_equal "$stderr" "kt-gauntlet: --history nothing: No such file or directory"
	run --separate-stderr kt-gauntlet --budget 1h --history h/b/run.json -- x
	assert_failure 64
	assert_equal "$stderr" "kt-gauntlet: --history h/b/run.json: Not a directory"
}

@test "a budget that nothing fits into leaves nothing, and a wrong one is refused" {
	run --separate-stderr kt-gauntlet --budget 5s --estimate 10s -- x
	assert_failure 1
	assert_output ""
	assert_equal "$stderr" "kt-gauntlet: --budget leaves none of 15 variants: 5.0s, the shortest takes 12.5s"
	local wrong
	for wrong in 0 soon -1s ''; do
		run --separate-stderr kt-gauntlet --budget "$wrong" -- x
		assert_failure 64
		assert_equal "$stderr" "kt-gauntlet: --budget '$wrong': expected a time such as 90s or 10m"
	done
	run --separate-stderr kt-gauntlet --history . -- x
	assert_failure 64
	assert_equal "$stderr" "kt-gauntlet: --history: expected --budget with it"
	run --separate-stderr kt-gauntlet --pairwise --only nothing -- x
	assert_failure 1
	assert_equal "$stderr" "kt-gauntlet: --only 'nothing' matches none of 15 variants"
	run --separate-stderr kt-gauntlet --budget 1h --seed 1..1000000 -- x
	assert_failure 64
	assert_equal "$stderr" "kt-gauntlet: more than 10000000 variants to choose among: narrow them"
}

@test "choices go together: pairs first, of these what fits into the time, divided into shards" {
	local all=(--max-cpus 64 -k 7.0..7.3 -s foo --flags foo.flags -r 2)
	names "${all[@]}" --pairwise -- x > pairwise 2> said
	names "${all[@]}" --pairwise --budget 3m -- x > chosen 2> said
	assert_equal "$(wc -l < said)" 2
	run diff chosen <(grep -Fxf chosen pairwise)
	assert_success
	assert [ "$(wc -l < chosen)" -lt "$(wc -l < pairwise)" ]
	# Both repetitions of each, and the same every time.
	assert_equal "$(grep -c rep1 chosen)" "$(grep -c rep2 chosen)"
	names "${all[@]}" --pairwise --budget 3m -- x > again 2> said
	run diff chosen again
	assert_success
	for i in 1 2; do
		names "${all[@]}" --pairwise --budget 3m --shard $i/2 -- x 2> said
	done > shards
	run diff <(sort chosen) <(sort shards)
	assert_success
}
