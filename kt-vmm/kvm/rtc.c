// SPDX-License-Identifier: GPL-2.0
/*
 * The real-time clock and CMOS RAM of a PC (Motorola MC146818A), as far as Linux asks: the time of
 * day, in UTC from the host's clock, set by the guest for itself alone. No alarm rings, and a
 * reading is never torn, so the update-in-progress bit is never set.
 */
#include <errno.h>
#include <time.h>

#include "cleanup.h"
#include "diag.h"
#include "kvm.h"
#include "platform.h"

#define RTC_PORTS 2 /* index (bit 7: NMI mask), data */
#define RTC_SIZE  128

enum {
	RTC_SECONDS = 0,
	RTC_MINUTES = 2,
	RTC_HOURS = 4,
	RTC_WEEKDAY = 6,
	RTC_DAY = 7,
	RTC_MONTH = 8,
	RTC_YEAR = 9,
	RTC_A = 10,
	RTC_B = 11,
	RTC_C = 12,
	RTC_D = 13,
	RTC_CENTURY = 50,
};

#define RTC_A_32KHZ  0x26 /* divider and rate as firmware leaves them */
#define RTC_A_RATE   0x7f
#define RTC_B_SET    0x80
#define RTC_B_BINARY 0x04
#define RTC_B_24H    0x02
#define RTC_B_KEPT   0x8f /* no interrupts: PIE, AIE and UIE stay clear */
#define RTC_D_VALID  0x80
#define RTC_PM	     0x80 /* of the hours, in 12 hour mode */

struct rtc {
	struct kvm_vm *vm;
	struct bus_device range;
	uint8_t index;
	uint8_t ram[RTC_SIZE];
	int64_t offset; /* the guest's time is so many seconds after the host's */
};

static uint8_t rtc_encode(const struct rtc *r, unsigned int v)
{
	return r->ram[RTC_B] & RTC_B_BINARY ? v : v / 10 << 4 | v % 10;
}

static unsigned int rtc_decode(const struct rtc *r, uint8_t v)
{
	return r->ram[RTC_B] & RTC_B_BINARY ? v : (v >> 4) * 10 + (v & 15);
}

static void rtc_put_time(struct rtc *r)
{
	time_t now = time(NULL) + r->offset;
	struct tm t = {0};
	unsigned int hour;
	bool pm;

	gmtime_r(&now, &t);
	pm = t.tm_hour >= 12;
	hour = r->ram[RTC_B] & RTC_B_24H ? t.tm_hour : (t.tm_hour + 11) % 12 + 1;
	r->ram[RTC_SECONDS] = rtc_encode(r, t.tm_sec);
	r->ram[RTC_MINUTES] = rtc_encode(r, t.tm_min);
	r->ram[RTC_HOURS] = rtc_encode(r, hour) | (!(r->ram[RTC_B] & RTC_B_24H) && pm ? RTC_PM : 0);
	r->ram[RTC_WEEKDAY] = rtc_encode(r, t.tm_wday + 1);
	r->ram[RTC_DAY] = rtc_encode(r, t.tm_mday);
	r->ram[RTC_MONTH] = rtc_encode(r, t.tm_mon + 1);
	r->ram[RTC_YEAR] = rtc_encode(r, t.tm_year % 100);
	r->ram[RTC_CENTURY] = rtc_encode(r, (t.tm_year + 1900) / 100 % 100);
}

/* The registers hold the time that it is for the guest now. Nonsense gives some other time. */
static void rtc_take_time(struct rtc *r)
{
	uint8_t hours = r->ram[RTC_HOURS];
	struct tm t = {
		.tm_sec = rtc_decode(r, r->ram[RTC_SECONDS]),
		.tm_min = rtc_decode(r, r->ram[RTC_MINUTES]),
		.tm_hour = rtc_decode(r, hours & ~RTC_PM),
		.tm_mday = rtc_decode(r, r->ram[RTC_DAY]),
		.tm_mon = rtc_decode(r, r->ram[RTC_MONTH]) - 1,
		.tm_year = rtc_decode(r, r->ram[RTC_YEAR]) +
			   rtc_decode(r, r->ram[RTC_CENTURY]) * 100 - 1900,
	};

	if (!(r->ram[RTC_B] & RTC_B_24H))
		t.tm_hour = t.tm_hour % 12 + (hours & RTC_PM ? 12 : 0);
	r->offset = (int64_t)timegm(&t) - time(NULL);
}

static bool rtc_is_time(unsigned int index)
{
	return index == RTC_CENTURY || index == RTC_SECONDS || index == RTC_MINUTES ||
	       index == RTC_HOURS || (index >= RTC_WEEKDAY && index <= RTC_YEAR);
}

static uint8_t rtc_get(struct rtc *r, unsigned int index)
{
	/* While the guest sets the time it reads what it wrote. */
	if (rtc_is_time(index) && !(r->ram[RTC_B] & RTC_B_SET))
		rtc_put_time(r);
	return r->ram[index];
}

static void rtc_set_b(struct rtc *r, uint8_t v)
{
	uint8_t was = r->ram[RTC_B];

	/* The time stands still while it is set, in the format that is in force at its end. */
	if (v & ~was & RTC_B_SET)
		rtc_put_time(r);
	r->ram[RTC_B] = v & RTC_B_KEPT;
	if (was & ~v & RTC_B_SET)
		rtc_take_time(r);
}

static void rtc_set(struct rtc *r, unsigned int index, uint8_t v)
{
	switch (index) {
	case RTC_A:
		r->ram[RTC_A] = v & RTC_A_RATE;
		break;
	case RTC_B:
		rtc_set_b(r, v);
		break;
	case RTC_C:
	case RTC_D:
		break;
	default:
		if (rtc_is_time(index) && !(r->ram[RTC_B] & RTC_B_SET)) {
			rtc_put_time(r);
			r->ram[index] = v;
			rtc_take_time(r);
		} else {
			r->ram[index] = v;
		}
	}
}

static int rtc_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct rtc *r = dev;
	uint8_t *to = data;

	if (len != 1)
		return -EINVAL;
	*to = offset ? rtc_get(r, r->index) : 0xff;
	return 0;
}

static int rtc_write(void *dev, uint64_t offset, const void *data, unsigned int len)
{
	struct rtc *r = dev;
	uint8_t v = *(const uint8_t *)data;

	if (len != 1)
		return -EINVAL;
	if (offset)
		rtc_set(r, r->index, v);
	else
		r->index = v % RTC_SIZE;
	return 0;
}

static void rtc_destroy(void *dev)
{
	struct rtc *r = dev;

	bus_remove(kvm_bus(r->vm), &r->range);
	free(r);
}

static int rtc_init(struct kvm_vm *vm, void **dev)
{
	struct rtc *r = xcalloc(1, sizeof(*r));
	int err;

	*r = (struct rtc){
		.vm = vm,
		.range = {.name = "RTC",
			  .base = PORT_RTC,
			  .len = RTC_PORTS,
			  .read = rtc_read,
			  .write = rtc_write,
			  .dev = r},
	};
	r->ram[RTC_A] = RTC_A_32KHZ;
	r->ram[RTC_B] = RTC_B_24H;
	r->ram[RTC_D] = RTC_D_VALID;
	tzset(); /* else gmtime_r(3) opens the time zone's file when the guest asks for the time */
	err = bus_add(kvm_bus(vm), &r->range);
	if (err) {
		free(r);
		return err;
	}
	*dev = r;
	return 0;
}

const struct kvm_device kvm_rtc = {
	.name = "real-time clock",
	.init = rtc_init,
	.destroy = rtc_destroy,
};
