// SPDX-License-Identifier: GPL-2.0
#include "vmcore.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "write_all.h"

#define PAGE		 4096UL
#define START_KERNEL_MAP 0xffffffff80000000ULL

/* Bytes that grow. */
struct buffer {
	uint8_t *data;
	size_t len;
};

static void append(struct buffer *b, const void *data, size_t len)
{
	static const uint8_t zeros[4];
	size_t pad = -len & 3;

	b->data = xrealloc(b->data, b->len + len + pad);
	memcpy(b->data + b->len, data, len);
	memcpy(b->data + b->len + len, zeros, pad);
	b->len += len + pad;
}

static void append_note(struct buffer *b, const char *name, uint32_t type, const void *data,
			size_t len)
{
	Elf64_Nhdr h = {.n_namesz = strlen(name) + 1, .n_descsz = len, .n_type = type};

	append(b, &h, sizeof(h));
	append(b, name, h.n_namesz);
	append(b, data, len);
}

static uint64_t reg(const json_t *cpu, const char *name)
{
	const char *text = json_string_value(json_object_get(cpu, name));

	return text ? strtoull(text, NULL, 0) : 0;
}

/* struct elf_prstatus, whose registers are those of struct user_regs_struct. */
static void append_registers(struct buffer *b, const json_t *cpu, int pid)
{
	struct user_regs_struct r = {
		.r15 = reg(cpu, "r15"),
		.r14 = reg(cpu, "r14"),
		.r13 = reg(cpu, "r13"),
		.r12 = reg(cpu, "r12"),
		.rbp = reg(cpu, "rbp"),
		.rbx = reg(cpu, "rbx"),
		.r11 = reg(cpu, "r11"),
		.r10 = reg(cpu, "r10"),
		.r9 = reg(cpu, "r9"),
		.r8 = reg(cpu, "r8"),
		.rax = reg(cpu, "rax"),
		.rcx = reg(cpu, "rcx"),
		.rdx = reg(cpu, "rdx"),
		.rsi = reg(cpu, "rsi"),
		.rdi = reg(cpu, "rdi"),
		.orig_rax = -1ULL,
		.rip = reg(cpu, "rip"),
		.cs = reg(cpu, "cs"),
		.eflags = reg(cpu, "rflags"),
		.rsp = reg(cpu, "rsp"),
		.ss = reg(cpu, "ss"),
		.fs_base = reg(cpu, "fs_base"),
		.gs_base = reg(cpu, "gs_base"),
		.ds = reg(cpu, "ds"),
		.es = reg(cpu, "es"),
		.fs = reg(cpu, "fs"),
		.gs = reg(cpu, "gs"),
	};
	struct elf_prstatus status = {.pr_pid = pid};

	_Static_assert(sizeof(status.pr_reg) == sizeof(r), "registers of a core file");
	memcpy(status.pr_reg, &r, sizeof(r));
	append_note(b, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

/* Tools look a task's registers up by it; kdump has 0 for idle tasks, too. */
static int running_pid(struct kernel *k, uint32_t cpu)
{
	uint64_t rq = kernel_per_cpu(k, kallsyms_find(&k->symbols, "runqueues"), cpu);
	int64_t task, pid;

	return kernel_number(k, "rq", "curr", rq, &task) ||
			       kernel_number(k, "task_struct", "pid", task, &pid)
		       ? 0
		       : pid;
}

static int append_notes(struct session *s, struct buffer *b, char **why)
{
	const char *text = s->kernel.vmcoreinfo.text;
	json_t *answer, *cpus, *cpu;
	size_t i;

	answer = vm_ask(&s->vm, json_pack("{s:s}", "command", "regs"), NULL, NULL, why);
	if (!answer)
		return -EREMOTEIO;
	cpus = json_object_get(answer, "cpus");
	json_array_foreach(cpus, i, cpu)
	{
		append_registers(b, cpu, running_pid(&s->kernel, i));
	}
	json_decref(answer);
	append_note(b, "VMCOREINFO", 0, text, strlen(text));
	return 0;
}

/* Where the direct map begins; KASLR moves it. */
static uint64_t direct_map(struct kernel *k)
{
	uint64_t at = kallsyms_find(&k->symbols, "page_offset_base"), base;

	if (at && !memory_u64(&k->memory, at, &base))
		return base;
	return k->memory.five_levels ? 0xff11000000000000ULL : 0xffff888000000000ULL;
}

/* The kernel's image in physical memory, or a size of 0. */
static void image_find(struct kernel *k, uint64_t *begin, uint64_t *size, uint64_t *physical)
{
	uint64_t end = kallsyms_find(&k->symbols, "_end"), base = 0;

	*begin = kallsyms_find(&k->symbols, "_text");
	*size = 0;
	if (!*begin || end <= *begin || !vmcoreinfo_number(&k->vmcoreinfo, "phys_base", &base))
		return;
	*physical = *begin - START_KERNEL_MAP + base;
	if (ram_at(&k->ram, *physical, end - *begin))
		*size = (end - *begin + PAGE - 1) & -PAGE;
}

/* The program headers: one of notes, the image's, and one of each range of RAM. Returns how many.
 */
static size_t headers(struct kernel *k, Elf64_Phdr *p, size_t notes_at, size_t notes_len,
		      uint64_t data_at)
{
	uint64_t offset = data_at, base = direct_map(k), begin, size, physical;
	size_t n = 0, i, image;

	p[n++] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = notes_at,
		.p_filesz = notes_len,
		.p_memsz = notes_len,
	};
	image_find(k, &begin, &size, &physical);
	image = n;
	n += size > 0;
	for (i = 0; i < k->ram.n_ranges; i++) {
		const struct ram_range *r = &k->ram.ranges[i];

		if (size && physical >= r->address && physical - r->address < r->size)
			p[image] = (Elf64_Phdr){
				.p_type = PT_LOAD,
				.p_flags = PF_R | PF_W | PF_X,
				.p_offset = offset + (physical - r->address),
				.p_vaddr = begin,
				.p_paddr = physical,
				.p_filesz = size,
				.p_memsz = size,
			};
		p[n++] = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = offset,
			.p_vaddr = base + r->address,
			.p_paddr = r->address,
			.p_filesz = r->size,
			.p_memsz = r->size,
		};
		offset += r->size;
	}
	return n;
}

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE - 1);
}

/* Runs of pages: zeros become a hole where there can be one. */
static int write_range(int fd, const struct ram_range *r, bool holes)
{
	uint64_t at = 0, end;
	int err = 0;

	while (!err && at < r->size) {
		bool zero = holes && is_zero(r->data + at);

		for (end = at + PAGE; end < r->size && end - at < (16u << 20) &&
				      (!holes || is_zero(r->data + end) == zero);
		     end += PAGE)
			;
		if (zero && lseek(fd, end - at, SEEK_CUR) < 0)
			err = -errno;
		else if (!zero)
			err = write_all(fd, r->data + at, end - at);
		at = end;
	}
	return err;
}

static int write_file(struct kernel *k, int fd, const struct buffer *notes, uint64_t *bytes)
{
	Elf64_Phdr p[RAM_MAX_RANGES + 2] = {};
	Elf64_Ehdr e = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(e),
		.e_ehsize = sizeof(e),
		.e_phentsize = sizeof(p[0]),
	};
	uint64_t notes_at = sizeof(e) + sizeof(p),
		 data_at = (notes_at + notes->len + PAGE - 1) & -PAGE;
	_cleanup_free_ uint8_t *head = xcalloc(1, data_at);
	bool holes = lseek(fd, 0, SEEK_CUR) == 0;
	size_t i;
	int err;

	e.e_phnum = headers(k, p, notes_at, notes->len, data_at);
	memcpy(head, &e, sizeof(e));
	memcpy(head + sizeof(e), p, sizeof(p));
	memcpy(head + notes_at, notes->data, notes->len);
	err = write_all(fd, head, data_at);
	*bytes = data_at;
	for (i = 0; !err && i < k->ram.n_ranges; i++) {
		err = write_range(fd, &k->ram.ranges[i], holes);
		*bytes += k->ram.ranges[i].size;
	}
	if (!err && holes && ftruncate(fd, *bytes))
		err = -errno;
	return err;
}

int vmcore_write(struct session *s, int fd, uint64_t *bytes, char **why)
{
	struct buffer notes = {};
	int err;

	memory_flush(&s->kernel.memory);
	err = append_notes(s, &notes, why);
	if (!err) {
		err = write_file(&s->kernel, fd, &notes, bytes);
		if (err)
			*why = xasprintf("cannot write the core: %s", strerror(-err));
	}
	free(notes.data);
	return err;
}
