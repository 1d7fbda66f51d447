#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-snapshot reads BPF maps and programs from outside: what it finds is what bpftool says inside.

load lib/kt
load lib/vm
load lib/snapshot

# One guest for each kernel, for all tests of the file: $BATS_FILE_TMPDIR/N/{run,out,snapshot.json}
start_guest() { # N KERNEL
	local dir=$BATS_FILE_TMPDIR/$1 end=$((SECONDS + 200))
	mkdir -p "$dir"
	kt-vmm -o "$dir/run" -m 512M -k "$2" -t 1n2l2c1t --sched "$KT_ROOT/build/tests/sched/kt-sched" \
		-i "$(PATH=$PATH:/usr/sbin command -v bpftool)" -- \
		"$KT_ROOT/build/tests/maps/kt-maps" busybox sh -c "$BPFTOOL_SAYS; echo held; exec busybox sleep 300" >"$dir/out" 2>"$dir/err" 3>&- &
	echo $! >"$dir/pid"
	until grep -q ^held "$dir/out"; do
		((SECONDS < end)) && kill -0 "$(cat "$dir/pid")" || { cat "$dir/err" >&2; return 1; }
		sleep 0.2
	done
	kt-snapshot capture "$dir/run" >"$dir/snapshot.json"
}

setup_file() {
	local kernel n=0
	kt-kernel path >/dev/null 2>&1 && command -v qemu-system-x86_64 >/dev/null || return 0
	for kernel in "$(kt-kernel list | awk 'NR == 1 { print $1 }')" "$(vm_kernels 7.0 | head -n 1)"; do
		[ -z "$kernel" ] || start_guest $((++n)) "$kernel"
	done
}

teardown_file() {
	local pid
	for pid in $(cat "$BATS_FILE_TMPDIR"/*/pid 2>/dev/null); do
		kill -TERM "$pid" 2>/dev/null || true
		while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
	done
}

setup() {
	vm_setup
	guest=$BATS_FILE_TMPDIR/1
	snapshot=$guest/snapshot.json
}

# What jq prints of the first guest's map NAME.
map() { # NAME FILTER
	jq -c --arg name "$1" ".map[] | select(.name == \$name) | $2" "$snapshot"
}

compare() { # N
	compare_maps "$BATS_FILE_TMPDIR/$1/snapshot.json" "$BATS_FILE_TMPDIR/$1/out"
	run jq -c .missing "$BATS_FILE_TMPDIR/$1/snapshot.json"
	assert_output '[]'
}

@test "maps and programs of the newest kernel are what bpftool says they are" {
	compare 1
}

@test "and those of the oldest with sched_ext" {
	[ -d "$BATS_FILE_TMPDIR/2" ] || skip "no 7.0 kernel in the cache"
	compare 2
}

@test "members of every kind have the values that were put there, to the last bit" {
	assert_equal "$(map a_array '.entries[1].value | del(.self, .points, .grid, .bytes)')" \
		"$(jq -cn '{huge: "18446744073709551614", lowest: -9223372036854775807, minus: -101, small_minus: -200,
			tiny_minus: -128, byte: 255, large: 4294967295, yes: true, no: false, zeros: 0, color: "COLOR_BLUE",
			odd: "COLOR_ODD", unknown: 12345, wide: "WIDE_HUGE", name: "entry \"1\"", full: "abcd", low: 5,
			mid: 8190, high: 2748, signed_bits: -7, wide_bits: 1094624909430, rest: 1193046, word: 67305985,
			parts: [1, 2, 3, 4], in: -3, deep: 4, none: "0x0"}')"
	assert_equal "$(grep -o '"lowest": [-0-9]*' "$snapshot" | head -n 1)" '"lowest": -9223372036854775808'
	assert_equal "$(map a_array '.entries[1].value | [.points, .grid, .bytes]')" \
		'[[{"x":1,"y":-1},{"x":2147483647,"y":-2147483648}],[[1,2,3],[-1,-2,-3]],[1,2,255]]'
	assert_equal "$(map a_percpu_array '.entries[2]')" \
		'{"key":2,"cpu":[{"x":200,"y":0},{"x":201,"y":-1},{"x":202,"y":-2},{"x":203,"y":-3}]}'
	assert_equal "$(map no_types '[.entries[].key, .entries[0].value]')" \
		'["07 00 ff","08 00 ff","09 00 ff","01 02 03 04 fc"]'
}

@test "global variables are members by name, one object for each section" {
	assert_equal "$(map kt_maps.bss '[.section, .vars.runs, (.vars.nodes | map(.n))]')" '[".bss",8,[10,11,12]]'
	assert_equal "$(map kt_maps.data '[.section, .vars.minus_one, .vars.favourite]')" '[".data",-1,"COLOR_BLUE"]'
	assert_equal "$(map kt_maps.rodata '[.frozen, .vars.motto, .vars.most]')" '[true,"read only","18446744073709551615"]'
	assert_equal "$(jq -c '.map[] | select(.section == ".data.extra") | .vars.extra | [.minus, .name]' "$snapshot")" \
		'[-5,"extra"]'
}

@test "hash tables are whole, in the order of their keys' bytes" {
	assert_equal "$(map a_hash '[.entries | length, (map(.value.square) | add)]')" '[2000,2664667000]'
	assert_equal "$(map a_hash '.entries[0]')" \
		'{"key":{"id":0,"kind":0,"pad":[0,0]},"value":{"square":0,"minus":0,"name":"n0"}}'
	assert_equal "$(map a_loose_hash '[.entries | length, (.[] | select(.key == -39).value)]')" '[50,"COLOR_RED"]'
	assert_equal "$(map a_percpu_hash '[.entries | length, (.[] | select(.key == "18446744073709551605").cpu)]')" \
		'[50,[10,9,8,7]]'
	assert_equal "$(map a_lru_hash '.entries | map(.key)')" "$(jq -cn '[range(50)]')"
	assert_equal "$(map a_lru_percpu '.entries | map(select(.key == 3000).cpu[2])')" '[{"x":3,"y":2}]'
	run jq -c '[.map[] | .truncated // empty]' "$snapshot"
	assert_output '[]'
	assert_equal "$(jq -c '[.map[].id] | . == (sort)' "$snapshot")" true
}

@test "maps of maps list the ids of those within" {
	local inner other
	inner=$(map an_inner .id)
	other=$(map other_inner .id)
	assert_equal "$(map an_array_of .entries)" "[{\"key\":1,\"value\":$inner},{\"key\":3,\"value\":$other}]"
	assert_equal "$(map a_hash_of '.entries | map(.value)')" "[$inner,$other,$inner,$other]"
}

@test "storages of tasks, cgroups and sockets name what each value belongs to" {
	assert_equal "$(map a_task_storage '.entries | map([.key.comm, .value.x, .key.pid == .key.tgid])')" \
		'[["kt-task-0",0,true],["kt-task-1",1,true],["kt-task-2",2,true]]'
	assert_equal "$(map a_cgrp_storage '.entries | map([.key.path, .value.x])')" '[["/kt-maps",7],["/kt-maps/inner",8]]'
	assert_equal "$(map a_sk_storage '.entries | map(.value)')" '[{"x":3,"y":4}]'
	assert_equal "$(map a_cg_storage '.entries | map([.key.cgroup_id, .value])')" \
		"$(map a_cgrp_storage '[[.entries[1].key.cgroup_id, {x: 0, y: 0}]]')"
	assert_equal "$(map a_percpu_cg '.entries | map(.cpu | length)')" '[4]'
}

@test "an inode's storage is what bpftool finds when it looks the file up" {
	assert_equal "$(map a_inode_storage '.entries | map([.key.inode, .value])')" \
		"$(jq -cn --argjson inode "$(sed -n 's/^inode //p' "$guest/out")" \
			--argjson found "$(sed -n 's/^lookup //p' "$guest/out")" '[[$inode, $found.formatted.value]]')"
	assert_equal "$(map a_inode_storage '.entries[0].value')" '{"x":1,"y":2}'
}

@test "ring buffers, arenas, queues and struct_ops show what there is to them" {
	assert_equal "$(map a_ringbuf '[.consumer_pos, .producer_pos, .mask, has("entries")]')" '[0,32,4095,false]'
	assert_equal "$(map a_user_ringbuf '[.consumer_pos, .producer_pos, .mask, has("entries")]')" '[0,32,4095,false]'
	assert_equal "$(map an_arena '[.n_pages, .pages]')" '[4,"0-1,3,99"]'
	# libbpf gives queues and stacks no types.
	assert_equal "$(map a_queue '.entries | map(.value[:2])')" '["05","06","07","fd","fe","ff"]'
	assert_equal "$(map a_stack '.entries | map(.value)')" \
		'["ff ff ff ff","fe ff ff ff","fd ff ff ff","02 00 00 00","01 00 00 00","00 00 00 00"]'
	assert_equal "$(map a_trie '[.type, .contents, has("entries")]')" '["lpm_trie","not read",false]'
	assert_equal "$(map kt_sched 'select(.type == "struct_ops") | .entries[0].value.data | [.name, .enqueue.name, .tick]')" \
		'["kt_sched","kt_enqueue","0x0"]'
	assert_equal "$(map kt_sched 'select(.type == "struct_ops") | .entries[0].value.data.enqueue.prog_id')" \
		"$(jq '.prog[] | select(.name == "kt_enqueue").id' "$snapshot")"
}

@test "programs show how often they have run" {
	local prog='.prog[] | select(.name == "fill_what_only_a_program_can")'
	assert_equal "$(jq -c "$prog | [.type, .run_cnt, .run_time_ns > 0, .verified_insns > 20]" "$snapshot")" \
		'["syscall",8,true,true]'
}

@test "--map and --only narrow what is captured" {
	run --separate-stderr kt-snapshot capture --only map --map 'a_*hash' --map kt_maps.bss "$guest/run"
	assert_success
	assert_equal "$(jq -c '[(.map | map(.name)), has("cpu"), has("prog")]' <<<"$output")" \
		'[["a_hash","a_loose_hash","a_percpu_hash","a_lru_hash","kt_maps.bss"],false,false]'
	run --separate-stderr kt-snapshot capture --map nothing "$guest/run"
	assert_success
	assert_equal "$(jq -c '[.map, (.prog | length > 0)]' <<<"$output")" '[[],true]'
}

@test "--keep keeps a capture in the run directory, the second of a name with a number" {
	run -0 kt-snapshot capture --keep --only map --map kt_maps.bss --name asked "$guest/run"
	assert_output snapshots/asked.json
	run -0 kt-snapshot capture --keep --only cpu --name asked "$guest/run"
	assert_output snapshots/asked.2.json
	assert_equal "$(jq -c '[.name, .trigger, .map[].vars.runs]' "$guest/run/snapshots/asked.json")" '["asked","demand",8]'
	assert_equal "$(jq -c '[.name, has("map"), (.cpu | length)]' "$guest/run/snapshots/asked.2.json")" '["asked.2",false,4]'
	run -1 kt-snapshot capture --keep --name a/b "$guest/run"
	assert_output "kt-snapshot: --keep: the VM refuses: expected a name of at most 100 letters, digits, '_', '-' and '.', which is not the first"
	assert_equal "$(ls "$guest/run/snapshots")" "asked.2.json
asked.json"
	# As many as there may be, which nobody else can keep; with their client they vanish.
	local asked=('{"command":"file","name":"left"}') i
	asked+=("${asked[@]}" "${asked[@]}" "${asked[@]}" "${asked[@]}")
	for i in 1 2; do
		{
			printf '%s\n' "${asked[@]}" '{"command":"keep","file":4,"trigger":7,"t_ns":1}'
			sleep 3
		} | socat -t1 - "UNIX-CONNECT:$guest/run/vm.sock" >"$BATS_TEST_TMPDIR/$i" 3>&- &
		until [ "$(wc -l <"$BATS_TEST_TMPDIR/$i")" = 6 ]; do sleep 0.05; done
		run bash -c 'echo "{\"command\":\"keep\",\"file\":4,\"trigger\":\"x\",\"t_ns\":1}" |
			socat -t1 - "UNIX-CONNECT:$1/vm.sock"' - "$guest/run"
		assert_output '{"error":"no such file"}'
		wait $!
		run cat "$BATS_TEST_TMPDIR/$i"
		assert_equal "$(grep -c '"ok":true' <<<"$output")" 4
		assert_line --index 4 '{"error":"too many snapshots are under way"}'
		assert_line --index 5 "{\"error\":\"expected a text 'trigger' and a number 't_ns'\"}"
	done
	[ "$(find "$guest/run/snapshots" -type f | wc -l)" = 2 ]
}

@test "--chase follows pointers, and ends where they go round" {
	run --separate-stderr kt-snapshot capture --only map --map kt_maps.bss --map a_array --chase 2 "$guest/run"
	assert_success
	snapshot=$BATS_TEST_TMPDIR/chased.json
	echo "$output" >"$snapshot"
	assert_equal "$(map kt_maps.bss '.vars.nodes[0] | [.n, .next.value.n, .next.value.next.value.n,
		(.next.value.next.value.next | type), (.next.value.self == .next.address)]')" '[10,11,12,"string",true]'
	assert_equal "$(map a_array '.entries[0].value.self | [.value.name, .value.self == .address]')" '["entry \"0\"",true]'
	run kt-snapshot capture --chase 9 "$guest/run"
	assert_failure 64
	assert_output "kt-snapshot: --chase '9': expected a number from 1 to 8"
}

@test "two captures of a guest whose maps stand still have them alike" {
	local first second
	first=$(kt-snapshot capture --only map --map 'a_*' "$guest/run" | jq -c .map)
	second=$(kt-snapshot capture --only map --map 'a_*' "$guest/run" | jq -c .map)
	assert [ "${#first}" -gt 10000 ]
	assert_equal "$first" "$second"
}
