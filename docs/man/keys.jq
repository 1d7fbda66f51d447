# SPDX-License-Identifier: GPL-2.0
# The keys for kt-policy(5), from kt-assert --list-checks --format json.
def values:
	(if .unit == "-" then "" else " (\(.unit))" end) as $unit |
	{
		switch: "on or off",
		percent: "percentage points from 0 to 100, or off",
		whole: "whole number from 0\($unit), or off",
		real: "number from 0\($unit), or off",
		share: "number from 0 to 1, or off",
		count: "whole number from 1\($unit)"
	}[.value];
def default: if .value == "switch" then if .on then "on" else "off" end elif .on then .threshold else "off" end;
"[[ *Key*", ":[ *Value*", ":[ *Default*",
(.[] | "|  *\(.key)*", ":[ \(values)", ":[ \(default)")
