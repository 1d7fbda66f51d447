// SPDX-License-Identifier: GPL-2.0
#include "own_memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "diag.h"
#include "exits.h"

void *own_memory(size_t n, size_t size)
{
	void *memory;

	if (!n)
		return NULL;
	memory = mmap(NULL, n * size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED || madvise(memory, n * size, MADV_DONTFORK))
		die(EXIT_INTERNAL, "cannot map %zu bytes: %s", n * size, strerror(errno));
	return memory;
}

void own_memory_free(void *memory, size_t n, size_t size)
{
	if (memory)
		munmap(memory, n * size);
}
