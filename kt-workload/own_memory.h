/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of the parent's that workers do not inherit: it costs their forks and their ends nothing.
 */
#ifndef KT_OWN_MEMORY_H
#define KT_OWN_MEMORY_H

#include <stddef.h>

/* @n times @size bytes of zeroes; pages come as they are used. Release with own_memory_free(). */
void *own_memory(size_t n, size_t size);
void own_memory_free(void *memory, size_t n, size_t size);

#endif
