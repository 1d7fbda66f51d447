# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# What a guest of a topology NnLlCcTt sees of it in sysfs, in lines that tests/lib/tell-topology makes of
# sysfs itself and tests/lib/tables.jq of the tables that the kernel reads. For bash, dash and busybox: source it.

# _list FIRST COUNT: set list to these CPUs, in the kernel's form. It starts no process, as nothing here does: there may
# be hundreds.
_list() {
	list=$1
	[ "$2" = 1 ] || list=$1-$(($1 + $2 - 1))
}

# topology_fields NnLlCcTt: set the counts nodes, llcs, cores and threads, and the CPUs of a core (= threads),
# an LLC, a node and the machine: per_llc, per_node, cpus.
topology_fields() {
	nodes=${1%%n*}
	llcs=${1#*n}
	llcs=${llcs%%l*}
	cores=${1#*l}
	cores=${cores%%c*}
	threads=${1#*c}
	threads=${threads%t}
	per_llc=$((cores * threads))
	per_node=$((llcs * per_llc / nodes))
	cpus=$((llcs * per_llc))
}

# topology_expected NnLlCcTt: the lines of a machine whose distances are the defaults. Nodes are packages, LLCs are
# dies and have an L3, cores have L1 and L2.
topology_expected() {
	topology_fields "$1"
	_list 0 "$cpus"
	echo "online $list"
	cpu=0
	while [ "$cpu" -lt "$cpus" ]; do
		_list $((cpu - cpu % threads)) "$threads"
		core=$list
		_list $((cpu - cpu % per_llc)) "$per_llc"
		llc=$list
		node=$((cpu / per_node))
		_list $((node * per_node)) "$per_node"
		echo "cpu$cpu core=$core die=$llc package=$node:$list L1d=$core L1i=$core L2=$core L3=$llc"
		cpu=$((cpu + 1))
	done
	node=0
	while [ "$node" -lt "$nodes" ]; do
		distance=''
		other=0
		while [ "$other" -lt "$nodes" ]; do
			[ "$other" = "$node" ] && distance="$distance 10" || distance="$distance 20"
			other=$((other + 1))
		done
		_list $((node * per_node)) "$per_node"
		echo "node$node cpus=$list distance=${distance# }"
		node=$((node + 1))
	done
}
