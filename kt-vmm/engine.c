// SPDX-License-Identifier: GPL-2.0
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "exits.h"
#include "status.h"

void engine_choose(const char *name, const char *accel, bool deterministic,
		   struct engine_choice *choice)
{
	char *why = NULL;

	if (strcmp(name, "auto") && strcmp(name, "kvm") && strcmp(name, "qemu"))
		die(EXIT_USAGE, "engine '%s': unknown; known: auto, kvm, qemu", name);
	if (strcmp(accel, "auto") && strcmp(accel, "kvm") && strcmp(accel, "tcg"))
		die(EXIT_USAGE, "accelerator '%s': unknown; known: auto, kvm, tcg", accel);
	choice->ops = &engine_qemu_ops;
	choice->use_kvm = false;
	if (!strcmp(name, "kvm")) {
		if (deterministic)
			die(EXIT_USAGE,
			    "--deterministic needs emulation: it excludes --engine kvm");
		if (!strcmp(accel, "tcg"))
			die(EXIT_USAGE,
			    "--accel tcg is of the qemu engine: it excludes --engine kvm");
		choice->ops = &engine_kvm_ops;
		choice->use_kvm = true;
		choice->reason = xstrdup("asked for");
		return;
	}
	if (deterministic) {
		if (!strcmp(accel, "kvm"))
			die(EXIT_USAGE, "--deterministic needs emulation: it excludes --accel kvm");
		choice->reason = xstrdup("deterministic runs are emulated");
	} else if (!strcmp(accel, "tcg")) {
		choice->reason = xstrdup("asked for");
	} else if (kvm_probe(&why)) {
		choice->use_kvm = true;
		choice->reason = xstrdup("/dev/kvm runs guest code at speed");
	} else if (!strcmp(accel, "kvm")) {
		die(STATUS_VMM, "KVM is not usable: %s", why);
	} else {
		choice->reason = why;
	}
}
