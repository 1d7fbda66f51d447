// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target for what kt-snapshot reads first in a guest: no memory may crash the readers of
 * the VMCOREINFO note, of page tables and of kallsyms, or keep them busy. An input is a byte that
 * says which, and memory:
 *
 *	'v'  the note, as it lies there
 *	'p'  u64 root, u8 five levels, u64 address to read, then RAM from physical address 0 on
 *	'k'  the tables as they lie in the kernel: u32 count, token index (512 bytes), token table
 *	     (2048), offsets (1024), names; around them are right page tables and a right note
 *
 * tests/fuzz/run builds and runs it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kallsyms.h"
#include "memory.h"
#include "ram.h"
#include "vmcoreinfo.h"

#define RAM_SIZE   (1u << 21)
#define TABLES_MAX 0x10000u
#define TABLES	   0x100000u /* physical address of what an input of kallsyms has */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note_read(uint8_t *data, size_t size)
{
	struct ram ram = {.ranges = {{0x1000, size, data}}, .n_ranges = size > 0};
	struct vmcoreinfo v;
	uint64_t value;
	char *why = NULL;

	if (!vmcoreinfo_read(&v, &ram, 0x1000, size, &why)) {
		vmcoreinfo_symbol(&v, "init_top_pgt", &value);
		vmcoreinfo_number(&v, "phys_base", &value);
		free(vmcoreinfo_string(&v, "OSRELEASE"));
		vmcoreinfo_free(&v);
	} else if (!why) {
		abort();
	}
	free(why);
}

static void tables_walk(uint8_t *data, size_t size)
{
	struct ram ram = {.n_ranges = 1, .writable = true};
	struct memory m = {.ram = &ram};
	uint64_t address, physical, word;
	char text[64];

	if (size < 25)
		return;
	memcpy(&m.root, data, 8);
	m.five_levels = data[8] & 1;
	memcpy(&address, data + 9, 8);
	ram.ranges[0] = (struct ram_range){0, size - 17, data + 17};
	if (!memory_translate(&m, address, &physical) && memory_u64(&m, address, &word) == 0 &&
	    !ram_at(&ram, physical, 1))
		abort();
	memory_string(&m, address, text, sizeof(text));
	memory_write(&m, address, text, sizeof(text));
}

/* One large page maps all of RAM where the kernel's image is. */
static void tables_build(uint8_t *ram)
{
	uint64_t entry;

	entry = 0x2000 | 1;
	memcpy(ram + 0x1000 + 511 * 8, &entry, 8);
	entry = 0x3000 | 1;
	memcpy(ram + 0x2000 + 510 * 8, &entry, 8);
	entry = 0 | 1 | 1 << 7;
	memcpy(ram + 0x3000, &entry, 8);
}

static void symbols_read(const uint8_t *data, size_t size)
{
	static const char note[] = "SYMBOL(kallsyms_num_syms)=ffffffff80100000\n"
				   "SYMBOL(kallsyms_token_index)=ffffffff80100004\n"
				   "SYMBOL(kallsyms_token_table)=ffffffff80100204\n"
				   "SYMBOL(kallsyms_offsets)=ffffffff80100a04\n"
				   "SYMBOL(kallsyms_names)=ffffffff80100e04\n"
				   "SYMBOL(_stext)=ffffffff80000000\n"
				   "SYMBOL(prb)=ffffffff80000100\n";
	struct vmcoreinfo v = {.text = strdup(note)};
	static uint8_t bytes[RAM_SIZE];
	struct ram ram = {.ranges = {{0, RAM_SIZE, bytes}}, .n_ranges = 1};
	struct memory m = {.ram = &ram, .root = 0x1000};
	struct kallsyms k;
	char *why = NULL;
	size_t i;

	tables_build(bytes);
	size = size < TABLES_MAX ? size : TABLES_MAX;
	memset(bytes + TABLES, 0, TABLES_MAX);
	memcpy(bytes + TABLES, data, size);
	if (!kallsyms_read(&k, &m, &v, &why)) {
		for (i = 0; i < k.n && i < 64; i++) {
			const struct symbol *at = kallsyms_at(&k, k.symbols[i].address);

			if (!at || at->address != k.symbols[i].address)
				abort();
			kallsyms_find(&k, k.symbols[i].name);
		}
		kallsyms_free(&k);
	} else if (!why) {
		abort();
	}
	free(why);
	free(v.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size < 2)
		return 0;
	copy = malloc(size - 1);
	memcpy(copy, data + 1, size - 1);
	if (data[0] == 'v')
		note_read(copy, size - 1);
	else if (data[0] == 'p')
		tables_walk(copy, size - 1);
	else
		symbols_read(copy, size - 1);
	free(copy);
	return 0;
}
