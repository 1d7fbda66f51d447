// SPDX-License-Identifier: GPL-2.0
#include "control_commands.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
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

/* One vCPU's registers by name. */
static json_t *registers_json(const struct engine_registers *r)
{
	static const char *const general[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi",
					      "rbp", "rsp", "r8",  "r9",  "r10", "r11",
					      "r12", "r13", "r14", "r15"};
	static const char *const segments[] = {"cs", "ss", "ds", "es", "fs", "gs"};
	const struct {
		const char *name;
		uint64_t value;
	} others[] = {
		{"rip", r->rip},	 {"rflags", r->rflags},
		{"fs_base", r->fs_base}, {"gs_base", r->gs_base},
		{"cr0", r->cr0},	 {"kernel_gs_base", r->kernel_gs_base},
		{"cr2", r->cr2},	 {"cr3", r->cr3},
		{"cr4", r->cr4},	 {"cr8", r->cr8},
		{"efer", r->efer},
	};
	json_t *o = json_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(general); i++)
		json_object_set_new(o, general[i], json_sprintf("0x%" PRIx64, r->general[i]));
	for (i = 0; i < ARRAY_SIZE(segments); i++)
		json_object_set_new(o, segments[i], json_sprintf("0x%x", r->segment[i]));
	for (i = 0; i < ARRAY_SIZE(others); i++)
		json_object_set_new(o, others[i].name, json_sprintf("0x%" PRIx64, others[i].value));
	return o;
}

static json_t *command_regs(struct control_client *cl, struct vm *vm, const json_t *request,
			    struct control_answer *a)
{
	json_t *list = json_array(), *o;
	unsigned int cpu;
	int err;

	(void)cl;
	(void)request;
	(void)a;
	err = vm_freeze(vm);
	for (cpu = 0; !err && cpu < topology_cpus(&vm->config.machine->topology); cpu++) {
		struct engine_registers r;

		err = vm->engine.ops->registers(&vm->engine, cpu, &r);
		if (err)
			vm_thaw(vm);
		else
			json_array_append_new(list, registers_json(&r));
	}
	if (err) {
		json_decref(list);
		return refuse("cannot read the registers: %s", strerror(-err));
	}
	vm_thaw(vm);
	o = done();
	json_object_set_new(o, "cpus", list);
	return o;
}

/* A number, or a string in any base: JSON's numbers end at 63 bits. */
static bool number_of(const json_t *o, const char *key, uint64_t *value)
{
	const json_t *v = json_object_get(o, key);
	const char *text = json_string_value(v);
	char *end;

	*value = json_integer_value(v);
	if (!text)
		return json_is_integer(v) && json_integer_value(v) >= 0;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return *text && !*end && !errno;
}

static struct control_watch *watch_find(struct control_client *cl, json_int_t id, bool free_one)
{
	size_t i;

	for (i = 0; i < CONTROL_MAX_WATCHES; i++) {
		if (free_one ? !cl->watches[i].len : cl->watches[i].len && cl->watches[i].id == id)
			return &cl->watches[i];
	}
	return NULL;
}

/* How many watches all clients have: they share the CPU's debug registers. */
static unsigned int watches_set(const struct vm *vm)
{
	unsigned int n = 0;
	size_t i, w;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		const struct control_client *cl = vm->control.clients[i];

		for (w = 0; cl && w < CONTROL_MAX_WATCHES; w++)
			n += cl->watches[w].len != 0;
	}
	return n;
}

/* Arm or disarm, with the guest standing still. */
static int watch_set(struct vm *vm, const struct control_watch *w, bool on)
{
	int err = vm_freeze(vm);

	if (err)
		return err;
	err = vm->engine.ops->watch(&vm->engine, w->address, w->len, on);
	vm_thaw(vm);
	return err;
}

static json_t *command_watch(struct control_client *cl, struct vm *vm, const json_t *request,
			     struct control_answer *a)
{
	json_int_t id = json_integer_value(json_object_get(request, "watch"));
	struct control_watch *w = watch_find(cl, id, true);
	uint64_t address, len;
	int err;

	(void)a;
	if (!number_of(request, "address", &address) || !number_of(request, "size", &len) ||
	    (len != 1 && len != 2 && len != 4 && len != 8) || address % len)
		return refuse("expected an address and a size of 1, 2, 4 or 8 bytes that it is a "
			      "multiple of");
	if (watch_find(cl, id, false))
		return refuse("watch %lld is set already", (long long)id);
	if (!w || watches_set(vm) >= CONTROL_MAX_WATCHES)
		return refuse("no more watches: expected at most %d of all clients",
			      CONTROL_MAX_WATCHES);
	*w = (struct control_watch){.address = address, .len = len, .id = id};
	err = watch_set(vm, w, true);
	if (err) {
		w->len = 0;
		return refuse("cannot watch: %s", err == -EOPNOTSUPP && vm->engine.watch_refusal
							  ? vm->engine.watch_refusal
							  : strerror(-err));
	}
	return done();
}

static json_t *command_unwatch(struct control_client *cl, struct vm *vm, const json_t *request,
			       struct control_answer *a)
{
	json_int_t id = json_integer_value(json_object_get(request, "watch"));
	struct control_watch *w = watch_find(cl, id, false);

	(void)a;
	if (!w)
		return refuse("watch %lld is not set", (long long)id);
	watch_set(vm, w, false);
	w->len = 0;
	return done();
}

void control_unwatch_all(struct control_client *cl, struct vm *vm)
{
	size_t i;

	for (i = 0; i < CONTROL_MAX_WATCHES; i++) {
		if (cl->watches[i].len && !vm->ended)
			watch_set(vm, &cl->watches[i], false);
		cl->watches[i].len = 0;
	}
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

static json_t *command_serve(struct control_client *cl, struct vm *vm, const json_t *request,
			     struct control_answer *a)
{
	(void)cl;
	(void)request;
	a->then = reader_is_ready;
	(void)vm;
	return done();
}

static json_t *command_reply(struct control_client *cl, struct vm *vm, const json_t *request,
			     struct control_answer *a)
{
	(void)cl;
	(void)a;
	return reader_reply(vm, request);
}

static json_t *command_file(struct control_client *cl, struct vm *vm, const json_t *request,
			    struct control_answer *a)
{
	json_t *o = reader_file_new(vm, cl, request, &a->fds[0]);

	a->n_fds = a->fds[0] >= 0;
	return o;
}

static json_t *command_keep(struct control_client *cl, struct vm *vm, const json_t *request,
			    struct control_answer *a)
{
	(void)a;
	return reader_file_keep(vm, cl, request);
}

static json_t *command_drop(struct control_client *cl, struct vm *vm, const json_t *request,
			    struct control_answer *a)
{
	(void)a;
	return reader_file_drop(vm, cl, request);
}

/* The reader has something to say for events.jsonl. */
static json_t *command_event(struct control_client *cl, struct vm *vm, const json_t *request,
			     struct control_answer *a)
{
	const json_t *event = json_object_get(request, "content");

	(void)cl;
	(void)a;
	if (!json_is_object(event))
		return refuse("expected an object 'content'");
	vm_event_log(vm, event);
	return done();
}

static const struct {
	const char *name;
	json_t *(*serve)(struct control_client *cl, struct vm *vm, const json_t *request,
			 struct control_answer *a);
	bool readers; /* of no other client */
} commands[] = {
	{"ram", command_ram},		{"freeze", command_freeze},
	{"thaw", command_thaw},		{"regs", command_regs},
	{"watch", command_watch},	{"unwatch", command_unwatch},
	{"events", command_events},	{"serve", command_serve, true},
	{"reply", command_reply, true}, {"file", command_file},
	{"keep", command_keep},		{"drop", command_drop},
	{"event", command_event, true},
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
		if (!strcmp(commands[i].name, name) && (cl->is_reader || !commands[i].readers))
			return commands[i].serve(cl, vm, request, a);
	}
	return refuse("unknown command '%s': expected ram, freeze, thaw, regs, watch, unwatch, "
		      "events, file, keep or drop",
		      name ? name : "");
}
