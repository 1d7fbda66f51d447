// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "pci.h"

#define MSIX_ENTRY   sizeof(struct msix_entry)
#define MSIX_CONTROL (PCI_MSIX_FLAGS + 1) /* the byte with the two writable bits */
#define MSIX_ENABLE  (PCI_MSIX_FLAGS_ENABLE >> 8)
#define MSIX_MASKALL (PCI_MSIX_FLAGS_MASKALL >> 8)

/* The pending bits lie behind the table. */
static unsigned int msix_pba(const struct msix *m)
{
	return m->vectors * MSIX_ENTRY;
}

static unsigned int msix_pba_size(const struct msix *m)
{
	return (m->vectors + 63) / 64 * 8;
}

bool msix_enabled(const struct msix *m)
{
	return m->f->config[m->capability + MSIX_CONTROL] & MSIX_ENABLE;
}

static bool msix_masked(const struct msix *m, unsigned int vector)
{
	return m->f->config[m->capability + MSIX_CONTROL] & MSIX_MASKALL ||
	       m->table[vector].control & PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

static void msix_message(struct msix *m, unsigned int vector)
{
	m->pending[vector / 64] &= ~(1ULL << vector % 64);
	kvm_msi_send(m->f->vm, m->table[vector].address, m->table[vector].data);
}

/* Send what became due by unmasking. */
static void msix_flush(struct msix *m)
{
	unsigned int v;

	for (v = 0; v < m->vectors && msix_enabled(m); v++) {
		if (m->pending[v / 64] >> v % 64 & 1 && !msix_masked(m, v))
			msix_message(m, v);
	}
}

void msix_send(struct msix *m, unsigned int vector)
{
	if (vector >= m->vectors || !msix_enabled(m))
		return;
	if (msix_masked(m, vector))
		m->pending[vector / 64] |= 1ULL << vector % 64;
	else
		msix_message(m, vector);
}

void msix_config_written(struct msix *m)
{
	msix_flush(m);
}

/* Aligned dwords and qwords (6.8.2); anything else reads as ones and is not written. */
static bool msix_reachable(uint64_t offset, unsigned int len)
{
	return (len == 4 || len == 8) && offset % len == 0;
}

static int msix_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct msix *m = dev;
	unsigned int pba = msix_pba(m);

	if (!msix_reachable(offset, len))
		return -EINVAL;
	if (offset < pba)
		memcpy(data, (const uint8_t *)m->table + offset, len);
	else if (offset - pba < msix_pba_size(m))
		memcpy(data, (const uint8_t *)m->pending + (offset - pba), len);
	else
		memset(data, 0, len);
	return 0;
}

static int msix_write(void *dev, uint64_t offset, const void *data, unsigned int len)
{
	struct msix *m = dev;
	unsigned int v = offset / MSIX_ENTRY;

	if (!msix_reachable(offset, len) || v >= m->vectors)
		return -EINVAL;
	memcpy((uint8_t *)m->table + offset, data, len);
	m->table[v].address &= ~3ULL;
	m->table[v].control &= PCI_MSIX_ENTRY_CTRL_MASKBIT;
	msix_flush(m);
	return 0;
}

static void msix_reset(struct msix *m)
{
	unsigned int v;

	memset(m->table, 0, sizeof(m->table));
	memset(m->pending, 0, sizeof(m->pending));
	for (v = 0; v < m->vectors; v++)
		m->table[v].control = PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

void msix_init(struct msix *m, struct pci_function *f, unsigned int vectors, unsigned int bar)
{
	struct bus_device range = {
		.name = "MSI-X", .read = msix_read, .write = msix_write, .dev = m};
	uint8_t *cap;

	m->f = f;
	m->vectors = vectors;
	msix_reset(m);
	for (range.len = 4096; range.len < msix_pba(m) + msix_pba_size(m);)
		range.len *= 2;
	pci_add_bar(f, bar, &range);
	m->capability = pci_add_capability(f, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	cap = f->config + m->capability;
	pci_put16(cap + PCI_MSIX_FLAGS, vectors - 1);
	pci_put32(cap + PCI_MSIX_TABLE, bar);
	pci_put32(cap + PCI_MSIX_PBA, msix_pba(m) | bar);
	f->writable[m->capability + MSIX_CONTROL] = MSIX_ENABLE | MSIX_MASKALL;
}
