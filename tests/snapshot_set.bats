#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# Variables of a live VM are read and written by name and type, and the guest acts on what was written.
# bats file_tags=vm

load lib/kt
load lib/vm

# vm_start NAME KERNEL SCHED-ARGS COMMAND KT-VMM-ARG...: a VM under kt-sched, its files in $BATS_FILE_TMPDIR/NAME.
vm_start() {
	local dir=$BATS_FILE_TMPDIR/$1 end
	mkdir -p "$dir"
	kt-vmm -n -o "$dir/run" -m 256M -k "$2" -t 1n1l2c1t --timeout 5m --sched "$KT_ROOT/build/tests/sched/kt-sched" \
		--sched-args "$3" "${@:5}" -- busybox sh -c "$4" >"$dir/out" 2>"$dir/err" 3>&- &
	echo $! >"$dir/pid"
	end=$((SECONDS + 200))
	until grep -q held "$dir/out"; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}

# vm_end NAME: wait for its end; the outcome is in run.json.
vm_end() {
	local end=$((SECONDS + 200))
	until [ "$(jq -r '.outcome // empty' "$BATS_FILE_TMPDIR/$1/run/run.json" 2>/dev/null)" ]; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}

# A guest that tells of the module kvm, if it is there, and shows a sysctl whenever it changes.
shows='echo "halt_poll_ns $(cat /sys/module/kvm/parameters/halt_poll_ns)"
	[ ! -e /sys/kernel/btf/kvm ] || echo "btf $(busybox sha256sum </sys/kernel/btf/kvm)"
	[ ! -e /sys/kernel/btf/kvm ] || bpftool btf dump file /sys/kernel/btf/kvm -B /sys/kernel/btf/vmlinux
	echo held; while busybox sleep 0.2; do now=$(busybox cat /proc/sys/kernel/printk_delay)
	[ "$now" = "$was" ] || echo "printk_delay=$now"; was=$now; done'
# One that starts a task which kt-sched does not let run, when it is told to by that sysctl.
stalls='busybox cp /bin/busybox /bstall 2>/dev/null || busybox cp "$(busybox which busybox)" /bstall
	echo held; until [ "$(busybox cat /proc/sys/kernel/printk_delay)" = 3 ]; do busybox sleep 0.2; done
	/bstall sleep 1; busybox sleep 100'

setup_file() {
	export KT_NEWEST KT_OLDEST
	KT_NEWEST=$(kt-kernel list | awk 'NR == 1 { print $1 }')
	KT_OLDEST=$(vm_kernels 7.0 | head -n 1)
	[ -n "$KT_NEWEST" ] || return 0
	command -v qemu-system-x86_64 >/dev/null || return 0
	local modules=() dir
	dir=$(dirname "$(kt-kernel path "$KT_NEWEST")")/modules
	[ ! -e "$dir/kvm.ko" ] || modules=(--module "$dir/irqbypass.ko" --module "$dir/kvm.ko")
	vm_start new "$KT_NEWEST" "--error-after 3600000" "$shows" "${modules[@]}" \
		-i "$(PATH=$PATH:/usr/sbin command -v bpftool)"
}

teardown_file() {
	local pid
	for pid in $(cat "$BATS_FILE_TMPDIR"/*/pid 2>/dev/null); do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

setup() {
	vm_setup
	new=$BATS_FILE_TMPDIR/new/run
}

# refused TARGET=VALUE STATUS LINE
refused() {
	run "-$2" kt-snapshot set "$new" "$1"
	assert_output "kt-snapshot: $3"
}

@test "variables of the scheduler are read by name, with members, elements and types" {
	run -0 kt-snapshot read "$new" var.nr_queues var.exit_info 'map."kt_sched.bss".uses_dsqs' 'var.queue_waiting[0]' \
		'map.cpu_stats[0].cpu[1].stolen' scx.ops.name kernel.system_state:system_states
	assert_line --index 0 1
	assert_line --index 1 '{"kind":0,"code":0,"reason":"","message":""}'
	assert_line --index 2 true
	assert_line --index 3 --regexp '^[0-9]+$'
	assert_line --index 4 --regexp '^[0-9]+$'
	assert_line --index 5 kt_sched
	assert_line --index 6 SYSTEM_RUNNING
	run -0 kt-snapshot read --json "$new" kernel.runqueues.cpu[0].cpu scx.ops.name
	assert_output '0
"kt_sched"'
	# Counted on while we look.
	local before after
	before=$(kt-snapshot read "$new" var.nr_runs)
	give_time 1
	after=$(kt-snapshot read "$new" var.nr_runs)
	((after > before))
}

@test "what is not there, or not clear, is said with what was expected" {
	run -1 kt-snapshot read "$new" var.nr_run
	assert_output "kt-snapshot: var.nr_run: no BPF map has a variable of that name: did you mean 'nr_runs'?"
	run -1 kt-snapshot read "$new" 'var.queue_waiting[512]' var.exit_info.kid map.cpu_stat kernel.no_such_thing \
		kernel.runqueues foo.bar 'map.cpu_stats[0].cpu[2]'
	assert_line --index 0 'kt-snapshot: var.queue_waiting[512]: not there: expected an element, [0] to [511]'
	assert_line --index 1 'kt-snapshot: var.exit_info.kid: not there: expected one of its members kind, code, reason, message'
	assert_line --index 2 "kt-snapshot: map.cpu_stat: no such BPF map: did you mean 'cpu_stats'?"
	assert_line --index 3 --partial 'kernel.no_such_thing: kernel 7.'
	assert_line --index 4 'kt-snapshot: kernel.runqueues: is there for each CPU: expected .cpu[0] to .cpu[1] behind its name'
	assert_line --index 5 'kt-snapshot: foo: expected var., map., scx., kernel. or module. and a name'
	assert_line --index 6 'kt-snapshot: map.cpu_stats[0].cpu[2]: expected .cpu[0] to .cpu[1]'
}

@test "a module's variables are read by its own types, and written" {
	local out=$BATS_FILE_TMPDIR/new/out
	grep -q "STRUCT 'kvm_caps'" "$out" || skip "no KVM modules for the kernel (kt-kernel fetch --modules)"
	run -0 kt-snapshot read "$new" module.kvm.halt_poll_ns:u32
	assert_output "$(sed -n 's/^halt_poll_ns //p' "$out")"
	assert_equal "$(kt-snapshot btf "$new" kvm | sha256sum)" "$(sed -n 's/^btf //p' "$out")"
	# A struct that only the module has, member by member as bpftool finds them in its BTF.
	assert_equal "$(kt-snapshot read --json "$new" module.kvm.kvm_caps:kvm_caps | jq -r 'keys_unsorted[]')" \
		"$(sed -n "/STRUCT 'kvm_caps'/,/^\[/ s/^\t'\([^']*\)' type_id=.*/\1/p" "$out")"
	run -0 kt-snapshot set "$new" module.kvm.halt_poll_ns:u32=12345
	run -0 kt-snapshot read "$new" module.kvm.halt_poll_ns:u32
	assert_output 12345
	run -1 kt-snapshot read "$new" module.kwm.x module.kvm.no_such_thing
	assert_line --index 0 'kt-snapshot: module.kwm: no such module is loaded'
	assert_line --index 1 'kt-snapshot: module.kvm.no_such_thing: the module has no such symbol'
	run -1 bash -c 'kt-snapshot btf "$1" kwm | cat; exit "${PIPESTATUS[0]}"' - "$new"
	assert_output "kt-snapshot: no module 'kwm' is loaded"
	run -1 kt-snapshot set "$new" module.kvm.kvm_init:u8=1
	assert_output 'kt-snapshot: module.kvm.kvm_init:u8: is code, which is not written to'
}

@test "what does not fit a variable is refused, and nothing is written" {
	local before
	before=$(kt-snapshot read "$new" var.exit_info var.uses_dsqs)
	refused var.uses_dsqs=2 64 "var.uses_dsqs: '2' does not fit: expected true, false, 1 or 0"
	refused var.exit_info.kind=2147483648 64 \
		"var.exit_info.kind: '2147483648' does not fit: expected a number from -2147483648 to 2147483647"
	refused var.nr_runs=-1 64 "var.nr_runs: '-1' does not fit: expected a number from 0 to 18446744073709551615"
	refused var.exit_info=1 64 "var.exit_info: '1' does not fit: expected one of its members kind, code, reason, message"
	refused "var.exit_info.reason=$(printf '%0128d' 0)" 64 \
		"var.exit_info.reason: '$(printf '%0128d' 0)' does not fit: expected text of at most 127 bytes"
	refused var.nr_queues=2 1 \
		"var.nr_queues: is a constant of the program, which was compiled and verified with its value"
	refused kernel.schedule:u8=1 1 "kernel.schedule:u8: is code, which is not written to"
	refused kernel.linux_banner:u8=1 1 "kernel.linux_banner:u8: is a constant of the kernel"
	refused var.uses_dsqs 64 "set: 'var.uses_dsqs': expected TARGET=VALUE, for example var.crash=1"
	run -64 kt-snapshot set "$new" kernel.system_state:system_states=SYSTEM_RUNING
	assert_output --partial "'SYSTEM_RUNING' does not fit: expected one of SYSTEM_BOOTING, "
	assert_equal "$(kt-snapshot read "$new" var.exit_info var.uses_dsqs)" "$before"
}

@test "numbers, text, enumerators and elements are written and stay" {
	run -0 kt-snapshot set "$new" var.exit_info.code=-0x10 var.exit_info.message=hello 'var.queue_waiting[7]=5' \
		'map.cpu_stats[0].cpu[1].stolen=77' kernel.system_state:system_states=SYSTEM_RUNNING
	assert_output ''
	run -0 kt-snapshot read "$new" var.exit_info 'var.queue_waiting[7]' 'map.cpu_stats[0].cpu[1].stolen'
	assert_output '{"kind":0,"code":-16,"reason":"","message":"hello"}
5
77'
}

@test "the guest sees what was written to its kernel" {
	run -0 kt-snapshot set "$new" kernel.printk_delay_msec:u32=7
	eventually grep -q 'printk_delay=7' "$BATS_FILE_TMPDIR/new/out"
	run -0 kt-snapshot set "$new" kernel.printk_delay_msec:u32=0
}

@test "the watchdog's timeout is set in the kernel's ticks, with the time of its looks" {
	run -64 kt-snapshot watchdog "$new" 5x
	assert_output "kt-snapshot: watchdog: '5x': expected a time, for example 5s"
	local before last next
	before=$(kt-snapshot read "$new" scx.watchdog_timeout) # 30 s, as the kernel has it
	run -0 kt-snapshot watchdog "$new" 10s
	assert_equal "$(kt-snapshot read "$new" scx.watchdog_timeout)" $((before / 3))
	# The tick takes the scheduler for stuck when the last look is older than that: the next one comes before.
	run -0 kt-snapshot read "$new" kernel.scx_watchdog_timestamp:u64 kernel.scx_watchdog_work:delayed_work.timer.expires
	last=${lines[0]} next=${lines[1]}
	((next - last < before / 3)) || fail "looks at $last and $next, with a timeout of $((before / 3)) ticks"
	run -0 kt-snapshot watchdog "$new" 30s
	assert_equal "$(kt-snapshot read "$new" scx.watchdog_timeout)" "$before"
}

# confined PID: it has given up what it can, within a minute.
confined() {
	local end=$((SECONDS + 60))
	until grep -q 'Seccomp:[[:space:]]*2' "/proc/$1/status"; do
		((SECONDS < end)) || fail "not confined: $(tr '\0' ' ' <"/proc/$1/cmdline")"
		sleep 0.05
	done
	assert_equal "$(grep -cE '^(CapEff|CapPrm):[[:space:]]*0+$|^NoNewPrivs:[[:space:]]*1$' "/proc/$1/status")" 3
}

# What it says while its VM, or who writes to it, keeps it waiting.
@test "every command that looks at a VM or at a snapshot has no privileges, and needs none to begin with" {
	local vmm command pids=() bare=()
	vmm=$(cat "$BATS_FILE_TMPDIR/new/pid")
	! command -v setpriv >/dev/null || [ "$(id -u)" != 0 ] || bare=(setpriv --bounding-set=-all --inh-caps=-all)
	mkfifo document
	exec 7<>document
	kill -STOP "$vmm"
	for command in "capture $new" "monitor -n 1 $new" "read $new var.nr_runs" "symbol $new jiffies" "btf $new" "watchdog $new 60s" \
		"set $new var.exit_info.code=0" "vmcore $new" "print document" "diff document document" "get document var.nr_runs"; do
		# shellcheck disable=SC2086 # words are meant
		"${bare[@]}" kt-snapshot $command >"said.${command%% *}" 7>&- 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do confined "$pid"; done
	kill -CONT "$vmm"
	for pid in "${pids[@]:0:8}"; do wait "$pid"; done
	assert_equal "$(jq -r .schema said.capture)" kt-snapshot/1
	kill "${pids[@]:8}"
	exec 7>&-
	# And with what they were waiting for.
	"${bare[@]}" kt-snapshot get said.capture scx.ops.name
	"${bare[@]}" kt-snapshot diff said.capture said.capture
	"${bare[@]}" kt-snapshot print - <said.capture >/dev/null
}

# The last one on this VM.
@test "a variable that the scheduler looks at makes it end with its error" {
	# started_ns + an hour is over.
	run -0 kt-snapshot set "$new" var.started_ns=18446740473709551616
	vm_end new
	assert_equal "$(jq -r .outcome "$new/run.json")" scheduler-died
	run cat "$new/sched.log"
	assert_output --partial 'exit kind=1025'
}

@test "a shorter watchdog ends a stall early, in the oldest kernel as well" {
	[ -n "$KT_OLDEST" ] || skip "no 7.0 kernel in the cache"
	vm_start old "$KT_OLDEST" "--stall=bstall" "$stalls"
	local old=$BATS_FILE_TMPDIR/old/run
	run -0 kt-snapshot watchdog "$old" 10s
	run -0 kt-snapshot set "$old" kernel.printk_delay_msec:u32=3
	vm_end old
	assert_equal "$(jq -r .outcome "$old/run.json")" scheduler-died
	run cat "$old/sched.log"
	# The kernel looks after 15 seconds first, and every 5 seconds from then on; by itself it waits for 30.
	assert_output --regexp 'bstall\[[0-9]+\] failed to run for (1[0-9]|2[0-6])\.'
}
