#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-deps: installs what is missing and nothing else. The package tools are stand-ins that write down
# how they were called, in a PATH that has only what a test puts there.

# shellcheck disable=SC2016,SC2154 # stand-ins expand it; bats sets it
load lib/kt

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p project/bin path
	cp "$(command -v kt-deps)" project/bin/
	: >project/Makefile
	local tool
	for tool in bash env ln dirname readlink cat grep sed id mkdir rm mv mktemp flock touch; do
		ln -s "$(command -v "$tool")" path/
	done
	# All that the tables name, but for what a test takes away.
	while read -r tool; do
		[[ $tool == /* ]] || ln -sf /bin/true "path/$tool"
	done < <(awk '/_needs\(\)/ { on = 1 } /^}/ { on = 0 } on && NF == 3 { print $2 }' project/bin/kt-deps)
	stub dpkg
	stub apt-get 'echo "apt says"' 'case "$*" in *" install "*) touch installed; for w; do ln -sf /bin/true path/"$w"; done ;; esac'
	stub apt-cache 'for w; do [ "${w#-}" != "$w" ] || [ "$w" = show ] || echo "Package: $w"; done'
	printf '#!/bin/bash\necho "kt-apt $*" >>log\nmkdir -p "$3/usr/include/bpf"\n: >"$3/usr/include/bpf/libbpf.h"\n' \
		>project/bin/kt-apt
	chmod +x project/bin/kt-apt
	: >log
}

# stub NAME [LINE...]: a command that logs its call and then does LINEs.
stub() {
	rm -f "path/$1"
	{
		printf '#!/bin/bash\necho "%s $*" >>log\n' "$1"
		printf '%s\n' "${@:2}"
	} >"path/$1"
	chmod +x "path/$1"
}

deps() {
	PATH=$PWD/path run --separate-stderr project/bin/kt-deps "$@"
}

have_libbpf() {
	mkdir -p project/build/deps/libbpf/usr/include/bpf
	: >project/build/deps/libbpf/usr/include/bpf/libbpf.h
}

log() {
	grep -v '^apt-cache' log || true
}

@test "with everything there it does nothing, says nothing, and calls no package tool" {
	have_libbpf
	deps
	assert_success
	assert_output ""
	assert_equal "$stderr" ""
	assert_equal "$(cat log)" ""
	deps --check
	assert_success
}

@test "--check prints what is missing, installs nothing and exits 1" {
	rm path/jq path/hyperfine
	deps --check
	assert_failure 1
	assert_output "jq
hyperfine
libbpf (project/build/deps/libbpf)"
	assert_equal "$(cat log)" ""
}

@test "it says what it will install and why, then installs just that" {
	have_libbpf
	rm path/jq path/hyperfine
	deps
	assert_success
	assert_output ""
	assert_equal "${stderr_lines[0]}" "kt-deps: installing jq: reports, hyperfine: bench"
	assert_equal "$(log)" \
		"apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends jq hyperfine"
	[ -e installed ]
}

@test "a group is installed alone" {
	rm path/jq path/prove path/clang-19
	deps --check run
	assert_output jq
	deps --check test
	assert_output perl
	deps --check build
	assert_output "clang-19
libbpf (project/build/deps/libbpf)"
}

@test "--dry-run prints the commands and runs none" {
	rm path/jq
	deps --dry-run
	assert_success
	assert_equal "${#lines[@]}" 2
	assert_output --partial "install --no-install-recommends jq"
	assert_output --partial "kt-apt extract bookworm-backports $PWD/project/build/deps/libbpf libbpf-dev"
	assert_equal "$(log)" ""
	[ ! -e project/build ]
}

@test "package lists that do not know a package are updated first" {
	have_libbpf
	rm path/jq
	stub apt-cache '[ ! -e updated ] || echo "Package: jq"'
	stub apt-get 'case "$*" in *update) touch updated ;; *install*) ln -s /bin/true path/jq ;; esac'
	deps
	assert_success
	assert_equal "$(log | awk '{ print $2, $NF }')" "-q update
-q jq"
}

@test "an install that fails is tried once more after an update" {
	have_libbpf
	rm path/jq
	stub apt-get 'case "$*" in *update) touch updated ;; *) [ -e updated ] && ln -s /bin/true path/jq ;; esac'
	deps
	assert_success
	assert_equal "$(log | awk '{ print $NF }' | tr '\n' ' ')" "jq update jq "
}

@test "what apt cannot install is named" {
	have_libbpf
	rm path/jq
	stub apt-get 'exit 100'
	deps -q
	assert_failure
	assert_equal "$stderr" "kt-deps: apt-get could not install: jq"
	stub apt-get
	deps -q
	assert_failure 1
	assert_equal "$stderr" "kt-deps: installed, but not found: jq"
}

@test "an ordinary user goes through sudo, or is told the command" {
	have_libbpf
	rm path/jq
	stub id 'echo 1000'
	deps -q
	assert_failure 1
	assert_equal "$stderr" \
		"kt-deps: not root and no sudo: as root, apt-get install --no-install-recommends jq"
	stub sudo '"$@"'
	deps -q
	assert_success
	run grep -c '^sudo env DEBIAN_FRONTEND=noninteractive apt-get' log
	assert_output 1
}

@test "without apt the missing are named and nothing is tried" {
	rm path/jq path/apt-get
	deps
	assert_failure 1
	assert_output "jq
libbpf (project/build/deps/libbpf)"
	assert_equal "$stderr" \
		"kt-deps: no apt-get here: install the like of these Debian packages yourself"
}

@test "libbpf goes into the project when it is missing, and only then" {
	deps -q
	assert_success
	assert_equal "$(grep -c '^kt-apt extract bookworm-backports .* libbpf-dev$' log)" 1
	[ -f project/build/deps/libbpf/usr/include/bpf/libbpf.h ]
	deps -q
	assert_equal "$(grep -c ^kt-apt log)" 1
}

@test "a libbpf that cannot be had leaves nothing half-made" {
	printf '#!/bin/bash\nmkdir -p "$3/usr/include/bpf"\necho "kt-apt: no mirror" >&2\nexit 1\n' \
		>project/bin/kt-apt
	deps -q
	assert_failure 1
	assert_equal "$stderr" "kt-apt: no mirror"
	assert_equal "$(find project/build/deps -mindepth 1)" ""
}

@test "unknown groups and options are exit 64 and one line" {
	deps biuld
	assert_failure 64
	assert_equal "$stderr" "kt-deps: unknown group 'biuld': expected build, run or test"
	deps --nope
	assert_failure 64
	assert_equal "${#stderr_lines[@]}" 1
}
