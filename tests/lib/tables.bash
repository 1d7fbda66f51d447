# SPDX-License-Identifier: GPL-2.0
# The tables that a machine gives its kernel, and what a kernel makes of them: `load lib/tables`. A machine's are a
# directory as kt-vmm --dump-tables makes it.

# shellcheck source=tests/lib/topology.sh
source "$KT_ROOT/tests/lib/topology.sh"

# "NAME TOPOLOGY" of every preset.
presets() {
	kt-gauntlet --max-llcs 64 --max-cpus 252 --max-numa-nodes 8 -o x -- true |
		sed -E 's/^-t ([^ ]+) -o [^ ]*\/([^/ ]+)\/[^/ ]+ .*/\2 \1/'
}

# expected TOPOLOGY: as topology_expected, in a shell without bats' trap on each command.
expected() {
	sh -c '. "$0" && topology_expected "$1"' "$KT_ROOT/tests/lib/topology.sh" "$1"
}

# tables_of_guest DIR: from what tests/guests/topology.c tells on stdin.
tables_of_guest() {
	local name hex
	mkdir -p "$1"
	awk -v tables="$1/tables" '
		/^table / { print tolower($2), $3 > tables }
		/^cpuid / {
			if ($3 == "0x0")
				vendor = $6 == 1970169159 ? "GenuineIntel" : $6 == 1752462657 ? "AuthenticAMD" : "other"
			printf "{\"vendor\":\"%s\",\"cpu\":%s,\"leaf\":\"%s\",\"subleaf\":%s,", vendor, $2, $3, $4
			printf "\"eax\":%s,\"ebx\":%s,\"ecx\":%s,\"edx\":%s}\n", $5, $6, $7, $8
		}' >"$1/cpuid.json"
	while read -r name hex; do
		basenc --base16 -d <<<"$hex" >"$1/$name.dat"
	done <"$1/tables"
}

# tables_tell DIR VENDOR [LEAF...]: what a kernel would show in sysfs, one that does not look at these leaves.
tables_tell() {
	local name bytes=()
	for name in apic srat slit; do
		bytes+=(--argjson "$name" "[$([ ! -e "$1/$name.dat" ] || od -An -v -tu1 -w1 "$1/$name.dat" | paste -sd ,)]")
	done
	grep -F "$2" "$1/cpuid.json" |
		jq -rs --arg vendor "$2" --arg hidden "${*:3}" "${bytes[@]}" -f "$KT_ROOT/tests/lib/tables.jq"
}

# tables_match DIR VENDOR WANT [LEAF...]: the kernel would show what the file WANT has.
tables_match() {
	local told
	told=$(tables_tell "$1" "$2" "${@:4}")
	diff "$3" - <<<"$told" >"$BATS_TEST_TMPDIR/diff" || {
		echo "$1, $2${4:+, without leaf ${*:4}}:"
		head -n 10 "$BATS_TEST_TMPDIR/diff"
		return 1
	}
}
