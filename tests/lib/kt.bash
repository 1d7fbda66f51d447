# SPDX-License-Identifier: GPL-2.0
# Shared by all suites: `load lib/kt`.

KT_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export KT_ROOT
# The built programs; KT_BIN points elsewhere for sanitized or installed ones.
PATH=${KT_BIN:+$KT_BIN:}$KT_ROOT/bin:$PATH

bats_require_minimum_version 1.5.0
load_library() {
	local dir
	for dir in /usr/lib/bats /usr/share/bats /usr/lib; do
		if [ -f "$dir/$1/load.bash" ]; then
			load "$dir/$1/load.bash"
			return
		fi
	done
	echo "tests need $1 (bin/kt-deps installs it)" >&2
	return 1
}
load_library bats-support
load_library bats-assert
