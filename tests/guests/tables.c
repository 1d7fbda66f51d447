// SPDX-License-Identifier: GPL-2.0
#include "tables.h"

#define MADT_ENTRIES 44

uint32_t get8(uint32_t at)
{
	return *(volatile uint8_t *)ram(at);
}

uint32_t get32(uint32_t at)
{
	return get8(at) | get8(at + 1) << 8 | get8(at + 2) << 16 | get8(at + 3) << 24;
}

bool is(uint32_t at, const char *name)
{
	for (; *name; name++, at++) {
		if (get8(at) != (uint8_t)*name)
			return false;
	}
	return true;
}

uint32_t sum(uint32_t at, uint32_t len)
{
	uint8_t s = 0;

	while (len--)
		s += get8(at++);
	return s;
}

bool sound(uint32_t at)
{
	uint32_t len = at ? get32(at + 4) : 0;

	return len >= TABLE_HEADER && len < TABLE_MAX && !sum(at, len);
}

void tables_walk(uint32_t root, struct tables *t)
{
	uint32_t size = is(root, "XSDT") ? 8 : 4, at;

	*t = (struct tables){.low = true, .sound = true};
	for (at = root + TABLE_HEADER; at < root + get32(root + 4) && t->n < TABLES; at += size) {
		t->low = t->low && (size == 4 || !get32(at + 4));
		t->at[t->n] = get32(at);
		t->sound = t->sound && sound(t->at[t->n++]);
	}
}

uint32_t table_find(const struct tables *t, const char *name)
{
	unsigned int i;

	for (i = 0; i < t->n; i++) {
		if (is(t->at[i], name))
			return t->at[i];
	}
	return 0;
}

uint32_t table_entries(uint32_t table, uint32_t first, uint32_t type, uint32_t flags)
{
	uint32_t end = table + get32(table + 4), at, n = 0;

	for (at = table + first; at + 2 <= end && get8(at + 1) >= 2; at += get8(at + 1))
		n += get8(at) == type && get8(at + flags) & 1;
	return n;
}

uint32_t madt_cpus(uint32_t madt)
{
	return table_entries(madt, MADT_ENTRIES, 0, 4) + table_entries(madt, MADT_ENTRIES, 9, 8);
}
