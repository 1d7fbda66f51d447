// SPDX-License-Identifier: GPL-2.0
#include "virtqueue.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "bus.h"

/* Indexes of the rings as 16-bit words. */
enum {
	RING_FLAGS = 0,
	RING_INDEX = 1,
	RING_FIRST = 2,
};

static int queue_broken(struct virtqueue *q, const char *why)
{
	if (!q->broken)
		q->broken = why;
	return -EINVAL;
}

static uint16_t load16(const uint16_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store16(uint16_t *p, uint16_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* VIRTIO 1.2 2.7: alignments and lengths. */
int virtqueue_start(struct virtqueue *q, bool event_index, bool indirect)
{
	uint64_t n = q->size;

	q->desc = NULL;
	if (!n || n > q->max_size || n & (n - 1))
		return queue_broken(q, "its size is no power of two, or too large");
	if (q->desc_gpa % 16 || q->driver_gpa % 2 || q->device_gpa % 4)
		return queue_broken(q, "its rings are not aligned");
	q->desc = kvm_ram_at(q->vm, q->desc_gpa, n * sizeof(struct vring_desc));
	q->avail = kvm_ram_at(q->vm, q->driver_gpa, 6 + 2 * n);
	q->used = kvm_ram_at(q->vm, q->device_gpa, 6 + 8 * n);
	if (!q->desc || !q->avail || !q->used) {
		q->desc = NULL;
		return queue_broken(q, "its rings are not in RAM");
	}
	q->event_index = event_index;
	q->indirect = indirect;
	q->next_avail = q->next_used = q->signalled_used = 0;
	return 0;
}

void virtqueue_reset(struct virtqueue *q)
{
	*q = (struct virtqueue){
		.vm = q->vm,
		.max_size = q->max_size,
		.size = q->max_size,
		.vector = 0xffff,
	};
}

/* A chain under way into a batch. */
struct walk {
	struct virtqueue *q;
	struct virtqueue_batch *b;
	bool writable;	      /* the pieces that are wanted */
	bool seen_writable;   /* pieces to read come first (2.7.4.2) */
	bool full;	      /* the batch is */
	unsigned int iov_end; /* of the batch, so far */
	uint64_t len;
};

static int walk_add(struct walk *w, void *base, uint64_t len)
{
	struct virtqueue_batch *b = w->b;
	struct iovec *last = w->iov_end > b->iov_end ? &b->iov[w->iov_end - 1] : NULL;

	if (last && (char *)last->iov_base + last->iov_len == base) {
		last->iov_len += len;
		return 0;
	}
	if (w->iov_end == VIRTQUEUE_IOV) {
		if (b->iov_end == b->iov_first)
			return queue_broken(w->q, "a chain has too many pieces");
		w->full = true;
		return -ENOBUFS;
	}
	b->iov[w->iov_end++] = (struct iovec){base, len};
	return 0;
}

/* A buffer that is contiguous for the guest may lie in several pieces here. */
static int walk_buffer(struct walk *w, uint64_t gpa, uint64_t len)
{
	int err = 0;

	w->len += len;
	if (w->len > UINT32_MAX)
		return queue_broken(w->q, "a chain is longer than 4 GiB");
	while (len && !err) {
		uint64_t n = len;
		void *base;

		while (!(base = kvm_ram_at(w->q->vm, gpa, n))) {
			n /= 2;
			if (!n)
				return queue_broken(w->q, "a buffer is not in RAM");
		}
		err = walk_add(w, base, n);
		gpa += n;
		len -= n;
	}
	return err;
}

static int walk_table(struct walk *w, const void *table, unsigned int n, unsigned int at,
		      bool inner);

static int walk_indirect(struct walk *w, const struct vring_desc *d, bool inner)
{
	unsigned int n = d->len / sizeof(*d);
	const void *table;

	if (!w->q->indirect || inner)
		return queue_broken(w->q, "an indirect descriptor where none may be");
	if (d->flags & VRING_DESC_F_NEXT)
		return queue_broken(w->q, "an indirect descriptor is chained");
	if (!n || n > VIRTQUEUE_IOV || d->len % sizeof(*d))
		return queue_broken(w->q, "an indirect table has an impossible length");
	table = kvm_ram_at(w->q->vm, d->addr, d->len);
	if (!table)
		return queue_broken(w->q, "an indirect table is not in RAM");
	return walk_table(w, table, n, 0, true);
}

static int walk_descriptor(struct walk *w, const struct vring_desc *d, bool inner)
{
	bool writable = d->flags & VRING_DESC_F_WRITE;

	if (d->flags & VRING_DESC_F_INDIRECT)
		return walk_indirect(w, d, inner);
	if (w->seen_writable && !writable)
		return queue_broken(w->q, "a chain has a piece to read behind one to write");
	w->seen_writable = writable;
	return writable == w->writable ? walk_buffer(w, d->addr, d->len) : 0;
}

/* Follow a chain from entry @at of @table, which the guest may be changing. */
static int walk_table(struct walk *w, const void *table, unsigned int n, unsigned int at,
		      bool inner)
{
	struct vring_desc d;
	unsigned int left = n;
	int err;

	do {
		if (at >= n)
			return queue_broken(w->q, "a descriptor index is out of range");
		if (!left--)
			return queue_broken(w->q, "a chain of descriptors does not end");
		memcpy(&d, (const char *)table + at * sizeof(d), sizeof(d));
		/* From here on it is the copy that counts. */
		__asm__ volatile("" : : "r"(&d) : "memory");
		err = walk_descriptor(w, &d, inner);
		at = d.next;
	} while (!err && d.flags & VRING_DESC_F_NEXT && !(d.flags & VRING_DESC_F_INDIRECT));
	return err;
}

static void batch_compact(struct virtqueue_batch *b)
{
	unsigned int iovs = b->iov_end - b->iov_first, chains = b->chain_end - b->chain_first;

	memmove(b->iov, b->iov + b->iov_first, iovs * sizeof(b->iov[0]));
	memmove(b->chain, b->chain + b->chain_first, chains * sizeof(b->chain[0]));
	b->iov_first = b->chain_first = 0;
	b->iov_end = iovs;
	b->chain_end = chains;
}

int virtqueue_gather(struct virtqueue *q, struct virtqueue_batch *b, bool writable)
{
	uint16_t available, head;

	if (q->broken || !q->desc)
		return -EINVAL;
	available = load16(&q->avail[RING_INDEX]);
	if ((uint16_t)(available - q->next_avail) > q->size)
		return queue_broken(q, "its index of available buffers is out of range");
	if (!q->event_index)
		store16(&q->used[RING_FLAGS], VRING_USED_F_NO_NOTIFY);
	if (available != q->next_avail && b->chain_first)
		batch_compact(b);
	while (q->next_avail != available && b->chain_end < VIRTQUEUE_CHAINS) {
		struct walk w = {.q = q, .b = b, .writable = writable, .iov_end = b->iov_end};

		head = load16(&q->avail[RING_FIRST + (q->next_avail & (q->size - 1))]);
		if (walk_table(&w, q->desc, q->size, head, false)) {
			if (w.full)
				break;
			return -EINVAL;
		}
		b->iov_end = w.iov_end;
		b->chain[b->chain_end].head = head;
		b->chain[b->chain_end].len = w.len;
		b->chain[b->chain_end++].done = 0;
		q->next_avail++;
	}
	return b->chain_end - b->chain_first;
}

static void queue_return(struct virtqueue *q, uint16_t head, uint32_t len)
{
	uint16_t *at = q->used + RING_FIRST + 4 * (q->next_used & (q->size - 1));
	uint32_t element[2] = {head, len};

	memcpy(at, element, sizeof(element));
	store16(&q->used[RING_INDEX], ++q->next_used);
}

static void batch_advance(struct virtqueue_batch *b, size_t bytes)
{
	while (b->iov_first < b->iov_end && bytes >= b->iov[b->iov_first].iov_len)
		bytes -= b->iov[b->iov_first++].iov_len;
	if (bytes && b->iov_first < b->iov_end) {
		b->iov[b->iov_first].iov_base = (char *)b->iov[b->iov_first].iov_base + bytes;
		b->iov[b->iov_first].iov_len -= bytes;
	}
}

void virtqueue_done(struct virtqueue *q, struct virtqueue_batch *b, size_t bytes, bool cut,
		    bool written)
{
	batch_advance(b, bytes);
	while (b->chain_first < b->chain_end) {
		typeof(&b->chain[0]) c = &b->chain[b->chain_first];
		uint32_t left = c->len - c->done, n = bytes < left ? bytes : left;

		c->done += n;
		bytes -= n;
		if (c->done < c->len && !(cut && c->done))
			break;
		/* What a cut chain has left is not used for the next one. */
		batch_advance(b, c->len - c->done);
		queue_return(q, c->head, written ? c->done : 0);
		b->chain_first++;
	}
}

size_t virtqueue_first(const struct virtqueue_batch *b)
{
	if (b->chain_first == b->chain_end)
		return 0;
	return b->chain[b->chain_first].len - b->chain[b->chain_first].done;
}

size_t virtqueue_left(const struct virtqueue_batch *b)
{
	size_t left = 0;
	unsigned int i;

	for (i = b->chain_first; i < b->chain_end; i++)
		left += b->chain[i].len - b->chain[i].done;
	return left;
}

static size_t batch_copy(const struct virtqueue_batch *b, void *data, size_t len, bool in)
{
	size_t left = virtqueue_first(b), done = 0;
	const struct iovec *v = b->iov + b->iov_first;

	len = len < left ? len : left;
	for (; done < len; v++) {
		size_t n = v->iov_len < len - done ? v->iov_len : len - done;

		if (in)
			memcpy(v->iov_base, (char *)data + done, n);
		else
			memcpy((char *)data + done, v->iov_base, n);
		done += n;
	}
	return done;
}

size_t virtqueue_peek(const struct virtqueue_batch *b, void *data, size_t len)
{
	return batch_copy(b, data, len, false);
}

size_t virtqueue_poke(struct virtqueue_batch *b, const void *data, size_t len)
{
	return batch_copy(b, (void *)data, len, true);
}

bool virtqueue_listen(struct virtqueue *q)
{
	if (q->broken || !q->desc)
		return false;
	/* avail_event: tell me of the next one (2.7.10). */
	if (q->event_index)
		store16(&q->used[RING_FIRST + 4 * q->size], q->next_avail);
	else
		store16(&q->used[RING_FLAGS], 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return load16(&q->avail[RING_INDEX]) != q->next_avail;
}

bool virtqueue_must_interrupt(struct virtqueue *q)
{
	uint16_t was = q->signalled_used;

	if (!q->desc || was == q->next_used)
		return false;
	q->signalled_used = q->next_used;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (q->event_index)
		return vring_need_event(load16(&q->avail[RING_FIRST + q->size]), q->next_used, was);
	return !(load16(&q->avail[RING_FLAGS]) & VRING_AVAIL_F_NO_INTERRUPT);
}
