// SPDX-License-Identifier: GPL-2.0
#include "aml.h"

/* ACPI 6.5 20.3, table 20.2 */
enum {
	OP_ZERO = 0x00,
	OP_ONE = 0x01,
	OP_NAME = 0x08,
	OP_BYTE = 0x0a,
	OP_WORD = 0x0b,
	OP_DWORD = 0x0c,
	OP_STRING = 0x0d,
	OP_QWORD = 0x0e,
	OP_SCOPE = 0x10,
	OP_BUFFER = 0x11,
	OP_PACKAGE = 0x12,
	OP_EXTENDED = 0x5b,
	OP_DEVICE = 0x82, /* after OP_EXTENDED */
};

/* A PkgLength of four bytes: the low nibble of the first and the other three hold it. */
#define PKG_LENGTH_SIZE	 4
#define PKG_LENGTH_FOUR	 0xc0
#define BUFFER_SIZE_SIZE 3 /* OP_WORD and the word */

static size_t length_begin(struct blob *b)
{
	return blob_put(b, NULL, PKG_LENGTH_SIZE);
}

/* The length counts its own bytes. */
void aml_end(struct blob *b, size_t mark)
{
	size_t len = b->len - mark;

	b->data[mark] = PKG_LENGTH_FOUR | (len & 0xf);
	b->data[mark + 1] = len >> 4;
	b->data[mark + 2] = len >> 12;
	b->data[mark + 3] = len >> 20;
}

size_t aml_scope_begin(struct blob *b, const char *root_segment)
{
	size_t mark;

	blob_put8(b, OP_SCOPE);
	mark = length_begin(b);
	blob_put8(b, '\\');
	blob_put(b, root_segment, 4);
	return mark;
}

size_t aml_device_begin(struct blob *b, const char *segment)
{
	size_t mark;

	blob_put8(b, OP_EXTENDED);
	blob_put8(b, OP_DEVICE);
	mark = length_begin(b);
	blob_put(b, segment, 4);
	return mark;
}

static void name(struct blob *b, const char *segment)
{
	blob_put8(b, OP_NAME);
	blob_put(b, segment, 4);
}

static void integer(struct blob *b, uint64_t v)
{
	if (v <= 1) {
		blob_put8(b, v ? OP_ONE : OP_ZERO);
	} else if (v <= UINT8_MAX) {
		blob_put8(b, OP_BYTE);
		blob_put8(b, v);
	} else if (v <= UINT16_MAX) {
		blob_put8(b, OP_WORD);
		blob_put16(b, v);
	} else if (v <= UINT32_MAX) {
		blob_put8(b, OP_DWORD);
		blob_put32(b, v);
	} else {
		blob_put8(b, OP_QWORD);
		blob_put64(b, v);
	}
}

void aml_name_integer(struct blob *b, const char *segment, uint64_t value)
{
	name(b, segment);
	integer(b, value);
}

void aml_name_string(struct blob *b, const char *segment, const char *text)
{
	name(b, segment);
	blob_put8(b, OP_STRING);
	blob_put(b, text, strlen(text) + 1);
}

/*
 * ACPI 6.5 19.3.4: three letters of five bits each, then four hexadecimal digits, the most
 * significant byte first.
 */
void aml_name_eisaid(struct blob *b, const char *segment, const char *id)
{
	uint32_t letters = (id[0] - '@') << 10 | (id[1] - '@') << 5 | (id[2] - '@');
	uint32_t value = letters << 16 | strtoul(id + 3, NULL, 16);

	name(b, segment);
	blob_put8(b, OP_DWORD);
	blob_put32(b, __builtin_bswap32(value));
}

static void package(struct blob *b, const uint64_t *values, size_t n)
{
	size_t mark, i;

	blob_put8(b, OP_PACKAGE);
	mark = length_begin(b);
	blob_put8(b, n);
	for (i = 0; i < n; i++)
		integer(b, values[i]);
	aml_end(b, mark);
}

void aml_name_integers(struct blob *b, const char *segment, const uint64_t *values, size_t n)
{
	name(b, segment);
	package(b, values, n);
}

void aml_name_rows(struct blob *b, const char *segment, const uint64_t (*rows)[4], size_t n)
{
	size_t mark, i;

	name(b, segment);
	blob_put8(b, OP_PACKAGE);
	mark = length_begin(b);
	blob_put8(b, n);
	for (i = 0; i < n; i++)
		package(b, rows[i], 4);
	aml_end(b, mark);
}

size_t aml_resources_begin(struct blob *b)
{
	size_t mark;

	name(b, "_CRS");
	blob_put8(b, OP_BUFFER);
	mark = length_begin(b);
	blob_put8(b, OP_WORD);
	blob_put16(b, 0);
	return mark;
}

void aml_resources_end(struct blob *b, size_t mark)
{
	uint16_t len;

	/* End tag; its checksum byte is zero, which stands for "not computed". */
	blob_put8(b, 0x79);
	blob_put8(b, 0);
	len = b->len - mark - PKG_LENGTH_SIZE - BUFFER_SIZE_SIZE;
	memcpy(b->data + mark + PKG_LENGTH_SIZE + 1, &len, sizeof(len));
	aml_end(b, mark);
}

/* ACPI 6.5 6.4.2.5: I/O port descriptor, 16 address bits decoded. */
void aml_io(struct blob *b, uint16_t first, uint8_t count)
{
	blob_put8(b, 0x47);
	blob_put8(b, 1);
	blob_put16(b, first);
	blob_put16(b, first);
	blob_put8(b, 1); /* alignment */
	blob_put8(b, count);
}

/* ACPI 6.5 6.4.2.1: IRQ descriptor of two bytes, which means edge-triggered and active high. */
void aml_irq(struct blob *b, unsigned int irq)
{
	blob_put8(b, 0x22);
	blob_put16(b, 1 << irq);
}

/* ACPI 6.5 6.4.3.5.3: word address space; minimum and maximum fixed. */
void aml_bus_window(struct blob *b, uint16_t first, uint16_t last)
{
	blob_put8(b, 0x88);
	blob_put16(b, 13);
	blob_put8(b, 2);    /* bus numbers */
	blob_put8(b, 0x0c); /* both ends fixed, positive decode, produced */
	blob_put8(b, 0);
	blob_put16(b, 0); /* granularity */
	blob_put16(b, first);
	blob_put16(b, last);
	blob_put16(b, 0); /* translation */
	blob_put16(b, last - first + 1);
}

/* ACPI 6.5 6.4.3.5.2: double word address space. */
void aml_memory_window(struct blob *b, uint32_t first, uint32_t last)
{
	blob_put8(b, 0x87);
	blob_put16(b, 23);
	blob_put8(b, 0); /* memory */
	blob_put8(b, 0x0c);
	blob_put8(b, 1); /* read and write, not cached */
	blob_put32(b, 0);
	blob_put32(b, first);
	blob_put32(b, last);
	blob_put32(b, 0);
	blob_put32(b, last - first + 1);
}
