/* SPDX-License-Identifier: GPL-2.0 */
/* Scope-bound release: `_cleanup_free_ char *s = ...;` frees s on every way out of its block. */
#ifndef KT_CLEANUP_H
#define KT_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_freep(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_(fn)	 __attribute__((cleanup(fn)))
#define _cleanup_free_	 _cleanup_(cleanup_freep)
#define _cleanup_close_	 _cleanup_(cleanup_closep)
#define _cleanup_fclose_ _cleanup_(cleanup_fclosep)

/* Hand a resource on: yields the pointer or descriptor and disarms its cleanup. */
#define take_ptr(p)                     \
	({                              \
		__auto_type _tmp = (p); \
		(p) = NULL;             \
		_tmp;                   \
	})
#define take_fd(fd)              \
	({                       \
		int _tmp = (fd); \
		(fd) = -1;       \
		_tmp;            \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
