#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-kernel's cache: what goes in comes out bootable and complete, or not at all.

load lib/kt
load lib/kernel-images

setup() {
	export KT_CACHE=$BATS_TEST_TMPDIR/cache
	cd "$BATS_TEST_TMPDIR" || return
	load_library bats-file
}

# The cache holds no kernel and no temporary file.
assert_cache_empty() {
	[ -z "$(find "$KT_CACHE/kernels" -mindepth 1 2>/dev/null)" ] ||
		fail "left behind: $(find "$KT_CACHE/kernels" -mindepth 1)"
}

# The command failed with status $1 and one line that contains $2, and left nothing.
assert_refused() {
	assert_failure "$1"
	assert_equal "$(wc -l <<<"$output")" 1
	assert_output --regexp "^kt-kernel: "
	assert_output --partial "$2"
	assert_cache_empty
}

@test "a bzImage compressed with zstd, xz, gzip or lz4 is unpacked to the very same ELF" {
	local method
	make_vmlinux vmlinux 6.20.1-kt
	for method in 'zstd -qc' 'xz -qc --check=crc32' 'gzip -qc' 'lz4 -qlc'; do
		# shellcheck disable=SC2086 # words
		make_bzimage bzImage vmlinux 6.20.1-kt $method
		run --separate-stderr kt-kernel add bzImage
		assert_success
		assert_output 6.20.1-kt
		[ -z "$stderr" ] || fail "$stderr"
		cmp vmlinux "$KT_CACHE/kernels/6.20.1-kt/vmlinux"
		assert_equal "$(cat "$KT_CACHE/kernels/6.20.1-kt/release")" 6.20.1-kt
		kt-kernel rm 6.20.1-kt
		assert_cache_empty
	done
}

@test "a vmlinux is taken as it is, its release read from the banner" {
	make_vmlinux my.elf 6.21.0+
	run kt-kernel add my.elf
	assert_success
	assert_output 6.21.0+
	cmp my.elf "$(kt-kernel path 6.21)"
	assert_not_exists "$KT_CACHE/kernels/6.21.0+/config"
}

@test "a built kernel tree gives its bzImage and its .config" {
	mkdir -p tree/arch/x86/boot
	zstd_kernel tree/arch/x86/boot/bzImage 7.1.0-rc3
	make_vmlinux tree/vmlinux 0.0.0-not-this-one
	echo CONFIG_TREE=y >tree/.config
	run kt-kernel add tree
	assert_output 7.1.0-rc3
	assert_equal "$(cat "$KT_CACHE/kernels/7.1.0-rc3/config")" CONFIG_TREE=y
}

@test "a tree with only a vmlinux is a built tree, one without any image is named" {
	mkdir -p tree empty
	make_vmlinux tree/vmlinux 7.1.0-rc4
	run kt-kernel add empty
	assert_refused 65 "empty: no arch/x86/boot/bzImage"
	run kt-kernel add tree
	assert_output 7.1.0-rc4
}

@test "the configuration is found beside an installed kernel, and --config wins over it" {
	mkdir boot
	zstd_kernel boot/vmlinuz-7.0.1 7.0.1
	echo CONFIG_BOOT=y >boot/config-7.0.1
	echo CONFIG_MINE=y >mine
	kt-kernel add boot/vmlinuz-7.0.1
	assert_equal "$(cat "$KT_CACHE/kernels/7.0.1/config")" CONFIG_BOOT=y
	kt-kernel add --config mine boot/vmlinuz-7.0.1
	assert_equal "$(cat "$KT_CACHE/kernels/7.0.1/config")" CONFIG_MINE=y
}

@test "a kernel that carries its configuration (IKCONFIG) brings it along" {
	make_vmlinux vmlinux 7.0.2
	{
		printf IKCFG_ST
		echo CONFIG_IKCONFIG=y | gzip -c
		printf IKCFG_ED
		head -c 100 /dev/zero
	} >>vmlinux
	kt-kernel add vmlinux
	assert_equal "$(cat "$KT_CACHE/kernels/7.0.2/config")" CONFIG_IKCONFIG=y
}

@test "a label names the newest release that it is a leading part of, by version order" {
	local release
	for release in 7.3.4+deb13-cloud-amd64 7.3.10+deb13-cloud-amd64 7.30.1 7.2.99 7.10.1-rc2 7.10.1-rc10; do
		make_vmlinux v "$release"
		kt-kernel add v
	done
	run kt-kernel list
	assert_equal "$(awk '{ print $1 }' <<<"$output" | paste -sd ' ')" \
		"7.30.1 7.10.1-rc10 7.10.1-rc2 7.3.10+deb13-cloud-amd64 7.3.4+deb13-cloud-amd64 7.2.99"
	check() {
		run kt-kernel path "$1"
		assert_success
		assert_output "$KT_CACHE/kernels/$2/vmlinux"
	}
	check 7.3 7.3.10+deb13-cloud-amd64
	check 7.3.4 7.3.4+deb13-cloud-amd64
	check 7.30 7.30.1
	check 7.10.1 7.10.1-rc10
	check 7 7.30.1
	check newest 7.30.1
	check "" 7.30.1
	run kt-kernel path 7.1
	assert_failure 1
	assert_output --partial "kernel '7.1': not in the cache"
}

@test "list tells release, size, whether there is a configuration, and the origin" {
	make_vmlinux vmlinux 7.0.3
	kt-kernel add vmlinux
	run kt-kernel list
	assert_output --regexp "^7\.0\.3 +7.9K +no-config +$PWD/vmlinux$"
	echo CONFIG_X=y >config
	kt-kernel add vmlinux
	run kt-kernel list
	assert_output --regexp "^7\.0\.3 +7.9K +config +$PWD/vmlinux$"
}

@test "adding a release again replaces the entry" {
	make_vmlinux one 7.0.4
	make_vmlinux two 7.0.4
	echo more >>two
	kt-kernel add one
	kt-kernel add two
	cmp two "$(kt-kernel path 7.0.4)"
	assert_equal "$(ls -A "$KT_CACHE/kernels")" 7.0.4
}

@test "what is not a kernel is named and refused" {
	echo 'dear diary' >text
	run kt-kernel add text
	assert_refused 65 "text: expected a bzImage or an x86-64 vmlinux, found ASCII text"
	: >empty
	run kt-kernel add empty
	assert_refused 65 "empty: expected a bzImage or an x86-64 vmlinux"
	run kt-kernel add /bin/true
	assert_refused 65 "/bin/true: no 'Linux version' in it"
	make_vmlinux arm 7.0.5 183
	run kt-kernel add arm
	assert_refused 65 "arm: expected a bzImage or an x86-64 vmlinux, found an ELF file"
	run kt-kernel add nowhere
	assert_refused 64 "nowhere: no such file"
	mkfifo pipe
	run kt-kernel add pipe
	assert_refused 65 "pipe: expected a regular file"
}

@test "a damaged bzImage is named and refused" {
	zstd_kernel whole 7.0.6
	head -c 560 whole >header
	run kt-kernel add header
	assert_refused 65 "header: no payload in it"
	head -c 1600 whole >short
	run kt-kernel add short
	assert_refused 65 "short: cut short: expected at least"
	cp whole damaged
	printf 'xxxxxxxx' | dd of=damaged bs=1 seek=$((3 * 512 + 37 + 10)) conv=notrunc status=none
	run kt-kernel add damaged
	assert_refused 65 "damaged: its payload cannot be unpacked"
	cp whole unknown
	printf 'BZh9' | dd of=unknown bs=1 seek=$((3 * 512 + 37)) conv=notrunc status=none
	run kt-kernel add unknown
	assert_refused 65 "unknown: its payload is neither zstd, xz, gzip nor lz4"
	cp whole sized
	le 5 4 | dd of=sized bs=1 seek=$(($(stat -c %s whole) - 333 - 4)) conv=notrunc status=none
	run kt-kernel add sized
	assert_refused 65 "sized: expected 5 unpacked bytes, found 80"
	make_vmlinux arm 7.0.6 183
	make_bzimage foreign arm 7.0.6 zstd -qc
	run kt-kernel add foreign
	assert_refused 65 "foreign: its payload is not an x86-64 ELF image"
	make_vmlinux vmlinux 7.0.6
	make_bzimage old vmlinux 7.0.6 zstd -qc
	printf '\x05\x02' | dd of=old bs=1 seek=$((0x206)) conv=notrunc status=none
	run kt-kernel add old
	assert_refused 65 "old: expected boot protocol 2.08"
}

@test "a release that would lead out of the cache is refused" {
	make_vmlinux vmlinux 7.0.7
	make_bzimage bzImage vmlinux ../../../escape zstd -qc
	run kt-kernel add bzImage
	assert_refused 65 "a release is not '../../../escape'"
}

@test "rm takes one kernel away and refuses to guess" {
	local release
	for release in 7.0.8 7.0.9; do
		make_vmlinux v $release
		kt-kernel add v
	done
	run kt-kernel rm 7.0
	assert_failure 64
	assert_output --partial "several match, name one: 7.0.9 7.0.8"
	run kt-kernel rm 7.5
	assert_failure 1
	kt-kernel rm 7.0.8
	assert_equal "$(ls -A "$KT_CACHE/kernels")" 7.0.9
}

@test "path says in one line that the cache is empty" {
	run kt-kernel path
	assert_refused 1 "not in the cache (it is empty)"
	run kt-kernel path 7.3
	assert_refused 1 "kernel '7.3': not in the cache (it is empty)"
	run kt-kernel list
	assert_success
	assert_output ""
}

@test "wrong usage is one line and exit 64" {
	local words
	for words in '' frobnicate --nonsense add 'add a b' 'list x' 'path a b' rm 'add --config' \
		'fetch a/b' 'fetch 7.0 7.1' 'add --config nowhere /bin/true'; do
		# shellcheck disable=SC2086 # words
		run kt-kernel $words
		assert_refused 64 ""
	done
	run kt-kernel frobnicate
	assert_output --partial "expected fetch, remote, add, list, path or rm"
}

@test "a cache that cannot be made or written is named" {
	make_vmlinux vmlinux 7.0.10
	KT_CACHE=/proc/kt run kt-kernel add vmlinux
	assert_failure 1
	assert_output "kt-kernel: /proc/kt/kernels: cannot be made"
	: >file
	KT_CACHE=$PWD/file run kt-kernel add vmlinux
	assert_failure 1
	assert_output "kt-kernel: $PWD/file/kernels: cannot be made"
}

# Start an add that hangs in its decompressor; sets pid (kt-kernel) and helper (the decompressor).
start_slow_add() {
	mkdir -p slow
	printf '#!/bin/bash\necho $$ >%q\nexec sleep 600\n' "$PWD/helper" >slow/zstd
	chmod +x slow/zstd
	zstd_kernel bzImage 7.0.11
	PATH=$PWD/slow:$PATH env --default-signal=INT kt-kernel add bzImage 3>&- &
	pid=$!
	for _ in {1..600}; do
		[ ! -s helper ] || break
		sleep 0.05
	done
	helper=$(<helper)
	assert_exists "$KT_CACHE"/kernels/.tmp.*
}

@test "SIGINT and SIGTERM in the middle of an add leave nothing and no process" {
	local signal status
	for signal in INT:130 TERM:143; do
		rm -f helper
		start_slow_add
		kill -s "${signal%:*}" "$pid"
		assert_ends "$helper"
		status=0
		wait "$pid" || status=$?
		assert_equal "$status" "${signal#*:}"
		assert_cache_empty
	done
}

@test "what SIGKILL leaves is not seen and goes away with the next add" {
	start_slow_add
	kill -KILL "$pid"
	wait "$pid" || true
	run kt-kernel list
	assert_output ""
	run kt-kernel path
	assert_failure 1
	kill "$helper"
	assert_ends "$helper"
	kt-kernel add bzImage
	assert_equal "$(ls -A "$KT_CACHE/kernels")" 7.0.11
}

@test "a running add's temporary files are left alone by another" {
	start_slow_add
	make_vmlinux vmlinux 7.0.12
	kt-kernel add vmlinux
	assert_exists "$KT_CACHE"/kernels/.tmp.*
	kill "$pid"
	assert_ends "$helper"
	wait "$pid" || true
	assert_equal "$(ls -A "$KT_CACHE/kernels")" 7.0.12
}

@test "twenty adds at once all succeed, of the same kernel too" {
	local i pids=() pid
	for i in {1..20}; do
		zstd_kernel "image$i" "7.1.$((i / 2))"
	done
	for i in {1..20}; do
		kt-kernel add "image$i" >"out$i" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	for i in {1..20}; do
		assert_equal "$(<"out$i")" "7.1.$((i / 2))"
		assert_file_exists "$KT_CACHE/kernels/7.1.$((i / 2))/vmlinux"
	done
	assert_equal "$(find "$KT_CACHE/kernels" -mindepth 1 -maxdepth 1 | wc -l)" 11
}

# bats test_tags=kernel
@test "the distribution's kernel in the cache is an ELF whose banner is its release" {
	unset KT_CACHE
	local vmlinux release
	vmlinux=$(kt-kernel path 2>/dev/null) || skip "no kernel in the cache (kt-kernel fetch)"
	release=$(cat "$(dirname "$vmlinux")/release")
	assert_equal "$(basename "$(dirname "$vmlinux")")" "$release"
	run file -bL "$vmlinux"
	assert_output --partial "ELF 64-bit LSB executable, x86-64"
	export KT_CACHE=$BATS_TEST_TMPDIR/cache
	run kt-kernel add "$vmlinux"
	assert_output "$release"
}

@test "a full disk is named, is not taken for a bad kernel, and keeps nothing" {
	unshare -m true 2>/dev/null || skip "needs a mount namespace (root)"
	mkdir cache
	make_vmlinux vmlinux 7.0.13
	head -c 2M /dev/urandom >>vmlinux
	make_bzimage bzImage vmlinux 7.0.13 zstd -qc
	local image
	for image in vmlinux bzImage; do
		# shellcheck disable=SC2016 # for the inner shell
		run unshare -m bash -c 'mount -t tmpfs -o size=1M none cache && {
			kt-kernel add "$1"
			status=$?
			find cache/kernels -mindepth 1
			exit $status
		}' bash "$image"
		assert_failure 1
		assert_equal "${#lines[@]}" 1
		assert_output --regexp "^kt-kernel: $image: cannot be .*No space left on device"
	done
}
