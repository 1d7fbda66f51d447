# SPDX-License-Identifier: GPL-2.0
# For suites that use the KVM lab: `load lib/lab`.

# lab_engine OPTION...: run tests/lab/engine.sh in the lab, whose settings LAB_... are passed on, with kt-lab's
# options. Its report is on stdout.
lab_engine() {
	local options=()
	[[ ${LAB_ENGINE-} != *qemu* ]] || options+=(--qemu)
	kt-lab "${options[@]}" --timeout "${LAB_TIMEOUT:-20m}" -n -e LAB_ENGINE="${LAB_ENGINE-}" \
		-e LAB_BOOTS="${LAB_BOOTS:-25}" -e LAB_ONLY="${LAB_ONLY-}" -e LAB_TOPOLOGIES="${LAB_TOPOLOGIES-}" \
		-i "$KT_ROOT/tests/lab/engine.sh:/etc/lab-engine.sh" \
		-i "$KT_ROOT/tests/lib/topology.sh:/etc/lab-topology.sh" \
		-i "$KT_ROOT/tests/lib/tell-topology:/etc/lab-tell-topology" "$@" -- sh /etc/lab-engine.sh
}
