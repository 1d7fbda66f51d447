/* SPDX-License-Identifier: GPL-2.0 */
/* A guest's memory and registers that ram_image has recorded, as a VM that stands still. */
#ifndef KT_TESTS_IMAGE_H
#define KT_TESTS_IMAGE_H

#include "session.h"

struct image {
	json_t *ram, *regs; /* the answers */
	int fd;
	uint8_t *data; /* our own view of it */
	size_t size;
};

/* A copy of file @path in memory, which may be spoilt. Ends the program when there is none. */
void image_load(struct image *im, const char *path);

/* A child that answers in the VM's place. Returns our end of its socket. */
int image_vm(const struct image *im);

/* Open the kernel. Returns 0 or a negative errno. */
int image_open(const struct image *im, struct kernel *k);

#endif
