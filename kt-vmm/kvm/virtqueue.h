/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device's side of a split virtqueue (VIRTIO 1.2, 2.7). The guest that drives it is not
 * trusted: everything in its memory is read once, checked and then used, and the first thing that
 * is wrong breaks the queue until it is reset.
 */
#ifndef KT_VIRTQUEUE_H
#define KT_VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct kvm_vm;

#define VIRTQUEUE_IOV	 1024 /* pieces of one chain at most; what readv(2) takes */
#define VIRTQUEUE_CHAINS 64   /* chains of a batch */

struct virtqueue {
	struct kvm_vm *vm;
	/* As the guest set it up. */
	uint64_t desc_gpa, driver_gpa, device_gpa;
	uint16_t size, max_size;
	uint16_t vector;
	bool enabled;
	/* While it is started; in guest RAM. */
	const void *desc;
	const uint16_t *avail; /* flags, index, ring, used_event */
	uint16_t *used;	       /* flags, index, ring, avail_event */
	bool event_index, indirect;
	uint16_t next_avail, next_used, signalled_used;
	const char *broken; /* why, or NULL */
};

/* Some chains that the device works on, one after the other. All zero is an empty one. */
struct virtqueue_batch {
	struct iovec iov[VIRTQUEUE_IOV];
	unsigned int iov_first, iov_end; /* what is left of them */
	struct {
		uint16_t head;
		uint32_t len;  /* bytes of its pieces */
		uint32_t done; /* how many of them are dealt with */
	} chain[VIRTQUEUE_CHAINS];
	unsigned int chain_first, chain_end;
};

/* Take @q into use as it was set up, with these features. 0, or -EINVAL with @q->broken. */
int virtqueue_start(struct virtqueue *q, bool event_index, bool indirect);

/* As it was before the guest set it up. */
void virtqueue_reset(struct virtqueue *q);

/*
 * Add to @b what the guest has made available, as far as it fits: the pieces that the device may
 * write to, or those that it may read. The others of a chain are left alone. Returns how many
 * chains @b holds then, or -EINVAL with @q->broken.
 */
int virtqueue_gather(struct virtqueue *q, struct virtqueue_batch *b, bool writable);

/*
 * @bytes of the batch's pieces were dealt with, in their order. The chains that are complete, and
 * with @cut also one that is begun, go back to the guest; with @written their lengths are told.
 */
void virtqueue_done(struct virtqueue *q, struct virtqueue_batch *b, size_t bytes, bool cut,
		    bool written);

/*
 * Copy between @data and the first chain of @b, up to @len bytes and as many as that chain has
 * left. Returns how many. They still count as not dealt with.
 */
size_t virtqueue_peek(const struct virtqueue_batch *b, void *data, size_t len);
size_t virtqueue_poke(struct virtqueue_batch *b, const void *data, size_t len);

/* Bytes of the first chain that are not dealt with, and of all of them. */
size_t virtqueue_first(const struct virtqueue_batch *b);
size_t virtqueue_left(const struct virtqueue_batch *b);

/*
 * Ask to be told of buffers from now on. Returns true when there are some already, unless @q is
 * broken. Else, without asking, the guest may stay silent.
 */
bool virtqueue_listen(struct virtqueue *q);

/* Does the guest want an interrupt for what went back to it since this was last asked? */
bool virtqueue_must_interrupt(struct virtqueue *q);

#endif
