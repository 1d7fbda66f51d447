/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies files into guest RAM, in threads of its own beside the guest's first steps. Written to the
 * nodes' memfds, not through a mapping: no page is zeroed first and none faults; pages of zeros are
 * passed over.
 *
 * The guest may begin when the first stage is there. Later stages cannot be accessed until they,
 * and all before them, are there: a vCPU that comes to one gets EFAULT from KVM_RUN, and waits.
 * Where the CPU does not walk the guest's page tables all is one stage.
 */
#ifndef KT_LOAD_H
#define KT_LOAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../machine.h"

#define LOAD_STAGE (2ULL << 20) /* a good size: no huge page is split */

struct kvm_vm;

struct load {
	struct load_part *parts;
	struct load_stage *stages;
	int *files;
	size_t n, n_stages, n_files;
	size_t next; /* part that no thread has taken yet */
	int ram[MACHINE_MAX_NODES];
	bool beside; /* there is a stage that the guest's beginning does not wait for */
	bool guest_runs;
	unsigned int n_threads;

	/* Under lock; settled is also read without. */
	pthread_mutex_t lock;
	pthread_cond_t progress;
	unsigned int n_begun; /* threads */
	size_t n_done;	      /* parts: they and all before them are there */
	size_t n_open;	      /* stages */
	bool settled;	      /* nothing more will come */
	int err;
};

/* A duplicate of @fd to copy from, which is closed when all is there, or -errno. */
int load_file(struct kvm_vm *vm, int fd);

/*
 * Have @len bytes at @offset of @file, from load_file(), copied to guest-physical @gpa, which is
 * RAM that nothing was written to yet. 0 or -errno: -EFAULT when the file is shorter.
 */
int load_add(struct kvm_vm *vm, int file, uint64_t offset, uint64_t gpa, uint64_t len);

/* The guest gets the pages of [@gpa, @gpa + @len) when all that was added up to now is there. */
void load_stage(struct kvm_vm *vm, uint64_t gpa, uint64_t len);

/*
 * Begin, after the last load_add(): copy the first stage, or, where it is all there is, start the
 * threads that do. 0 or -errno. What was added is freed when all is there.
 */
int load_start(struct kvm_vm *vm);

/*
 * After all else is made: start the threads that copy the other stages, and wait until the guest
 * may begin. 0 or -errno. What fails later ends the VM with kvm_fail().
 */
int load_ready(struct kvm_vm *vm);

/*
 * A vCPU cannot access some page: wait until there are more stages than *@seen, which is updated.
 * False if there will be none.
 */
bool load_wait(struct kvm_vm *vm, size_t *seen);

/* Wait until the whole of RAM can be accessed; at once when load_ready() was not called yet. */
void load_settle(struct kvm_vm *vm);

#endif
