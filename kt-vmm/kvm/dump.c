// SPDX-License-Identifier: GPL-2.0
#include "dump.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acpi.h"
#include "cleanup.h"
#include "cpuid.h"
#include "diag.h"
#include "platform.h"

static FILE *file_make(const char *dir, const char *name, char **why)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "we");

	if (!f)
		*why = xasprintf("%s: %s", path, strerror(errno));
	return f;
}

static int file_end(FILE *f, const char *dir, const char *name, char **why)
{
	bool failed = ferror(f);

	if (!fclose(f) && !failed)
		return 0;
	*why = xasprintf("%s/%s: %s", dir, name, strerror(errno));
	return -EIO;
}

static int acpi_dump(const struct machine *m, const char *dir, char **why)
{
	_cleanup_(acpi_tables_free) struct acpi_tables a;
	unsigned int i;
	int err = 0;

	acpi_tables_build(&a, m, ACPI_BASE);
	for (i = 0; i < a.n && !err; i++) {
		_cleanup_free_ char *name = xasprintf("%s.dat", a.table[i].name);
		char *c;
		FILE *f;

		for (c = name; *c; c++)
			*c = tolower((unsigned char)*c);
		f = file_make(dir, name, why);
		if (!f)
			return -EIO;
		fwrite(a.blob.data + a.table[i].offset, 1, a.table[i].len, f);
		err = file_end(f, dir, name, why);
	}
	return err;
}

/* A CPU of that vendor with the leaves that the topology's are written into. */
static void cpuid_blank(struct kvm_cpuid2 *c, const char *vendor)
{
	static const uint32_t leaves[] = {0, 1, 0x80000000, 0x80000001, 0x80000008};
	uint32_t name[3];
	size_t i;

	memcpy(name, vendor, sizeof(name));
	c->nent = ARRAY_SIZE(leaves);
	for (i = 0; i < ARRAY_SIZE(leaves); i++)
		c->entries[i] = (struct kvm_cpuid_entry2){.function = leaves[i]};
	c->entries[0] =
		(struct kvm_cpuid_entry2){.eax = 1, .ebx = name[0], .edx = name[1], .ecx = name[2]};
	c->entries[2].eax = 0x80000008;
}

static int cpuid_dump(const struct machine *m, const char *dir, char **why)
{
	static const char *const vendors[] = {"GenuineIntel", "AuthenticAMD"};
	_cleanup_free_ struct kvm_cpuid2 *c =
		xcalloc(1, sizeof(*c) + CPUID_MAX_ENTRIES * sizeof(c->entries[0]));
	FILE *f = file_make(dir, "cpuid.json", why);
	unsigned int cpu;
	uint32_t i;
	size_t v;

	if (!f)
		return -EIO;
	for (v = 0; v < ARRAY_SIZE(vendors); v++) {
		for (cpu = 0; cpu < topology_cpus(&m->topology); cpu++) {
			cpuid_blank(c, vendors[v]);
			cpuid_topology(c, &m->topology, cpu);
			for (i = 0; i < c->nent; i++) {
				const struct kvm_cpuid_entry2 *e = &c->entries[i];

				fprintf(f,
					"{\"vendor\":\"%s\",\"cpu\":%u,\"leaf\":\"0x%x\","
					"\"subleaf\":%u,\"eax\":%u,\"ebx\":%u,\"ecx\":%u,"
					"\"edx\":%u}\n",
					vendors[v], cpu, e->function, e->index, e->eax, e->ebx,
					e->ecx, e->edx);
			}
		}
	}
	return file_end(f, dir, "cpuid.json", why);
}

int kvm_dump(const struct machine *m, const char *dir, char **why)
{
	int err;

	if (mkdir(dir, 0777) && errno != EEXIST) {
		err = -errno;
		*why = xasprintf("%s: %s", dir, strerror(-err));
		return err;
	}
	err = acpi_dump(m, dir, why);
	return err ? err : cpuid_dump(m, dir, why);
}
