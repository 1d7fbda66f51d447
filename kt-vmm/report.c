// SPDX-License-Identifier: GPL-2.0
#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "options.h"
#include "perf.h"

#define WARNINGS_MAX 100 /* some are a guest's doing */

/* Arguments of a process need not be UTF-8; what is not is shown byte by byte. */
static json_t *text(const char *s)
{
	json_t *j = json_string(s);
	_cleanup_free_ char *escaped = NULL;
	char *p;

	if (j || !s)
		return j ? j : json_null();
	p = escaped = xmalloc(4 * strlen(s) + 1);
	for (; *s; s++)
		p += sprintf(p, (*s & 0x80) ? "\\x%02x" : "%c", (unsigned char)*s);
	return json_string(escaped);
}

static json_t *text_list(char *const *list)
{
	json_t *a = json_array();

	for (; list && *list; list++)
		json_array_append_new(a, text(*list));
	return a;
}

static char *timestamp(const struct timespec *t)
{
	struct tm tm;
	char buf[64];

	gmtime_r(&t->tv_sec, &tm);
	strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return xstrdup(buf);
}

static json_t *scheduler(const struct report *r)
{
	const struct outcome *o = &r->result->outcome;

	if (!r->guest->sched)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "file", text(r->guest->sched),
			 "args", text(r->guest->sched_args), "name", text(o->sched_name), "process",
			 text(o->sched_process), "exit_kind", text(o->sched_kind), "exit_reason",
			 text(o->sched_reason), "exit_message", text(o->sched_message), "error",
			 o->sched_error);
}

static json_t *topology(const struct report *r)
{
	_cleanup_free_ char *t = topology_format(&r->vm->config.machine->topology);

	return text(t);
}

static json_t *nodes(const struct machine *m)
{
	json_t *a = json_array();
	unsigned int i, j;

	for (i = 0; i < m->nodes; i++) {
		json_t *distances = json_array();

		for (j = 0; j < m->nodes; j++)
			json_array_append_new(distances, json_integer(m->distance[i][j]));
		json_array_append_new(a, json_pack("{s:I, s:o}", "memory_bytes",
						   (json_int_t)m->node_memory[i], "distances",
						   distances));
	}
	return a;
}

static json_t *host(void)
{
	struct utsname u;

	uname(&u);
	return json_pack("{s:o, s:o, s:i}", "kernel", text(u.release), "machine", text(u.machine),
			 "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN));
}

static json_t *attempt(const struct vm_result *r)
{
	return json_pack("{s:o, s:o, s:b, s:I}", "outcome", text(r->outcome.name), "message",
			 text(r->outcome.message), "hello", r->hello, "wall_ns",
			 (json_int_t)r->wall_ns);
}

static json_t *time_or_null(uint64_t ns)
{
	return ns ? json_integer((json_int_t)ns) : json_null();
}

/* What was looked at from outside, and what was asked for and not to be had. */
static json_t *observed(const struct report *r)
{
	const struct trigger_options *t = &r->vm->triggers;
	const struct vm_result *v = r->result;

	return json_pack("{s:i, s:i, s:o, s:o, s:o, s:o}", "snapshots", (int)v->snapshots,
			 "periodic", (int)t->periodic, "monitor_ns", time_or_null(t->monitor_ns),
			 "watchdog_timeout_ns", time_or_null(t->watchdog_ns), "reader_ready_ns",
			 time_or_null(v->reader_ns), "unmet",
			 v->unmet ? json_incref(v->unmet) : json_array());
}

/* --perf: where the vCPUs ran, and all else of kt-vmm. */
static json_t *perf(const struct perf *p)
{
	json_t *cpus;
	unsigned int i;

	if (!p)
		return json_null();
	cpus = json_array();
	for (i = 0; i < p->n_cpus; i++)
		json_array_append_new(cpus, json_integer(p->cpu[i]));
	return json_pack("{s:o, s:i}", "vcpus", cpus, "service", (int)p->service);
}

static void warning_add(void *arg, const char *s)
{
	struct report *r = arg;

	if (json_array_size(r->warnings) < WARNINGS_MAX)
		json_array_append_new(r->warnings, text(s));
}

void report_begin(struct report *r)
{
	r->warnings = json_array();
	diag_keep_warnings(warning_add, r);
}

void report_end(struct report *r)
{
	diag_keep_warnings(NULL, NULL);
	json_decref(take_ptr(r->warnings));
}

static json_t *report_json(const struct report *r)
{
	const struct vm_result *v = r->result;
	const struct engine_config *c = &r->vm->config;
	_cleanup_free_ char *started = timestamp(&r->started);
	json_t *attempts = json_array();
	json_t *j = json_pack("{s:s, s:s, s:o, s:i, s:o, s:o, s:o}", "schema", "kt-run/1",
			      "version", KT_VERSION, "outcome", text(v->outcome.name),
			      "exit_status", v->outcome.status, "message", text(v->outcome.message),
			      "argv", text_list(r->argv), "command", text_list(r->command));

	if (r->first)
		json_array_append_new(attempts, attempt(r->first));
	json_array_append_new(attempts, attempt(v));
	json_object_set_new(j, "topology", topology(r));
	json_object_set_new(j, "nodes", nodes(c->machine));
	json_object_set_new(j, "scheduler", scheduler(r));
	json_object_set_new(j, "kernel",
			    json_pack("{s:o, s:o, s:o}", "release",
				      text(v->kernel ? v->kernel : r->kernel->release), "image",
				      text(r->kernel->image), "cmdline", text(c->cmdline)));
	json_object_set_new(j, "engine",
			    json_pack("{s:s, s:s, s:o}", "name", r->vm->engine->name, "accelerator",
				      c->use_kvm ? "kvm" : "tcg", "reason",
				      text(r->engine_reason)));
	json_object_set_new(j, "deterministic", json_boolean(c->deterministic));
	json_object_set_new(j, "seed",
			    r->guest->has_seed ? json_integer((json_int_t)r->guest->seed)
					       : json_null());
	json_object_set_new(j, "emulated", json_boolean(v->emulated));
	json_object_set_new(
		j, "oversubscribed",
		json_boolean(topology_cpus(&c->machine->topology) > sysconf(_SC_NPROCESSORS_ONLN)));
	json_object_set_new(j, "host", host());
	json_object_set_new(j, "started", text(started));
	json_object_set_new(j, "boot_ns",
			    v->hello ? json_integer((json_int_t)v->boot_ns) : json_null());
	json_object_set_new(j, "command_ns",
			    v->outcome.have_exit ? json_integer(v->outcome.command_ns)
						 : json_null());
	json_object_set_new(j, "wall_ns", json_integer((json_int_t)v->wall_ns));
	json_object_set_new(j, "oom_kills",
			    v->outcome.have_exit ? json_integer(v->outcome.oom_kills)
						 : json_null());
	json_object_set_new(j, "kernel_warnings", json_integer(v->console.warnings));
	json_object_set_new(j, "observed", observed(r));
	json_object_set_new(j, "perf", perf(r->vm->perf));
	json_object_set(j, "warnings", r->warnings);
	json_object_set_new(j, "attempts", attempts);
	return j;
}

int report_write(const struct report *r, int fd)
{
	json_t *j = report_json(r);
	int err;

	errno = 0;
	err = json_dumpfd(j, fd, JSON_INDENT(2)) || write(fd, "\n", 1) != 1;
	if (err)
		err = errno ? -errno : -EIO;
	json_decref(j);
	return err;
}
