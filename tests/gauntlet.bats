#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-gauntlet: which variants there are, and that a line is the same words to all who read it.

# shellcheck disable=SC1003,SC2016,SC2154 # single quotes are meant; bats sets stderr
load lib/kt

# A cache of kernels that are nothing but names.
setup() {
	export KT_CACHE=$BATS_TEST_TMPDIR/cache
	local release
	for release in 7.0.4-a 7.0.13-a 7.1.3-a 7.3.4-a 7.30.1-a .newest; do
		mkdir -p "$KT_CACHE/kernels/$release"
	done
	cd "$BATS_TEST_TMPDIR" || return
}

# Names that --list shows, on one line.
names() {
	kt-gauntlet "$@" --list | awk 'NR > 1 { print $1 }' | paste -sd ' '
}

@test "there are 24 presets, and the default bounds keep 15 of them" {
	assert_equal "$(names --max-llcs 15 --max-cpus 252 --max-numa-nodes 4 | wc -w)" 24
	run names
	assert_output "tiny-1llc tiny-2llc odd-3llc odd-5llc odd-7llc smt-2llc smt-3llc medium-4llc medium-8llc large-4llc large-8llc medium-4llc-nosmt medium-8llc-nosmt large-4llc-nosmt large-8llc-nosmt"
}

@test "--list tells name, topology, CPUs, LLCs, nodes and SMT" {
	run kt-gauntlet --list --max-numa-nodes 2 --preset numa2-8llc --preset tiny-2llc
	assert_output "NAME                 TOPOLOGY      CPUS  LLCS NODES  SMT
tiny-2llc            1n2l2c1t         4     2     1  no
numa2-8llc           2n8l8c2t       128     8     2  yes"
}

@test "each preset's name agrees with its topology" {
	run kt-gauntlet --list --max-llcs 99 --max-cpus 999 --max-numa-nodes 9
	assert_success
	assert_equal "${#lines[@]}" 25
	local line name topology llcs nodes smt
	for line in "${lines[@]:1}"; do
		read -r name topology _ llcs nodes smt <<<"$line"
		assert_regex "$topology" "^${nodes}n${llcs}l"
		[[ ! $name =~ -([0-9]+)llc ]] || assert_equal "$llcs" "${BASH_REMATCH[1]}"
		[[ ! $name =~ ^numa([0-9]+) ]] || assert_equal "$nodes" "${BASH_REMATCH[1]}"
		[[ $name != *-nosmt ]] || assert_equal "$smt" no
		[[ $name != smt-* ]] || assert_equal "$smt" yes
	done
}

@test "each bound keeps what it says, its limit included" {
	assert_equal "$(names --min-llcs 8)" \
		"medium-8llc large-8llc medium-8llc-nosmt large-8llc-nosmt"
	assert_equal "$(names --max-llcs 1)" tiny-1llc
	assert_equal "$(names --min-cpus 128 --no-smt)" "large-4llc-nosmt large-8llc-nosmt"
	assert_equal "$(names --max-cpus 4)" "tiny-1llc tiny-2llc"
	assert_equal "$(names --min-numa-nodes 4 --max-numa-nodes 4 --max-cpus 32)" numa4-8llc
	assert_equal "$(names --requires-smt --max-cpus 12)" "smt-2llc smt-3llc"
	assert_equal "$(names --no-smt --max-cpus 9)" "tiny-1llc tiny-2llc odd-3llc"
	assert_equal "$(names --only 'odd-*' --only 'tiny-1*')" "tiny-1llc odd-3llc odd-5llc odd-7llc"
}

@test "a bound that is given replaces its default and no other" {
	# 15 LLCs and 240 CPUs are beyond two defaults.
	assert_equal "$(names --only 'near-max*' --max-llcs 15 --max-cpus 240)" \
		"near-max-llc near-max-llc-nosmt"
	run kt-gauntlet --list --only 'near-max*' --max-llcs 15
	assert_failure 1
	assert_output "kt-gauntlet: --only 'near-max*' matches none of 15 variants; the default --max-cpus 192 leaves out 'near-max-llc'"
}

@test "a minimum beyond a default maximum stands for it" {
	assert_equal "$(names --min-numa-nodes 2 --max-cpus 32)" "numa2-4llc numa4-8llc"
	assert_equal "$(names --min-llcs 15 --min-cpus 193)" "near-max-llc near-max-llc-nosmt"
}

@test "a preset asked for by name is beyond the default bounds, not beyond given ones" {
	assert_equal "$(names --preset max-cpu --preset numa4-8llc)" "max-cpu numa4-8llc"
	assert_equal "$(names --preset max-cpu --preset numa4-8llc --max-llcs 8)" numa4-8llc
}

@test "--topology stands for the presets, and beside those that are named; given bounds apply to it" {
	assert_equal "$(names --topology 1n1l2c1t --topology 1n1l3c2t)" "1n1l2c1t 1n1l3c2t"
	assert_equal "$(names --max-cpus 4 --topology 1n1l2c1t --topology 1n1l3c2t)" 1n1l2c1t
	run kt-gauntlet --preset tiny-1llc --topology 2n2l1c1t -- x
	assert_line --index 1 "-t 2n2l1c1t -o runs/x/2n2l1c1t/default -- x"
}

@test "constraints that contradict each other: the one that took the last is named, exit 1, no output" {
	check() {
		run --separate-stderr kt-gauntlet "${@:2}" -- true
		assert_failure 1
		assert_output ""
		assert_equal "$stderr" "kt-gauntlet: $1"
	}
	check "--max-cpus 3 leaves none of 24 topologies, which have at least 4 CPUs" --max-cpus 3
	check "--min-cpus 9 leaves none of 2 topologies, which have at most 4 CPUs" --max-cpus 4 --min-cpus 9
	check "--no-smt leaves none of 10 topologies, which have at least 2 threads per core" \
		--requires-smt --no-smt
	check "the default --max-cpus 192 leaves none of 2 topologies, which have at least 240 CPUs" \
		--min-llcs 15
	check "--only 'nothing*' matches none of 15 variants" --only 'nothing*'
	check "--only 'a' ... matches none of 30 variants" --only a --only b -r 2
}

@test "a line has topology, kernel, scheduler, further options, run directory and command" {
	run kt-gauntlet --max-cpus 4 --min-llcs 2 -k 7.0 -k 7.3 --sched ./scx_foo --vmm -m --vmm 1G -o out \
		-- kt-workload --trace tests/mixed.kt
	assert_success
	assert_output "-t 1n2l2c1t -k 7.0 --sched ./scx_foo -m 1G -o out/mixed/tiny-2llc/default/7.0/scx_foo -- kt-workload --trace tests/mixed.kt
-t 1n2l2c1t -k 7.3 --sched ./scx_foo -m 1G -o out/mixed/tiny-2llc/default/7.3/scx_foo -- kt-workload --trace tests/mixed.kt"
}

@test "the scenario is named for the last .kt operand, or else for the command" {
	dir() {
		kt-gauntlet --preset tiny-1llc -- "$@" | grep -o 'runs/[^ ]*'
	}
	assert_equal "$(dir kt-workload a.kt dir/b.kt --seed 3)" runs/b/tiny-1llc/default
	assert_equal "$(dir /usr/bin/stress-ng --cpu 2)" runs/stress-ng/tiny-1llc/default
	assert_equal "$(dir kt-workload --log=/tmp/x.kt a.kt.old)" runs/kt-workload/tiny-1llc/default
	assert_equal "$(dir kt-workload .kt)" runs/kt-workload/tiny-1llc/default
}

@test "every variant of a matrix has a run directory of its own" {
	run kt-gauntlet --max-llcs 15 --max-cpus 252 --max-numa-nodes 4 -k 7.0 -k 7.3 -k ../linux/vmlinux -- x
	assert_equal "${#lines[@]}" 72
	assert_equal "$(grep -o ' -o [^ ]*' <<<"$output" | sort -u | wc -l)" 72
	run kt-gauntlet -k ../a/b -k /a/b -- x
	assert_failure 64
	assert_output "kt-gauntlet: kernels '../a/b' and '/a/b' would share run directories"
	run kt-gauntlet -s a/scx -s b/scx -- x
	assert_failure 64
	assert_output "kt-gauntlet: schedulers 'a/scx' and 'b/scx' would share run directories"
}

# Words that a reader could get wrong: blanks, quotes, what shells expand, what they comment out.
nasty=('' ' ' 'a b' "it's" "''" '"' '"a"' '\' 'a\b' "\\'" '$HOME' '$(id)' '`id`' '*' '?' '[a-z]' '~' '#' '!!'
	'{a,b}' '{}' ';' '&' '|' '<' '>' '(' ')' $'\t' $'a\tb ' $'\r' $'\001' $'\xff' '-n' '--' '=' 'é' 'a=b'
	'%s' '^' 'end ')

@test "a shell, xargs and parallel read the same words from a line" {
	local line want got
	line=$(kt-gauntlet --preset tiny-1llc -o "r u'n" --sched 's"$x' -- cmd "${nasty[@]}")
	assert_equal "$(wc -l <<<"$line")" 1
	want=$(printf '<%s>' -t 1n1l4c1t --sched 's"$x' -o "r u'n/cmd/tiny-1llc/default/s\"\$x" -- cmd "${nasty[@]}" | od -c)
	got=$(sh -c "printf '<%s>' $line" | od -c)
	assert_equal "$got" "$want"
	got=$(xargs -L1 printf '<%s>' <<<"$line" | od -c)
	assert_equal "$got" "$want"
	if command -v parallel >/dev/null; then
		got=$(parallel --will-cite -j1 "printf '<%s>' {=uq=}" <<<"$line" | od -c)
		assert_equal "$got" "$want"
	fi
}

@test "each line is one call of xargs, even when a word ends in a blank" {
	run bash -c 'kt-gauntlet --max-cpus 4 -- cmd "last " | xargs -L1 printf "%s,"'
	assert_output "-t,1n1l4c1t,-o,runs/cmd/tiny-1llc/default,--,cmd,last ,-t,1n2l2c1t,-o,runs/cmd/tiny-2llc/default,--,cmd,last ,"
	run bash -c 'kt-gauntlet --max-cpus 4 -- cmd "" | xargs -L1 sh -c "echo \$#" sh'
	assert_output "7
7"
}

@test "a word with a newline cannot stand in a line: exit 64, no output" {
	local word=$'a\nb'
	check() {
		run --separate-stderr kt-gauntlet "$@"
		assert_failure 64
		assert_output ""
		assert_equal "$stderr" "kt-gauntlet: 'a?b': a newline cannot stand in a line of arguments"
	}
	check -- cmd "$word"
	check --vmm "$word" -- cmd
	check --sched "$word" -- cmd
	check -k "$word" -- cmd
	check -o "$word" -- cmd
}

@test "unknown names and wrong numbers are exit 64 and one line that helps" {
	check() {
		run --separate-stderr kt-gauntlet "${@:2}"
		assert_failure 64
		assert_output ""
		assert_equal "$stderr" "kt-gauntlet: $1"
	}
	check "unknown preset 'tiny-2lcc': did you mean 'tiny-2llc'? (--list shows them)" --preset tiny-2lcc --list
	check "unknown option '--max-llc': did you mean '--max-llcs'? (--help lists all)" --max-llc 3 -- x
	check "topology '1n2l': expected NnLlCcTt, for example 1n2l4c1t" --topology 1n2l -- x
	check "topology '1n1l1c1t' is given twice" --topology 1n1l1c1t --topology 1n1l1c1t -- x
	check "--max-cpus 'many': expected a number from 1 to 4096" --max-cpus many -- x
	check "--min-llcs '0': expected a number from 1 to 4096" --min-llcs 0 -- x
	check "expected a command after --, for example -- kt-workload x.kt"
	check "command '': expected the name of a program" -- ''
	check "--sched 'a' is given twice" --sched a --sched a -- x
}

@test "an output that cannot be written is an error" {
	run bash -c 'kt-gauntlet -- x >/dev/full'
	assert_failure 70
	assert_output --partial "writing to stdout"
}

@test "the manual page lists the presets as they are" {
	local page=$KT_ROOT/docs/man/kt-gauntlet.1.scd
	assert_equal "$(awk '/^# /{ on = $2 == "PRESETS" } on && /^[|:]  / { print $2 }' "$page" | paste -d ' ' - - -)" \
		"$(kt-gauntlet --list --max-llcs 99 --max-cpus 999 --max-numa-nodes 9 | awk 'NR > 1 { print $1, $2, $3 }')"
}
