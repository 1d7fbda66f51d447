/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's types, by name, from the BTF that it carries (Documentation/bpf/btf.rst). */
#ifndef KT_SNAPSHOT_TYPES_H
#define KT_SNAPSHOT_TYPES_H

#include <bpf/btf.h>
#include <stdbool.h>
#include <stdint.h>

#define TYPES_MAX_BYTES (64u << 20)

struct types {
	struct btf *btf;
	uint32_t *by_name; /* hash table of type ids: structs, unions, enums, typedefs */
	size_t n_slots;
};

/* A member, wherever it lies: offset from the beginning of the type that was asked about. */
struct field {
	uint32_t offset;   /* bytes */
	uint32_t size;	   /* bytes; of a bit field those that hold it */
	uint8_t bit, bits; /* a bit field's first bit within them, and width; bits 0: none */
	uint32_t type;	   /* id */
};

/*
 * Take the raw BTF (@data stays the caller's). Returns 0 or -errno with *@why malloc'ed.
 * types_free() releases it.
 */
int types_parse(struct types *t, const void *data, uint32_t size, char **why);
void types_free(struct types *t);

/* The id of struct, union, enum or typedef @name, or 0. */
uint32_t types_find(const struct types *t, const char *name);

/*
 * Find @path ("scx.nr_running", "cpus[2].x") in type @name, through anonymous members. Returns 0,
 * or -ENOENT when this kernel has no such type or member.
 */
int types_field(const struct types *t, const char *name, const char *path, struct field *f);

/*
 * From the struct, union or array that @f describes to its member @name, or its element @index: the
 * offset grows. Return 0 or -ENOENT.
 */
int field_member(const struct btf *btf, const char *name, struct field *f);
int field_element(const struct btf *btf, uint64_t index, struct field *f);

/* Whether the type is, after typedefs and qualifiers, a signed integer or enum. */
bool type_is_signed(const struct btf *btf, uint32_t type);

/* The size of type @name in bytes, or 0. */
uint32_t types_size(const struct types *t, const char *name);

/* The value of enumerator @name of any enum; whether there is one. */
bool types_enumerator(const struct types *t, const char *name, int64_t *value);

/* The name of @value in enum @name, or NULL. The caller frees. */
char *types_enumerator_name(const struct types *t, const char *name, int64_t value);

#endif
