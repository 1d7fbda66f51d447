#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-gauntlet: the dimensions of the matrix beside topologies, and constraints that a scenario carries.

# shellcheck disable=SC2016,SC2154 # single quotes are meant; bats sets stderr
load lib/kt

# A cache of kernels that are nothing but names.
setup() {
	export KT_CACHE=$BATS_TEST_TMPDIR/cache
	local release
	for release in 7.0.4-a 7.0.13-a 7.1.3-a 7.3.4-a 7.30.1-a .newest; do
		mkdir -p "$KT_CACHE/kernels/$release"
	done
	cd "$BATS_TEST_TMPDIR" || return
	cat > foo.flags <<-'END'
	scheduler scx_foo   # a comment
	flag llc args=--llc-aware
	flag batch args='--batch 8' requires=llc
	flag turbo args="--turbo 'very fast'" requires=batch conflicts=calm

	flag calm args=--calm
	END
}

# The part of the names with this number, from 1, each once, on one line.
part() {
	kt-gauntlet --format names -p tiny-1llc "${@:2}" | cut -d / -f "$1" | uniq | paste -sd ' '
}

refused() {
	run --separate-stderr kt-gauntlet "${@:2}"
	assert_failure 64
	assert_output ""
	assert_equal "$stderr" "kt-gauntlet: $1"
}

emptied() {
	run --separate-stderr kt-gauntlet "${@:2}"
	assert_failure 1
	assert_output ""
	assert_equal "$stderr" "kt-gauntlet: $1"
}

@test "a range of kernels is what the cache has of it, both ends included, oldest first" {
	assert_equal "$(part 4 -k 7.0..7.3 -- x)" "7.0.4-a 7.0.13-a 7.1.3-a 7.3.4-a"
	assert_equal "$(part 4 -k 7.0.13..7.2 -- x)" "7.0.13-a 7.1.3-a"
	assert_equal "$(part 4 -k 7.2.. -- x)" "7.3.4-a 7.30.1-a"
	assert_equal "$(part 4 -k ..7.0 -- x)" "7.0.4-a 7.0.13-a"
	assert_equal "$(kt-gauntlet -p tiny-1llc -k 7.1..7.1 -- x)" \
		"-t 1n1l4c1t -k 7.1.3-a -o runs/x/tiny-1llc/default/7.1.3-a -- x"
}

@test "a kernel that was named is not found again in a range, and two names for one are a mistake" {
	assert_equal "$(part 4 -k 7.3 -k 7.1..7.3 -- x)" "7.3 7.1.3-a"
	assert_equal "$(part 4 -k 7.1..7.3 -k 7.3 -- x)" "7.1.3-a 7.3.4-a"
	refused "kernels '7.0' and '7.0.13' are the same, 7.0.13-a" -k 7.0 -k 7.0.13 -- x
}

@test "a kernel that is not in the cache is refused with those that are" {
	local known="not in the cache; known: 7.0.4-a, 7.0.13-a, 7.1.3-a, 7.3.4-a, 7.30.1-a"
	refused "kernel '7.2': $known" -k 7.2 -- x
	refused "kernel '7.4..7.9': $known" -k 7.4..7.9 -- x
	refused "kernel '7.3..7.0': $known" -k 7.3..7.0 -- x
	export KT_CACHE=$BATS_TEST_TMPDIR/nothing
	refused "kernel '7.0': the cache is empty, expected 'kt-kernel fetch' to have been run" -k 7.0 -- x
	# A file needs no cache.
	assert_equal "$(part 4 -k ./linux/vmlinux -- x)" linux-vmlinux
}

@test "several schedulers are a dimension, and none is the kernel's own" {
	run kt-gauntlet -p tiny-1llc -s none -s "./dir/scx foo" -- x
	assert_output "-t 1n1l4c1t -o runs/x/tiny-1llc/default/none -- x
-t 1n1l4c1t --sched './dir/scx foo' -o 'runs/x/tiny-1llc/default/scx foo' -- x"
}

@test "a work type goes to kt-workload as its first option; own leaves it to the scenario" {
	run kt-gauntlet -p tiny-1llc -w spin-wait -w own -w "sequence:spin=1ms,sleep=2ms" -- dir/kt-workload -v x.kt
	assert_output "-t 1n1l4c1t -o runs/x/tiny-1llc/default/spin-wait -- dir/kt-workload --work=spin-wait -v x.kt
-t 1n1l4c1t -o runs/x/tiny-1llc/default/own -- dir/kt-workload -v x.kt
-t 1n1l4c1t -o runs/x/tiny-1llc/default/sequence:spin=1ms,sleep=2ms -- dir/kt-workload --work=sequence:spin=1ms,sleep=2ms -v x.kt"
	refused "--work: the command is 'stress-ng', expected kt-workload" -w spin-wait -- stress-ng
	refused "--work 'a' is given twice" -w a -w a -- kt-workload
	refused "work types 'a/b' and 'a-b' would share run directories" -w a/b -w a-b -- kt-workload
}

@test "seeds are numbers and ranges of them, each a deterministic run" {
	run kt-gauntlet -p tiny-1llc --seed 7 --seed 0..1 -- x
	assert_output "-t 1n1l4c1t --deterministic=7 -o runs/x/tiny-1llc/default/seed7 -- x
-t 1n1l4c1t --deterministic=0 -o runs/x/tiny-1llc/default/seed0 -- x
-t 1n1l4c1t --deterministic=1 -o runs/x/tiny-1llc/default/seed1 -- x"
	refused "--seed '3..5': a seed is given twice" --seed 1..3 --seed 3..5 -- x
	local wrong
	for wrong in x -1 1.. ..2 5..4 9223372036854775807 ''; do
		refused "--seed '$wrong': expected a number from 0, or a range such as 1..9" --seed "$wrong" -- x
	done
}

@test "repetitions differ in nothing but their run directories" {
	run kt-gauntlet -p tiny-1llc -r 2 -- x
	assert_output "-t 1n1l4c1t -o runs/x/tiny-1llc/default/rep1 -- x
-t 1n1l4c1t -o runs/x/tiny-1llc/default/rep2 -- x"
	refused "--reps '0': expected a number from 1 to 1000000000" -r 0 -- x
}

@test "a variant's name keeps its order: topology, profile, kernel, scheduler, work type, seed, repetition" {
	run kt-gauntlet -p tiny-1llc --format names -r 1 --seed 4 -w yield -s d/scx_foo --flags foo.flags \
		--require-flag llc --exclude-flag calm,batch -k 7.3 -- kt-workload a/b.kt
	assert_output "b/tiny-1llc/llc/7.3/scx_foo/yield/seed4/rep1"
}

@test "profiles are all sets of flags that have what they require and no conflict" {
	assert_equal "$(part 3 -s scx_foo --flags foo.flags -- x)" \
		"default llc llc+batch llc+batch+turbo calm llc+calm llc+batch+calm"
	# All sets, tried one by one, of six flags in a file whose order is not that of what they require.
	cat > six.flags <<-'END'
	scheduler six
	flag a args=a requires=d,e
	flag b args=b conflicts=c
	flag c args=c
	flag d args=d requires=f
	flag e args=e
	flag f args=f requires=e
	END
	awk 'BEGIN {
		split("a b c d e f", names)
		for (mask = 0; mask < 64; mask++) {
			text = ""
			for (i = 1; i <= 6; i++) {
				on[names[i]] = int(mask / 2 ^ (i - 1)) % 2
				if (on[names[i]])
					text = text (text == "" ? "" : "+") names[i]
			}
			if ((on["a"] && !(on["d"] && on["e"])) || (on["b"] && on["c"]) ||
			    (on["d"] && !on["f"]) || (on["f"] && !on["e"]))
				continue
			print text == "" ? "default" : text
		}
	}' > want
	kt-gauntlet -p tiny-1llc --format names -s six --flags six.flags -- x | cut -d / -f 3 > got
	run diff want got
	assert_success
	assert_equal "$(wc -l < got)" 15
}

@test "a profile's arguments are those of its flags, in the file's order, after those that are always there" {
	printf "args '-v  --x=\"1 2\" # no words'\n" >> foo.flags
	kt-gauntlet -p tiny-1llc -s ./scx_foo --flags foo.flags -- x > lines
	assert_equal "$(sed -n 1p lines)" \
		"-t 1n1l4c1t --sched ./scx_foo --sched-args '-v '\\''--x=1 2'\\''' -o runs/x/tiny-1llc/default/scx_foo -- x"
	assert_equal "$(sed -n 4p lines | xargs printf '<%s>\n' | sed -n 6p)" \
		"<-v '--x=1 2' --llc-aware --batch 8 --turbo 'very fast'>"
}

@test "--require-flag brings what the flag requires, --exclude-flag takes what requires it" {
	assert_equal "$(part 3 -s scx_foo --flags foo.flags --require-flag batch -- x)" \
		"llc+batch llc+batch+turbo llc+batch+calm"
	assert_equal "$(part 3 -s scx_foo --flags foo.flags --exclude-flag llc -- x)" "default calm"
	assert_equal "$(part 3 -s scx_foo --flags foo.flags --exclude-flag batch,calm -- x)" "default llc"
	# A scheduler that has no such flag cannot have it.
	assert_equal "$(part 4 -s none -s scx_foo --flags foo.flags --require-flag turbo -- x)" "scx_foo"
	assert_equal "$(part 4 -s none -s scx_foo --flags foo.flags --exclude-flag llc,calm -- x)" "none scx_foo"
}

@test "flag constraints that contradict each other: the one that left nothing is named" {
	local foo=(-s scx_foo --flags foo.flags)
	emptied "--exclude-flag llc leaves no profile of any scheduler" "${foo[@]}" --require-flag batch --exclude-flag llc -- x
	emptied "--require-flag turbo leaves no profile of any scheduler" "${foo[@]}" --require-flag calm --require-flag turbo -- x
	emptied "--exclude-flag llc,calm leaves no profile of any scheduler" "${foo[@]}" --require-flag llc --exclude-flag llc,calm -- x
}

@test "unknown flags are refused with what is known" {
	local foo=(-s scx_foo --flags foo.flags)
	refused "--require-flag batsh: unknown flag 'batsh': did you mean 'batch'?" "${foo[@]}" --require-flag batsh -- x
	refused "--exclude-flag zzz: unknown flag 'zzz'; known: llc batch turbo calm" "${foo[@]}" --exclude-flag zzz -- x
	refused "--require-flag llc: no flags are declared (--flags)" --require-flag llc -- x
	refused "--require-flag '': expected the name of a flag" --require-flag '' -- x
	refused "--exclude-flag 'a,': expected the name of a flag" --exclude-flag a, -- x
}

@test "a declaration goes with the schedulers of its name, and one that goes with none is a mistake" {
	refused "foo.flags declares the flags of 'scx_foo': expected a --sched of that name" --flags foo.flags -- x
	refused "foo.flags declares the flags of 'scx_foo': expected a --sched of that name" -s scx_bar --flags foo.flags -- x
	printf 'scheduler scx_*\nflag own args=-o\n' > any.flags
	refused "foo.flags and any.flags both declare the flags of 'scx_foo', expected one" \
		-s scx_foo --flags foo.flags --flags any.flags -- x
	assert_equal "$(part 3 -s scx_a -s scx_b --flags any.flags -- x)" "default own default own"
	refused "--flags nothing.flags: No such file or directory" -s a --flags nothing.flags -- x
}

@test "mistakes in a declaration are told with file, line and what was expected" {
	check() {
		printf "$2" > wrong.flags
		refused "wrong.flags$1" -s s --flags wrong.flags -- x
	}
	check ":2: requires of a, b, c: a cycle, expected none" \
		'scheduler s\nflag a args=a requires=b\nflag b args=b requires=c\nflag c args=c requires=a\n'
	check ":2: requires of a: a cycle, expected none" 'scheduler s\nflag a args=a requires=a\n'
	check ":2: flag 'a' requires: unknown flag 'bb': did you mean 'bbb'?" \
		'scheduler s\nflag a args=a requires=bb\nflag bbb args=b\n'
	check ":2: flag 'a' conflicts: unknown flag ''" 'scheduler s\nflag a args=a conflicts=\n'
	check ":3: flag 'a' is declared twice" 'scheduler s\nflag a args=a\nflag a args=b\n'
	check ":1: flag 'default': expected a name of letters, digits, _ and - that is not 'default'" 'flag default args=a\n'
	check ":1: flag 'a+b': expected a name of letters, digits, _ and - that is not 'default'" 'flag a+b args=a\n'
	check ":1: flag 'a': expected args=" 'flag a\n'
	check ":1: args: expected at least one argument" "flag a args=''\n"
	check ":1: args: a quote is not closed" "flag a args=\"it's\"\n"
	check ":1: 'require=b': did you mean 'requires='?" 'flag a require=b\n'
	check ":1: args= is given twice" 'flag a args=a args=b\n'
	check ":1: unknown word 'flags': did you mean 'flag'?" 'flags a\n'
	check ":2: scheduler is given twice" 'scheduler s\nscheduler t\n'
	check ":1: scheduler: expected one word after it" 'scheduler\n'
	check ":1: a quote is not closed" "flag 'a\n"
	check ":2: a NUL byte, expected text" 'scheduler s\nflag\0 a\n'
	check ": expected a line 'scheduler NAME'" 'flag a args=a\n'
	check ":66: flag 'f65': expected at most 64 flags" "$(printf 'scheduler s\\n'; printf 'flag f%d args=x\\n' {1..65})"
	printf 'scheduler s\n' > many.flags
	printf 'flag f%d args=x\n' {1..21} >> many.flags
	refused "'s' has more than 1000000 profiles: narrow them with --require-flag and --exclude-flag" -s s --flags many.flags -- x
	# As many flags, but each requires the one before: few sets, found at once.
	printf 'scheduler s\nflag f1 args=x\n' > chain.flags
	local i
	for i in {2..64}; do
		echo "flag f$i args=x requires=f$((i - 1))"
	done >> chain.flags
	assert_equal "$(kt-gauntlet -p tiny-1llc -s s --flags chain.flags -- x | wc -l)" 65
}

@test "a scenario carries its constraints, and those of the command line hold beside them" {
	printf 'duration 1s\n  #gauntlet: min-llcs=2 max-cpus=8 # two caches\n# gauntlet: no-smt\ncgroup a\n' > x.kt
	names() {
		kt-gauntlet --format names "$@" | cut -d / -f 2 | paste -sd ' '
	}
	assert_equal "$(names -- kt-workload x.kt)" tiny-2llc
	assert_equal "$(names --no-scenario --max-cpus 8 -- kt-workload x.kt)" "tiny-1llc tiny-2llc smt-2llc"
	# Wider bounds do not widen what the scenario allows.
	assert_equal "$(names --max-cpus 64 --min-llcs 1 -- kt-workload x.kt)" tiny-2llc
	emptied "x.kt:2: min-llcs=2 leaves none of 1 topologies, which have at most 1 LLCs" -p tiny-1llc -- kt-workload x.kt
	emptied "x.kt:2: max-cpus=8 leaves none of 21 topologies, which have at least 9 CPUs" --min-llcs 3 --min-cpus 9 -- kt-workload x.kt
	# What a scenario says replaces a default as an option does.
	printf '# gauntlet: min-numa-nodes=2 max-cpus=16\n' > numa.kt
	assert_equal "$(names -- kt-workload numa.kt)" numa2-4llc
	# Other comments, files that are not there, and files of other names say nothing.
	printf '# the gauntlet: min-llcs=99\n# gauntlets: min-llcs=99\n' > y.kt
	printf '# gauntlet: min-llcs=99\n' > z.txt
	assert_equal "$(names -- kt-workload y.kt z.txt not-there.kt | wc -w)" 15
}

@test "a scenario's flag constraints are for the schedulers that have such flags" {
	printf '# gauntlet: require-flag=llc exclude-flag=batch,other\n' > x.kt
	assert_equal "$(part 3 -s scx_foo --flags foo.flags -- kt-workload x.kt)" "llc llc+calm"
	emptied "x.kt:1: require-flag=llc leaves nothing: no flags are declared (--flags)" -- kt-workload x.kt
	printf '# gauntlet: exclude-flag=llc\n' > x.kt
	assert_equal "$(part 3 -- kt-workload x.kt)" default
	printf '# gauntlet: require-flag=lcc\n' > x.kt
	refused "x.kt:1: require-flag=lcc: unknown flag 'lcc': did you mean 'llc'?" -s scx_foo --flags foo.flags -- kt-workload x.kt
}

@test "mistakes in a scenario's line are told with file and line" {
	check() {
		printf '\n# gauntlet: %s\n' "$2" > x.kt
		refused "x.kt:2$1" -- kt-workload x.kt
	}
	check ": unknown constraint 'min-llc': did you mean 'min-llcs'?" min-llc=2
	check ": unknown constraint '--min-llcs': did you mean 'min-llcs'?" "--min-llcs 2"
	check ": unknown constraint 'preset': expected one such as min-llcs=2" preset=tiny
	check ": min-llcs '': expected a number from 1 to 4096" min-llcs
	check ": max-cpus 'many': expected a number from 1 to 4096" max-cpus=many
	check ": no-smt: takes no value" no-smt=1
	check ": require-flag '': expected the name of a flag" require-flag=
	check ": a quote is not closed" "min-llcs='2"
}
