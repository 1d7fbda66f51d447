# SPDX-License-Identifier: GPL-2.0
# The checks for kt-assert(1), from kt-assert --list-checks --format json.
def default:
	if .value == "switch" then if .on then " On by default." else "" end
	elif .on then " \(.threshold) by default\(if .relaxed then ", \(.relaxed) with *--relaxed*" else "" end)."
	else "" end;
.[] |
	"*--\(.check)*\(if .value == "switch" then "[=*on*|*off*]" else " _\(.argument)_" end)",
	"\t\(.about)\(default)",
	""
