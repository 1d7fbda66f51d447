// SPDX-License-Identifier: GPL-2.0
/* The devices of the machine, in the order in which they are made. */
#include "kvm.h"

#include "cleanup.h"
#include "diag.h"

static const struct kvm_device *const table[] = {
	&kvm_serial, &kvm_i8042, &kvm_acpi_pm, &kvm_rtc, &kvm_post, &kvm_pci, &kvm_virtio_console,
};

int kvm_devices_init(struct kvm_devices *d, struct kvm_vm *vm, const char **failed)
{
	unsigned int i;
	int err;

	*d = (struct kvm_devices){.dev = xcalloc(ARRAY_SIZE(table), sizeof(*d->dev))};
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		*failed = table[i]->name;
		err = table[i]->init(vm, &d->dev[i]);
		if (err)
			return err;
		d->made++;
	}
	return 0;
}

void kvm_devices_destroy(struct kvm_devices *d)
{
	while (d->made--) {
		if (table[d->made]->destroy)
			table[d->made]->destroy(d->dev[d->made]);
	}
	free(d->dev);
	*d = (struct kvm_devices){0};
}
