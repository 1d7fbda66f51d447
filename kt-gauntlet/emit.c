// SPDX-License-Identifier: GPL-2.0
#include "emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "line.h"
#include "words.h"

/* GitHub's limit on the jobs of one matrix (docs.github.com, usage limits of workflows). */
#define GITHUB_JOBS_MAX 256

static const char *const format_names[FORMAT_END] = {
	[FORMAT_LINES] = "lines",	   [FORMAT_NULL] = "null",   [FORMAT_JSON] = "json",
	[FORMAT_GITHUB] = "github-matrix", [FORMAT_NAMES] = "names",
};

const char *format_name(enum format f)
{
	return f < FORMAT_END ? format_names[f] : NULL;
}

/* The longest line: every dimension's longest options and argument, beside what is fixed. */
static size_t line_room(const struct emit *e)
{
	size_t room = strlen(e->vmm) + strlen(e->program) + strlen(e->args) + e->out.quoted_len +
		      matrix_name_size(e->m) + sizeof("-o '' --\n");
	size_t d, i;

	for (d = 0; d < DIMS; d++) {
		const struct dimension *dim = &e->m->dims[d];
		size_t longest = dim->ranges ? 64 : 0;

		for (i = 0; !dim->ranges && i < dim->n; i++) {
			const struct value *v = &dim->values[i];

			if (v->options_len + v->argument_len > longest)
				longest = v->options_len + v->argument_len;
		}
		room += longest;
	}
	return room;
}

void emit_init(struct emit *e, struct matrix *m, enum format format, const char *out,
	       const char *const *vmm, const char *const *command)
{
	_cleanup_free_ char *dir = xasprintf("%s/", out);
	const char *const program[] = {command[0], NULL};
	const char *const none[] = {NULL};

	*e = (struct emit){.m = m, .format = format};
	piece_init(&e->out, dir);
	e->vmm = words_quote(vmm ? vmm : none);
	e->program = words_quote(program);
	e->args = words_quote(command + 1);
	e->room = line_room(e);
	e->buffer = xmalloc(e->room);
	if (format == FORMAT_GITHUB)
		e->include = json_array();
}

void emit_free(struct emit *e)
{
	piece_free(&e->out);
	free(e->vmm);
	free(e->program);
	free(e->args);
	free(e->buffer);
	json_decref(e->include);
}

/* Make the variant's line in the buffer, without its end. Returns its length. */
static size_t line_make(struct emit *e, const struct variant *v)
{
	static const enum dim order[] = {DIM_TOPOLOGY, DIM_KERNEL, DIM_SUBJECT, DIM_SEED};
	const struct value *work = matrix_value(e->m, DIM_WORK, v->at[DIM_WORK]);
	char *p = e->buffer, *dir;
	size_t len, i;
	bool bare;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		const struct value *value = matrix_value(e->m, order[i], v->at[order[i]]);

		p = mempcpy(p, value->options, value->options_len);
	}
	if (*e->vmm) {
		p = stpcpy(p, e->vmm + 1);
		*p++ = ' ';
	}
	p = stpcpy(p, "-o '");
	dir = p - 1;
	p = mempcpy(p, e->out.quoted, e->out.quoted_len);
	len = matrix_name_quoted(e->m, v, p, &bare);
	p += len;
	if (bare && e->out.bare) {
		memmove(dir, dir + 1, p - dir - 1);
		p--;
	} else {
		*p++ = '\'';
	}
	p = stpcpy(p, " --");
	p = stpcpy(p, e->program);
	p = mempcpy(p, work->argument, work->argument_len);
	p = stpcpy(p, e->args);
	return p - e->buffer;
}

static json_t *flags_json(const struct subject *s)
{
	json_t *flags = json_array();
	size_t i;

	for (i = 0; s->flags && i < s->flags->n; i++) {
		if (s->mask >> i & 1)
			json_array_append_new(flags, json_string(s->flags->rows[i].name));
	}
	return flags;
}

static json_t *number_json(struct matrix *m, enum dim d, const struct variant *v)
{
	if (!m->dims[d].ranges)
		return json_null();
	return json_integer(matrix_value(m, d, v->at[d])->number);
}

/* What a variant is, whatever else the format says of it. */
static json_t *variant_json(struct matrix *m, const struct variant *v, const char *rundir,
			    const char *name)
{
	const struct value *topology = matrix_value(m, DIM_TOPOLOGY, v->at[DIM_TOPOLOGY]);
	const struct value *subject = matrix_value(m, DIM_SUBJECT, v->at[DIM_SUBJECT]);
	const struct topology *t = &topology->topology;
	_cleanup_free_ char *spec = topology_format(t);

	return json_pack(
		"{ss ss ss ss ss si si si sb ss so ss? ss? ss? so so ss}", "schema", "kt-variant/1",
		"name", name, "scenario", m->scenario.raw, "preset", topology->part[0].raw,
		"topology", spec, "cpus", (int)topology_cpus(t), "llcs", (int)t->llcs, "numa_nodes",
		(int)t->numa_nodes, "smt", t->threads > 1, "profile", subject->part[0].raw, "flags",
		flags_json(&subject->subject), "sched", subject->subject.sched, "kernel",
		matrix_value(m, DIM_KERNEL, v->at[DIM_KERNEL])->text, "work",
		matrix_value(m, DIM_WORK, v->at[DIM_WORK])->text, "seed",
		number_json(m, DIM_SEED, v), "rep", number_json(m, DIM_REP, v), "rundir", rundir);
}

/* The words of @line, which has been quoted from them. */
static json_t *args_json(const char *line)
{
	json_t *args = json_array();
	const char *why;
	char **words = words_split(line, &why);
	size_t i;

	for (i = 0; words && words[i]; i++) {
		if (json_array_append_new(args, json_string(words[i])))
			die(EXIT_USAGE, "'%s': expected UTF-8, which is all that JSON can hold",
			    words[i]);
	}
	words_free(words);
	return args;
}

static void object_emit(struct emit *e, const struct variant *v, const char *line)
{
	_cleanup_free_ char *rundir = xmalloc(e->out.raw_len + matrix_name_size(e->m));
	char *name = stpcpy(rundir, e->out.raw);
	json_t *object;

	matrix_name(e->m, v, name);
	object = variant_json(e->m, v, rundir, name);
	if (!object)
		die(EXIT_USAGE, "variant '%s': cannot be said in JSON", name);
	if (e->include) {
		json_object_set_new(object, "line", json_string(line));
		json_array_append_new(e->include, object);
		return;
	}
	json_object_set_new(object, "args", args_json(line));
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar_unlocked('\n');
	json_decref(object);
}

void emit_variant(void *emit, const struct variant *v)
{
	struct emit *e = emit;
	size_t len;

	if (e->format == FORMAT_NAMES) {
		len = matrix_name(e->m, v, e->buffer);
		e->buffer[len++] = '\n';
	} else {
		len = line_make(e, v);
		if (e->format == FORMAT_JSON || e->format == FORMAT_GITHUB) {
			e->buffer[len] = 0;
			object_emit(e, v, e->buffer);
			return;
		}
		e->buffer[len++] = e->format == FORMAT_NULL ? 0 : '\n';
	}
	fwrite_unlocked(e->buffer, 1, len, stdout);
}

void emit_finish(struct emit *e)
{
	json_t *matrix;
	size_t n = json_array_size(e->include);

	if (!n)
		return;
	if (n > GITHUB_JOBS_MAX)
		warn("github-matrix of %zu jobs: GitHub takes at most %d in one matrix "
		     "(--budget, --pairwise and --shard make it smaller)",
		     n, GITHUB_JOBS_MAX);
	matrix = json_pack("{sO}", "include", e->include);
	json_dumpf(matrix, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(matrix);
}
