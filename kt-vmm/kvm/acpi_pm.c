// SPDX-License-Identifier: GPL-2.0
/*
 * ACPI's fixed hardware (ACPI 6.5 4.8.3): PM1 event and control registers, which are how the guest
 * powers off, and the power management timer. There is no button and no other event, so that the
 * SCI never fires. The machine is always in ACPI mode.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "diag.h"
#include "kvm.h"
#include "platform.h"

#define PM1_ENABLES  0x4720 /* TMR GBL PWRBTN SLPBTN RTC PCIEXP_WAKE_DIS: kept, without effect */
#define PM1_SCI_EN   0x0001
#define PM1_SLP_TYP  10
#define PM1_SLP_EN   0x2000
#define PM1_CONTROLS 0x1c03 /* what a write changes: SLP_TYP and BM_RLD, SCI_EN stays */

#define PM_TIMER_HZ   3579545ULL
#define PM_TIMER_MASK 0xffffff
#define NS_PER_SEC    1000000000ULL

struct acpi_pm {
	struct kvm_vm *vm;
	struct bus_device event, control, timer;
	uint16_t enable, cntrl;
};

/* Copy the part of @reg, @size bytes, that an access at @offset asks for. */
static void register_read(const void *reg, unsigned int size, uint64_t offset, void *data,
			  unsigned int len)
{
	memset(data, 0, len);
	if (offset < size)
		memcpy(data, (const uint8_t *)reg + offset,
		       len < size - offset ? len : size - offset);
}

/* Status (nothing ever happens), then enable. */
static int event_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct acpi_pm *pm = dev;
	uint16_t regs[2] = {0, pm->enable};

	register_read(regs, sizeof(regs), offset, data, len);
	return 0;
}

static int event_write(void *dev, uint64_t offset, const void *data, unsigned int len)
{
	struct acpi_pm *pm = dev;
	uint8_t regs[4] = {0, 0, pm->enable, pm->enable >> 8};

	memcpy(regs + offset, data, len);
	pm->enable = (regs[2] | regs[3] << 8) & PM1_ENABLES;
	return 0;
}

static int control_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct acpi_pm *pm = dev;
	uint16_t cntrl = pm->cntrl | PM1_SCI_EN;

	register_read(&cntrl, sizeof(cntrl), offset, data, len);
	return 0;
}

static int control_write(void *dev, uint64_t offset, const void *data, unsigned int len)
{
	struct acpi_pm *pm = dev;
	uint8_t regs[2] = {pm->cntrl, pm->cntrl >> 8};
	uint16_t value;

	memcpy(regs + offset, data, len);
	value = regs[0] | regs[1] << 8;
	pm->cntrl = value & PM1_CONTROLS;
	if (value & PM1_SLP_EN && (value >> PM1_SLP_TYP & 7) == SLEEP_TYPE_S5)
		kvm_power_off(pm->vm);
	return 0;
}

static int timer_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct timespec t;
	uint32_t ticks;

	(void)dev;
	clock_gettime(CLOCK_MONOTONIC, &t);
	ticks = (t.tv_sec * PM_TIMER_HZ + t.tv_nsec * PM_TIMER_HZ / NS_PER_SEC) & PM_TIMER_MASK;
	register_read(&ticks, sizeof(ticks), offset, data, len);
	return 0;
}

static void acpi_pm_destroy(void *dev)
{
	struct acpi_pm *pm = dev;
	struct bus *bus = kvm_bus(pm->vm);

	bus_remove(bus, &pm->event);
	bus_remove(bus, &pm->control);
	bus_remove(bus, &pm->timer);
	free(pm);
}

static int acpi_pm_init(struct kvm_vm *vm, void **dev)
{
	struct acpi_pm *pm = xcalloc(1, sizeof(*pm));
	struct bus *bus = kvm_bus(vm);
	int err;

	*pm = (struct acpi_pm){
		.vm = vm,
		.event = {"PM1 event", PORT_PM1_EVENT, 4, .read = event_read, .write = event_write,
			  .dev = pm},
		.control = {"PM1 control", PORT_PM1_CNTRL, 2, .read = control_read,
			    .write = control_write, .dev = pm},
		.timer = {"PM timer", PORT_PM_TIMER, 4, .read = timer_read, .dev = pm},
	};
	err = bus_add(bus, &pm->event) ?: bus_add(bus, &pm->control) ?: bus_add(bus, &pm->timer);
	if (err) {
		acpi_pm_destroy(pm);
		return err;
	}
	*dev = pm;
	return 0;
}

const struct kvm_device kvm_acpi_pm = {
	.name = "ACPI power management",
	.init = acpi_pm_init,
	.destroy = acpi_pm_destroy,
};
