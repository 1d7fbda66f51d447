#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# The documents show what is there.

load lib/kt

@test "the tutorial shows its complete test as it is run" {
	# shellcheck disable=SC2016 # backquotes of the text
	diff <(sed -n '/^```bash$/,/^```$/p' "$KT_ROOT/docs/tutorial.md" | sed '1d;$d') \
		"$KT_ROOT/tests/tutorial.bats"
}

@test "links between the documents lead to files" {
	local document link missing=
	for document in "$KT_ROOT"/*.md "$KT_ROOT"/docs/*.md; do
		# What stands in parentheses behind brackets, without the web and anchors.
		while read -r link; do
			[ -e "$(dirname "$document")/$link" ] || missing+="$document: $link"$'\n'
		done < <(grep -o '\](\([^)#]*\)' "$document" | cut -c3- | grep -v '^[a-z]*:')
	done
	assert_equal "$missing" ""
}
