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

	if (!strcmp(name, "kvm"))
		die(EXIT_USAGE, "engine 'kvm': not part of this version; known: auto, qemu "
				"(with --accel kvm for hardware virtualization)");
	if (strcmp(name, "auto") && strcmp(name, "qemu"))
		die(EXIT_USAGE, "engine '%s': unknown; known: auto, qemu", name);
	if (strcmp(accel, "auto") && strcmp(accel, "kvm") && strcmp(accel, "tcg"))
		die(EXIT_USAGE, "accelerator '%s': unknown; known: auto, kvm, tcg", accel);
	choice->ops = &engine_qemu_ops;
	choice->use_kvm = false;
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
