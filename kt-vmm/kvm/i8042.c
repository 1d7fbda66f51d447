// SPDX-License-Identifier: GPL-2.0
/*
 * A PC keyboard controller with nothing plugged in, as far as Linux asks it
 * (drivers/input/serio/i8042.c), and the reset line that it drives on every PC. The FADT says that
 * there is none (IAPC_BOOT_ARCH), so that a guest does not spend time on it; it answers all the
 * same.
 */
#include <errno.h>

#include "cleanup.h"
#include "diag.h"
#include "kvm.h"

#define I8042_BASE    0x60
#define I8042_DATA    0 /* offsets from there */
#define I8042_COMMAND 4 /* written; read, it is the status */
#define I8042_PORTS   5

#define STATUS_OUTPUT	0x01 /* a byte is there to be read */
#define STATUS_SYSTEM	0x04 /* the self-test has passed */
#define STATUS_COMMAND	0x08 /* the last byte written was a command */
#define STATUS_UNLOCKED 0x10
#define STATUS_TIMEOUT	0x40 /* the device did not answer */

#define CONTROL_KEYBOARD_OFF 0x10
#define CONTROL_AUX_OFF	     0x20

#define SELF_TEST_PASSED 0x55
#define RESEND		 0xfe

struct i8042 {
	struct kvm_vm *vm;
	struct bus_device data, command;
	uint8_t status, control, output;
	uint8_t expects; /* the command whose parameter is written next, or 0 */
};

static void i8042_answer(struct i8042 *k, uint8_t value, uint8_t status)
{
	k->output = value;
	k->status = (k->status & ~STATUS_TIMEOUT) | STATUS_OUTPUT | status;
}

/* Commands with an answer of one byte. */
static const struct {
	uint8_t command, answer;
} answers[] = {
	{0xa9, 0xff}, /* test of the auxiliary port: nothing there */
	{0xaa, SELF_TEST_PASSED},
	{0xab, 0x00}, /* test of the keyboard port: passed */
	{0xc0, 0x00}, /* input port */
	{0xd0, 0x03}, /* output port: reset line and A20 are high */
};

static void i8042_command(struct i8042 *k, uint8_t c)
{
	unsigned int i;

	k->status |= STATUS_COMMAND;
	k->expects = 0;
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		if (answers[i].command == c)
			i8042_answer(k, answers[i].answer, 0);
	}
	switch (c) {
	case 0x20:
		i8042_answer(k, k->control, 0);
		break;
	case 0x60: /* control byte */
	case 0xd1: /* output port */
	case 0xd2: /* as if from the keyboard */
	case 0xd3: /* as if from the auxiliary port */
	case 0xd4: /* to the auxiliary port */
		k->expects = c;
		break;
	case 0xa7:
		k->control |= CONTROL_AUX_OFF;
		break;
	case 0xad:
		k->control |= CONTROL_KEYBOARD_OFF;
		break;
	case 0xae:
		k->control &= ~CONTROL_KEYBOARD_OFF;
		break;
	}
	/* 0xf0 to 0xff pulse the output lines whose bits are 0; bit 0 is the CPUs' reset. */
	if (c >= 0xf0 && !(c & 1))
		kvm_power_off(k->vm);
}

static void i8042_write_data(struct i8042 *k, uint8_t v)
{
	k->status &= ~STATUS_COMMAND;
	switch (k->expects) {
	case 0x60:
		k->control = v;
		break;
	case 0xd1:
		if (!(v & 1))
			kvm_power_off(k->vm);
		break;
	case 0xd2:
		i8042_answer(k, v, 0);
		break;
	case 0xd3:
		/* No auxiliary port: Linux wants the byte back from one that is there. */
		break;
	default: /* for a device: there is none */
		i8042_answer(k, RESEND, STATUS_TIMEOUT);
	}
	k->expects = 0;
}

static int i8042_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct i8042 *k = dev;

	(void)offset;
	(void)len;
	*(uint8_t *)data = k->output;
	k->status &= ~(STATUS_OUTPUT | STATUS_TIMEOUT);
	return 0;
}

static int i8042_write(void *dev, uint64_t offset, const void *data, unsigned int len)
{
	(void)offset;
	(void)len;
	i8042_write_data(dev, *(const uint8_t *)data);
	return 0;
}

static int i8042_status(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct i8042 *k = dev;

	(void)offset;
	(void)len;
	*(uint8_t *)data = k->status;
	return 0;
}

static int i8042_write_command(void *dev, uint64_t offset, const void *data, unsigned int len)
{
	(void)offset;
	(void)len;
	i8042_command(dev, *(const uint8_t *)data);
	return 0;
}

static void i8042_destroy(void *dev)
{
	struct i8042 *k = dev;

	bus_remove(kvm_bus(k->vm), &k->data);
	bus_remove(kvm_bus(k->vm), &k->command);
	free(k);
}

/* Port 0x61 between the two belongs to the timer. */
static int i8042_init(struct kvm_vm *vm, void **dev)
{
	struct i8042 *k = xcalloc(1, sizeof(*k));
	int err;

	*k = (struct i8042){
		.vm = vm,
		.status = STATUS_SYSTEM | STATUS_UNLOCKED,
		.control = CONTROL_KEYBOARD_OFF | CONTROL_AUX_OFF,
		.data = {.name = "i8042 data",
			 .base = I8042_BASE + I8042_DATA,
			 .len = 1,
			 .read = i8042_read,
			 .write = i8042_write,
			 .dev = k},
		.command = {.name = "i8042 command",
			    .base = I8042_BASE + I8042_COMMAND,
			    .len = 1,
			    .read = i8042_status,
			    .write = i8042_write_command,
			    .dev = k},
	};
	err = bus_add(kvm_bus(vm), &k->data) ?: bus_add(kvm_bus(vm), &k->command);
	if (err) {
		i8042_destroy(k);
		return err;
	}
	*dev = k;
	return 0;
}

const struct kvm_device kvm_i8042 = {
	.name = "keyboard controller",
	.init = i8042_init,
	.destroy = i8042_destroy,
};
