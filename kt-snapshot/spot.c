// SPDX-License-Identifier: GPL-2.0
#include "spot.h"

#define PAGE_SIZE 4096
#define LINE_SIZE 64

const uint8_t *spot_bytes(struct kernel *k, uint64_t va, uint32_t size)
{
	uint64_t address;

	if ((va & (PAGE_SIZE - 1)) + size > PAGE_SIZE || memory_translate(&k->memory, va, &address))
		return NULL;
	return ram_at(&k->ram, address, size);
}

struct spot spot_at(struct kernel *k, uint64_t va, uint32_t size)
{
	bool loadable = size == 1 || size == 2 || size == 4 || size == 8;

	return (struct spot){loadable ? spot_bytes(k, va, size) : NULL, size};
}

struct spot spot_field(struct kernel *k, const struct field *f, uint64_t va)
{
	return spot_at(k, va + f->offset, f->bits ? 0 : f->size);
}

struct spot spot_member(struct kernel *k, const char *type, const char *path, uint64_t va)
{
	struct field f;

	if (types_field(&k->types, type, path, &f))
		return (struct spot){};
	return spot_field(k, &f, va);
}

struct spot spot_symbol(struct kernel *k, const char *name, uint32_t size)
{
	uint64_t va = kallsyms_find(&k->symbols, name);

	return spot_at(k, va, va ? size : 0);
}

/* The guest says where its numbers lie: nothing promises that they are aligned. */
#define LOAD(bits, p)                                                                 \
	({                                                                            \
		typedef uint##bits##_t number __attribute__((aligned(1), may_alias)); \
		*(const volatile number *)(p);                                        \
	})

uint64_t spot_load(struct spot s)
{
	if (!s.at)
		return 0;
	switch (s.size) {
	case 1:
		return LOAD(8, s.at);
	case 2:
		return LOAD(16, s.at);
	case 4:
		return LOAD(32, s.at);
	default:
		return LOAD(64, s.at);
	}
}

void spot_prefetch(const struct spot *s, size_t n)
{
	uintptr_t line = 0;

	for (; n; n--, s++) {
		if ((uintptr_t)s->at / LINE_SIZE != line)
			__builtin_prefetch(s->at);
		line = (uintptr_t)s->at / LINE_SIZE;
	}
}
