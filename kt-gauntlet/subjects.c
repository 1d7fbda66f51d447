// SPDX-License-Identifier: GPL-2.0
#include "subjects.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "line.h"
#include "options.h"
#include "words.h"

#define NO_SCHED "none"

/* A scheduler and what the constraints have left of its profiles so far. */
struct entry {
	const char *sched; /* NULL: the kernel's own */
	const struct flags *flags;
	uint64_t require, exclude;
	bool alive;
};

static int declaration_find(const struct declarations *d, const char *sched,
			    const struct flags **found, bool *used, char **why)
{
	const char *base = base_name(sched);
	size_t i, first = 0;

	*found = NULL;
	for (i = 0; i < d->n; i++) {
		if (fnmatch(d->rows[i].scheduler, base, 0))
			continue;
		if (*found) {
			*why = xasprintf("%s and %s both declare the flags of '%s', expected one",
					 d->files[first], d->files[i], base);
			return -EINVAL;
		}
		*found = &d->rows[i];
		first = i;
		used[i] = true;
	}
	return 0;
}

/* Pair each scheduler with its declaration; none of them may be left over. */
static int entries_make(struct entry *entries, size_t n, const char *const *scheds,
			const struct declarations *d, char **why)
{
	_cleanup_free_ bool *used = xcalloc(d->n + 1, sizeof(*used));
	size_t i;
	int err;

	for (i = 0; i < n; i++) {
		entries[i].alive = true;
		if (!scheds || !strcmp(scheds[i], NO_SCHED))
			continue;
		entries[i].sched = scheds[i];
		err = declaration_find(d, scheds[i], &entries[i].flags, used, why);
		if (err)
			return err;
	}
	for (i = 0; i < d->n; i++) {
		if (used[i])
			continue;
		*why = xasprintf("%s declares the flags of '%s': expected a --sched of that name",
				 d->files[i], d->rows[i].scheduler);
		return -EINVAL;
	}
	return 0;
}

static char *flag_unknown(const struct declarations *d, const struct constraint *c)
{
	_cleanup_free_ const char **names = NULL;
	_cleanup_free_ char *list = NULL;
	size_t n = 0, i, k;
	const char *near;

	for (i = 0; i < d->n; i++) {
		for (k = 0; k < d->rows[i].n; k++)
			ptrlist_add(&names, &n, d->rows[i].rows[k].name);
	}
	if (!n)
		return xasprintf("%s: no flags are declared (--flags)", c->origin);
	near = nearest_name(c->flag, names);
	if (near)
		return xasprintf("%s: unknown flag '%s': did you mean '%s'?", c->origin, c->flag,
				 near);
	list = words_quote(names);
	return xasprintf("%s: unknown flag '%s'; known:%s", c->origin, c->flag, list);
}

static bool flag_declared(const struct declarations *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->n; i++) {
		if (flag_find(&d->rows[i], name) >= 0)
			return true;
	}
	return false;
}

/* Returns how many entries can still have a profile. */
static size_t constraint_apply(struct entry *entries, size_t n, const struct constraint *c)
{
	size_t alive = 0, i;

	for (i = 0; i < n; i++) {
		struct entry *e = &entries[i];
		int flag = e->flags ? flag_find(e->flags, c->flag) : -1;

		if (flag >= 0 && c->id == REQUIRE_FLAG)
			e->require |= 1ULL << flag;
		else if (flag >= 0)
			e->exclude |= 1ULL << flag;
		else if (c->id == REQUIRE_FLAG)
			e->alive = false;
		if (flag >= 0 && !profiles_any(e->flags, e->require, e->exclude))
			e->alive = false;
		alive += e->alive;
	}
	return alive;
}

static int constraints_apply(struct entry *entries, size_t n, const struct declarations *d,
			     const struct constraints *c, char **why)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		const struct constraint *row = &c->rows[i];
		bool known;

		if (row->id != REQUIRE_FLAG && row->id != EXCLUDE_FLAG)
			continue;
		known = flag_declared(d, row->flag);
		/* A scenario goes with schedulers of any flags; what it requires must be there. */
		if (!known && !(row->in_scenario && (!d->n || row->id == EXCLUDE_FLAG))) {
			*why = flag_unknown(d, row);
			return -EINVAL;
		}
		if (constraint_apply(entries, n, row))
			continue;
		*why = known ? xasprintf("%s leaves no profile of any scheduler", row->origin)
			     : xasprintf("%s leaves nothing: no flags are declared (--flags)",
					 row->origin);
		return -ENOENT;
	}
	return 0;
}

/* Append one value. @part is the scheduler's in the name. */
static void subject_append(struct matrix *m, const struct entry *e, size_t index, uint64_t mask,
			   const char *part)
{
	_cleanup_free_ char *name = e->flags ? profile_name(e->flags, mask) : xstrdup("default");
	_cleanup_free_ char *args = e->flags ? profile_args(e->flags, mask) : NULL;
	_cleanup_free_ char *file = e->sched ? word_quote(e->sched) : NULL;
	_cleanup_free_ char *words = args ? word_quote(args) : NULL;
	_cleanup_free_ char *options = NULL;
	struct value *v;

	if (file)
		options = xasprintf("--sched %s %s%s%s", file, words ? "--sched-args " : "",
				    words ? words : "", words ? " " : "");
	v = matrix_add(m, DIM_SUBJECT, name, part, options, NULL);
	v->subject = (struct subject){
		.sched = e->sched,
		.sched_index = index,
		.flags = e->flags,
		.mask = mask,
	};
}

static int entry_expand(struct matrix *m, const struct entry *e, size_t index, const char *part,
			char **why)
{
	_cleanup_free_ uint64_t *masks = NULL;
	size_t n, i;

	if (!e->flags) {
		subject_append(m, e, index, 0, part);
		return 0;
	}
	if (profiles_expand(e->flags, e->require, e->exclude, &masks, &n)) {
		*why = xasprintf("'%s' has more than %d profiles: narrow them with "
				 "--require-flag and --exclude-flag",
				 e->sched, PROFILES_MAX);
		return -EINVAL;
	}
	for (i = 0; i < n; i++)
		subject_append(m, e, index, masks[i], part);
	return 0;
}

int subjects_add(struct matrix *m, const char *const *scheds, const struct declarations *d,
		 const struct constraints *c, char **why)
{
	_cleanup_free_ struct entry *entries = NULL;
	size_t n = 0, i;
	int err;

	while (scheds && scheds[n])
		n++;
	n = n ? n : 1;
	entries = xcalloc(n, sizeof(*entries));
	err = entries_make(entries, n, scheds, d, why);
	if (!err)
		err = constraints_apply(entries, n, d, c, why);
	for (i = 0; i < n && !err; i++) {
		_cleanup_free_ char *part = scheds ? part_name(base_name(scheds[i])) : NULL;

		if (scheds && !part) {
			*why = xasprintf("scheduler '%s': expected a file, or none", scheds[i]);
			return -EINVAL;
		}
		if (entries[i].alive)
			err = entry_expand(m, &entries[i], i, part, why);
	}
	return err;
}
