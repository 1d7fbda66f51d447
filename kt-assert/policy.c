// SPDX-License-Identifier: GPL-2.0
#include "policy.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "options.h"
#include "quantity.h"

#define LINE_MAX_BYTES 1024

static struct setting *setting(struct policy *p, const struct check *c)
{
	return &p->set[c - checks];
}

const struct setting *policy_setting(const struct policy *p, const struct check *c)
{
	return &p->set[c - checks];
}

/* "on", "off", or the threshold. */
static char *value_of(const struct check *c, bool on, double threshold)
{
	if (!on)
		return xstrdup("off");
	return c->kind == VALUE_SWITCH ? xstrdup("on") : xasprintf("%.15g", threshold);
}

/* Put a new layer over what @s has. */
static void lay(const struct check *c, struct setting *s, bool on, double threshold, char *from)
{
	_cleanup_free_ char *value = value_of(c, s->on, s->threshold);
	_cleanup_free_ char *below = s->overrides, *old_from = s->from;

	s->overrides =
		xasprintf("%s (%s)%s%s", value, old_from, below ? ", " : "", below ? below : "");
	s->on = on;
	s->threshold = threshold;
	s->from = from;
}

void policy_init(struct policy *p)
{
	size_t i;

	for (i = 0; i < checks_n; i++) {
		p->set[i] = (struct setting){
			.on = checks[i].on,
			.threshold = checks[i].threshold,
			.from = xstrdup("default"),
			.overrides = NULL,
		};
	}
}

void policy_free(struct policy *p)
{
	size_t i;

	for (i = 0; i < checks_n; i++) {
		free(p->set[i].from);
		free(p->set[i].overrides);
	}
	memset(p, 0, sizeof(*p));
}

void policy_copy(struct policy *to, const struct policy *from)
{
	size_t i;

	*to = *from;
	for (i = 0; i < checks_n; i++) {
		const char *overrides = from->set[i].overrides;

		to->set[i].from = xstrdup(from->set[i].from);
		to->set[i].overrides = overrides ? xstrdup(overrides) : NULL;
	}
}

void policy_relax(struct policy *p, const char *why)
{
	size_t i;

	for (i = 0; i < checks_n; i++) {
		struct setting *s = &p->set[i];

		if (s->chosen || !checks[i].relaxed)
			continue;
		lay(&checks[i], s, s->on, checks[i].relaxed, xasprintf("relaxed: %s", why));
	}
}

static int threshold_parse(const struct check *c, const char *text, double *out,
			   const char **expected)
{
	int64_t whole;

	switch (c->kind) {
	case VALUE_SWITCH:
		break;
	case VALUE_PERCENT:
		*expected = "a percentage from 0 to 100, or off";
		return fraction_parse(text, out) || *out < 0 || *out > 100 ? -EINVAL : 0;
	case VALUE_REAL:
		*expected = "a number from 0, or off";
		return fraction_parse(text, out) || *out < 0 ? -EINVAL : 0;
	case VALUE_SHARE:
		*expected = "a number from 0 to 1, or off";
		return fraction_parse(text, out) || *out < 0 || *out > 1 ? -EINVAL : 0;
	case VALUE_WHOLE:
		/* The largest that a double holds to the unit. */
		*expected = "a whole number from 0, or off";
		if (number_parse(text, 0, 1LL << 53, &whole))
			return -EINVAL;
		*out = whole;
		return 0;
	case VALUE_COUNT:
		*expected = "a whole number from 1";
		if (number_parse(text, 1, 1LL << 53, &whole))
			return -EINVAL;
		*out = whole;
		return 0;
	}
	*expected = "on or off";
	return -EINVAL;
}

int policy_set(struct policy *p, const struct check *c, const char *text, const char *from,
	       const char **expected)
{
	struct setting *s = setting(p, c);
	double threshold = c->threshold;
	bool on = !text || c->kind == VALUE_COUNT || strcmp(text, "off");

	if (on && !(c->kind == VALUE_SWITCH && (!text || !strcmp(text, "on")))) {
		int err = threshold_parse(c, text ? text : "", &threshold, expected);

		if (err)
			return err;
	}
	lay(c, s, on, threshold, xstrdup(from));
	s->chosen = true;
	return 0;
}

/* Cut white space at both ends, in place. */
static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text;
}

static char *unknown_key(const char *key)
{
	_cleanup_free_ const char **names = NULL;
	size_t n = 0, i;
	const char *near;
	char *text;

	for (i = 0; i < checks_n; i++)
		ptrlist_add(&names, &n, check_key(&checks[i], '_'));
	near = nearest_name(key, names);
	text = near ? xasprintf("unknown key '%s': did you mean '%s'?", key, near)
		    : xasprintf("unknown key '%s' (kt-assert --list-checks names all)", key);
	for (i = 0; i < n; i++)
		free((char *)names[i]);
	return text;
}

/* One line without its newline; returns NULL or what is wrong, for the caller to free. */
static char *policy_line(struct policy *p, char *line, const char *from)
{
	const struct check *c;
	const char *expected;
	char *key, *value;

	line[strcspn(line, "#")] = '\0';
	key = trim(line);
	if (!*key)
		return NULL;
	value = strchr(key, '=');
	if (!value)
		return xasprintf("expected 'key = value', found '%s'", key);
	*value++ = '\0';
	key = trim(key);
	value = trim(value);
	c = check_find(key, '_');
	if (!c)
		return unknown_key(key);
	if (policy_set(p, c, value, from, &expected))
		return xasprintf("%s: expected %s, found '%s'", key, expected, value);
	return NULL;
}

int policy_read(struct policy *p, const char *path, char **message)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[LINE_MAX_BYTES];
	unsigned int number = 0;

	if (!f) {
		*message = xasprintf("policy '%s': %s", path, strerror(errno));
		return -errno;
	}
	while (fgets(line, sizeof(line), f)) {
		_cleanup_free_ char *from = xasprintf("%s:%u", path, ++number);
		_cleanup_free_ char *wrong = NULL;

		if (!strchr(line, '\n') && !feof(f))
			wrong = xasprintf("expected a line of at most %d bytes without NUL",
					  LINE_MAX_BYTES - 2);
		else
			wrong = policy_line(p, line, from);
		if (wrong) {
			*message = xasprintf("%s: %s", from, wrong);
			return -EBADMSG;
		}
	}
	if (ferror(f)) {
		int err = errno;

		*message = xasprintf("policy '%s': %s", path, strerror(err));
		return -err;
	}
	return 0;
}

bool policy_on(const struct policy *p, const struct check *c)
{
	const struct setting *s = policy_setting(p, c);

	if (c->with_starved && !s->chosen)
		return s->on && policy_setting(p, check_find("not-starved", '-'))->on;
	return s->on;
}

bool policy_asked(const struct policy *p, const struct check *c)
{
	return policy_setting(p, c)->chosen && !strcmp(policy_setting(p, c)->from, COMMAND_LINE);
}

void policy_print(const struct policy *p, FILE *out)
{
	int width = check_name_width();
	size_t i;

	for (i = 0; i < checks_n; i++) {
		const struct check *c = &checks[i];
		const struct setting *s = &p->set[i];
		_cleanup_free_ char *key = check_key(c, '_');
		_cleanup_free_ char *value = value_of(c, policy_on(p, c), s->threshold);

		fprintf(out, "%-*s = %-8s# %s", width, key, value, s->from);
		if (s->on && !policy_on(p, c))
			fprintf(out, ", off with not_starved");
		if (s->overrides)
			fprintf(out, ", overrides %s", s->overrides);
		fputc('\n', out);
	}
}
