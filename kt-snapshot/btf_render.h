/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values as JSON, by their BTF type: structs and unions as objects (members of anonymous ones among
 * their parent's), arrays as arrays, arrays of char that hold text as strings, enums by name, bool
 * as true and false, pointers as "0x..." strings, bit fields as numbers. Numbers above INT64_MAX,
 * which a JSON integer does not hold, are decimal strings; integers of 16 bytes are "0x..."
 * strings. Neither data nor types are trusted.
 */
#ifndef KT_SNAPSHOT_BTF_RENDER_H
#define KT_SNAPSHOT_BTF_RENDER_H

#include <bpf/btf.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define BTF_RENDER_MAX_DEPTH 32

struct btf_render {
	const struct btf *btf;
	size_t budget;	 /* how many JSON values may still be made; an object counts as eight */
	const char *why; /* set when something was left out: what and why */
	unsigned int depth;
	/* How a non-NULL pointer of type @pointer is shown; NULL: in hexadecimal. May return NULL
	 * for that, too. */
	json_t *(*pointer)(struct btf_render *r, uint32_t pointer, uint64_t value);
	void *context;
};

/* The @len bytes at @data as @type. Returns a new reference, null where @r->why tells the reason.
 */
json_t *btf_render(struct btf_render *r, uint32_t type, const void *data, size_t len);

/*
 * The variables of the section (DATASEC) @type as an object. Two statics of one name become "name"
 * and "name@OFFSET". A new reference.
 */
json_t *btf_render_section(struct btf_render *r, uint32_t type, const void *data, size_t len);

/* @type after typedefs and qualifiers, or NULL. */
const struct btf_type *btf_plain_type(const struct btf *btf, uint32_t type, uint32_t *id);

/* Bytes as "01 00 ff", a new reference. */
json_t *bytes_json(const void *data, size_t len);

/* The same without spaces. */
json_t *hex_bytes_json(const void *data, size_t len);

/* A number, as a decimal string when it is above INT64_MAX. */
json_t *u64_json(uint64_t value);

/* A number in hexadecimal. */
json_t *hex_json(uint64_t value);

/* At most @size bytes of text, up to a NUL; what is not printable ASCII becomes '?'. */
json_t *text_json(const char *text, size_t size);

#endif
