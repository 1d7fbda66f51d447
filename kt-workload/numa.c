// SPDX-License-Identifier: GPL-2.0
#include "numa.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

#define PAGE_PRESENT   (1ULL << 63)
#define PAGE_FILE      (1ULL << 61)
#define PAGE_EXCLUSIVE (1ULL << 56)
#define BATCH	       512

/* Add the nodes of @n pages to @p; move_pages(2) without nodes only asks. */
static bool count_batch(struct numa_pages *p, void **pages, size_t n)
{
	int nodes[BATCH];
	size_t i;

	if (!n)
		return true;
	if (syscall(SYS_move_pages, 0, n, pages, NULL, nodes, 0) < 0)
		return false;
	for (i = 0; i < n; i++) {
		if (nodes[i] >= 0 && nodes[i] < NUMA_NODES_MAX)
			p->on[nodes[i]]++;
	}
	return true;
}

static bool count_range(struct numa_pages *p, int pagemap, uint64_t start, uint64_t end)
{
	uint64_t entries[BATCH], size = sysconf(_SC_PAGESIZE);
	void *pages[BATCH];

	while (start < end) {
		uint64_t want = (end - start) / size;
		ssize_t got =
			pread(pagemap, entries, (want < BATCH ? want : BATCH) * sizeof(*entries),
			      start / size * sizeof(*entries));
		size_t n = 0, i;

		if (got < (ssize_t)sizeof(*entries))
			return false;
		got /= sizeof(*entries);
		for (i = 0; i < (size_t)got; i++) {
			if ((entries[i] & PAGE_PRESENT) && (entries[i] & PAGE_EXCLUSIVE) &&
			    !(entries[i] & PAGE_FILE))
				pages[n++] = (void *)(start + i * size);
		}
		if (!count_batch(p, pages, n))
			return false;
		start += got * size;
	}
	return true;
}

void numa_pages_count(struct numa_pages *p)
{
	_cleanup_close_ int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	_cleanup_fclose_ FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	*p = (struct numa_pages){.known = pagemap >= 0 && maps};
	while (p->known && fgets(line, sizeof(line), maps)) {
		uint64_t start, end;
		char perms[5];

		/* Shared memory is the run's, not the worker's; the vsyscall page has no entry. */
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, perms) == 3 &&
		    perms[3] == 'p' && perms[0] == 'r' && !strstr(line, "[v"))
			p->known = count_range(p, pagemap, start, end);
	}
}

int64_t numa_pages_migrated(void)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[32], line[256];

	/* Not by thread-self: threads that end would meet in their process's directory. */
	snprintf(path, sizeof(path), "/proc/%d/sched", gettid());
	f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		const char *colon = strchr(line, ':');

		if (colon && !strncmp(line, "numa_pages_migrated", 19))
			return strtoll(colon + 1, NULL, 10);
	}
	return -1;
}
