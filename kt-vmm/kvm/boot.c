// SPDX-License-Identifier: GPL-2.0
/*
 * Direct boot of a kernel's ELF image through its PVH entry (Xen docs/misc/pvh.pandoc,
 * include/xen/interface/hvm/start_info.h): 32-bit protected mode without paging, flat segments,
 * EBX at the start info. Images are outside input: every number is checked before its use.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cpio.h"
#include "acpi.h"
#include "cleanup.h"
#include "confine.h"
#include "platform.h"
#include "state.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define START_INFO_MAGIC	 0x336ec578
#define E820_RAM		 1
#define E820_RESERVED		 2
#define E820_ACPI		 3
#define PAGE_SIZE		 4096UL
#define NOTES_MAX		 65536
#define PROGRAM_HEADERS_MAX	 64

struct start_info {
	uint32_t magic, version, flags, n_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};

struct start_info_module {
	uint64_t address, size, cmdline, reserved;
};

struct start_info_range {
	uint64_t address, size;
	uint32_t type, reserved;
};

/* The PVH entry among the notes of a segment, 0 if there is none. */
static uint64_t notes_entry(int fd, const Elf64_Phdr *ph)
{
	uint64_t size = ph->p_filesz < NOTES_MAX ? ph->p_filesz : NOTES_MAX, off = 0, entry = 0;
	_cleanup_free_ uint8_t *buf = malloc(size);
	ssize_t n = buf ? pread(fd, buf, size, ph->p_offset) : -1;

	while (n > 0 && off + sizeof(Elf64_Nhdr) <= (uint64_t)n) {
		Elf64_Nhdr nh;
		uint64_t desc;

		memcpy(&nh, buf + off, sizeof(nh));
		off += sizeof(nh);
		desc = off + ((nh.n_namesz + 3ULL) & ~3ULL);
		if (nh.n_type == XEN_ELFNOTE_PHYS32_ENTRY && nh.n_namesz == 4 &&
		    off + 4 <= (uint64_t)n && !memcmp(buf + off, "Xen", 4) && nh.n_descsz <= 8 &&
		    desc + nh.n_descsz <= (uint64_t)n) {
			memcpy(&entry, buf + desc, nh.n_descsz);
			return entry;
		}
		off = desc + ((nh.n_descsz + 3ULL) & ~3ULL);
	}
	return 0;
}

/* Load [@from, @to) of a segment, guest-physical, stage by stage. */
static int stages_load(struct kvm_vm *vm, int file, const Elf64_Phdr *ph, uint64_t from,
		       uint64_t to)
{
	int err = 0;

	while (from < to && !err) {
		uint64_t next = (from & -LOAD_STAGE) + LOAD_STAGE;

		if (next > to)
			next = to;
		err = load_add(vm, file, ph->p_offset + (from - ph->p_paddr), from, next - from);
		load_stage(vm, from, next - from);
		from = next;
	}
	return err;
}

static bool holds_entry(const struct kvm_vm *vm, const Elf64_Phdr *ph)
{
	return vm->entry >= ph->p_paddr && vm->entry - ph->p_paddr < ph->p_filesz;
}

/* Load a segment, from where the guest begins on; *@end is moved to where it ends. */
static int segment_load(struct kvm_vm *vm, int file, const Elf64_Phdr *ph, uint64_t *end)
{
	uint64_t to = ph->p_paddr + ph->p_filesz, first = ph->p_paddr;
	int err;

	if (ph->p_filesz > ph->p_memsz || ph->p_offset + ph->p_filesz < ph->p_offset)
		return kvm_error(vm, -ENOEXEC, "%s: a segment larger in the file than in memory",
				 vm->config->kernel);
	if (ph->p_paddr < HIGH_RAM_BASE || !kvm_ram_at(vm, ph->p_paddr, ph->p_memsz))
		return kvm_error(vm, -ENOMEM,
				 "%s: the kernel needs memory up to %llu MiB, of which the guest "
				 "has %llu MiB (-m)",
				 vm->config->kernel,
				 (unsigned long long)(ph->p_paddr + ph->p_memsz) >> 20,
				 (unsigned long long)kvm_ram_below_4g(vm->config->machine) >> 20);
	if (holds_entry(vm, ph) && (vm->entry & -LOAD_STAGE) > first)
		first = vm->entry & -LOAD_STAGE;
	err = stages_load(vm, file, ph, first, to);
	if (!err)
		err = stages_load(vm, file, ph, ph->p_paddr, first);
	if (err)
		return kvm_error(vm, err, "%s: %s", vm->config->kernel,
				 err == -EFAULT ? "shorter than its headers say" : strerror(-err));
	if (ph->p_paddr + ph->p_memsz > *end)
		*end = ph->p_paddr + ph->p_memsz;
	return 0;
}

/*
 * Load the segments, that with the entry first: it is what the kernel writes to from its first
 * steps on, and has KVM write to.
 */
static int segments_load(struct kvm_vm *vm, int file, const Elf64_Phdr *ph, int n, uint64_t *end)
{
	int pass, i, err = 0;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < n && !err; i++) {
			if (ph[i].p_type == PT_LOAD && ph[i].p_memsz &&
			    holds_entry(vm, &ph[i]) == !pass)
				err = segment_load(vm, file, &ph[i], end);
		}
	}
	return err;
}

/* Load the kernel; *@end is set to where its last segment ends. */
static int kernel_load(struct kvm_vm *vm, uint64_t *end)
{
	_cleanup_close_ int fd = open(vm->config->kernel, O_RDONLY | O_CLOEXEC);
	Elf64_Phdr ph[PROGRAM_HEADERS_MAX];
	Elf64_Ehdr eh;
	int i, err, file;
	ssize_t size;

	*end = 0;
	if (fd < 0)
		return kvm_error(vm, -errno, "%s: %s", vm->config->kernel, strerror(errno));
	if (pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG) ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_machine != EM_X86_64 ||
	    eh.e_phentsize != sizeof(*ph) || eh.e_phnum > PROGRAM_HEADERS_MAX)
		return kvm_error(vm, -ENOEXEC,
				 "%s: expected an unpacked x86-64 kernel (ELF); 'kt-kernel add' "
				 "unpacks a bzImage",
				 vm->config->kernel);
	size = eh.e_phnum * sizeof(*ph);
	if (pread(fd, ph, size, eh.e_phoff) != size)
		return kvm_error(vm, -ENOEXEC, "%s: cut off in its program headers",
				 vm->config->kernel);
	for (i = 0; i < eh.e_phnum && !vm->entry; i++) {
		if (ph[i].p_type == PT_NOTE)
			vm->entry = notes_entry(fd, &ph[i]);
	}
	file = load_file(vm, fd);
	if (file < 0)
		return kvm_error(vm, file, "%s: %s", vm->config->kernel, strerror(-file));
	err = segments_load(vm, file, ph, eh.e_phnum, end);
	if (!err && (!vm->entry || !*end))
		err = kvm_error(vm, -ENOEXEC, "%s: an ELF file without a PVH entry",
				vm->config->kernel);
	return err;
}

/* Load the archive, all but its pieces, and those from where they are, to @gpa. */
static int archive_load(struct kvm_vm *vm, uint64_t gpa, uint64_t size)
{
	const struct engine_config *c = vm->config;
	int file = load_file(vm, c->initrd), err = file < 0 ? file : 0;
	uint64_t at = 0;
	size_t i;

	for (i = 0; i < c->n_initrd_pieces && !err; i++) {
		const struct cpio_piece *p = &c->initrd_pieces[i];
		int piece = load_file(vm, p->fd);

		err = piece < 0 ? piece : load_add(vm, file, at, gpa + at, p->at - at);
		if (!err)
			err = load_add(vm, piece, 0, gpa + p->at, p->size);
		at = p->at + p->size;
	}
	if (!err)
		err = load_add(vm, file, at, gpa + at, size - at);
	load_stage(vm, gpa, size);
	return err;
}

/*
 * The initramfs lies as high as it can below the hole: the kernel frees it there in one piece, and
 * reads its place as 32 bits.
 */
static int initrd_load(struct kvm_vm *vm, uint64_t kernel_end, struct start_info_module *mod)
{
	uint64_t top = kvm_ram_below_4g(vm->config->machine);
	struct stat st;
	int err;

	if (fstat(vm->config->initrd, &st))
		return kvm_error(vm, -errno, "initramfs: %s", strerror(errno));
	mod->size = st.st_size;
	if (!mod->size)
		return 0;
	if (mod->size > top - kernel_end || ((top - mod->size) & -PAGE_SIZE) < kernel_end)
		return kvm_error(vm, -ENOMEM,
				 "an initramfs of %llu MiB does not fit behind the kernel into the "
				 "guest's %llu MiB (-m)",
				 (unsigned long long)mod->size >> 20,
				 (unsigned long long)top >> 20);
	mod->address = (top - mod->size) & -PAGE_SIZE;
	err = archive_load(vm, mod->address, mod->size);
	return err ? kvm_error(vm, err, "initramfs: %s", strerror(-err)) : 0;
}

static unsigned int memory_map(const struct machine *m, uint64_t acpi_base, uint64_t acpi_len,
			       struct start_info_range *r)
{
	uint64_t all = machine_memory(m), below = kvm_ram_below_4g(m), high = HIGH_RAM_BASE;
	unsigned int n = 0;

	r[n++] = (struct start_info_range){0, LOW_RAM_END, E820_RAM};
	r[n++] = (struct start_info_range){LOW_RAM_END, HIGH_RAM_BASE - LOW_RAM_END, E820_RESERVED};
	if (acpi_base >= high) { /* too large for the place below */
		acpi_len = (acpi_len + PAGE_SIZE - 1) & -PAGE_SIZE;
		r[n++] = (struct start_info_range){high, acpi_len, E820_ACPI};
		high += acpi_len;
	}
	r[n++] = (struct start_info_range){high, below - high, E820_RAM};
	r[n++] = (struct start_info_range){PCI_ECAM_BASE, PCI_ECAM_SIZE, E820_RESERVED};
	if (all > below)
		r[n++] = (struct start_info_range){RAM_ABOVE_4G, all - below, E820_RAM};
	return n;
}

/* All that takes a privilege to open is open, and there are no threads yet. */
static int privileges_drop(struct kvm_vm *vm)
{
	int err = confine_privileges();

	return err ? kvm_error(vm, err, "privileges cannot be given up: %s", strerror(-err)) : 0;
}

int kvm_boot_load(struct kvm_vm *vm)
{
	const struct engine_config *c = vm->config;
	struct {
		struct start_info info;
		struct start_info_module module;
		struct start_info_range map[8];
	} *s = kvm_ram_at(vm, START_INFO_BASE, sizeof(*s));
	size_t cmdline_len = strlen(c->cmdline) + 1;
	uint64_t kernel_end, acpi_base, acpi_len;
	int err = kernel_load(vm, &kernel_end);

	if (!err)
		err = initrd_load(vm, kernel_end, &s->module);
	if (!err)
		err = privileges_drop(vm);
	if (!err)
		err = load_start(vm);
	if (err)
		return err;
	err = acpi_load(vm, &acpi_base, &acpi_len);
	if (err)
		return err;
	memcpy(kvm_ram_at(vm, CMDLINE_BASE, cmdline_len), c->cmdline, cmdline_len);
	s->info = (struct start_info){
		.magic = START_INFO_MAGIC,
		.version = 1,
		.n_modules = s->module.size ? 1 : 0,
		.modlist = START_INFO_BASE + offsetof(typeof(*s), module),
		.cmdline = CMDLINE_BASE,
		.rsdp = acpi_base,
		.memmap = START_INFO_BASE + offsetof(typeof(*s), map),
		.memmap_entries = memory_map(c->machine, acpi_base, acpi_len, s->map),
	};
	return 0;
}

int kvm_boot_registers(struct kvm_vm *vm, struct kvm_vcpu *v)
{
	struct kvm_segment code = {
		.limit = ~0U, .selector = 8, .type = 11, .present = 1, .s = 1, .db = 1, .g = 1};
	struct kvm_segment data = {
		.limit = ~0U, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
	struct kvm_segment tss = {.limit = 0x67, .type = 11, .present = 1};
	struct kvm_regs regs = {.rip = vm->entry, .rbx = START_INFO_BASE, .rflags = 2};
	struct kvm_sregs s;

	if (ioctl(v->fd, KVM_GET_SREGS, &s))
		return kvm_error(vm, -errno, "KVM_GET_SREGS: %s", strerror(errno));
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.tr = tss;
	s.cr0 = (s.cr0 | 1) & 0x7fffffff;
	s.cr4 = 0;
	s.efer = 0;
	if (ioctl(v->fd, KVM_SET_SREGS, &s) || ioctl(v->fd, KVM_SET_REGS, &regs))
		return kvm_error(vm, -errno, "the boot CPU's registers: %s", strerror(errno));
	return 0;
}
