// SPDX-License-Identifier: GPL-2.0
#include "control_commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "vm_state.h"

static json_t *refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static json_t *refuse(const char *fmt, ...)
{
	json_t *o = json_object(), *text;
	va_list ap;

	va_start(ap, fmt);
	text = json_vsprintf(fmt, ap);
	va_end(ap);
	json_object_set_new(o, "error", text);
	return o;
}

static json_t *done(void)
{
	return json_pack("{s:b}", "ok", 1);
}

/* Where the nodes' memory appears to the guest: its physical ranges, in the order of the fds. */
static json_t *ram_ranges(const struct machine *m, uint64_t below_4g)
{
	json_t *ranges = json_array();
	uint64_t at = 0;
	unsigned int i;

	for (i = 0; i < m->nodes; i++) {
		uint64_t offset = 0, left = m->node_memory[i];

		while (left) {
			uint64_t gpa = at < below_4g ? at : at - below_4g + (4ULL << 30);
			uint64_t n = at < below_4g && left > below_4g - at ? below_4g - at : left;

			json_array_append_new(ranges,
					      json_pack("{s:i,s:I,s:I,s:I}", "fd", i, "offset",
							(json_int_t)offset, "address",
							(json_int_t)gpa, "size", (json_int_t)n));
			offset += n;
			left -= n;
			at += n;
		}
	}
	return ranges;
}

static json_t *command_ram(struct control_client *cl, struct vm *vm, const json_t *request,
			   struct control_answer *a)
{
	bool write = json_is_true(json_object_get(request, "write"));
	unsigned int i;
	json_t *o;

	(void)cl;
	if (!vm->r->hello)
		return refuse("the guest is not up yet");
	for (i = 0; i < vm->config.machine->nodes; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", vm->config.ram[i]);
		fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
		if (fd < 0)
			return refuse("memory of node %u: %s", i, strerror(errno));
		a->fds[a->n_fds++] = fd;
	}
	o = done();
	json_object_set_new(
		o, "ram",
		ram_ranges(vm->config.machine, vm->engine.ops->ram_below_4g(vm->config.machine)));
	json_object_set_new(o, "vmcoreinfo",
			    json_pack("{s:I,s:I}", "address", (json_int_t)vm->r->vmcoreinfo_addr,
				      "size", (json_int_t)vm->r->vmcoreinfo_size));
	json_object_set_new(o, "kernel", json_string(vm->r->kernel));
	json_object_set_new(o, "cpus", json_integer(vm->r->cpus));
	return o;
}

static json_t *command_freeze(struct control_client *cl, struct vm *vm, const json_t *request,
			      struct control_answer *a)
{
	int err = vm_freeze(vm);

	(void)request;
	(void)a;
	if (err)
		return refuse("cannot freeze the guest: %s", strerror(-err));
	cl->frozen++;
	return done();
}

static json_t *command_thaw(struct control_client *cl, struct vm *vm, const json_t *request,
			    struct control_answer *a)
{
	(void)request;
	(void)a;
	if (!cl->frozen)
		return refuse("not frozen by this client");
	cl->frozen--;
	vm_thaw(vm);
	return done();
}

static json_t *command_events(struct control_client *cl, struct vm *vm, const json_t *request,
			      struct control_answer *a)
{
	(void)vm;
	(void)request;
	(void)a;
	cl->wants_events = true;
	return done();
}

static const struct {
	const char *name;
	json_t *(*serve)(struct control_client *cl, struct vm *vm, const json_t *request,
			 struct control_answer *a);
} commands[] = {
	{"ram", command_ram},
	{"freeze", command_freeze},
	{"thaw", command_thaw},
	{"events", command_events},
};

json_t *control_command(struct control_client *cl, struct vm *vm, const json_t *request,
			struct control_answer *a)
{
	const char *name = json_string_value(json_object_get(request, "command"));
	size_t i;

	if (!json_is_object(request))
		return refuse("expected a JSON object without duplicate keys, for example "
			      "{\"command\":\"ram\"}");
	for (i = 0; name && i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return commands[i].serve(cl, vm, request, a);
	}
	return refuse("unknown command '%s': expected ram, freeze, thaw or events",
		      name ? name : "");
}
