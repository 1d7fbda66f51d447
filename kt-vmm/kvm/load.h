/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies files into guest RAM beside the rest of the set-up, in threads of its own. Written to the
 * nodes' memfds, not through a mapping: no page is zeroed first and none faults.
 */
#ifndef KT_LOAD_H
#define KT_LOAD_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_MAX_THREADS 4

struct kvm_vm;

struct load {
	struct load_part *parts;
	size_t n, size, next;
	struct load_map *maps;
	size_t n_maps;
	pthread_t threads[LOAD_MAX_THREADS];
	unsigned int n_threads;
	int err;
};

/*
 * Have @len bytes at @offset of @fd copied to guest-physical @gpa, which is RAM that nothing was
 * written to yet: holes of the file are passed over. @fd may be closed afterwards. 0 or -errno.
 */
int load_add(struct kvm_vm *vm, int fd, uint64_t offset, uint64_t gpa, uint64_t len);

/* Begin, after the last load_add(); wait for the end. 0 or -errno: -EFAULT for a file that ends
 * early. load_finish() does nothing when there is nothing to wait for. */
int load_start(struct kvm_vm *vm);
int load_finish(struct kvm_vm *vm);

#endif
