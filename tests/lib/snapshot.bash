# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2094 # suites use what is set here
# For the suites that compare a snapshot with what the guest says of itself: `load lib/snapshot`,
# after lib/vm. What the guest says is in the file out, the snapshot in snap.

# In the guest, with kt-maps' maps standing still: what bpftool has to say of each. An inode's storage is not listed but
# looked up by a descriptor; kt-maps has given it to its own file.
# shellcheck disable=SC2016 # it is the guest's to expand
BPFTOOL_SAYS='for id in $(busybox seq 1 90); do
	show=$(bpftool -j map show id $id 2>/dev/null) || continue
	echo "{\"show\":$show,\"dump\":"; bpftool -j map dump id $id; echo "}"
done
echo "{\"progs\":"; bpftool -j prog show; echo "}"
echo "inode $(busybox stat -L -c %i /proc/$PPID/exe)"
echo "lookup $(bpftool -j map lookup name a_inode_storage key hex 05 00 00 00 5</proc/$PPID/exe)"'

# What of the snapshot $1 bpftool has said in $2 is so.
compare_maps() {
	# kt-sched's own counts go on while bpftool runs.
	run "$KT_ROOT/tests/lib/compare-maps" "$1" "$2" --except cpu_stats --except kt_sched.bss
	assert_success
	assert_output --regexp '^[0-9]{2} maps, 2[0-9]{3} entries, [0-9]+ programs$'
}

# The guest tells what it knows of itself, then has eight tasks called spinner, and one that copies bytes within the
# kernel. What starts a program would wait for its turn: the shell reads by itself.
# shellcheck disable=SC2016 # the guest's variables
SCX_SAYS='
	echo Y >/sys/kernel/debug/sched/verbose
	show() { while read -r line; do echo "$1 $line"; done <$2; }
	if [ -d /sys/kernel/sched_ext/root ]; then
		cd /sys/kernel/sched_ext
		for f in state switch_all nr_rejected hotplug_seq enable_seq root/ops; do show "scx $f" $f; done
		show event root/events
	fi
	for d in /sys/kernel/debug/sched/domains/cpu*/domain*; do
		for f in name flags level imbalance_pct busy_factor; do show "domain ${d#*domains/cpu} $f" $d/$f; done
	done
	show schedstat /proc/schedstat
	for i in 1 2 3 4 5 6 7 8; do
		(printf spinner >/proc/self/comm; while :; do :; done) &
		echo "spinner $!"
		load="$load $!"
	done
	dd if=/dev/zero of=/dev/null bs=64M 2>/dev/null &
	echo "dd $!"
	load="$load $!"'

# The guest's lines that begin with WORD, without it.
told() { # WORD
	sed -n "s/^$1 //p" out
}

check_state() {
	assert_equal "$(jq -r '.scx | "state \(.state)", "switch_all \(if .switch_all then 1 else 0 end)",
		"nr_rejected \(.nr_rejected)", "hotplug_seq \(.hotplug_seq)", "enable_seq \(.enable_seq)",
		"root/ops \(.ops.name)"' snap)" "$(told scx)"
	# Of these an older kernel has not got two.
	assert_equal "$(jq -c '.scx | [.bypass_depth, .watchdog_timeout_ms, .exit.kind], [.aborting, .slice_default_ns]' snap |
		grep -vFx '[null,null]')" '[0,30000,"none"]'"$(grep -q 'scx.aborting' snap || printf '\n[false,20000000]')"
	# Every counter of the guest's by its name, none of them smaller since, and they are their CPUs' sums.
	assert_equal "$(jq -r '.scx.events | keys[]' snap)" \
		"$(told event | awk '{ sub("^SCX_EV_", ""); print tolower($1) }' | sort)"
	told event | jq -Rn '[inputs | split(" ") | {(.[0][7:] | ascii_downcase): (.[1] | tonumber)}] | add' >events
	assert_equal "$(jq -c --slurpfile told events '.scx.events as $e | $told[0] | to_entries |
		map(select($e[.key] < .value))' snap)" '[]'
	assert_equal "$(jq '.scx | .events as $e | .events_by_cpu as $c | [$e | to_entries[] | .key as $k |
		.value == ([$c[][$k]] | add)] | all' snap)" true
	[ "$(jq .scx.events.bypass_activate snap)" -ge 1 ]
}

# The spinners are either on a CPU or in a queue, each just once. A capture can meet one that is in
# neither, as on its way from one to the other: then the next one will do.
check_queues() {
	assert_equal "$(jq -c '[.scx.dsq[] | select(.type == "local") | .nr] == [.cpu[].local_dsq_depth]' snap)" true
	assert_equal "$(jq -c '[.scx.dsq[] | select(has("left_out") or has("broken") | not) | .nr == (.tasks | length)] | all' snap)" true
	assert_equal "$(jq -c '[.scx.dsq[] | select(.type == "global") | .node]' snap)" '[0,1]'
	local user='[0,1]'
	# On some kernels kt-sched cannot have queues of its own, and keeps the PIDs of those that wait.
	[ "$(kt-snapshot get snap var.uses_dsqs)" = true ] || user='[]'
	assert_equal "$(jq -c '[.scx.dsq[] | select(.type == "user") | .id]' snap)" "$user"
	[ "$user" != '[]' ] || return 0
	for _ in $(seq 10); do
		kt-snapshot capture --only cpu --only scx run >spins
		jq -r '(.scx.dsq[].tasks[], .cpu[].curr) | select(.comm == "spinner") | .pid' spins | sort >found
		if cmp -s found <(told spinner | sort); then
			# Four CPUs run four tasks: the others wait.
			assert [ "$(jq '[.scx.dsq[].nr] | add' spins)" -ge 4 ]
			return
		fi
	done
	diff found <(told spinner | sort)
}

# Without counters where /proc/schedstat is older than its version 17.
check_domains() {
	assert_equal "$(jq -r '.sched_domain[] | .cpu as $c | .domains | to_entries[] | .key as $n | .value |
		"name \(.name)", "flags \(.flags | join(" "))", "level \(.level)", "imbalance_pct \(.imbalance_pct)", "busy_factor \(.busy_factor)" |
		"\($c)/domain\($n) \(.)"' snap | sort)" "$(told domain | sed 's/ *$//' | sort)"
	# Each domain's CPUs are its groups'.
	assert_equal "$(jq -c '[.sched_domain[0].domains[] | [.name, .span, .span_weight, [.groups[].cpus]]]' snap)" \
		'[["SMT","0-1",2,["0","1"]],["NUMA","0-3",4,["0-1","2-3"]]]'
	assert_equal "$(jq '[.sched_domain[].domains[] | .span_weight == ([.groups[].weight] | add)] | all' snap)" true
	# /proc/schedstat, version 17: name, mask, eleven numbers for each kind of idleness, twelve more. What the
	# fair class counts stands still since sched_ext took all tasks over; wakeups are counted on.
	told schedstat | grep -qx 'version 17' || return 0
	told schedstat | jq -Rnc '[inputs | split(" ") | select(.[0] | startswith("domain")) | .[1:]]' >stat
	jq -c '[.sched_domain[].domains[] | [.name] + [range(3) as $i | .lb_count[$i], .lb_balanced[$i], .lb_failed[$i],
		.lb_imbalance_load[$i], .lb_imbalance_util[$i], .lb_imbalance_task[$i], .lb_imbalance_misfit[$i],
		.lb_gained[$i], .lb_hot_gained[$i], .lb_nobusyq[$i], .lb_nobusyg[$i]] + [.alb_count, .alb_failed, .alb_pushed,
		.sbe_count, .sbe_balanced, .sbe_pushed, .sbf_count, .sbf_balanced, .sbf_pushed]]' snap >ours
	assert_equal "$(cat ours)" "$(jq -c 'map([.[0]] + (.[2:44] | map(tonumber)))' stat)"
	assert [ "$(jq '[.[][1:][]] | add' ours)" -gt 0 ]
	assert_equal "$(jq -c --slurpfile told stat '[[.sched_domain[].domains[].ttwu_wake_remote], [$told[0][][44] | tonumber]] |
		transpose | map(select(.[0] < .[1]))' snap)" '[]'
}

# Whatever a CPU was doing, a stack leads back to how it came into the kernel, unless it stood at the very beginning of
# a BPF program or of an entry.
check_stacks() {
	local seen=
	for _ in $(seq 30); do
		kt-snapshot capture --only cpu --only regs run >regs
		assert_equal "$(jq -c '[.cpu[] | if .mode == "user" then .stack == [] and (.regs.rip | length) <= 14
			else .stack[0].ip == .regs.rip and (.stack_end == "end" or .stack_end == "user" or
				(.stack[-1].symbol // "bpf" | test("bpf|asm_|entry|error"))) end] | all' regs)" true
		seen=$(jq -c --arg pid "$(told dd)" '.cpu[] | select(.curr.pid == ($pid | tonumber)) |
			[.stack[].symbol] | select(index("ksys_read")) | .[index("ksys_read"):] | select(length == 3)' regs | head -n 1)
		[ -z "$seen" ] || break
	done
	assert_equal "$seen" '["ksys_read","do_syscall_64","entry_SYSCALL_64_after_hwframe"]'
	# Per-CPU memory is where a segment register says, the one at work or the one that waits meanwhile.
	assert_equal "$(jq -c '[.cpu[].regs | .gs_base, .kernel_gs_base | select(startswith("0xffff"))] | unique | length >= 4' regs)" true
}
