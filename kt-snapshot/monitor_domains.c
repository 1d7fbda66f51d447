// SPDX-License-Identifier: GPL-2.0
#include "monitor_domains.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define LEVELS_MAX 8
#define NAMES_MAX  16 /* levels of one name each, over all CPUs */
#define NAME_SIZE  16

enum how { HOW_SUM, HOW_MAX };

/* Of an array (by kind of idleness) the sum of its elements. */
static const struct {
	const char *key, *path;
	uint8_t n; /* elements, 0: no array */
	enum how how;
} figures[] = {
	{"balance_interval_max", "balance_interval", 0, HOW_MAX},
	{"nr_balance_failed_max", "nr_balance_failed", 0, HOW_MAX},
	{"max_newidle_lb_cost_ns", "max_newidle_lb_cost", 0, HOW_MAX},
	{"lb_count", "lb_count", 3, HOW_SUM},
	{"lb_failed", "lb_failed", 3, HOW_SUM},
	{"lb_gained", "lb_gained", 3, HOW_SUM},
	{"alb_pushed", "alb_pushed", 0, HOW_SUM},
	{"ttwu_wake_remote", "ttwu_wake_remote", 0, HOW_SUM},
	{"ttwu_move_affine", "ttwu_move_affine", 0, HOW_SUM},
	{"ttwu_move_balance", "ttwu_move_balance", 0, HOW_SUM},
};

/* A figure as this kernel has it. */
struct layout {
	struct field field;
	uint8_t n; /* elements to add up; 0: not there */
	uint8_t size;
};

struct level {
	uint64_t va;
	size_t name; /* in names[] */
	struct spot parent, figures[ARRAY_SIZE(figures)];
};

struct chain {
	struct spot head; /* rq->sd */
	bool found;
	size_t n;
	struct level levels[LEVELS_MAX];
};

struct sum {
	uint64_t cpus, figures[ARRAY_SIZE(figures)];
};

struct monitor_domains {
	struct kernel *kernel;
	struct layout layouts[ARRAY_SIZE(figures)];
	struct field parent, name;
	size_t n_cpus, n_names;
	char names[NAMES_MAX][NAME_SIZE];
	struct sum sums[NAMES_MAX];
	struct chain chains[];
};

static void find_layouts(struct monitor_domains *d)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(figures); i++) {
		struct layout *l = &d->layouts[i];

		if (types_field(&d->kernel->types, "sched_domain", figures[i].path, &l->field) ||
		    l->field.bits)
			continue;
		l->n = figures[i].n ? figures[i].n : 1;
		l->size = l->field.size / l->n;
	}
}

struct monitor_domains *monitor_domains_open(struct kernel *k, uint64_t rq)
{
	struct monitor_domains *d;
	struct field parent, name;
	uint32_t cpu;

	if (types_field(&k->types, "sched_domain", "parent", &parent) ||
	    types_field(&k->types, "sched_domain", "name", &name))
		return NULL;
	d = xcalloc(1, sizeof(*d) + k->n_cpus * sizeof(d->chains[0]));
	d->kernel = k;
	d->parent = parent;
	d->name = name;
	d->n_cpus = k->n_cpus;
	for (cpu = 0; cpu < k->n_cpus; cpu++)
		d->chains[cpu].head = spot_member(k, "rq", "sd", kernel_per_cpu(k, rq, cpu));
	find_layouts(d);
	return d;
}

void monitor_domains_close(struct monitor_domains *d)
{
	free(d);
}

/* The number of a level's name, or NAMES_MAX. */
static size_t name_number(struct monitor_domains *d, uint64_t va)
{
	char name[NAME_SIZE];
	uint64_t at;
	size_t i;

	if (memory_u64(&d->kernel->memory, va + d->name.offset, &at) ||
	    memory_string(&d->kernel->memory, at, name, sizeof(name)) < 0)
		return NAMES_MAX;
	for (i = 0; i < d->n_names; i++) {
		if (!strcmp(d->names[i], name))
			return i;
	}
	if (d->n_names == NAMES_MAX)
		return NAMES_MAX;
	memcpy(d->names[d->n_names], name, sizeof(name));
	return d->n_names++;
}

static bool level_find(struct monitor_domains *d, struct level *l, uint64_t va)
{
	struct kernel *k = d->kernel;
	size_t i;

	*l = (struct level){.va = va, .name = name_number(d, va)};
	l->parent = spot_field(k, &d->parent, va);
	for (i = 0; i < ARRAY_SIZE(figures); i++) {
		const struct layout *f = &d->layouts[i];

		/* The elements of one figure may lie in two pages: then it goes without. */
		if (f->n && spot_at(k, va + f->field.offset + (f->n - 1) * f->size, f->size).at)
			l->figures[i] = spot_at(k, va + f->field.offset, f->size);
		if (f->n > 1 && (va + f->field.offset) / 4096 !=
					(va + f->field.offset + f->n * f->size - 1) / 4096)
			l->figures[i] = (struct spot){};
	}
	return l->name < NAMES_MAX && l->parent.at;
}

/* Follow the chain from rq->sd. */
static bool chain_find(struct monitor_domains *d, struct chain *c)
{
	uint64_t va = spot_load(c->head);

	for (c->n = 0; va; va = spot_load(c->levels[c->n++].parent)) {
		if (c->n == LEVELS_MAX || !level_find(d, &c->levels[c->n], va))
			return false;
	}
	return true;
}

/* Whether the chain is still what was found. */
static bool chain_holds(const struct chain *c)
{
	uint64_t va = spot_load(c->head);
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->levels[i].va != va)
			return false;
		va = spot_load(c->levels[i].parent);
	}
	return !va && c->found;
}

static uint64_t figure_load(const struct monitor_domains *d, const struct level *l, size_t i)
{
	struct spot s = l->figures[i];
	uint64_t sum = 0;
	uint8_t n;

	for (n = 0; s.at && n < d->layouts[i].n; n++, s.at += s.size)
		sum += spot_load(s);
	return sum;
}

static void chain_add(struct monitor_domains *d, const struct chain *c)
{
	size_t level, i;

	for (level = 0; level < c->n; level++) {
		const struct level *l = &c->levels[level];
		struct sum *s = &d->sums[l->name];

		s->cpus++;
		for (i = 0; i < ARRAY_SIZE(figures); i++) {
			uint64_t value = figure_load(d, l, i);

			if (figures[i].how == HOW_SUM)
				s->figures[i] += value;
			else if (value > s->figures[i])
				s->figures[i] = value;
		}
	}
}

static bool collect(struct monitor_domains *d)
{
	size_t cpu;

	memset(d->sums, 0, sizeof(d->sums));
	for (cpu = 0; cpu < d->n_cpus; cpu++) {
		struct chain *c = &d->chains[cpu];

		if (!chain_holds(c))
			c->found = chain_find(d, c);
		chain_add(d, c);
		/* Freed behind our backs, these numbers were anything. */
		if (!chain_holds(c))
			return false;
	}
	return true;
}

void monitor_domains_prefetch(const struct monitor_domains *d)
{
	size_t cpu, i;

	for (cpu = 0; cpu < d->n_cpus; cpu++) {
		const struct chain *c = &d->chains[cpu];

		for (i = 0; i < c->n; i++) {
			spot_prefetch(&c->levels[i].parent, 1);
			spot_prefetch(c->levels[i].figures, ARRAY_SIZE(figures));
		}
	}
}

void monitor_domains_add(struct monitor_domains *d, struct json_text *t)
{
	size_t name, i;

	text_key(t, "domains");
	if (!collect(d)) {
		text_add(t, "null");
		return;
	}
	text_add(t, "[");
	for (name = 0; name < d->n_names; name++) {
		if (!d->sums[name].cpus)
			continue;
		text_next(t);
		text_add(t, "{\"name\":");
		text_string(t, d->names[name]);
		text_key(t, "cpus");
		text_u64(t, d->sums[name].cpus);
		for (i = 0; i < ARRAY_SIZE(figures); i++) {
			if (!d->layouts[i].n)
				continue;
			text_key(t, figures[i].key);
			text_u64(t, d->sums[name].figures[i]);
		}
		text_add(t, "}");
	}
	text_add(t, "]");
}
