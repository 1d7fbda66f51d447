// SPDX-License-Identifier: GPL-2.0
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "state.h"

#define BUFFER_SIZE 65536 /* stays in a core's cache between reading and writing */
#define PAGE_SIZE   4096UL
#define MAX_THREADS 4
#define BESIDE_NICE 10 /* the guest goes first */

struct load_part {
	int file;
	bool done; /* under lock */
	uint64_t offset, gpa, len;
};

struct load_stage {
	uint64_t gpa, len;
	size_t parts; /* have to be there */
};

int load_file(struct kvm_vm *vm, int fd)
{
	struct load *l = &vm->load;
	int file = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (file < 0)
		return -errno;
	l->files = xrealloc(l->files, (l->n_files + 1) * sizeof(*l->files));
	l->files[l->n_files++] = file;
	return file;
}

int load_add(struct kvm_vm *vm, int file, uint64_t offset, uint64_t gpa, uint64_t len)
{
	struct load *l = &vm->load;

	if (!len)
		return 0;
	if (lseek(file, 0, SEEK_END) < (off_t)(offset + len))
		return -EFAULT;
	while (len) {
		uint64_t n = len < LOAD_STAGE ? len : LOAD_STAGE;

		l->parts = xrealloc(l->parts, (l->n + 1) * sizeof(*l->parts));
		l->parts[l->n++] =
			(struct load_part){.file = file, .offset = offset, .gpa = gpa, .len = n};
		offset += n;
		gpa += n;
		len -= n;
	}
	return 0;
}

void load_stage(struct kvm_vm *vm, uint64_t gpa, uint64_t len)
{
	uint64_t from = gpa & -PAGE_SIZE, to = (gpa + len + PAGE_SIZE - 1) & -PAGE_SIZE;
	struct load *l = &vm->load;

	l->stages = xrealloc(l->stages, (l->n_stages + 1) * sizeof(*l->stages));
	l->stages[l->n_stages++] =
		(struct load_stage){.gpa = from, .len = to - from, .parts = l->n};
}

static int ram_write(struct kvm_vm *vm, const uint8_t *from, uint64_t gpa, uint64_t len)
{
	while (len) {
		uint64_t left, offset;
		int node = kvm_ram_node(vm, gpa, &offset, &left);
		ssize_t n;

		if (node < 0)
			return node;
		n = pwrite(vm->load.ram[node], from, len < left ? len : left, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		from += n;
		gpa += n;
		len -= n;
	}
	return 0;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return !p[0] && !memcmp(p, p + 1, len - 1);
}

/* Write @len bytes but for whole pages of zeros, which RAM holds already. */
static int data_write(struct kvm_vm *vm, const uint8_t *buf, uint64_t gpa, size_t len)
{
	size_t from = 0, at = 0;
	int err = 0;

	while (at < len && !err) {
		size_t n = PAGE_SIZE - (gpa + at) % PAGE_SIZE;

		if (n > len - at)
			n = len - at;
		if (is_zero(buf + at, n)) {
			err = ram_write(vm, buf + from, gpa + from, at - from);
			from = at + n;
		}
		at += n;
	}
	return err ?: ram_write(vm, buf + from, gpa + from, len - from);
}

static int part_copy(struct kvm_vm *vm, const struct load_part *p, uint8_t *buf)
{
	uint64_t at = 0;
	int err = 0;

	while (at < p->len && !err) {
		uint64_t left = p->len - at;
		ssize_t n = pread(p->file, buf, left < BUFFER_SIZE ? left : BUFFER_SIZE,
				  p->offset + at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ESTALE; /* it shrank */
		err = data_write(vm, buf, p->gpa + at, n);
		at += n;
	}
	return err;
}

/* With the lock held: open the stages that are there. */
static void stages_open(struct kvm_vm *vm)
{
	struct load *l = &vm->load;

	for (; l->n_open < l->n_stages; l->n_open++) {
		const struct load_stage *s = &l->stages[l->n_open];

		if (s->parts > l->n_done)
			break;
		if (l->n_open && mprotect(vm->ram + s->gpa, s->len, PROT_READ | PROT_WRITE))
			l->err = -errno;
	}
}

/* All is there. */
static void parts_free(struct load *l)
{
	while (l->n_files)
		close(l->files[--l->n_files]);
	free(take_ptr(l->files));
	free(take_ptr(l->stages));
	free(take_ptr(l->parts));
}

static void part_done(struct kvm_vm *vm, struct load_part *p, int err)
{
	struct load *l = &vm->load;
	bool settled;

	pthread_mutex_lock(&l->lock);
	p->done = true;
	if (err && !l->err)
		l->err = err;
	while (l->n_done < l->n && l->parts[l->n_done].done)
		l->n_done++;
	stages_open(vm);
	err = l->err;
	settled = l->n_done == l->n;
	if (settled)
		parts_free(l);
	__atomic_store_n(&l->settled, settled, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&l->progress);
	pthread_mutex_unlock(&l->lock);
	if (settled && err)
		kvm_fail(vm, "kernel and initramfs: %s", strerror(-err));
}

static void *load_thread(void *arg)
{
	_cleanup_free_ uint8_t *buf = xmalloc(BUFFER_SIZE);
	struct kvm_vm *vm = arg;
	struct load *l = &vm->load;
	sigset_t set;
	size_t i;

	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	if (l->beside)
		setpriority(PRIO_PROCESS, gettid(), BESIDE_NICE);
	pthread_mutex_lock(&l->lock);
	l->n_begun++;
	pthread_cond_broadcast(&l->progress);
	pthread_mutex_unlock(&l->lock);
	while ((i = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED)) < l->n)
		part_done(vm, &l->parts[i], part_copy(vm, &l->parts[i], buf));
	return NULL;
}

/*
 * Does the CPU walk the guest's page tables? Where KVM does, or where it interprets instructions,
 * it takes memory that we cannot access for memory that is not there.
 */
static bool cpu_walks_tables(void)
{
	const char *path = __builtin_cpu_is("intel") ? "/sys/module/kvm_intel/parameters/ept"
						     : "/sys/module/kvm_amd/parameters/npt";
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c;

	return fd >= 0 && read(fd, &c, 1) == 1 && (c == 'Y' || c == '1');
}

static int stages_protect(struct kvm_vm *vm)
{
	struct load *l = &vm->load;
	size_t i;

	if (l->n_stages > 1 && !cpu_walks_tables()) {
		l->stages[0].parts = l->n;
		l->n_stages = 1;
	}
	l->beside = l->n_stages > 1;
	for (i = 1; i < l->n_stages; i++) {
		if (mprotect(vm->ram + l->stages[i].gpa, l->stages[i].len, PROT_NONE))
			return -errno;
	}
	return 0;
}

/* 0 when there is one at least. */
static int threads_start(struct kvm_vm *vm)
{
	struct load *l = &vm->load;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), n;
	int err = 0;

	if (l->beside)
		cpus--; /* one for the guest */
	cpus = cpus < 1 ? 1 : cpus < MAX_THREADS ? cpus : MAX_THREADS;
	for (n = 0; n < cpus && !err; n++) {
		pthread_t thread;

		err = -pthread_create(&thread, NULL, load_thread, vm);
		if (!err) {
			pthread_detach(thread);
			l->n_threads++;
		}
	}
	return l->n_threads ? 0 : err;
}

/* Copy in this thread what the guest cannot begin without. */
static void first_stage_copy(struct kvm_vm *vm)
{
	_cleanup_free_ uint8_t *buf = xmalloc(BUFFER_SIZE);
	struct load *l = &vm->load;
	size_t n = l->stages[0].parts;

	while (l->next < n) {
		struct load_part *p = &l->parts[l->next++];

		part_done(vm, p, part_copy(vm, p, buf));
	}
}

int load_start(struct kvm_vm *vm)
{
	const struct engine_config *c = vm->config;
	struct load *l = &vm->load;
	int err = stages_protect(vm);
	unsigned int i;

	for (i = 0; i < c->machine->nodes && !err; i++) {
		l->ram[i] = load_file(vm, c->ram[i]);
		if (l->ram[i] < 0)
			err = l->ram[i];
	}
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->progress, NULL);
	l->settled = !l->n;
	if (err)
		return err;
	if (!l->beside)
		return threads_start(vm);
	first_stage_copy(vm);
	return 0;
}

int load_ready(struct kvm_vm *vm)
{
	struct load *l = &vm->load;
	int err = l->beside && !l->settled ? threads_start(vm) : 0;

	if (err)
		return err;
	pthread_mutex_lock(&l->lock);
	/* Threads that have begun make no system call that confine.c would not let them make. */
	while (l->n_begun < l->n_threads || (!l->settled && (!l->n_open || l->err)))
		pthread_cond_wait(&l->progress, &l->lock);
	err = l->err;
	pthread_mutex_unlock(&l->lock);
	l->guest_runs = true;
	return err;
}

bool load_wait(struct kvm_vm *vm, size_t *seen)
{
	struct load *l = &vm->load;
	bool more;

	pthread_mutex_lock(&l->lock);
	while (!l->settled && l->n_open == *seen)
		pthread_cond_wait(&l->progress, &l->lock);
	more = l->n_open != *seen;
	*seen = l->n_open;
	pthread_mutex_unlock(&l->lock);
	return more;
}

void load_settle(struct kvm_vm *vm)
{
	struct load *l = &vm->load;

	if (!l->guest_runs || __atomic_load_n(&l->settled, __ATOMIC_ACQUIRE))
		return;
	pthread_mutex_lock(&l->lock);
	while (!l->settled)
		pthread_cond_wait(&l->progress, &l->lock);
	pthread_mutex_unlock(&l->lock);
}
