// SPDX-License-Identifier: GPL-2.0
#include "bind.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bind_state.h"
#include "cleanup.h"
#include "diag.h"
#include "exits.h"

/* yajl does not look at what its allocator returns, so these never return NULL. */
static void *bind_malloc(void *ctx, size_t size)
{
	(void)ctx;
	return xmalloc(size);
}

/* A token that runs over chunks is gathered in a growing buffer: the place to see an endless one.
 */
static void *bind_realloc(void *ctx, void *p, size_t size)
{
	struct bind *b = ctx;

	if (size > BIND_TOKEN_MAX)
		b->oversize = true;
	return xrealloc(p, size);
}

static void bind_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

struct bind *bind_open(const struct bind_type *root, void *base)
{
	struct bind *b = xcalloc(1, sizeof(*b));
	yajl_alloc_funcs alloc = {bind_malloc, bind_realloc, bind_free, b};

	b->root = root;
	b->owner = base;
	b->yajl = yajl_alloc(&bind_callbacks, &alloc, b);
	if (!b->yajl)
		die(EXIT_INTERNAL, "out of memory");
	return b;
}

int bind_feed(struct bind *b, const void *data, size_t len)
{
	yajl_status status;

	if (b->message)
		return b->error;
	status = yajl_parse(b->yajl, data, len);
	if (b->message)
		return b->error;
	if (b->oversize)
		return bind_fail_at(b, -EBADMSG, 0,
				    "expected a string or number of at most %d bytes",
				    BIND_TOKEN_MAX);
	if (status != yajl_status_ok)
		return bind_syntax_error(b, data, len);
	b->fed += len;
	return 0;
}

int bind_finish(struct bind *b)
{
	if (!b->message && yajl_complete_parse(b->yajl) == yajl_status_ok && !b->message)
		return 0;
	if (b->message)
		return b->error;
	return bind_fail_at(b, -ENODATA, 0,
			    b->fed ? "the input ends here: expected the rest of the JSON object"
				   : "the input is empty: expected a JSON object");
}

const char *bind_error(const struct bind *b)
{
	return b->message;
}

void bind_close(struct bind *b)
{
	if (!b)
		return;
	yajl_free(b->yajl);
	free(b->message);
	free(b);
}

void bind_clear(const struct bind_type *type, void *base)
{
	size_t i;

	for (i = 0; i < type->n_fields; i++) {
		const struct bind_field *f = &type->fields[i];
		void *p = (char *)base + f->offset;

		switch (f->kind) {
		case BIND_INT:
			*(int64_t *)p = BIND_NONE;
			break;
		case BIND_REAL:
			*(double *)p = NAN;
			break;
		case BIND_BOOL:
			*(bool *)p = false;
			break;
		case BIND_STRING:
			*(char **)p = NULL;
			break;
		case BIND_STRINGS:
			memset(p, 0, sizeof(struct bind_strings));
			break;
		case BIND_COUNTS:
			((struct bind_counts *)p)->n = 0;
			((struct bind_counts *)p)->there = false;
			break;
		case BIND_OBJECT:
			bind_clear(f->type, p);
			break;
		case BIND_LIST:
			*(int64_t *)p = BIND_NONE;
			break;
		}
	}
}
