// SPDX-License-Identifier: GPL-2.0
/* The ops run, wait and kill as the script has them. */
#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "control.h"
#include "diag.h"
#include "names.h"
#include "payload.h"
#include "quantity.h"

static bool def_lives(const struct parser *p, const struct payload_def *def)
{
	return def->step == 0 || def->step == p->sc->n_steps - 1;
}

/* The payload that is called so here and that no op has ended, or NULL with the mistake told. */
static struct payload_def *def_find(struct parser *p, const char *name)
{
	_cleanup_free_ const char **names = NULL;
	struct payload_def *gone = NULL;
	size_t n = 0, i;

	for (i = 0; i < p->sc->n_payloads; i++) {
		struct payload_def *def = p->sc->payloads[i];

		if (!def_lives(p, def))
			continue;
		if (!strcmp(def->name, name)) {
			if (!def->gone_line)
				return def;
			gone = def;
		}
		ptrlist_add(&names, &n, def->name);
	}
	if (gone)
		parser_error(p, "'%s' has its end in line %d already", name, gone->gone_line);
	else if (!n)
		parser_error(p, "unknown program '%s': expected 'run %s -- COMMAND' before", name,
			     name);
	else
		parser_error_take(p, unknown_name("program", name, names));
	return NULL;
}

/* Names stand in the stats and in the name of a cgroup. */
static void check_name(struct parser *p, const struct payload_def *def)
{
	const char *c;
	size_t i;

	for (c = def->name; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("_-.", *c)) {
			parser_error(p, "run name '%s': expected letters, digits and _ - . only",
				     def->name);
			return;
		}
	}
	if (strlen(def->name) > 64)
		parser_error(p, "run name '%s' is longer than 64 bytes", def->name);
	for (i = 0; i < p->sc->n_payloads; i++) {
		const struct payload_def *other = p->sc->payloads[i];

		if (def_lives(p, other) && !other->gone_line && !strcmp(other->name, def->name))
			parser_error(p, "program '%s' runs already, from line %d", def->name,
				     other->line);
	}
}

/* "metric=REGEX" and "metric.NAME=REGEX". */
static void add_pattern(struct parser *p, struct payload_def *def, const char *name,
			const char *expression)
{
	struct payload_pattern pattern = {.name = name ? xstrdup(name) : NULL};
	int ret = regcomp(&pattern.regex, expression, REG_EXTENDED | REG_NEWLINE);
	size_t groups = name ? 1 : 2;

	if (ret) {
		char why[128];

		regerror(ret, &pattern.regex, why, sizeof(why));
		parser_error(p, "metric '%s': %s: expected an extended regular expression",
			     expression, why);
		free(pattern.name);
		return;
	}
	if (pattern.regex.re_nsub < groups)
		parser_error(p,
			     name ? "metric.%s='%s': expected a group around the number, as in "
				    "'ops: ([0-9.]+)'"
				  : "metric%s='%s': expected two groups, a name and a number, as "
				    "in '([a-z]+): ([0-9.]+)'",
			     name ? name : "", expression);
	else if (!regexec(&pattern.regex, "", 0, NULL, 0))
		parser_error(p, "metric '%s': matches the empty string: expected one that does not",
			     expression);
	def->patterns = xrealloc(def->patterns, (def->n_patterns + 1) * sizeof(*def->patterns));
	def->patterns[def->n_patterns++] = pattern;
}

static void parse_option(struct parser *p, struct payload_def *def, const char *word)
{
	static const char *const known[] = {"cgroup", "metric", "metric.NAME", NULL};
	size_t len = strcspn(word, "=");
	_cleanup_free_ char *key = xstrndup(word, len);

	if (word[len] != '=')
		parser_error(p, "run: '%s': expected options KEY=VALUE, then -- and the command",
			     word);
	else if (!strcmp(key, "cgroup"))
		def->cgroup = cgroup_def_find(p, word + len + 1);
	else if (!strcmp(key, "metric"))
		add_pattern(p, def, NULL, word + len + 1);
	else if (!strncmp(key, "metric.", 7) && key[7])
		add_pattern(p, def, key + 7, word + len + 1);
	else
		parser_error_take(p, unknown_name("run option", key, known));
}

static void take_command(struct payload_def *def, char **words)
{
	size_t n = 0;

	while (words[n])
		n++;
	def->argv = xcalloc(n + 1, sizeof(*def->argv));
	def->text = xstrdup(words[0]);
	for (n = 0; words[n]; n++) {
		char *more = n ? xasprintf("%s %s", def->text, words[n]) : xstrdup(words[0]);

		def->argv[n] = xstrdup(words[n]);
		free(def->text);
		def->text = more;
	}
}

void parse_run(struct parser *p, char **words, struct op *op)
{
	struct payload_def *def;

	if (!words[1] || !strcmp(words[1], "--") || strchr(words[1], '=')) {
		parser_error(p, "run: expected a name after it: run NAME [cgroup=CGROUP] "
				"[metric=REGEX] -- COMMAND");
		return;
	}
	def = xcalloc(1, sizeof(*def));
	def->name = xstrdup(words[1]);
	def->line = p->line;
	def->step = p->sc->n_steps - 1;
	def->index = p->sc->n_payloads;
	check_name(p, def);
	for (words += 2; *words && strcmp(*words, "--"); words++)
		parse_option(p, def, *words);
	if (!words[0] || !words[1])
		parser_error(p, "run %s: expected -- and a command at the end", def->name);
	else
		take_command(def, words + 1);
	if (def->index == PAYLOADS_MAX)
		parser_error(p, "run: expected at most %d programs", PAYLOADS_MAX);
	ptrlist_add(&p->sc->payloads, &p->sc->n_payloads, def);
	op->payload = def;
}

void parse_wait(struct parser *p, char **words, struct op *op)
{
	if (!words[1] || (words[2] && words[3])) {
		parser_error(p, "wait: expected the name of a program after it, and how long at "
				"most: wait NAME [T]");
		return;
	}
	op->payload = def_find(p, words[1]);
	if (words[2] &&
	    (duration_parse(words[2], &op->ns) || !op->ns || op->ns > SCENARIO_DURATION_MAX_NS))
		parser_error(p,
			     "wait %s '%s': expected a time above 0 and up to 24h, for example "
			     "30s",
			     words[1], words[2]);
	if (op->payload)
		op->payload->gone_line = p->line;
}

/* "TERM", "SIGTERM" or a number. */
static int signal_parse(const char *text)
{
	int64_t n;
	int s;

	if (!number_parse(text, 1, SIGRTMAX, &n))
		return n;
	if (!strncmp(text, "SIG", 3))
		text += 3;
	for (s = 1; s < SIGRTMIN; s++) {
		const char *name = sigabbrev_np(s);

		if (name && !strcmp(name, text))
			return s;
	}
	return 0;
}

void parse_kill(struct parser *p, char **words, struct op *op)
{
	if (!words[1] || (words[2] && words[3])) {
		parser_error(p, "kill: expected the name of a program after it, and a signal if "
				"it is not TERM: kill NAME [SIGNAL]");
		return;
	}
	op->payload = def_find(p, words[1]);
	op->signal = words[2] ? signal_parse(words[2]) : SIGTERM;
	if (!op->signal)
		parser_error(p, "kill %s '%s': expected a signal such as TERM, KILL, INT or 15",
			     words[1], words[2]);
	if (op->payload)
		op->payload->gone_line = p->line;
}

void check_no_payload(struct parser *p, const struct cgroup_def *cgroup)
{
	size_t i;

	for (i = 0; i < p->sc->n_payloads; i++) {
		const struct payload_def *def = p->sc->payloads[i];

		if (def->cgroup == cgroup && def_lives(p, def) && !def->gone_line)
			parser_error(p,
				     "program '%s' runs in cgroup '%s': expected 'kill %s' or "
				     "'wait %s' before",
				     def->name, cgroup->name, def->name, def->name);
	}
}

void payload_def_free(struct payload_def *def)
{
	size_t i;

	for (i = 0; i < def->n_patterns; i++) {
		regfree(&def->patterns[i].regex);
		free(def->patterns[i].name);
	}
	for (i = 0; def->argv && def->argv[i]; i++)
		free(def->argv[i]);
	free(def->patterns);
	free(def->argv);
	free(def->text);
	free(def->name);
	free(def);
}
