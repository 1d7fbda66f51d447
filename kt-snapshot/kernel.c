// SPDX-License-Identifier: GPL-2.0
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf.h"
#include "cleanup.h"
#include "diag.h"

#define START_KERNEL_MAP 0xffffffff80000000ULL /* arch/x86/include/asm/page_64_types.h */

/* init_top_pgt lies in the kernel image, whose addresses are physical ones but for a constant. */
static int memory_open(struct kernel *k, char **why)
{
	uint64_t top, base, five = 0, mask = 0;

	if (!vmcoreinfo_symbol(&k->vmcoreinfo, "init_top_pgt", &top) ||
	    !vmcoreinfo_number(&k->vmcoreinfo, "phys_base", &base)) {
		*why = xasprintf("VMCOREINFO does not say where the page tables are: expected an "
				 "x86-64 kernel");
		return -ENODATA;
	}
	vmcoreinfo_number(&k->vmcoreinfo, "pgtable_l5_enabled", &five);
	vmcoreinfo_number(&k->vmcoreinfo, "sme_mask", &mask);
	k->memory = (struct memory){
		.ram = &k->ram,
		.root = top - START_KERNEL_MAP + base,
		.five_levels = five,
		.encryption_mask = mask,
	};
	return 0;
}

static int types_open(struct kernel *k, char **why)
{
	uint64_t start = kallsyms_find(&k->symbols, "__start_BTF");
	uint64_t end = kallsyms_find(&k->symbols, "__stop_BTF");
	_cleanup_free_ void *data = NULL;

	if (!start || end <= start || end - start > TYPES_MAX_BYTES) {
		*why = xasprintf("the guest kernel has no BTF: expected CONFIG_DEBUG_INFO_BTF");
		return -ENODATA;
	}
	data = xmalloc(end - start);
	if (memory_read(&k->memory, start, data, end - start)) {
		*why = xasprintf("the guest kernel's BTF is not in its memory");
		return -EFAULT;
	}
	return types_parse(&k->types, data, end - start, why);
}

static int cpus_open(struct kernel *k, char **why)
{
	uint64_t ids = kallsyms_find(&k->symbols, "nr_cpu_ids");
	uint64_t offsets = kallsyms_find(&k->symbols, "__per_cpu_offset");

	if (!ids || memory_u32(&k->memory, ids, &k->n_cpus) || !k->n_cpus ||
	    k->n_cpus > KERNEL_MAX_CPUS) {
		*why = xasprintf("the guest kernel does not say how many CPUs there are");
		return -ENODATA;
	}
	k->per_cpu_offset = xcalloc(k->n_cpus, sizeof(*k->per_cpu_offset));
	if (!offsets || memory_read(&k->memory, offsets, k->per_cpu_offset,
				    k->n_cpus * sizeof(*k->per_cpu_offset))) {
		*why = xasprintf("the guest kernel's per-CPU memory is not to be found");
		return -ENODATA;
	}
	return 0;
}

static int open_all(struct kernel *k, const json_t *answer, const int *fds, size_t n_fds,
		    bool writable, char **why)
{
	const json_t *note = json_object_get(answer, "vmcoreinfo");
	int err = ram_map(&k->ram, answer, fds, n_fds, writable, why);

	if (!err)
		err = vmcoreinfo_read(&k->vmcoreinfo, &k->ram,
				      json_integer_value(json_object_get(note, "address")),
				      json_integer_value(json_object_get(note, "size")), why);
	if (!err)
		err = memory_open(k, why);
	if (!err)
		err = kallsyms_read(&k->symbols, &k->memory, &k->vmcoreinfo, why);
	if (!err)
		err = types_open(k, why);
	if (!err)
		err = cpus_open(k, why);
	if (!err)
		k->release = vmcoreinfo_string(&k->vmcoreinfo, "OSRELEASE");
	return err;
}

int kernel_open(struct kernel *k, const json_t *answer, const int *fds, size_t n_fds, bool writable,
		char **why)
{
	int err;

	*k = (struct kernel){};
	err = open_all(k, answer, fds, n_fds, writable, why);
	if (err)
		kernel_close(k);
	return err;
}

void kernel_close(struct kernel *k)
{
	bpf_free(k->bpf);
	types_free(&k->types);
	kallsyms_free(&k->symbols);
	vmcoreinfo_free(&k->vmcoreinfo);
	ram_unmap(&k->ram);
	free(k->release);
	free(k->per_cpu_offset);
	*k = (struct kernel){};
}

uint64_t kernel_per_cpu(const struct kernel *k, uint64_t address, uint32_t cpu)
{
	return cpu < k->n_cpus ? address + k->per_cpu_offset[cpu] : 0;
}

int kernel_field_number(struct kernel *k, const struct field *f, uint64_t address, int64_t *value)
{
	uint64_t raw[2] = {};
	unsigned int bits = f->bits ? f->bits : f->size * 8;

	if (!f->size || f->size > 9 || !bits || bits > 64 ||
	    memory_read(&k->memory, address + f->offset, raw, f->size))
		return -EFAULT;
	if (f->bit)
		raw[0] = raw[0] >> f->bit | raw[1] << (64 - f->bit);
	raw[0] <<= 64 - bits;
	*value = type_is_signed(k->types.btf, f->type) ? (int64_t)raw[0] >> (64 - bits)
						       : (int64_t)(raw[0] >> (64 - bits));
	return 0;
}

int kernel_number(struct kernel *k, const char *type, const char *path, uint64_t address,
		  int64_t *value)
{
	struct field f;
	int err = types_field(&k->types, type, path, &f);

	return err ? err : kernel_field_number(k, &f, address, value);
}
