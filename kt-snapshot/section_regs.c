// SPDX-License-Identifier: GPL-2.0
/* Section "regs": the registers of each vCPU and the kernel stack that it is on, in cpu[N]. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "capture.h"
#include "cleanup.h"
#include "code.h"
#include "diag.h"
#include "orc.h"
#include "scx.h"

static const char *const names[ORC_N_REGISTERS] = {
	[ORC_R15] = "r15", [ORC_R14] = "r14",	    [ORC_R13] = "r13", [ORC_R12] = "r12",
	[ORC_RBP] = "rbp", [ORC_RBX] = "rbx",	    [ORC_R11] = "r11", [ORC_R10] = "r10",
	[ORC_R9] = "r9",   [ORC_R8] = "r8",	    [ORC_RAX] = "rax", [ORC_RCX] = "rcx",
	[ORC_RDX] = "rdx", [ORC_RSI] = "rsi",	    [ORC_RDI] = "rdi", [ORC_RIP] = "rip",
	[ORC_CS] = "cs",   [ORC_RFLAGS] = "rflags", [ORC_RSP] = "rsp", [ORC_SS] = "ss",
};

static const char *const ends[] = {
	[ORC_END] = "end", [ORC_USER] = "user", [ORC_LOST] = "lost", [ORC_BOUND] = "bound"};

/* Of the stacks: registers are kt-vmm's. */
static const char *const needs[] = {
	"__start_orc_unwind",
	"__start_orc_unwind_ip",
	"__stop_orc_unwind_ip",
	"_stext",
	"_etext",
	"_sinittext",
	"_einittext",
	"schedule",
	"bpf_kallsyms",
	"struct bpf_ksym.lnode",
	"struct bpf_ksym.name",
	"struct bpf_ksym.start",
	"struct bpf_ksym.end",
	NULL,
};

struct cpu_stack {
	struct orc_frame frames[ORC_MAX_FRAMES];
	size_t n;
	enum orc_end end;
	bool user; /* the CPU is not in the kernel: it has no stack there */
};

struct regs_state {
	json_t *cpus; /* as kt-vmm has them */
	size_t n;
	struct cpu_stack *stacks; /* NULL: this kernel has no unwind tables */
};

static uint64_t reg(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? strtoull(text, NULL, 0) : 0;
}

static void stack_read(struct kernel *k, const json_t *regs, struct cpu_stack *s)
{
	uint64_t values[ORC_N_REGISTERS] = {};
	size_t i;

	for (i = 0; i < ORC_N_REGISTERS; i++) {
		if (names[i])
			values[i] = reg(regs, names[i]);
	}
	s->user = values[ORC_CS] & 3;
	if (!s->user)
		s->n = orc_walk(k, values, s->frames, &s->end);
}

static int collect(struct capture *c, void **state)
{
	_cleanup_free_ char *why = NULL;
	json_t *answer = vm_ask(c->vm, json_pack("{s:s}", "command", "regs"), NULL, NULL, &why);
	json_t *cpus = json_object_get(answer, "cpus");
	struct regs_state *s;
	size_t i;

	if (!json_is_array(cpus) || json_array_size(cpus) > KERNEL_MAX_CPUS) {
		capture_missing(c, "registers: %s", why ? why : "not in the answer");
		json_decref(answer);
		return 0;
	}
	s = xcalloc(1, sizeof(*s));
	s->cpus = json_incref(cpus);
	s->n = json_array_size(cpus);
	json_decref(answer);
	if (orc_here(c->kernel))
		s->stacks = xcalloc(s->n, sizeof(*s->stacks));
	for (i = 0; s->stacks && i < s->n; i++)
		stack_read(c->kernel, json_array_get(s->cpus, i), &s->stacks[i]);
	*state = s;
	return 0;
}

static json_t *frame_json(struct kernel *k, const struct orc_frame *f)
{
	json_t *o = json_object();
	char name[CODE_NAME_SIZE];
	uint64_t offset;

	json_object_set_new(o, "ip", json_sprintf("0x%" PRIx64, f->ip));
	if (code_name(k, f->ip, f->exact, name, &offset)) {
		json_object_set_new(o, "symbol", scx_text(name));
		json_object_set_new(o, "offset", json_integer(offset));
	} else {
		json_object_set_new(o, "symbol", json_null());
	}
	json_object_set_new(o, "reliable", json_boolean(f->reliable));
	return o;
}

/* The object of @cpu in the document, which section "cpu" has made unless it was not asked for. */
static json_t *cpu_object(struct capture *c, size_t cpu)
{
	json_t *list = json_object_get(c->doc, "cpu");

	if (!list) {
		list = json_array();
		json_object_set_new(c->doc, "cpu", list);
	}
	while (json_array_size(list) <= cpu)
		json_array_append_new(list,
				      json_pack("{s:I}", "cpu", (json_int_t)json_array_size(list)));
	return json_array_get(list, cpu);
}

static int render(struct capture *c, void *state)
{
	struct regs_state *s = state;
	size_t cpu, i;

	for (cpu = 0; cpu < s->n; cpu++) {
		json_t *o = cpu_object(c, cpu), *frames;
		const struct cpu_stack *stack = s->stacks ? &s->stacks[cpu] : NULL;
		bool user = reg(json_array_get(s->cpus, cpu), "cs") & 3;

		json_object_set_new(o, "mode", json_string(user ? "user" : "kernel"));
		json_object_set(o, "regs", json_array_get(s->cpus, cpu));
		if (!stack)
			continue;
		frames = json_array();
		for (i = 0; i < stack->n; i++)
			json_array_append_new(frames, frame_json(c->kernel, &stack->frames[i]));
		json_object_set_new(o, "stack", frames);
		if (!stack->user)
			json_object_set_new(o, "stack_end", json_string(ends[stack->end]));
	}
	return 0;
}

static void release(void *state)
{
	struct regs_state *s = state;

	json_decref(s->cpus);
	free(s->stacks);
	free(s);
}

const struct capture_section section_regs = {
	.name = "regs",
	.help = "the vCPUs' registers and kernel stacks, in cpu",
	.needs = needs,
	.collect = collect,
	.render = render,
	.release = release,
};
