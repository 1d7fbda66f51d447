// SPDX-License-Identifier: GPL-2.0
#include "pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

static int compile(struct pattern *p, char **wrong)
{
	_cleanup_free_ char *source = xstrndup(p->text + 1, strlen(p->text) - 2);
	int err = regcomp(&p->regex, source, REG_EXTENDED | REG_NOSUB);
	char why[128];

	p->is_regex = !err;
	if (!err)
		return 0;
	regerror(err, &p->regex, why, sizeof(why));
	*wrong = xasprintf("expected a regular expression between the slashes (%s)", why);
	return -EINVAL;
}

int pattern_init(struct pattern *p, const char *text, char **wrong)
{
	size_t n = strlen(text);

	memset(p, 0, sizeof(*p));
	p->text = text;
	if (n >= 2 && text[0] == '/' && text[n - 1] == '/' && compile(p, wrong))
		return -EINVAL;
	if (!pattern_found(p, ""))
		return 0;
	pattern_free(p);
	*wrong = xstrdup("it matches the empty string: expected a text or /regex/ that does not");
	return -EINVAL;
}

void pattern_free(struct pattern *p)
{
	if (p->is_regex)
		regfree(&p->regex);
	memset(p, 0, sizeof(*p));
}

bool pattern_found(const struct pattern *p, const char *in)
{
	if (!in)
		return false;
	if (p->is_regex)
		return !regexec(&p->regex, in, 0, NULL, 0);
	return strstr(in, p->text);
}
