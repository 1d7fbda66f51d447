/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A writer of ACPI machine language, as far as the DSDT of a small machine needs it (ACPI 6.5 20.2;
 * resource descriptors 6.4). Names are segments of four characters ("_HID", "PCI0"). What is begun
 * is ended with the mark that beginning it gave.
 */
#ifndef KT_AML_H
#define KT_AML_H

#include "blob.h"

/* Named objects: "\\_SB_" style root names only for scopes. */
size_t aml_scope_begin(struct blob *b, const char *root_segment);
size_t aml_device_begin(struct blob *b, const char *segment);
void aml_end(struct blob *b, size_t mark);

/* Name (SEGMENT, value) */
void aml_name_integer(struct blob *b, const char *segment, uint64_t value);
void aml_name_string(struct blob *b, const char *segment, const char *text);
void aml_name_eisaid(struct blob *b, const char *segment, const char *id); /* "PNP0A03" */
void aml_name_integers(struct blob *b, const char *segment, const uint64_t *values, size_t n);
/* A package of packages of four integers, at most 255 of them. */
void aml_name_rows(struct blob *b, const char *segment, const uint64_t (*rows)[4], size_t n);

/* Name (_CRS, ResourceTemplate () { ... }) */
size_t aml_resources_begin(struct blob *b);
void aml_resources_end(struct blob *b, size_t mark);

/* Fixed I/O ports, an edge-triggered ISA interrupt. */
void aml_io(struct blob *b, uint16_t first, uint8_t count);
void aml_irq(struct blob *b, unsigned int irq);

/* What a bridge hands on: bus numbers, and uncached memory below 4 GiB. Both ends included. */
void aml_bus_window(struct blob *b, uint16_t first, uint16_t last);
void aml_memory_window(struct blob *b, uint32_t first, uint32_t last);

#endif
