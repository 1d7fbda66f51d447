// SPDX-License-Identifier: GPL-2.0
#include "irqchip.h"

#include <errno.h>
#include <string.h>

#include "apic_id.h"
#include "ioapic.h"
#include "platform.h"
#include "state.h"

/*
 * The extended destination id (KVM_FEATURE_MSI_EXT_DEST_ID, Documentation/virt/kvm/x86/cpuid.rst):
 * bits 5 to 11 of an MSI's address are bits 8 to 14 of the APIC id. KVM takes these from the
 * address's upper half (KVM_X2APIC_API_USE_32BIT_IDS).
 */
#define MSI_EXT_DEST_MASK  0xfe0U
#define MSI_EXT_DEST_SHIFT 3 /* bits 5 to 11 to bits 8 to 14 */

bool irqchip_needs_x2apic(const struct kvm_vm *vm)
{
	return apic_id_max(&vm->config->machine->topology) > APIC_ID_MAX_8BIT;
}

static int cap_enable(struct kvm_vm *vm, unsigned int cap, uint64_t arg, const char *name)
{
	struct kvm_enable_cap c = {.cap = cap, .args = {arg}};

	if (ioctl(vm->vm_fd, KVM_ENABLE_CAP, &c))
		return kvm_error(vm, -errno, "%s: %s", name, strerror(errno));
	return 0;
}

static int split_init(struct kvm_vm *vm)
{
	uint32_t max = apic_id_max(&vm->config->machine->topology);
	int limit = ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPU_ID);
	int err;

	if (limit > 0 && max >= (uint32_t)limit)
		return kvm_error(vm, -E2BIG,
				 "the topology's highest APIC id is %u, this host's KVM goes up to "
				 "%d",
				 max, limit - 1);
	err = cap_enable(vm, KVM_CAP_X2APIC_API,
			 KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK,
			 "KVM_CAP_X2APIC_API");
	if (!err)
		err = cap_enable(vm, KVM_CAP_SPLIT_IRQCHIP, IOAPIC_PINS, "KVM_CAP_SPLIT_IRQCHIP");
	return err ? err : ioapic_create(vm, &vm->irqchip.ioapic);
}

int irqchip_init(struct kvm_vm *vm)
{
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};

	vm->irqchip.split = irqchip_needs_x2apic(vm);
	if (vm->irqchip.split)
		return split_init(vm);
	if (ioctl(vm->vm_fd, KVM_CREATE_IRQCHIP))
		return kvm_error(vm, -errno, "KVM_CREATE_IRQCHIP: %s", strerror(errno));
	if (ioctl(vm->vm_fd, KVM_CREATE_PIT2, &pit))
		return kvm_error(vm, -errno, "KVM_CREATE_PIT2: %s", strerror(errno));
	return 0;
}

void irqchip_eoi(struct kvm_vm *vm, unsigned int vector)
{
	if (vm->irqchip.ioapic)
		ioapic_eoi(vm->irqchip.ioapic, vector);
}

int kvm_irq_set(struct kvm_vm *vm, unsigned int gsi, bool level)
{
	struct kvm_irq_level l = {.irq = gsi, .level = level};

	if (gsi >= IOAPIC_PINS)
		return -EINVAL;
	if (vm->irqchip.split)
		return ioapic_line(vm->irqchip.ioapic, gsi, level);
	return ioctl(vm->vm_fd, KVM_IRQ_LINE, &l) ? -errno : 0;
}

/* An MSI to an APIC that is not there is lost, as on hardware. */
int kvm_msi_send(struct kvm_vm *vm, uint64_t address, uint32_t data)
{
	struct kvm_msi msi = {.address_lo = address, .address_hi = address >> 32, .data = data};

	if (vm->irqchip.split) {
		msi.address_hi = (msi.address_lo & MSI_EXT_DEST_MASK) << MSI_EXT_DEST_SHIFT;
		msi.address_lo &= ~MSI_EXT_DEST_MASK;
	}
	return ioctl(vm->vm_fd, KVM_SIGNAL_MSI, &msi) < 0 ? -errno : 0;
}

int kvm_ioeventfd(struct kvm_vm *vm, bool mmio, uint64_t address, unsigned int len, int fd, bool on)
{
	struct kvm_ioeventfd e = {
		.addr = address,
		.len = len,
		.fd = fd,
		.flags = (mmio ? 0 : KVM_IOEVENTFD_FLAG_PIO) |
			 (on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	return ioctl(vm->vm_fd, KVM_IOEVENTFD, &e) ? -errno : 0;
}
