// SPDX-License-Identifier: GPL-2.0
#include "nested.h"

#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"

/* QEMU emulates AMD's virtualization, and nobody else's. */
static bool cpu_is_amd(bool emulated)
{
	unsigned int eax, ebx, ecx, edx;

	return emulated || (__get_cpuid(0, &eax, &ebx, &ecx, &edx) && ebx == signature_AMD_ebx);
}

/* Is KVM part of the image itself, as the kernel's configuration says? */
static bool kvm_built_in(const struct kernel *k, bool amd)
{
	_cleanup_fclose_ FILE *f = k->config ? fopen(k->config, "re") : NULL;
	const char *want = amd ? "CONFIG_KVM_AMD=y\n" : "CONFIG_KVM_INTEL=y\n";
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		if (!strcmp(line, want))
			return true;
	}
	return false;
}

char **nested_modules(const struct kernel *k, bool emulated)
{
	bool amd = cpu_is_amd(emulated);
	const char *const names[] = {"irqbypass", "kvm", amd ? "kvm-amd" : "kvm-intel"};
	char **list = NULL;
	size_t n = 0, i;

	for (i = 0; i < ARRAY_SIZE(names) && k->modules; i++) {
		char *path = xasprintf("%s/%s.ko", k->modules, names[i]);

		/* The first may be part of the image. */
		if (access(path, R_OK) == 0)
			ptrlist_add(&list, &n, path);
		else
			free(path);
	}
	if (n >= 2 || kvm_built_in(k, amd))
		return list ? list : xcalloc(1, sizeof(*list));
	die(EXIT_USAGE,
	    "--nested: no KVM modules beside %s: 'kt-kernel fetch --modules %s' gets them",
	    k->image, k->release ? k->release : "VERSION");
}
