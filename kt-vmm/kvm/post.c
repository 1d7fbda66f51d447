// SPDX-License-Identifier: GPL-2.0
/*
 * The POST code port, which guests write to as a delay (arch/x86/include/asm/io.h, io_delay). KVM
 * itself throws the writes away, by counting them in a descriptor that nobody reads.
 */
#include <errno.h>
#include <sys/eventfd.h>

#include "cleanup.h"
#include "diag.h"
#include "kvm.h"

#define POST_PORT 0x80

struct post {
	struct kvm_vm *vm;
	struct bus_device range;
	int fd;
	bool in_kernel;
};

/* Where KVM cannot do it, and for other widths. */
static int post_write(void *dev, uint64_t offset, const void *data, unsigned int len)
{
	(void)dev;
	(void)offset;
	(void)data;
	(void)len;
	return 0;
}

static void post_destroy(void *dev)
{
	struct post *p = dev;

	if (p->in_kernel)
		kvm_ioeventfd(p->vm, false, POST_PORT, 1, p->fd, false);
	bus_remove(kvm_bus(p->vm), &p->range);
	cleanup_closep(&p->fd);
	free(p);
}

static int post_init(struct kvm_vm *vm, void **dev)
{
	struct post *p = xcalloc(1, sizeof(*p));
	int err;

	p->vm = vm;
	p->range = (struct bus_device){"POST", POST_PORT, 1, .write = post_write};
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = p->fd < 0 ? -errno : bus_add(kvm_bus(vm), &p->range);
	if (err) {
		post_destroy(p);
		return err;
	}
	p->in_kernel = !kvm_ioeventfd(vm, false, POST_PORT, 1, p->fd, true);
	*dev = p;
	return 0;
}

const struct kvm_device kvm_post = {
	.name = "POST port",
	.init = post_init,
	.destroy = post_destroy,
};
