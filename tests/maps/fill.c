// SPDX-License-Identifier: GPL-2.0
#include "fill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"

#define CGROUP	     "/sys/fs/cgroup/kt-maps"
#define CGROUP_INNER CGROUP "/inner"
#define PAGE	     4096
#define ARENA_PAGES  100

static int fd_of(struct bpf_object *obj, const char *name)
{
	return bpf_object__find_map_fd_by_name(obj, name);
}

static void put(int fd, const char *name, const void *key, const void *value)
{
	if (bpf_map_update_elem(fd, key, value, BPF_ANY))
		die(EXIT_FAILURE, "cannot fill %s: %s", name, strerror(errno));
}

/* What a kernel may lack: said, and left out. */
static void put_if(int fd, const char *name, const void *key, const void *value)
{
	if (fd >= 0 && bpf_map_update_elem(fd, key, value, BPF_ANY))
		warn("no value in %s: %s", name, strerror(errno));
}

static struct everything everything(uint32_t i)
{
	struct everything e = {
		.huge = UINT64_MAX - i,
		.lowest = INT64_MIN + i,
		.minus = -100 - (int)i,
		.small_minus = -200,
		.tiny_minus = -128,
		.byte = 255,
		.large = UINT32_MAX,
		.yes = true,
		.color = COLOR_BLUE,
		.odd = COLOR_ODD,
		.unknown = 12345,
		.wide = WIDE_HUGE,
		.full = {'a', 'b', 'c', 'd'},
		.bytes = {1, 2, 255},
		.low = 5,
		.mid = 8191 - i,
		.high = 0xabc,
		.signed_bits = -7,
		.wide_bits = 0xfedcba9876,
		.rest = 0x123456,
		.points = {{1, -1}, {INT32_MAX, INT32_MIN}},
		.word = 0x04030201,
		.in = -3,
		.deep = 4,
		.grid = {{1, 2, 3}, {-1, -2, -3}},
	};

	snprintf(e.name, sizeof(e.name), "entry \"%u\"", i);
	return e;
}

static void arrays_fill(struct bpf_object *obj)
{
	int n = libbpf_num_possible_cpus(), fd = fd_of(obj, "a_percpu_array"), cpu;
	_cleanup_free_ struct point *points = xcalloc(n, sizeof(*points));
	uint32_t i;

	for (i = 0; i < N_EVERYTHING; i++) {
		struct everything e = everything(i);

		put(fd_of(obj, "a_array"), "a_array", &i, &e);
	}
	for (i = 0; i < N_POINTS; i++) {
		for (cpu = 0; cpu < n; cpu++)
			points[cpu] = (struct point){100 * i + cpu, -cpu};
		put(fd, "a_percpu_array", &i, points);
	}
}

static void hashes_fill(struct bpf_object *obj)
{
	int n = libbpf_num_possible_cpus(), cpu;
	_cleanup_free_ uint64_t *values = xcalloc(n, sizeof(*values));
	_cleanup_free_ struct point *points = xcalloc(n, sizeof(*points));
	int32_t i;

	for (i = 0; i < N_HASH; i++) {
		struct hash_key key = {.id = i * 7919u, .kind = -i};
		struct hash_value value = {.square = (uint64_t)i * i, .minus = -i};

		snprintf(value.name, sizeof(value.name), "n%u", i % 10000u);
		put(fd_of(obj, "a_hash"), "a_hash", &key, &value);
	}
	for (i = 0; i < N_SMALL; i++) {
		enum color color = i % 2 ? COLOR_RED : COLOR_ODD;
		int32_t key = 10 - i;
		int64_t minus = -(int64_t)i << 40;
		uint64_t wide = UINT64_MAX - i;
		uint16_t narrow = i * 1000;

		for (cpu = 0; cpu < n; cpu++) {
			values[cpu] = (uint32_t)(i - cpu);
			points[cpu] = (struct point){i, cpu};
		}
		put(fd_of(obj, "a_loose_hash"), "a_loose_hash", &key, &color);
		put(fd_of(obj, "a_percpu_hash"), "a_percpu_hash", &wide, values);
		put(fd_of(obj, "a_lru_hash"), "a_lru_hash", &i, &minus);
		put(fd_of(obj, "a_lru_percpu"), "a_lru_percpu", &narrow, points);
	}
}

static void maps_of_maps_fill(struct bpf_object *obj)
{
	int inner[] = {fd_of(obj, "an_inner"), fd_of(obj, "other_inner")};
	uint64_t key;

	for (key = 0; key < 4; key++)
		put(fd_of(obj, "a_hash_of"), "a_hash_of", &(uint64_t){key << 33}, &inner[key % 2]);
}

static void queues_fill(struct bpf_object *obj)
{
	static const char *const names[] = {"a_queue", "a_stack"};
	int32_t i, popped;
	size_t m;

	for (m = 0; m < ARRAY_SIZE(names); m++) {
		for (i = 0; i < 8; i++)
			put(fd_of(obj, names[m]), names[m], NULL, &i);
		for (i = 0; i < 5; i++)
			bpf_map_lookup_and_delete_elem(fd_of(obj, names[m]), NULL, &popped);
		for (i = -3; i < 0; i++)
			put(fd_of(obj, names[m]), names[m], NULL, &i);
	}
}

static void tasks_fill(struct bpf_object *obj, const pid_t *tasks)
{
	int i;

	for (i = 0; i < N_TASKS; i++) {
		_cleanup_close_ int fd = syscall(SYS_pidfd_open, tasks[i], 0);
		struct point p = {i, -i};

		put(fd_of(obj, "a_task_storage"), "a_task_storage", &fd, &p);
	}
}

/* Cgroups with values of both kinds; the older one comes with a program that is attached. */
static void cgroups_fill(struct bpf_object *obj)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, "count_bytes");
	_cleanup_close_ int outer = -1, inner = -1;
	struct bpf_link *link;

	mkdir(CGROUP, 0755);
	mkdir(CGROUP_INNER, 0755);
	outer = open(CGROUP, O_DIRECTORY | O_CLOEXEC);
	inner = open(CGROUP_INNER, O_DIRECTORY | O_CLOEXEC);
	if (outer < 0 || inner < 0) {
		warn("no cgroups: %s", strerror(errno));
		return;
	}
	put_if(fd_of(obj, "a_cgrp_storage"), "a_cgrp_storage", &outer, &(struct point){7, -7});
	put_if(fd_of(obj, "a_cgrp_storage"), "a_cgrp_storage", &inner, &(struct point){8, -8});
	link = bpf_program__attach_cgroup(prog, inner);
	if (!link)
		warn("no program at a cgroup: %s", strerror(errno));
	/* The link stays until the process ends. */
}

/* Files' and sockets' storages: the descriptors have to stay open. */
static void objects_fill(struct bpf_object *obj)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	put_if(fd_of(obj, "a_inode_storage"), "a_inode_storage", &file, &(struct point){1, 2});
	put_if(fd_of(obj, "a_sk_storage"), "a_sk_storage", &sock, &(struct point){3, 4});
}

/* Two messages of 8 bytes each that no program has taken. */
static void user_ringbuf_fill(struct bpf_object *obj)
{
	struct user_ring_buffer *ring = user_ring_buffer__new(fd_of(obj, "a_user_ringbuf"), NULL);
	int i;

	for (i = 0; ring && i < 2; i++) {
		void *message = user_ring_buffer__reserve(ring, 8);

		if (!message)
			break;
		memset(message, i, 8);
		user_ring_buffer__submit(ring, message);
	}
	if (!ring || i < 2)
		die(EXIT_FAILURE, "cannot fill a_user_ringbuf: %s", strerror(errno));
	user_ring_buffer__free(ring);
}

/* Without types: keys and values are bytes to whoever reads them. */
static void untyped_make(void)
{
	int hash = bpf_map_create(BPF_MAP_TYPE_HASH, "no_types", 3, 5, 16, NULL);
	int array = bpf_map_create(BPF_MAP_TYPE_ARRAY, "no_types_array", 4, 6, 3, NULL);
	const struct bpf_map_create_opts opts = {.sz = sizeof(opts),
						 .map_flags = BPF_F_NO_PREALLOC};
	int trie = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "a_trie", 8, 4, 16, &opts);
	uint32_t i;

	if (hash < 0 || array < 0 || trie < 0)
		die(EXIT_FAILURE, "cannot make maps without types: %s", strerror(errno));
	for (i = 0; i < 3; i++) {
		const uint8_t key[3] = {9 - i, 0, 255}, value[6] = {1, 2, 3, 4, 250 + i, 6};

		put(hash, "no_types", key, value);
		put(array, "no_types_array", &i, value);
	}
}

/* An arena of which pages 0, 1, 3 and the last one are there. */
static void arena_make(void)
{
	const struct bpf_map_create_opts opts = {.sz = sizeof(opts), .map_flags = BPF_F_MMAPABLE};
	int fd = bpf_map_create(MAP_ARENA, "an_arena", 0, 0, ARENA_PAGES, &opts);
	char *at;

	if (fd < 0) {
		warn("no an_arena: %s", strerror(errno));
		return;
	}
	at = mmap(NULL, ARENA_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		die(EXIT_FAILURE, "cannot map the arena: %s", strerror(errno));
	at[0] = at[PAGE] = at[3 * PAGE] = at[(ARENA_PAGES - 1) * PAGE] = 'x';
}

static void big_fill(struct bpf_object *obj)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "big");
	size_t size = (size_t)bpf_map__max_entries(map) * sizeof(struct page_of_numbers), i;
	uint64_t *at;

	if (!bpf_map__autocreate(map))
		return;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (at == MAP_FAILED)
		die(EXIT_FAILURE, "cannot map the big array: %s", strerror(errno));
	for (i = 0; i < size / sizeof(*at); i++)
		at[i] = i;
}

void maps_fill(struct bpf_object *obj, const pid_t tasks[N_TASKS])
{
	arrays_fill(obj);
	hashes_fill(obj);
	maps_of_maps_fill(obj);
	queues_fill(obj);
	tasks_fill(obj, tasks);
	cgroups_fill(obj);
	user_ringbuf_fill(obj);
	objects_fill(obj);
	untyped_make();
	arena_make();
	big_fill(obj);
}

void cgroups_remove(void)
{
	rmdir(CGROUP_INNER);
	rmdir(CGROUP);
}
