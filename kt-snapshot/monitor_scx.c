// SPDX-License-Identifier: GPL-2.0
#include "monitor_scx.h"

#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "scx.h"

/*
 * A scheduler's per-CPU memory is given back when it has gone, and only then: its address is looked
 * up again with every new scheduler, and now and then for good measure.
 */
#define LOOK_AGAIN 64

/* No counter gets this far: 2^48 events, or nanoseconds of bypassing on some thousand CPUs. */
#define COUNT_MAX (1LL << 58)

struct monitor_scx {
	struct kernel *kernel;
	struct spot root, state;
	uint64_t state_value; /* whose name this is */
	char state_name[32];
	struct scx_event events[SCX_MAX_EVENTS];
	size_t n_events;
	uint64_t found_root; /* what the spots are of */
	bool found;
	unsigned int age; /* in samples */
	bool counted;	  /* sums of the same scheduler are in last[] */
	int64_t last[SCX_MAX_EVENTS];
	struct spot spots[]; /* n_events for each CPU */
};

/* To find a name among the kernel's types takes longer than all else. */
static void state_note(struct monitor_scx *m, uint64_t value)
{
	m->state_value = value;
	scx_state_name(m->kernel, value, m->state_name, sizeof(m->state_name));
}

struct monitor_scx *monitor_scx_open(struct kernel *k)
{
	struct scx_event events[SCX_MAX_EVENTS];
	size_t n = scx_events(k, events);
	const char *state = scx_state_symbol(k);
	struct monitor_scx *m;

	m = xcalloc(1, sizeof(*m) + k->n_cpus * n * sizeof(m->spots[0]));
	m->kernel = k;
	m->n_events = n;
	memcpy(m->events, events, sizeof(events));
	m->root = spot_symbol(k, "scx_root", 8);
	if (state)
		m->state = spot_symbol(k, state, 4);
	state_note(m, 0);
	return m;
}

void monitor_scx_close(struct monitor_scx *m)
{
	free(m);
}

static bool find(struct monitor_scx *m, uint64_t root)
{
	uint64_t at;
	uint32_t cpu;
	size_t i;

	/*
	 * Of all that a sample follows only this is not in the direct map, where an address means
	 * the same for ever.
	 */
	memory_flush(&m->kernel->memory);
	if (scx_events_address(m->kernel, root, &at))
		return false;
	for (cpu = 0; cpu < m->kernel->n_cpus; cpu++) {
		uint64_t va = kernel_per_cpu(m->kernel, at, cpu);

		for (i = 0; i < m->n_events; i++) {
			struct spot *s = &m->spots[cpu * m->n_events + i];

			*s = spot_at(m->kernel, va + m->events[i].offset, 8);
			if (!s->at)
				return false;
		}
	}
	return true;
}

/* Sum up into @sums. Returns whether they are to be believed, setting *@suspect to one that is not.
 */
static bool count(struct monitor_scx *m, int64_t *sums, const char **suspect)
{
	const struct spot *s = m->spots;
	uint32_t cpu;
	size_t i;

	memset(sums, 0, SCX_MAX_EVENTS * sizeof(*sums));
	for (cpu = 0; cpu < m->kernel->n_cpus; cpu++) {
		for (i = 0; i < m->n_events; i++, s++) {
			int64_t n = spot_load(*s);

			if (n < 0 || n > COUNT_MAX) {
				*suspect = m->events[i].name;
				return false;
			}
			sums[i] = sums[i] + n < COUNT_MAX ? sums[i] + n : COUNT_MAX;
		}
	}
	for (i = 0; i < m->n_events; i++) {
		if (m->counted && sums[i] < m->last[i])
			*suspect = m->events[i].name;
	}
	memcpy(m->last, sums, sizeof(m->last));
	m->counted = true;
	return !*suspect;
}

/* Whether there is a scheduler: a kernel without scx_root tells by its state alone. */
static bool scheduler(const struct monitor_scx *m, uint64_t root)
{
	return m->root.at ? root != 0 : m->state.at && strcmp(m->state_name, "disabled") != 0;
}

static bool collect(struct monitor_scx *m, uint64_t root, int64_t *sums, const char **suspect)
{
	if (m->found_root != root || !m->found || ++m->age == LOOK_AGAIN) {
		m->counted &= m->found_root == root;
		m->age = 0;
		m->found_root = root;
		m->found = find(m, root);
	}
	return m->found && count(m, sums, suspect) && spot_load(m->root) == root;
}

void monitor_scx_prefetch(const struct monitor_scx *m)
{
	if (m->found)
		spot_prefetch(m->spots, m->kernel->n_cpus * m->n_events);
}

void monitor_scx_add(struct monitor_scx *m, struct json_text *t)
{
	uint64_t root = spot_load(m->root), state = spot_load(m->state);
	int64_t sums[SCX_MAX_EVENTS];
	const char *suspect = NULL;
	bool have = false;
	size_t i;

	if (m->state.at) {
		if (state != m->state_value)
			state_note(m, state);
		text_key(t, "scx_state");
		text_string(t, m->state_name);
	}
	if (m->n_events && scheduler(m, root))
		have = collect(m, root, sums, &suspect);
	else
		m->found = m->counted = false;
	if (suspect) {
		text_key(t, "suspect");
		text_add(t, "[");
		text_string(t, suspect);
		text_add(t, "]");
	}
	text_key(t, "events");
	text_add(t, have ? "{" : "null");
	for (i = 0; have && i < m->n_events; i++) {
		text_key(t, m->events[i].name);
		text_i64(t, sums[i]);
	}
	text_add(t, have ? "}" : "");
}
