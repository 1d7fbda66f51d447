#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-snapshot finds its way in a stock kernel: what it reads from outside is what the guest itself says.

load lib/kt
load lib/vm

setup() {
	vm_setup
}

teardown() {
	[ -z "${vmm:-}" ] || kill -KILL "$vmm" 2>/dev/null || true
}

start_vm() { # KERNEL COMMAND...
	kt-vmm -o run -m 512M -k "$1" -t 1n2l1c1t -- "${@:2}" >out 2>err 3>&- &
	vmm=$!
	local end=$((SECONDS + 200))
	until grep -q "^held" out; do
		((SECONDS < end)) && kill -0 "$vmm" || { cat err >&2; return 1; }
		sleep 0.2
	done
}

# A guest that tells where its kernel's symbols are, and what its types are, and then holds still.
check_kernel() { # KERNEL RELEASE
	start_vm "$1" busybox sh -c 'echo 0 >/proc/sys/kernel/kptr_restrict; busybox cat /proc/kallsyms
		echo "btf $(busybox sha256sum </sys/kernel/btf/vmlinux)"; echo held; exec busybox sleep 120'
	# Those of modules and BPF programs stand behind the kernel's.
	grep -E '^[0-9a-f]{16} . [^[]+$' out | sed 's/^0*/0x/; s/^0x /0x0 /' >told
	kt-snapshot symbol run >symbols
	assert [ "$(wc -l <told)" -gt 50000 ]
	cmp told symbols
	run -0 kt-snapshot symbol run $(sed -n '1p; 2000p; $p' told | cut -d ' ' -f 3)
	assert_equal "$(kt-snapshot btf run | sha256sum)" "$(sed -n 's/^btf //p' out)"

	run --separate-stderr kt-snapshot capture run
	assert_success
	assert_equal "$(jq -c '[.schema, .trigger, (.cpu | length), .missing]' <<<"$output")" '["kt-snapshot/1","demand",2,[]]'
	assert_equal "$(jq -r .kernel <<<"$output")" "$2"
	# The idle guest's CPUs run their idle tasks, or something for a moment.
	assert_equal "$(jq '[.cpu[].curr | .pid >= 0 and (.comm | length > 0)] | all' <<<"$output")" true
	# Time passes, and switches are counted.
	give_time 1
	assert_equal "$(kt-snapshot capture --only cpu run | jq --argjson a "$output" \
		'.t_ns > $a.t_ns and ([.cpu[].nr_switches] | add) > ([$a.cpu[].nr_switches] | add)')" true
}

end_vm() {
	kill -TERM "$vmm"
	wait "$vmm" || true
	vmm=
}

release_of() { # VERSION
	basename "$(dirname "$(kt-kernel path "$1")")"
}

@test "symbols and runqueues of the newest kernel are those that the guest shows" {
	local newest
	newest=$(kt-kernel list | awk 'NR == 1 { print $1 }')
	check_kernel "$newest" "$newest"
	# Through its ELF entry it lies where it was linked to.
	assert_equal "$(kt-snapshot symbol run _text)" 0xffffffff81000000
	end_vm
}

# Its own first steps choose an address, and as many levels as the CPU has.
@test "and so with KASLR and five levels of page tables, which its bzImage comes up with" {
	local newest package version suite image addresses
	newest=$(kt-kernel list | awk 'NR == 1 { print $1 }')
	read -r package version suite <"$(dirname "$(kt-kernel path "$newest")")/source" || skip "not the distribution's kernel"
	kt-apt extract "$suite" image "$package=$version" || skip "no bzImage of $newest to be had"
	image=$(find image -name 'vmlinuz*' -type f)
	check_kernel "$image" "$newest"
	assert_equal "$(jq '.cpu[0].regs.cr4[-4:-3] | IN("1", "3", "5", "7", "9", "b", "d", "f")' <<<"$output")" true
	addresses=$(kt-snapshot symbol run _text)/$(kt-snapshot read run kernel.page_offset_base:u64)
	# shellcheck disable=SC2016 # as an unsigned number 0xff11000000000000
	[ "$addresses" != 0xffffffff81000000/18379471554275704832 ] || fail "nothing was moved: $addresses"
	# A core file says so, too.
	kt-snapshot vmcore run >core
	run -0 readelf -lW core
	assert_output --regexp "LOAD +0x[0-9a-f]+ $(printf 0x%x "${addresses#*/}") 0x0000000000000000"
	end_vm
}

@test "and those of the oldest with sched_ext" {
	local oldest
	oldest=$(vm_kernels 7.0 | head -n 1)
	[ -n "$oldest" ] || skip "no 7.0 kernel in the cache"
	check_kernel "$oldest" "$(release_of "$oldest")"
	end_vm
}

@test "without a VM, or with a wrong word, one line says what was expected" {
	run kt-snapshot capture "$BATS_TEST_TMPDIR"
	assert_failure 1
	assert_output "kt-snapshot: '$BATS_TEST_TMPDIR': No such file or directory: expected the control socket of a VM that runs, or its run directory"
	run kt-snapshot capture --only cpus x
	assert_failure 64
	assert_output "kt-snapshot: unknown section 'cpus': did you mean 'cpu'? (--help lists them)"
	run kt-snapshot captur x
	assert_failure 64
	assert_output "kt-snapshot: unknown command 'captur': did you mean 'capture'? (--help lists them)"
	run kt-snapshot capture
	assert_failure 64
}
