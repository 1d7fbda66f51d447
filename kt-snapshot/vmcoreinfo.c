// SPDX-License-Identifier: GPL-2.0
#include "vmcoreinfo.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

int vmcoreinfo_read(struct vmcoreinfo *v, const struct ram *ram, uint64_t address, uint64_t size,
		    char **why)
{
	const size_t name = sizeof("VMCOREINFO") + 1; /* padded to 4 */
	const uint8_t *note;
	Elf64_Nhdr h;

	v->text = NULL;
	if (!address || size < sizeof(h) + name || size > VMCOREINFO_MAX_BYTES ||
	    !(note = ram_at(ram, address, size))) {
		*why = xasprintf("no VMCOREINFO in the guest's memory: expected a kernel with "
				 "CONFIG_VMCORE_INFO");
		return -EBADMSG;
	}
	memcpy(&h, note, sizeof(h));
	if (h.n_namesz != sizeof("VMCOREINFO") ||
	    memcmp(note + sizeof(h), "VMCOREINFO", sizeof("VMCOREINFO")) ||
	    h.n_descsz > size - sizeof(h) - name) {
		*why = xasprintf("no VMCOREINFO note at 0x%llx of the guest's memory",
				 (unsigned long long)address);
		return -EBADMSG;
	}
	v->text = xstrndup((const char *)note + sizeof(h) + name, h.n_descsz);
	return 0;
}

void vmcoreinfo_free(struct vmcoreinfo *v)
{
	free(take_ptr(v->text));
}

/* What stands after "@key=", up to the line's end. */
static const char *find(const struct vmcoreinfo *v, const char *key)
{
	size_t len = strlen(key);
	const char *line = v->text;

	while (line) {
		if (!strncmp(line, key, len) && line[len] == '=')
			return line + len + 1;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

static bool find_value(const struct vmcoreinfo *v, const char *kind, const char *name, int base,
		       uint64_t *value)
{
	_cleanup_free_ char *key = xasprintf("%s(%s)", kind, name);
	const char *text = find(v, key);

	if (text)
		*value = strtoull(text, NULL, base);
	return text;
}

bool vmcoreinfo_symbol(const struct vmcoreinfo *v, const char *name, uint64_t *value)
{
	return find_value(v, "SYMBOL", name, 16, value);
}

bool vmcoreinfo_number(const struct vmcoreinfo *v, const char *name, uint64_t *value)
{
	return find_value(v, "NUMBER", name, 0, value);
}

char *vmcoreinfo_string(const struct vmcoreinfo *v, const char *name)
{
	const char *text = find(v, name);

	return text ? xstrndup(text, strcspn(text, "\n")) : NULL;
}
