#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# bats file_tags=kvm
# The kvm engine by guests of a few KB without a kernel (tests/guests), on any /dev/kvm, and its devices by themselves
# (tests/kvm).

load lib/kt

setup_file() {
	export BUILT=${KT_BIN:+$KT_BIN/../tests}
	BUILT=${BUILT:-$KT_ROOT/build/tests}
	[ -x "$BUILT/kvm/devices" ] || skip "not built (make)"
}

need_kvm() {
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || skip "no /dev/kvm"
	cd "$BATS_TEST_TMPDIR" || return
}

# guest NAME OPTION...: its checks are all right, there are $checks at least, and its console has them, too.
guest() {
	need_kvm
	run -0 --separate-stderr kt-vmm -n --engine kvm -v -o run -m 256M -k "$BUILT/guests/$1.elf" "${@:2}" -- true
	refute_line --regexp '^not ok'
	[ "$(grep -c '^ok ' <<<"$output")" -ge "$checks" ]
	assert_line "1..$(grep -c '^ok ' <<<"$output")"
	diff <(tr -d '\r' <run/console.log) run/stats.json
}

# devices NAME...: tests of that program.
devices() {
	run -0 --separate-stderr "$BUILT/kvm/devices" "$@"
	refute_line --regexp '^not ok'
	[ "$(grep -c '^ok ' <<<"$output")" -ge "$checks" ]
}

@test "a guest finds the serial port, the clock, the power registers and the PCI bus of a PC" {
	checks=50 guest pc -t 1n1l1c1t
}

@test "a guest finds its topology in CPUID" {
	checks=14 guest cpuid -t 1n1l1c1t --append 'guest.threads=1 guest.cores=1'
	rm -r run
	checks=14 guest cpuid -t 2n4l3c2t --append 'guest.threads=2 guest.cores=3'
}

@test "more CPUs than KVM gives a guest are an error that says how many it gives" {
	need_kvm
	local max
	max=$(kt-vmm --probe | jq .max_cpus)
	run -125 kt-vmm -n --engine kvm -m 256M -k "$BUILT/guests/cpuid.elf" -t "1n1l$((max + 1))c1t" -- true
	assert_output "kt-vmm: failed: $((max + 1)) CPUs: this host's KVM gives a guest $max at most"
}

@test "a guest that walks the ACPI tables finds them sound, with its CPUs, nodes and memory" {
	checks=18 guest acpi -t 1n1l1c1t --append 'guest.cpus=1 guest.nodes=1 guest.mb=256'
	rm -r run
	checks=20 guest acpi -t 2n4l3c2t --append 'guest.cpus=24 guest.nodes=2 guest.mb=256'
}

# Sum of all 32-bit words on stdin.
words_sum() {
	od -An -v -tu4 -w4 | awk '{ sum = (sum + $1) % 4294967296 } END { printf "%.0f\n", sum }'
}

@test "a guest finds its initramfs whole, large files as well as small ones" {
	need_kvm
	head -c 300001 /dev/urandom >large
	echo small >small
	checks=5 guest initramfs -t 1n1l1c1t --no-auto-include -i small:/a -i large:/large -i small:/z \
		--append "guest.init=$(words_sum <"${KT_BIN:-$KT_ROOT/bin}/kt-init") guest.large=$(words_sum <large)"
}

@test "a guest that drives the virtio console wrongly on purpose is told so, once on stderr, and can reset it" {
	checks=40 guest hostile -t 1n1l1c1t
	[ "$(grep -c 'virtio-console, queue' <<<"$stderr")" -eq 1 ]
	[[ $stderr == *'kt-vmm: guest: virtio-console, queue 5: a buffer is not in RAM; the device stops until it is reset'* ]]
}

@test "what a guest says on the serial port is written soon, at its end, and in order" {
	checks=6 devices serial-file serial-last-words
}

# 8 MiB of what tests/guests/guest.c repeats: 64 characters from the blank on.
flood_expected() {
	local line
	printf -v line '\\x%x' {32..95}
	# shellcheck disable=SC2059 # the characters themselves
	printf -v line "$line"
	yes "$line" | head -n 131072 | tr -d '\n'
}

@test "what a guest sends from a queue that it keeps full arrives whole, at a reader that stops now and then too" {
	need_kvm
	kt-vmm -n --engine kvm -o run -t 1n1l1c1t -k "$BUILT/guests/flood.elf" --append guest.mib=8 -- true |
		{ head -c 100000; sleep 1; head -c 3000000; sleep 1; cat; } >out
	cmp run/stats.json out
	cmp <(echo 1..0; flood_expected) out
}

@test "the serial port interrupts once for a FIFO, and not when it may not" {
	checks=8 devices serial-interrupts
}

@test "a console that is read slowly holds up the guest and loses nothing, one that nobody has does not" {
	checks=10 devices serial-flood serial-gone
}

@test "S5, the reset register and the keyboard controller end the machine" {
	checks=12 devices power
}

@test "the clock tells the time of the host" {
	checks=2 devices rtc
}

@test "the port kt is announced, named, opened, and closed when the host hangs up" {
	checks=10 devices console-protocol
}

@test "a console of several ports keeps them apart" {
	checks=18 devices console-ports
}

@test "data goes both ways over the port, from buffers of all shapes, to the last word" {
	checks=14 devices console-data console-pieces console-indirect console-last-words
}

@test "a slow host stops the guest, and a slow guest the host; nothing is lost" {
	checks=6 devices console-flow console-receive-flow
}

@test "interrupts come by INTA or by MSI-X, masked or not" {
	checks=12 devices console-msix
}

@test "the window in configuration space reaches the registers and nothing else" {
	checks=6 devices console-window
}

@test "what a hostile driver does to the queues harms nobody" {
	checks=80 devices abuse
}

@test "five seconds of junk in registers, queues and memory find nothing for the sanitizers" {
	run -0 --separate-stderr "$BUILT/kvm/replay" 5 "${KT_FUZZ_SEED:-$RANDOM}" "$KT_ROOT"/tests/fuzz/corpus/devices/*
	assert_output --regexp '^[0-9]+ inputs, seed [0-9]+$'
	[ "${output%% *}" -ge 20 ]
}
