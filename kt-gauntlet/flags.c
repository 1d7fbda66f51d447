// SPDX-License-Identifier: GPL-2.0
#include "flags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "options.h"
#include "words.h"

#define BIT(n) (1ULL << (n))

static const char NAME_BYTES[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_-";

int flag_find(const struct flags *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (!strcmp(f->rows[i].name, name))
			return i;
	}
	return -1;
}

/*
 * Bring *@args to one form: words with single blanks between them, no comment, so that arguments
 * can be put one after the other. kt-vmm --sched-args splits them again.
 */
static int args_normalise(char **args, char **why)
{
	const char *wrong;
	char **words = words_split(*args, &wrong);
	char *out = NULL;
	size_t i;

	for (i = 0; words && words[i]; i++) {
		_cleanup_free_ char *quoted = word_quote(words[i]), *before = out;

		out = xasprintf("%s%s%s", before ? before : "", before ? " " : "", quoted);
	}
	*why = words ? xasprintf("args: expected at least one argument")
		     : xasprintf("args: %s", wrong);
	words_free(words);
	if (!out)
		return -EINVAL;
	free(*why);
	*why = NULL;
	free(*args);
	*args = out;
	return 0;
}

static int flag_key(struct flag *flag, const char *word, char **why)
{
	static const char *const keys[] = {"args", "requires", "conflicts", NULL};
	size_t n = strcspn(word, "=");
	_cleanup_free_ char *key = xstrndup(word, n);
	const char *near;
	char **field = NULL;

	if (!strcmp(key, "args"))
		field = &flag->args;
	else if (!strcmp(key, "requires"))
		field = &flag->requires_text;
	else if (!strcmp(key, "conflicts"))
		field = &flag->conflicts_text;
	if (!field || !word[n]) {
		near = nearest_name(key, keys);
		*why = xasprintf("'%s': %s%s%s", word,
				 near ? "did you mean '"
				      : "expected args=, requires= or conflicts=",
				 near ? near : "", near ? "='?" : "");
		return -EINVAL;
	}
	if (*field) {
		*why = xasprintf("%s= is given twice", key);
		return -EINVAL;
	}
	*field = xstrdup(word + n + 1);
	return 0;
}

static int flag_line(struct flags *f, char **words, unsigned int line, char **why)
{
	const char *name = words[1];
	struct flag *flag = &f->rows[f->n];
	int err = 0;
	size_t i;

	if (!name || !*name || name[strspn(name, NAME_BYTES)] || !strcmp(name, "default")) {
		*why = xasprintf("flag '%s': expected a name of letters, digits, _ and - "
				 "that is not 'default'",
				 name ? name : "");
		return -EINVAL;
	}
	if (flag_find(f, name) >= 0) {
		*why = xasprintf("flag '%s' is declared twice", name);
		return -EINVAL;
	}
	if (f->n == FLAGS_MAX) {
		*why = xasprintf("flag '%s': expected at most %d flags", name, FLAGS_MAX);
		return -EINVAL;
	}
	f->n++;
	*flag = (struct flag){.name = xstrdup(name), .line = line};
	for (i = 2; words[i] && !err; i++)
		err = flag_key(flag, words[i], why);
	if (!err && !flag->args) {
		*why = xasprintf("flag '%s': expected args=", name);
		return -EINVAL;
	}
	return err ? err : args_normalise(&flag->args, why);
}

static int value_line(char **field, char **words, char **why)
{
	if (!words[1] || !*words[1] || words[2]) {
		*why = xasprintf("%s: expected one word after it", words[0]);
		return -EINVAL;
	}
	if (*field) {
		*why = xasprintf("%s is given twice", words[0]);
		return -EINVAL;
	}
	*field = xstrdup(words[1]);
	return 0;
}

static int line_read(struct flags *f, char **words, unsigned int line, char **why)
{
	static const char *const known[] = {"scheduler", "args", "flag", NULL};
	const char *near;
	int err;

	if (!words[0])
		return 0;
	if (!strcmp(words[0], "scheduler"))
		return value_line(&f->scheduler, words, why);
	if (!strcmp(words[0], "args")) {
		err = value_line(&f->args, words, why);
		return err ? err : args_normalise(&f->args, why);
	}
	if (!strcmp(words[0], "flag"))
		return flag_line(f, words, line, why);
	near = nearest_name(words[0], known);
	*why = xasprintf("unknown word '%s': %s%s%s", words[0],
			 near ? "did you mean '" : "expected scheduler, args or flag",
			 near ? near : "", near ? "'?" : "");
	return -EINVAL;
}

/* The bits of the flags that the list @text, "a,b", names. */
static int list_resolve(const struct flags *f, const char *text, uint64_t *bits, char **why)
{
	const char *names[FLAGS_MAX + 1] = {NULL};
	size_t i, n;

	for (i = 0; i < f->n; i++)
		names[i] = f->rows[i].name;
	do {
		_cleanup_free_ char *name = NULL;
		const char *near;
		int at;

		n = strcspn(text, ",");
		name = xstrndup(text, n);
		at = flag_find(f, name);
		if (at < 0) {
			near = *name ? nearest_name(name, names) : NULL;
			*why = xasprintf("unknown flag '%s'%s%s%s", name,
					 near ? ": did you mean '" : "", near ? near : "",
					 near ? "'?" : "");
			return -EINVAL;
		}
		*bits |= BIT(at);
		text += n;
	} while (*text++);
	return 0;
}

/* Follow what each flag requires to its end; a flag that comes back to itself is a cycle. */
static int requires_close(struct flags *f, size_t *cyclic)
{
	bool changed = true;
	size_t i, k;

	while (changed) {
		changed = false;
		for (i = 0; i < f->n; i++) {
			uint64_t all = f->rows[i].needs;

			for (k = 0; k < f->n; k++) {
				if (f->rows[i].needs & BIT(k))
					all |= f->rows[k].needs;
			}
			changed |= all != f->rows[i].needs;
			f->rows[i].needs = all;
		}
	}
	for (i = 0; i < f->n; i++) {
		if (f->rows[i].needs & BIT(i)) {
			*cyclic = i;
			return -ELOOP;
		}
	}
	for (i = 0; i < f->n; i++)
		f->rows[i].needs |= BIT(i);
	return 0;
}

/* "a, b": the members of the cycle that goes through @flag, in the order of the file. */
static char *cycle_text(const struct flags *f, size_t flag)
{
	char *text = xstrdup("");
	size_t k;

	for (k = 0; k < f->n; k++) {
		if (f->rows[flag].needs & BIT(k) && f->rows[k].needs & BIT(flag)) {
			char *more = xasprintf("%s%s%s", text, *text ? ", " : "", f->rows[k].name);

			free(text);
			text = more;
		}
	}
	return text;
}

static int flags_resolve(struct flags *f, const char *file, char **why)
{
	_cleanup_free_ char *inner = NULL;
	size_t i, k;

	for (i = 0; i < f->n; i++) {
		struct flag *flag = &f->rows[i];
		const char *key = "requires";
		int err = 0;

		if (flag->requires_text)
			err = list_resolve(f, flag->requires_text, &flag->needs, &inner);
		if (!err && flag->conflicts_text) {
			key = "conflicts";
			err = list_resolve(f, flag->conflicts_text, &flag->conflicts, &inner);
		}
		if (err) {
			*why = xasprintf("%s:%u: flag '%s' %s: %s", file, flag->line, flag->name,
					 key, inner);
			return err;
		}
	}
	if (requires_close(f, &i)) {
		inner = cycle_text(f, i);
		*why = xasprintf("%s:%u: requires of %s: a cycle, expected none", file,
				 f->rows[i].line, inner);
		return -EINVAL;
	}
	for (i = 0; i < f->n; i++) { /* a conflict holds both ways */
		for (k = 0; k < f->n; k++) {
			if (f->rows[i].conflicts & BIT(k))
				f->rows[k].conflicts |= BIT(i);
		}
	}
	return 0;
}

int flags_read(struct flags *f, FILE *in, const char *file, char **why)
{
	_cleanup_free_ char *line = NULL;
	unsigned int number = 0;
	size_t size = 0;
	ssize_t len;

	*f = (struct flags){0};
	while ((len = getline(&line, &size, in)) >= 0) {
		_cleanup_free_ char *inner = NULL;
		const char *wrong = "a NUL byte, expected text";
		char **words = strlen(line) == (size_t)len ? words_split(line, &wrong) : NULL;
		int err = words ? 0 : -EINVAL;

		number++;
		if (words)
			err = line_read(f, words, number, &inner);
		words_free(words);
		if (err) {
			*why = xasprintf("%s:%u: %s", file, number, inner ? inner : wrong);
			return err;
		}
	}
	if (ferror(in)) {
		*why = xasprintf("%s: %s", file, strerror(errno));
		return -EINVAL;
	}
	if (!f->scheduler) {
		*why = xasprintf("%s: expected a line 'scheduler NAME'", file);
		return -EINVAL;
	}
	return flags_resolve(f, file, why);
}

void flags_free(struct flags *f)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		free(f->rows[i].name);
		free(f->rows[i].args);
		free(f->rows[i].requires_text);
		free(f->rows[i].conflicts_text);
	}
	free(f->scheduler);
	free(f->args);
	*f = (struct flags){0};
}

/* State of the search: flags are decided in @order, those that others require before the others. */
struct search {
	const struct flags *f;
	unsigned char order[FLAGS_MAX];
	uint64_t require, exclude;
	uint64_t *masks;
	size_t n, room;
};

static int mask_append(struct search *s, uint64_t mask)
{
	if (s->n == PROFILES_MAX)
		return -E2BIG;
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->masks = xrealloc(s->masks, s->room * sizeof(*s->masks));
	}
	s->masks[s->n++] = mask;
	return 0;
}

/* Leaving a flag out is always possible unless it is required, so no branch is in vain. */
static int search_run(struct search *s, size_t depth, uint64_t mask)
{
	const struct flag *flag;
	uint64_t bit;
	int err;

	if (depth == s->f->n)
		return mask_append(s, mask);
	bit = BIT(s->order[depth]);
	flag = &s->f->rows[s->order[depth]];
	if (!(s->require & bit)) {
		err = search_run(s, depth + 1, mask);
		if (err)
			return err;
	}
	if ((s->exclude & bit) || (flag->needs & ~bit & ~mask) ||
	    (flag->conflicts & (mask | bit | s->require)))
		return 0;
	return search_run(s, depth + 1, mask | bit);
}

static int mask_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Flags that require less go first: what a flag requires, requires less than it does. */
static void order_make(struct search *s)
{
	size_t n = 0, i;
	int count;

	for (count = 1; count <= FLAGS_MAX; count++) {
		for (i = 0; i < s->f->n; i++) {
			if (__builtin_popcountll(s->f->rows[i].needs) == count)
				s->order[n++] = i;
		}
	}
}

/* All that @require brings with it. */
static uint64_t require_close(const struct flags *f, uint64_t require)
{
	uint64_t all = 0;
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (require & BIT(i))
			all |= f->rows[i].needs;
	}
	return all;
}

bool profiles_any(const struct flags *f, uint64_t require, uint64_t exclude)
{
	uint64_t all = require_close(f, require);
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (all & BIT(i) && f->rows[i].conflicts & all)
			return false;
	}
	return !(all & exclude);
}

int profiles_expand(const struct flags *f, uint64_t require, uint64_t exclude, uint64_t **masks,
		    size_t *n)
{
	struct search s = {.f = f, .require = require_close(f, require), .exclude = exclude};
	int err;

	*masks = NULL;
	*n = 0;
	if (!profiles_any(f, require, exclude))
		return 0;
	order_make(&s);
	err = search_run(&s, 0, 0);
	if (err) {
		free(s.masks);
		return err;
	}
	qsort(s.masks, s.n, sizeof(*s.masks), mask_compare);
	*masks = s.masks;
	*n = s.n;
	return 0;
}

/* The flags' names, or their args, with @separator between them. */
static char *mask_join(const struct flags *f, uint64_t mask, const char *first, bool args,
		       char separator)
{
	char *out = NULL;
	size_t size = 0, i;
	FILE *text = open_memstream(&out, &size);

	fputs(first, text);
	for (i = 0; i < f->n; i++) {
		if (!(mask & BIT(i)))
			continue;
		if (ftell(text) > 0)
			putc(separator, text);
		fputs(args ? f->rows[i].args : f->rows[i].name, text);
	}
	fclose(text);
	return out;
}

char *profile_name(const struct flags *f, uint64_t mask)
{
	return mask_join(f, mask, mask ? "" : "default", false, '+');
}

char *profile_args(const struct flags *f, uint64_t mask)
{
	if (!mask && !f->args)
		return NULL;
	return mask_join(f, mask, f->args ? f->args : "", true, ' ');
}
