#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-apt and kt-kernel fetch against a small signed archive of our own: what they take is verified, what
# they leave is complete, and the system's own package state is not touched. No network.

load lib/kt
load lib/kernel-images

setup_file() {
	export ARCHIVE=$BATS_FILE_TMPDIR/archive GNUPGHOME=$BATS_FILE_TMPDIR/gnupg
	local tool
	for tool in gpg apt-get dpkg-deb; do
		command -v "$tool" >/dev/null || skip "needs $tool"
	done
	mkdir -m 700 "$GNUPGHOME"
	key_make archive@example
	key_make stranger@example
	gpg --batch -q --export archive@example >"$BATS_FILE_TMPDIR/keyring.gpg"
	cd "$BATS_FILE_TMPDIR" || return
	kernel_debs 7.3.4 new
	kernel_debs 7.3.10 new
	kernel_debs 7.0.1 boot
	kernel_debs 6.18.1 image
	archive_write trixie-backports ./*.deb
	rm ./*.deb
	kernel_debs 6.12.5 image
	archive_write trixie ./*.deb
	rm ./*.deb
	archive_write bookworm
}

teardown_file() {
	[ ! -d "$GNUPGHOME" ] || gpgconf --kill all
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export KT_CACHE=$BATS_TEST_TMPDIR/cache
	export KT_APT_MIRROR=copy:$ARCHIVE KT_APT_KEYRING=$BATS_FILE_TMPDIR/keyring.gpg
}

key_make() {
	gpg --batch -q --passphrase '' --quick-generate-key "$1" ed25519 sign never 2>/dev/null
}

# deb_make DIR PACKAGE VERSION: a package of DIR's files.
deb_make() {
	mkdir -p "$1/DEBIAN"
	printf '%s\n' "Package: $2" "Version: $3" 'Architecture: amd64' \
		'Maintainer: nobody <nobody@example>' 'Description: for a test' >"$1/DEBIAN/control"
	dpkg-deb --root-owner-group -Znone --build "$1" "$2_$3_amd64.deb" >/dev/null
	rm -rf "$1"
}

# kernel_debs VERSION new|boot|image: packages in the layouts of facts: image alone with its
# configuration in linux-base (and an unsigned twin and a meta package), image alone in /boot, or all
# in linux-image.
kernel_debs() {
	local name release=$1+t-cloud-amd64 modules=tmp/usr/lib/modules/$1+t-cloud-amd64
	case $2 in
	new)
		mkdir -p "$modules/kernel/virt" "$modules/kernel/drivers"
		for name in irqbypass kvm kvm-amd; do
			echo "$name of $1" | xz -c >"$modules/kernel/virt/$name.ko.xz"
		done
		echo other | xz -c >"$modules/kernel/drivers/other.ko.xz"
		deb_make tmp "linux-modules-$release" "$1-1"
		mkdir -p "$modules"
		zstd_kernel "$modules/vmlinuz" "$release"
		deb_make tmp "linux-binary-$release" "$1-1"
		mkdir -p "$modules"
		zstd_kernel "$modules/vmlinuz" 0.0.0-unsigned
		deb_make tmp "linux-binary-unsigned-$release" "$1-1"
		mkdir -p "$modules"
		echo "CONFIG_OF=\"$1\"" >"$modules/config"
		deb_make tmp "linux-base-$release" "$1-1"
		deb_make tmp "linux-image-$release" "$1-1"
		;;
	boot | image)
		mkdir -p tmp/boot
		zstd_kernel "tmp/boot/vmlinuz-$release" "$release"
		[ "$2" = boot ] || echo "CONFIG_OF=\"$1\"" >"tmp/boot/config-$release"
		if [ "$2" = boot ]; then
			deb_make tmp "linux-binary-$release" "$1-1"
		else
			deb_make tmp "linux-image-$release" "$1-1"
		fi
		;;
	esac
}

# archive_write SUITE [DEB...]: make (or make anew) a signed suite of these packages in ARCHIVE.
archive_write() {
	local suite=$1 dir=$ARCHIVE/dists/$1/main/binary-amd64 deb
	shift
	mkdir -p "$dir" "$ARCHIVE/pool/$suite"
	for deb in "$@"; do
		cp "$deb" "$ARCHIVE/pool/$suite/"
		deb=pool/$suite/${deb##*/}
		dpkg-deb -f "$ARCHIVE/$deb"
		printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$ARCHIVE/$deb")" \
			"$(sha256sum <"$ARCHIVE/$deb" | cut -d ' ' -f 1)"
	done >"$dir/Packages"
	archive_sign "$suite" archive@example
}

archive_sign() {
	local packages=main/binary-amd64/Packages top=$ARCHIVE/dists/$1
	printf '%s\n' "Origin: Test" "Suite: $1" "Codename: $1" "Date: $(LC_ALL=C date -u -R)" \
		'Architectures: amd64' 'Components: main' 'SHA256:' \
		" $(sha256sum <"$top/$packages" | cut -d ' ' -f 1) $(stat -c %s "$top/$packages") $packages" |
		gpg --batch -q --yes -u "$2" --clearsign -o "$top/InRelease"
}

# A copy of the archive for a test that changes it.
own_archive() {
	cp -r "$ARCHIVE" archive
	ARCHIVE=$PWD/archive
	KT_APT_MIRROR=copy:$ARCHIVE
}

assert_no_kernel() {
	[ -z "$(find "$KT_CACHE/kernels" -mindepth 1 2>/dev/null)" ] ||
		fail "left behind: $(find "$KT_CACHE/kernels" -mindepth 1)"
}

@test "fetch gets the newest kernel with its configuration and prints its release" {
	run --separate-stderr kt-kernel fetch
	assert_success
	assert_output 7.3.10+t-cloud-amd64
	[ -z "$stderr" ] || fail "$stderr"
	local entry=$KT_CACHE/kernels/7.3.10+t-cloud-amd64
	assert_equal "$(cat "$entry/release")" 7.3.10+t-cloud-amd64
	assert_equal "$(cat "$entry/config")" 'CONFIG_OF="7.3.10"'
	assert_equal "$(cat "$entry/source")" \
		"linux-binary-7.3.10+t-cloud-amd64 7.3.10-1 trixie-backports"
	assert_equal "$(cat "$KT_CACHE/kernels/.newest")" 7.3.10+t-cloud-amd64
}

@test "fetch finds each generation of packages, and older kernels in older suites" {
	local pair
	for pair in 7.3.4:7.3.4 7.3:7.3.10 7.0:7.0.1 6.18:6.18.1 6.12:6.12.5; do
		# The answer is the suites', whatever the cache has already.
		rm -rf "$KT_CACHE/kernels"
		run kt-kernel fetch "${pair%:*}"
		assert_success
		assert_output "${pair#*:}+t-cloud-amd64"
	done
	run kt-kernel list
	assert_output --regexp '^6\.12\.5.* config .*linux-image-6\.12\.5\+t-cloud-amd64 6\.12\.5-1 trixie$'
	kt-kernel fetch 7.0
	run kt-kernel list
	assert_output --regexp '^7\.0\.1.* no-config '
}

@test "fetch of what the cache has needs no mirror" {
	kt-kernel fetch
	kt-kernel fetch 7.0.1
	rm -r "$KT_CACHE/apt"
	KT_APT_MIRROR=copy:/nonexistent
	run kt-kernel fetch
	assert_output 7.3.10+t-cloud-amd64
	run kt-kernel fetch 7.0
	assert_output 7.0.1+t-cloud-amd64
}

@test "fetch without a version means the suite's newest even when the cache has others" {
	make_vmlinux v 9.9.9
	kt-kernel add v
	kt-kernel fetch 6.12
	run kt-kernel fetch
	assert_output 7.3.10+t-cloud-amd64
}

@test "fetch --refresh sees what is new, fetch alone does not ask" {
	own_archive
	kt-kernel fetch 7.3
	kernel_debs 7.3.11 new
	archive_write trixie-backports ./*.deb
	run kt-kernel fetch 7.3
	assert_output 7.3.10+t-cloud-amd64
	run kt-kernel fetch --refresh 7.3
	assert_output 7.3.11+t-cloud-amd64
}

@test "an unknown version is exit 64 and the known ones are named" {
	run kt-kernel fetch 7.5
	assert_failure 64
	assert_output --partial "kernel '7.5': not in trixie-backports trixie bookworm, which have 7.3 7.0 6.18 6.12"
	assert_equal "${#lines[@]}" 1
	assert_no_kernel
}

@test "remote lists each kernel once, newest first, with its suite" {
	run kt-kernel remote
	assert_success
	assert_equal "$(awk '{ print $1, $2, $3 }' <<<"$output")" "7.3.10+t-cloud-amd64 trixie-backports 7.3.10-1
7.3.4+t-cloud-amd64 trixie-backports 7.3.4-1
7.0.1+t-cloud-amd64 trixie-backports 7.0.1-1
6.18.1+t-cloud-amd64 trixie-backports 6.18.1-1
6.12.5+t-cloud-amd64 trixie 6.12.5-1"
}

@test "a mirror that is not there is one line, and leaves nothing" {
	KT_APT_MIRROR=copy:/nonexistent
	run kt-kernel fetch
	assert_failure 1
	assert_equal "${#lines[@]}" 1
	assert_output --partial "trixie-backports: no package list: "
	assert_no_kernel
	assert_equal "$(find "$KT_CACHE/apt" -name 'tmp.*')" ""
}

@test "a package list signed by a key that is not trusted is refused" {
	own_archive
	archive_sign trixie-backports stranger@example
	run kt-kernel fetch
	assert_failure 1
	assert_output --partial "no package list"
	assert_no_kernel
}

@test "a package that is not the one the signed list names is refused" {
	own_archive
	local deb=$ARCHIVE/pool/trixie-backports/linux-binary-7.3.10+t-cloud-amd64_7.3.10-1_amd64.deb
	printf X | dd of="$deb" bs=1 seek=3000 conv=notrunc status=none
	run kt-kernel fetch
	assert_failure 1
	assert_output --partial "Hash Sum mismatch"
	assert_no_kernel
	run kt-apt extract trixie-backports into linux-binary-7.3.10+t-cloud-amd64
	assert_failure 1
	[ ! -e into ]
}

@test "an old package list is kept, with a word, while the mirror is away" {
	own_archive
	kt-kernel fetch 7.3
	touch -d '2 days ago' "$KT_CACHE/apt/trixie-backports/fetched"
	mv archive gone
	run --separate-stderr kt-apt search trixie-backports '^linux-base-7.3.4'
	assert_success
	assert_output --regexp '^linux-base-7\.3\.4\+t-cloud-amd64	7\.3\.4-1	[0-9]+$'
	assert_equal "$(wc -l <<<"$stderr")" 1
	[[ $stderr == "kt-apt: trixie-backports: keeping the old package list: "* ]]
}

@test "a list that the mirror has outrun is fetched again" {
	own_archive
	kt-apt search trixie-backports nothing
	rm -r "$ARCHIVE/pool/trixie-backports"
	mkdir -p pkg/usr/share
	echo new >pkg/usr/share/it
	deb_make pkg linux-base-7.3.4+t-cloud-amd64 7.3.4-2
	archive_write trixie-backports ./*.deb
	touch -d '1 hour ago' "$KT_CACHE/apt/trixie-backports/fetched"
	kt-apt extract trixie-backports into linux-base-7.3.4+t-cloud-amd64
	assert_equal "$(cat into/usr/share/it)" new
}

@test "the system's package state is not touched, its update hooks not run" {
	printf 'APT::Update::Post-Invoke {"touch %s/hook";};\nAPT::Default-Release "elsewhere";\n' \
		"$PWD" >apt.conf
	touch before
	APT_CONFIG=$PWD/apt.conf kt-kernel fetch 7.3
	[ ! -e hook ]
	run find /var/lib/apt/lists /var/lib/dpkg /var/cache/apt -newer before -type f
	assert_output ""
}

@test "two fetches of one kernel at once both succeed" {
	local pids=() pid
	for _ in 1 2 3 4; do
		kt-kernel fetch 7.3 >>out 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	assert_equal "$(sort -u out)" 7.3.10+t-cloud-amd64
	assert_equal "$(ls -A "$KT_CACHE/kernels")" 7.3.10+t-cloud-amd64
}

@test "SIGINT and SIGTERM in the middle of a fetch end everything it started" {
	local signal status pid helper
	mkdir slow
	printf '#!/bin/bash\necho $$ >%q\nexec sleep 600\n' "$PWD/helper" >slow/dpkg-deb
	chmod +x slow/dpkg-deb
	kt-apt search trixie-backports nothing
	for signal in INT:130 TERM:143; do
		rm -f helper
		PATH=$PWD/slow:$PATH env --default-signal=INT kt-kernel fetch 3>&- &
		pid=$!
		for _ in {1..600}; do
			[ ! -s helper ] || break
			sleep 0.05
		done
		helper=$(<helper)
		kill -s "${signal%:*}" "$pid"
		assert_ends "$helper"
		status=0
		wait "$pid" || status=$?
		assert_equal "$status" "${signal#*:}"
		assert_no_kernel
		assert_equal "$(find "$KT_CACHE/apt" -name 'tmp.*')" ""
	done
}

# sources STYLE...: an apt configuration without any package list, as on a fresh system.
fresh_system() {
	mkdir -p lists/partial sources.d
	printf '%s\n' "Dir::Etc::sourcelist \"$PWD/sources.list\";" "Dir::Etc::sourceparts \"$PWD/sources.d\";" \
		"Dir::State::lists \"$PWD/lists\";" >apt.conf
	: >sources.list
	export APT_CONFIG=$PWD/apt.conf
	unset KT_APT_MIRROR
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck source=/dev/null
	[ "$(. /etc/os-release && echo "$ID")" = debian ] || skip "not Debian"
}

@test "the mirror is found in one-line sources, third parties ignored" {
	fresh_system
	printf '%s\n' "deb http://third.example/apt tool-$codename main" \
		"deb http://security.example/debian-security $codename-security main" \
		"deb http://mirror.example/debian $codename main" >sources.list
	run kt-apt mirror
	assert_output http://mirror.example/debian/
}

@test "the mirror is found in deb822 sources" {
	fresh_system
	printf '%s\n' 'Types: deb' 'URIs: http://mirror822.example/debian' "Suites: $codename" \
		'Components: main contrib' >sources.d/debian.sources
	run kt-apt mirror
	assert_output http://mirror822.example/debian/
}

@test "a machine without a Debian mirror is told so" {
	fresh_system
	echo "deb http://third.example/apt tool-$codename main" >sources.list
	run kt-apt mirror
	assert_failure 1
	assert_output --partial "no Debian mirror among this machine's apt sources"
}

@test "kt-apt refuses wrong words with exit 64 and one line" {
	local words
	for words in '' frob 'search trixie' 'search ../etc x' 'search trixie *(' 'extract trixie dir' \
		'extract trixie dir Bad/Name' 'extract trixie dir -oX=1' --what; do
		set -f
		# shellcheck disable=SC2086 # words
		run kt-apt $words
		set +f
		assert_failure 64
		assert_equal "${#lines[@]}" 1
	done
}

@test "an unknown package is named" {
	run kt-apt extract trixie-backports into no-such-package
	assert_failure 1
	assert_output --partial "no-such-package"
	assert_equal "${#lines[@]}" 1
	[ ! -e into ]
}

@test "fetch --modules puts the KVM modules beside the kernel, unpacked, also of one that is there already" {
	run -0 --separate-stderr kt-kernel fetch 7.3.4
	local entry=$KT_CACHE/kernels/7.3.4+t-cloud-amd64
	assert [ ! -e "$entry/modules" ]
	run -0 --separate-stderr kt-kernel fetch --modules 7.3.4
	assert_output 7.3.4+t-cloud-amd64
	run ls "$entry/modules"
	assert_output "$(printf '%s\n' irqbypass.ko kvm-amd.ko kvm.ko)"
	run cat "$entry/modules/kvm.ko"
	assert_output "kvm of 7.3.4"
	assert [ -z "$(find "$KT_CACHE/kernels" -name '.tmp.*')" ]
}

@test "fetch --modules of a kernel whose packages have none says so" {
	run -1 kt-kernel fetch --modules 7.0
	assert_line --partial "no kvm.ko in it"
	run -0 kt-kernel path 7.0
}
