/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMCOREINFO note (Documentation/admin-guide/kdump/vmcoreinfo.rst): lines KEY=VALUE that the
 * kernel leaves in memory for those who look at it from outside.
 */
#ifndef KT_SNAPSHOT_VMCOREINFO_H
#define KT_SNAPSHOT_VMCOREINFO_H

#include <stdbool.h>
#include <stdint.h>

#include "ram.h"

#define VMCOREINFO_MAX_BYTES (64 * 1024)

struct vmcoreinfo {
	char *text; /* the lines, NUL-terminated */
};

/*
 * Read the ELF note at guest-physical @address. Returns 0, or -EBADMSG with *@why malloc'ed.
 * vmcoreinfo_free() releases it.
 */
int vmcoreinfo_read(struct vmcoreinfo *v, const struct ram *ram, uint64_t address, uint64_t size,
		    char **why);
void vmcoreinfo_free(struct vmcoreinfo *v);

/* SYMBOL(@name), an address; NUMBER(@name), in decimal or 0x; @name by itself, as with "%s". */
bool vmcoreinfo_symbol(const struct vmcoreinfo *v, const char *name, uint64_t *value);
bool vmcoreinfo_number(const struct vmcoreinfo *v, const char *name, uint64_t *value);
char *vmcoreinfo_string(const struct vmcoreinfo *v, const char *name); /* caller frees; or NULL */

#endif
