// SPDX-License-Identifier: GPL-2.0
/*
 * The initramfs as it lies in RAM: a chain of headers ("newc",
 * Documentation/driver-api/early-userspace/buffer-format.rst) from its first byte to its last, and
 * in the files /init and /large what the words init= and large= give the sums of.
 */
#include "guest.h"
#include "words.h"

#define HEADER	  110u
#define FILE_SIZE 54u /* offsets in it: numbers of eight hexadecimal digits */
#define NAME_SIZE 94u
#define ROUND(n)  (((n) + 3) & ~3u)
#define MAX_FILES 1000

static const char *text_at(uint32_t address)
{
	return (const char *)address;
}

static uint32_t number_at(uint32_t address)
{
	const char *s = text_at(address);
	uint32_t v = 0;
	int i;

	for (i = 0; i < 8; i++)
		v = v << 4 | (s[i] <= '9' ? s[i] - '0' : s[i] - 'A' + 10);
	return v;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Of all words of 32 bits in it, the last filled up with zeros. */
static uint32_t sum(uint32_t address, uint32_t size)
{
	const uint32_t *p = (const uint32_t *)address, *end = p + ROUND(size) / 4;
	uint32_t v = 0;

	while (p < end)
		v += *p++;
	return v;
}

void guest_main(const struct guest_boot *boot)
{
	uint32_t at = boot->initramfs, end = at + boot->initramfs_size, n = 0;

	check(boot->initramfs_size > HEADER, "there is an initramfs");
	while (at + HEADER < end && n++ < MAX_FILES) {
		uint32_t size = number_at(at + FILE_SIZE);
		uint32_t data = ROUND(at + HEADER + number_at(at + NAME_SIZE));
		const char *name = text_at(at + HEADER);

		if (number_at(at) >> 8 != 0x070701)
			break;
		if (same(name, "init"))
			check_equal(sum(data, size), word_number(boot->cmdline, "init"),
				    "/init is as it was");
		if (same(name, "large"))
			check_equal(sum(data, size), word_number(boot->cmdline, "large"),
				    "/large is as it was");
		at = ROUND(data + size);
	}
	check(n > 4 && n < MAX_FILES, "it has files");
	check_equal(at, ROUND(end), "its headers lead from the first byte to the last");
}
