// SPDX-License-Identifier: GPL-2.0
#include "cgroup_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "quantity.h"

/* "max" or a number of at least @min. */
static bool number_or_max(const char *text, int64_t min, int64_t max)
{
	int64_t n;

	return !strcmp(text, "max") || !number_parse(text, min, max, &n);
}

static bool is_weight(const char *text)
{
	int64_t n;

	return !number_parse(text, 1, 10000, &n);
}

/* "QUOTA[/PERIOD]", or with a blank as the kernel has it, in us: at least 1 ms each, a period of at
 * most 1 s (kernel/sched/core.c). */
static bool is_bandwidth(const char *text)
{
	_cleanup_free_ char *quota = xstrdup(text);
	char *period = quota;
	int64_t n;

	strsep(&period, " /");
	if (period)
		period += strspn(period, " ");
	return number_or_max(quota, 1000, INT64_MAX / 1000) &&
	       (!period || !number_parse(period, 1000, 1000000, &n));
}

static bool is_size(const char *text)
{
	uint64_t bytes;

	return !strcmp(text, "max") || !size_parse(text, &bytes);
}

/* "WEIGHT", "default WEIGHT" or "MAJ:MIN WEIGHT". */
static bool is_io_weight(const char *text)
{
	_cleanup_free_ char *who = xstrdup(text);
	char *minor = NULL, *weight = strchr(who, ' ');
	int64_t n;

	if (!weight)
		return is_weight(who);
	*weight++ = '\0';
	if (strcmp(who, "default")) {
		minor = strchr(who, ':');
		if (!minor)
			return false;
		*minor++ = '\0';
		if (number_parse(who, 0, 4095, &n) || number_parse(minor, 0, 1 << 20, &n))
			return false;
	}
	return is_weight(weight);
}

static bool is_count(const char *text)
{
	return number_or_max(text, 0, INT32_MAX);
}

static const struct {
	const char *name;
	bool (*good)(const char *value);
	const char *expected;
} files[] = {
	{"cpu.max", is_bandwidth,
	 "microseconds of CPU time or max, and maybe a period of 1000 to 1000000, for example "
	 "50000/100000"},
	{"cpu.weight", is_weight, "a number from 1 to 10000"},
	{"memory.max", is_size, "a size or max, for example 64M"},
	{"memory.high", is_size, "a size or max, for example 64M"},
	{"memory.low", is_size, "a size or max, for example 64M"},
	{"memory.swap.max", is_size, "a size or max, for example 64M"},
	{"io.weight", is_io_weight,
	 "a weight from 1 to 10000, or a device and its weight, for example '8:0 500'"},
	{"pids.max", is_count, "a number or max"},
};

const char *cgroup_file_at(size_t i)
{
	return i < ARRAY_SIZE(files) ? files[i].name : NULL;
}

int cgroup_file_check(const char *file, const char *value, char **text, char **why)
{
	uint64_t bytes;
	size_t i;

	for (i = 0; strcmp(files[i].name, file); i++)
		;
	if (files[i].good(value)) {
		/* The kernel knows no fractions and not all of the units. */
		if (files[i].good == is_size && !size_parse(value, &bytes))
			*text = xasprintf("%" PRIu64, bytes);
		else
			*text = xstrdup(value);
		if (files[i].good == is_bandwidth && strchr(*text, '/'))
			*strchr(*text, '/') = ' ';
		return 0;
	}
	*why = xasprintf("%s='%s': expected %s", file, value, files[i].expected);
	return -EINVAL;
}

char *cgroup_file_controller(const char *file)
{
	return xstrndup(file, strcspn(file, "."));
}
