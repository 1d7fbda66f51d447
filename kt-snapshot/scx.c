// SPDX-License-Identifier: GPL-2.0
#include "scx.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"

#define EVENT_PREFIX "SCX_EV_"

static void copy_lower(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i]; i++)
		to[i] = tolower((unsigned char)from[i]);
	to[i] = '\0';
}

static const char *without(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncasecmp(name, prefix, n) ? name : name + n;
}

size_t scx_events(const struct kernel *k, struct scx_event events[SCX_MAX_EVENTS])
{
	uint32_t id = types_find(&k->types, "scx_event_stats");
	const struct btf_type *t = id ? btf__type_by_id(k->types.btf, id) : NULL;
	size_t n = 0;
	uint16_t i;

	if (!t || !btf_is_struct(t))
		return 0;
	for (i = 0; i < btf_vlen(t) && n < SCX_MAX_EVENTS; i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *name = btf__name_by_offset(k->types.btf, m->name_off);

		if (btf__resolve_size(k->types.btf, m->type) != 8)
			continue;
		copy_lower(events[n].name, sizeof(events[n].name), without(name, EVENT_PREFIX));
		events[n++].offset = btf_member_bit_offset(t, i) / 8;
	}
	return n;
}

int scx_events_address(struct kernel *k, uint64_t root, uint64_t *address)
{
	/* Newest first: within the scheduler's per-CPU part, by themselves, of all schedulers. */
	struct field f;
	int64_t at;
	int err;

	if (!types_field(&k->types, "scx_sched_pcpu", "event_stats", &f)) {
		err = kernel_number(k, "scx_sched", "pcpu", root, &at);
		*address = at + f.offset;
		return err;
	}
	if (types_find(&k->types, "scx_sched")) {
		err = kernel_number(k, "scx_sched", "event_stats_cpu", root, &at);
		*address = at;
		return err;
	}
	*address = kallsyms_find(&k->symbols, "event_stats_cpu");
	return *address ? 0 : -ENOENT;
}

const char *scx_state_symbol(const struct kernel *k)
{
	/* The latter up to 6.14. */
	static const char *const names[] = {"scx_enable_state_var", "scx_ops_enable_state_var"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (kallsyms_find(&k->symbols, names[i]))
			return names[i];
	}
	return NULL;
}

const char *scx_enum_name(const struct kernel *k, const char *type, const char *prefix,
			  int64_t value, char *buf, size_t size)
{
	uint32_t id = types_find(&k->types, type);
	const struct btf_type *t = id ? btf__type_by_id(k->types.btf, id) : NULL;
	uint16_t i;

	snprintf(buf, size, "unknown");
	for (i = 0; t && btf_is_any_enum(t) && i < btf_vlen(t); i++) {
		bool wide = btf_is_enum64(t);
		uint32_t off = wide ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off;
		int64_t v =
			wide ? (int64_t)btf_enum64_value(&btf_enum64(t)[i]) : btf_enum(t)[i].val;

		if (v != value)
			continue;
		copy_lower(buf, size, without(btf__name_by_offset(k->types.btf, off), prefix));
		break;
	}
	return buf;
}

const char *scx_state_name(const struct kernel *k, int64_t value, char *buf, size_t size)
{
	if (types_find(&k->types, "scx_enable_state"))
		return scx_enum_name(k, "scx_enable_state", "scx_", value, buf, size);
	return scx_enum_name(k, "scx_ops_enable_state", "scx_ops_", value, buf, size);
}

json_t *scx_flag_names(const struct kernel *k, const char *type, const char *prefix, uint64_t value)
{
	json_t *names = json_array();
	char name[64];
	int bit;

	for (bit = 0; bit < 64; bit++) {
		if (!(value >> bit & 1))
			continue;
		scx_enum_name(k, type, prefix, (int64_t)(1ULL << bit), name, sizeof(name));
		if (strcmp(name, "unknown") != 0)
			json_array_append_new(names, json_string(name));
	}
	return names;
}

json_t *scx_text(const char *text)
{
	char copy[1025];
	size_t i;

	for (i = 0; text[i] && i + 1 < sizeof(copy); i++)
		copy[i] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?';
	return json_stringn(copy, i);
}

/* The clock source that counts jiffies has a tick's length as its factor. */
uint64_t scx_tick_ns(struct kernel *k)
{
	uint64_t va = kallsyms_find(&k->symbols, "clocksource_jiffies");
	int64_t mult, shift;

	if (!va || kernel_number(k, "clocksource", "mult", va, &mult) ||
	    kernel_number(k, "clocksource", "shift", va, &shift) || shift < 0 || shift > 31)
		return 0;
	return (uint64_t)mult >> shift;
}
