// SPDX-License-Identifier: GPL-2.0
#include "kallsyms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define SYMBOLS_MAX (4u << 20)
#define NAME_MAX    512 /* KSYM_NAME_LEN */
#define NAMES_MAX   (256u << 20)
#define TOKENS	    256
#define TOKENS_MAX  (16 * 1024) /* bytes of all tokens */
#define SHORT_TOKEN 16		/* bytes; nearly all are */

struct tables {
	uint64_t names, count, token_table, token_index, offsets;
	uint64_t relative_base; /* of kernels that have one, or 0 */
};

/* Sequential reader of guest memory. */
struct stream {
	struct memory *m;
	uint64_t at;
	uint8_t buf[4096];
	size_t len, pos;
};

static int stream_byte(struct stream *s, uint8_t *byte)
{
	if (s->pos == s->len) {
		s->len = sizeof(s->buf) - s->at % sizeof(s->buf);
		s->pos = 0;
		if (memory_read(s->m, s->at, s->buf, s->len)) {
			s->len = 0;
			return -EFAULT;
		}
		s->at += s->len;
	}
	*byte = s->buf[s->pos++];
	return 0;
}

static int tables_find(struct tables *t, const struct vmcoreinfo *v)
{
	bool all = vmcoreinfo_symbol(v, "kallsyms_names", &t->names) &&
		   vmcoreinfo_symbol(v, "kallsyms_num_syms", &t->count) &&
		   vmcoreinfo_symbol(v, "kallsyms_token_table", &t->token_table) &&
		   vmcoreinfo_symbol(v, "kallsyms_token_index", &t->token_index) &&
		   vmcoreinfo_symbol(v, "kallsyms_offsets", &t->offsets);

	if (!vmcoreinfo_symbol(v, "kallsyms_relative_base", &t->relative_base))
		t->relative_base = 0;
	return all ? 0 : -ENODATA;
}

struct tokens {
	char text[TOKENS_MAX];
	uint16_t index[TOKENS], len[TOKENS];
};

static int tokens_read(struct tokens *t, struct memory *m, const struct tables *at)
{
	size_t i, end = 0;
	int err = memory_read(m, at->token_index, t->index, sizeof(t->index));

	for (i = 0; !err && i < TOKENS; i++) {
		if (t->index[i] > TOKENS_MAX - NAME_MAX)
			return -EBADMSG;
		end = t->index[i] > end ? t->index[i] : end;
	}
	/* The last token's end is not known: take what may be its length. */
	if (!err)
		err = memory_read(m, at->token_table, t->text, end + 64);
	t->text[end + 64] = '\0';
	for (i = 0; i < TOKENS; i++)
		t->len[i] = strnlen(t->text + t->index[i], NAME_MAX);
	return err;
}

/*
 * One compressed name of a symbol, whose type comes first. @name has room for NAME_MAX bytes.
 * Returns its length or -errno.
 */
static int name_read(struct stream *s, const struct tokens *t, char *type, char *name)
{
	char text[NAME_MAX + SHORT_TOKEN + 1];
	size_t len, n = 0;
	uint8_t byte, low;
	int err = stream_byte(s, &byte);

	len = byte & 0x7f;
	if (!err && byte & 0x80) { /* ULEB128 of two bytes */
		err = stream_byte(s, &low);
		len |= low << 7;
	}
	if (err || !len || len > NAME_MAX)
		return err ? err : -EBADMSG;
	while (len--) {
		size_t more;

		err = stream_byte(s, &byte);
		if (err)
			return err;
		more = t->len[byte];
		if (n + more > NAME_MAX)
			more = NAME_MAX - n;
		if (more <=
		    SHORT_TOKEN) /* of a fixed size, which is a matter of two instructions */
			memcpy(text + n, t->text + t->index[byte], SHORT_TOKEN);
		else
			memcpy(text + n, t->text + t->index[byte], more);
		n += more;
	}
	text[n] = '\0';
	*type = text[0];
	n -= n > 0;
	memcpy(name, text + 1, n);
	name[n] = '\0';
	return n;
}

static uint32_t hash(const char *name)
{
	uint32_t h = 5381;

	while (*name)
		h = h * 33 + (unsigned char)*name++;
	return h * 2654435761U; /* its low bits choose a slot */
}

static int names_read(struct kallsyms *k, struct memory *m, const struct tables *at,
		      const struct tokens *tokens)
{
	_cleanup_free_ size_t *starts = xcalloc(k->n, sizeof(*starts));
	struct stream s = {.m = m, .at = at->names};
	size_t used = 0, size = 8u << 20, i;

	k->names = xmalloc(size);
	for (i = 0; i < k->n; i++) {
		int len;

		if (used + NAME_MAX > NAMES_MAX)
			return -EBADMSG;
		if (used + NAME_MAX > size) {
			size *= 2;
			k->names = xrealloc(k->names, size);
		}
		len = name_read(&s, tokens, &k->symbols[i].type, k->names + used);
		if (len < 0)
			return len;
		k->symbols[i].hash = hash(k->names + used);
		starts[i] = used;
		used += len + 1;
	}
	for (i = 0; i < k->n; i++)
		k->symbols[i].name = k->names + starts[i];
	return 0;
}

/* The slot of @name, or the free one that would be its. */
static struct symbol_slot *slot_find(const struct kallsyms *k, const char *name, uint32_t hash)
{
	size_t slot = hash & (k->n_slots - 1);

	while (k->by_name[slot].number &&
	       (k->by_name[slot].hash != hash ||
		strcmp(k->symbols[k->by_name[slot].number - 1].name, name)))
		slot = (slot + 1) & (k->n_slots - 1);
	return &k->by_name[slot];
}

/* Those of one name are found by the first of them. */
static void index_build(struct kallsyms *k)
{
	size_t i;

	for (k->n_slots = 1024; k->n_slots < 2 * k->n; k->n_slots *= 2)
		;
	k->by_name = xcalloc(k->n_slots, sizeof(*k->by_name));
	for (i = 0; i < k->n; i++) {
		const struct symbol *s = &k->symbols[i];
		struct symbol_slot *slot = slot_find(k, s->name, s->hash);

		if (!slot->number)
			*slot = (struct symbol_slot){s->hash, i + 1};
	}
}

/* How kernels have stored addresses, newest first. */
enum scheme {
	SCHEME_FROM_HERE,	 /* the offset from the entry itself */
	SCHEME_FROM_BASE,	 /* unsigned, from a base */
	SCHEME_ABSOLUTE_PER_CPU, /* per-CPU ones as they are, others negative, below a base */
	SCHEMES,
};

static uint64_t address_of(enum scheme scheme, uint64_t base, uint64_t entry, int32_t offset)
{
	switch (scheme) {
	case SCHEME_FROM_HERE:
		return entry + (int64_t)offset;
	case SCHEME_FROM_BASE:
		return base + (uint32_t)offset;
	default:
		return offset >= 0 ? (uint64_t)offset : base - 1 - (int64_t)offset;
	}
}

/* Symbols whose addresses are known beforehand. */
static const char *const anchors[] = {"_stext", "init_uts_ns", "prb", "kallsyms_names"};

/* The base that makes the first anchor right. */
static uint64_t base_for(enum scheme scheme, uint64_t address, int32_t offset)
{
	return scheme == SCHEME_FROM_BASE ? address - (uint32_t)offset : address + 1 + offset;
}

/* Whether all anchors come out right by @scheme; finds the base. */
static bool scheme_fits(const struct kallsyms *k, const struct tables *at, const int32_t *offsets,
			const struct vmcoreinfo *v, enum scheme scheme, uint64_t *base)
{
	size_t i, hits = 0;

	*base = at->relative_base;
	for (i = 0; i < ARRAY_SIZE(anchors); i++) {
		uint64_t want, got;
		uint32_t n;

		if (!vmcoreinfo_symbol(v, anchors[i], &want))
			continue;
		n = slot_find(k, anchors[i], hash(anchors[i]))->number;
		if (!n)
			continue;
		if (!hits && scheme != SCHEME_FROM_HERE)
			*base = base_for(scheme, want, offsets[n - 1]);
		got = address_of(scheme, *base, at->offsets + (n - 1) * 4ULL, offsets[n - 1]);
		if (got != want)
			return false;
		hits++;
	}
	return hits >= 2;
}

static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static bool is_sorted(const struct kallsyms *k)
{
	size_t i;

	for (i = 1; i < k->n; i++) {
		if (k->symbols[i].address < k->symbols[i - 1].address)
			return false;
	}
	return true;
}

static int addresses_read(struct kallsyms *k, struct memory *m, const struct tables *at,
			  const struct vmcoreinfo *v)
{
	_cleanup_free_ int32_t *offsets = xcalloc(k->n, sizeof(*offsets));
	int err = memory_read(m, at->offsets, offsets, k->n * sizeof(*offsets));
	enum scheme scheme;
	uint64_t base;
	size_t i;

	if (err)
		return err;
	for (scheme = 0; scheme < SCHEMES; scheme++) {
		if (scheme_fits(k, at, offsets, v, scheme, &base))
			break;
	}
	if (scheme == SCHEMES)
		return -ENOTSUP;
	for (i = 0; i < k->n; i++)
		k->symbols[i].address = address_of(scheme, base, at->offsets + i * 4, offsets[i]);
	return 0;
}

static int read_all(struct kallsyms *k, struct memory *m, const struct vmcoreinfo *v)
{
	_cleanup_free_ struct tokens *tokens = xcalloc(1, sizeof(*tokens));
	struct tables at;
	uint32_t count;
	int err = tables_find(&at, v);

	if (!err)
		err = memory_u32(m, at.count, &count);
	if (!err && (!count || count > SYMBOLS_MAX))
		err = -EBADMSG;
	if (!err)
		err = tokens_read(tokens, m, &at);
	if (err)
		return err;
	k->n = count;
	k->symbols = xcalloc(count, sizeof(*k->symbols));
	err = names_read(k, m, &at, tokens);
	if (err)
		return err;
	index_build(k);
	err = addresses_read(k, m, &at, v);
	if (err)
		return err;
	/* Kernels keep them in order, but for the per-CPU ones of some. */
	if (!is_sorted(k)) {
		qsort(k->symbols, k->n, sizeof(*k->symbols), compare);
		free(take_ptr(k->by_name));
		index_build(k);
	}
	return 0;
}

int kallsyms_read(struct kallsyms *k, struct memory *m, const struct vmcoreinfo *v, char **why)
{
	int err;

	*k = (struct kallsyms){};
	err = read_all(k, m, v);
	if (!err)
		return 0;
	*why = xasprintf("the guest kernel's symbols: %s",
			 err == -ENODATA   ? "VMCOREINFO does not say where they are"
			 : err == -ENOTSUP ? "their addresses are stored in a way that is not known"
					   : strerror(-err));
	kallsyms_free(k);
	return err;
}

void kallsyms_free(struct kallsyms *k)
{
	free(k->symbols);
	free(k->by_name);
	free(k->names);
	*k = (struct kallsyms){};
}

uint64_t kallsyms_find(const struct kallsyms *k, const char *name)
{
	uint32_t n = slot_find(k, name, hash(name))->number;

	return n ? k->symbols[n - 1].address : 0;
}

const struct symbol *kallsyms_at(const struct kallsyms *k, uint64_t address)
{
	size_t low = 0, high = k->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (k->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &k->symbols[low - 1] : NULL;
}
