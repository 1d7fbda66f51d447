// SPDX-License-Identifier: GPL-2.0
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "kvm/apic_id.h"
#include "kvm_probe.h"
#include "status.h"

/* Refuse names that are none, and wishes that exclude each other. */
static void wish_check(const struct engine_wish *w)
{
	bool own = !strcmp(w->name, "kvm");

	if (strcmp(w->name, "auto") && !own && strcmp(w->name, "qemu"))
		die(EXIT_USAGE, "engine '%s': unknown; known: auto, kvm, qemu", w->name);
	if (strcmp(w->accel, "auto") && strcmp(w->accel, "kvm") && strcmp(w->accel, "tcg"))
		die(EXIT_USAGE, "accelerator '%s': unknown; known: auto, kvm, tcg", w->accel);
	if (w->deterministic && (own || !strcmp(w->accel, "kvm")))
		die(EXIT_USAGE, "--deterministic needs emulation: it excludes --%s kvm",
		    own ? "engine" : "accel");
	if (own && !strcmp(w->accel, "tcg"))
		die(EXIT_USAGE, "--accel tcg is of the qemu engine: it excludes --engine kvm");
	if (own && w->nested)
		die(EXIT_USAGE, "--nested is of the qemu engine: it excludes --engine kvm");
}

/* What keeps the kvm engine from running the machine on a host whose KVM is good; NULL: nothing. */
static const char *own_engine_lacks(const struct engine_wish *w, const struct kvm_probe *p)
{
	if (w->nested)
		return "the kvm engine gives guests no virtualization (--nested)";
	if (w->kernel_packed)
		return "the kvm engine boots unpacked kernels (kt-kernel add unpacks a bzImage)";
	if (topology_cpus(&w->machine->topology) > p->max_cpus)
		return "more CPUs than this host's KVM gives a guest";
	if (apic_id_max(&w->machine->topology) > APIC_ID_MAX_8BIT &&
	    !(p->split_irqchip && p->x2apic_ids))
		return "APIC ids above 254, which this host's KVM does not give a guest";
	return NULL;
}

static void choose_by_probe(const struct engine_wish *w, struct engine_choice *choice)
{
	_cleanup_(kvm_probe_free) struct kvm_probe p = {0};
	const char *lacks;

	kvm_probe_get(&p, false);
	if (!p.usable) {
		if (!strcmp(w->accel, "kvm"))
			die(STATUS_VMM, "KVM is not usable: %s", p.why);
		choice->reason = take_ptr(p.why);
		return;
	}
	choice->use_kvm = true;
	lacks = strcmp(w->name, "auto") ? "asked for" : own_engine_lacks(w, &p);
	if (!lacks)
		choice->ops = &engine_kvm_ops;
	choice->reason = xstrdup(lacks ? lacks : "/dev/kvm runs guest code at speed");
}

void engine_choose(const struct engine_wish *w, struct engine_choice *choice)
{
	wish_check(w);
	choice->ops = &engine_qemu_ops;
	choice->use_kvm = false;
	if (!strcmp(w->name, "kvm")) {
		choice->ops = &engine_kvm_ops;
		choice->use_kvm = true;
		choice->reason = xstrdup("asked for");
	} else if (w->deterministic) {
		choice->reason = xstrdup("deterministic runs are emulated");
	} else if (!strcmp(w->accel, "tcg")) {
		choice->reason = xstrdup("asked for");
	} else {
		choose_by_probe(w, choice);
	}
}
