# SPDX-License-Identifier: GPL-2.0
# What Linux makes of the tables of a machine, in the lines of tests/lib/tell-topology. Slurped input: its CPUs'
# leaves as kt-vmm --dump-tables writes them. $apic, $srat, $slit: bytes of the ACPI tables. $vendor: whose CPUs.
# $hidden: leaves that this kernel does not look at, as words. A contradiction is a line that begins with "wrong:".
# Linux: arch/x86/kernel/cpu/topology_ext.c, topology_amd.c, topology_common.c, cacheinfo.c.

def shifted($by): . / pow(2; $by) | floor;
def field($from; $bits): shifted($from) % pow(2; $bits);
# The bits that tell . things apart.
def order: if . <= 1 then 0 else (. - 1 | log2 | floor) + 1 end;
# $n bytes from $at on as a number, and the offsets of entries of a type and a length.
def number($at; $n): . as $b | reduce range($n) as $i (0; . + $b[$at + $i] * pow(256; $i));
def entries($first): . as $b | $first | recurse(. + $b[. + 1]; . + 1 < ($b | length) and $b[. + 1] > 1);

# A list of CPUs in the kernel's form.
def cpulist: sort | reduce .[] as $c ([]; if length > 0 and .[-1][1] == $c - 1 then .[-1][1] = $c else . + [[$c, $c]] end) |
	map(if .[0] == .[1] then "\(.[0])" else "\(.[0])-\(.[1])" end) | join(",");

# The levels of a leaf, up to the first that is none.
def levels($leaf): . as $l | [label $none | range(8) |
	$l["\($leaf)/\(.)"] | if . == null or (.ecx | field(8; 8)) == 0 or (.ebx | field(0; 16)) == 0 then break $none else . end];
# How far an id is shifted to be that of a core, and on, for the domains SMT, CORE, MODULE, TILE, DIE and DIEGRP, by
# that leaf. Null without it.
def shifts($leaf): levels($leaf) | if length == 0 then null else
	reduce .[] as $level ([0, 0, 0, 0, 0, 0];
		($level.ecx | field(8; 8)) as $type | reduce range($type - 1; 6) as $d (.; .[$d] = $level.eax % 32)) end;
# AMD's own leaves: 0x80000008 has the package, 0x8000001E the threads of a core.
def shifts_amd: (.["0x8000001e/0"].ebx | field(8; 8) + 1 | order) as $smt |
	(.["0x80000008/0"].ecx | field(12; 4)) as $package | [$smt, $package, $package, $package, $package, $package];

# Caches as {NAME: the number of this CPU's}, and the CPU's id.
def caches($id): . as $l | (if $vendor == "AuthenticAMD" then "0x8000001d" else "0x4" end) as $leaf |
	[range(8) | $l["\($leaf)/\(.)"] | select(. != null and .eax % 32 > 0) |
		(.eax | field(14; 12) + 1) as $share | (.eax | field(5; 3)) as $level |
		{key: "L\($level)\(["", "d", "i", ""][.eax % 32])",
		 value: (if $leaf == "0x4" or $level == 3 then $id | shifted($share | order) else $id - $id % $share end)}] | from_entries;

($hidden | split(" ") | map({key: ., value: true}) | from_entries) as $hide |
map(select(.vendor == $vendor and ($hide[.leaf] | not))) |
group_by(.cpu) | map(map({key: "\(.leaf)/\(.subleaf)", value: .}) | from_entries |
	((.["0xb/0"].edx // .["0x8000001e/0"].eax // (.["0x1/0"].ebx | shifted(24)))) as $id |
	(shifts("0x1f") // shifts("0x80000026") // shifts("0xb") // shifts_amd) as $s |
	{key: "\($id)", value: ({
		core: ($id | shifted($s[0])), die: ($id | shifted($s[3])), package: ($id | shifted($s[5])),
		other: (shifts("0xb") // $s | [.[0], .[5]] != [$s[0], $s[5]]), amd_node: (.["0x8000001e/0"].ecx // 0 | field(0; 8)),
		known: ([.["0x1f/0"].edx, .["0x8000001e/0"].eax, $id] | map(select(. != null)) | unique),
		initial: (.["0x1/0"].ebx | shifted(24))} + {caches: caches($id)})}) as $told |
($told | from_entries) as $of |
# CPUs are numbered as the MADT has them.
[$apic | entries(44) as $at |
	if .[$at] == 0 and .[$at + 4] % 2 == 1 then {id: .[$at + 3], wide: false}
	elif .[$at] == 9 and .[$at + 8] % 2 == 1 then {id: number($at + 4; 4), wide: true}
	else empty end] as $madt |
([$srat | entries(48) as $at |
	if .[$at] == 0 and .[$at + 4] % 2 == 1 then {id: .[$at + 3], node: (.[$at + 2] + number($at + 9; 3) * 256)}
	elif .[$at] == 2 and .[$at + 12] % 2 == 1 then {id: number($at + 8; 4), node: number($at + 4; 4)}
	else empty end | {key: "\(.id)", value: .node}] | from_entries) as $node |
[range($madt | length) as $cpu | $madt[$cpu] + {$cpu, node: $node["\($madt[$cpu].id)"]} + ($of["\($madt[$cpu].id)"] // {missing: true})] as $cpus |
# CPU to list, of all that have the same value.
def lists(value): reduce ($cpus | group_by(value))[] as $g ({}; ($g | map(.cpu) | cpulist) as $list |
	reduce $g[] as $c (.; .["\($c.cpu)"] = $list));
(if ($told | length) == ($madt | length) and ($madt | map(.id) | unique | length) == ($madt | length) then empty
	else "wrong: \($told | length) CPUs, \($madt | length) in the MADT" end),
($cpus[] | if .missing then "wrong: no CPU has the id \(.id)"
	elif .node == null then "wrong: the SRAT lacks the id \(.id)"
	elif .wide != (.id > 254) then "wrong: the id \(.id) in an entry of the other kind"
	elif .known != [.id] then "wrong: leaves have the ids \(.known)"
	elif .other then "wrong: leaf 0xB has other cores or packages"
	elif .initial != .id % 256 then "wrong: leaf 1 has the id \(.initial) instead of \(.id)"
	elif $vendor == "AuthenticAMD" and .amd_node != .package then "wrong: 0x8000001E has node \(.amd_node) instead of \(.package)"
	else empty end),
"online \($cpus | map(.cpu) | cpulist)",
(if $cpus | any(.missing) then empty else
	lists([.package, .core]) as $core | lists([.package, .die]) as $die | lists(.package) as $package |
	($cpus[0].caches | keys | map(. as $c | {key: $c, value: lists(.caches[$c])}) | from_entries) as $cache |
	$cpus[] | "\(.cpu)" as $cpu | "cpu\($cpu) core=\($core[$cpu]) die=\($die[$cpu]) package=\(.package):\($package[$cpu])" +
		([.caches | keys[] | " \(.)=\($cache[.][$cpu])"] | join(""))
end),
($cpus | map(.node) | unique) as $nodes |
($nodes[] as $n | "node\($n) cpus=\($cpus | map(select(.node == $n) | .cpu) | cpulist) distance=" +
	([range($nodes | length) as $k | if $slit == [] then (if $k == $n then 10 else 20 end) else $slit[44 + $n * $slit[36] + $k] end | "\(.)"] | join(" ")))
