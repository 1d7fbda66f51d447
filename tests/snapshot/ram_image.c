// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's memory in a file, and kt-snapshot's own code at work on it:
 *
 *	ram_image record RUNDIR FILE	take a live VM's memory and registers
 *	ram_image open FILE N		open the kernel N times; the median in us
 *	ram_image hostile FILE N SEED	N captures, each of spoilt memory, and a monitor's sample
 *	ram_image lacking FILE		captures of a kernel that lacks one name after the other
 *
 * FILE holds the memory, FILE.json what the control socket said. Spoilt are words of those pages
 * that a capture touches; one in 256 spoils what opening touches and opens the kernel. Iteration I
 * is that of "hostile FILE 1 SEED+I". A crash, or an iteration of more than ten seconds, ends the
 * program.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture.h"
#include "cleanup.h"
#include "clock.h"
#include "diag.h"
#include "exits.h"
#include "image.h"
#include "lacking.h"
#include "monitor.h"
#include "session.h"

#define PAGE		  4096UL
#define ITERATION_SECONDS 10
#define MAX_SPOILT	  64
#define OPEN_EVERY	  256
#define MEMORY_LIMIT	  (8UL << 30)

static int record(const char *rundir, const char *path)
{
	json_t *list, *o, *doc, *regs, *answer;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint64_t at = 0, page;
	struct session s;
	char *why = NULL, *json = xasprintf("%s.json", path);
	size_t i;

	if (fd < 0 || vm_connect(&s.vm, rundir, &why) || session_read(&s, false, &why) ||
	    vm_freeze(&s.vm, &why))
		die(EXIT_FAILURE, "%s", why ? why : strerror(errno));
	regs = vm_ask(&s.vm, json_pack("{s:s}", "command", "regs"), NULL, NULL, &why);
	answer = vm_ask(&s.vm, json_pack("{s:s}", "command", "ram"), NULL, NULL, &why);
	list = json_array();
	for (i = 0; i < s.kernel.ram.n_ranges; i++) {
		const struct ram_range *r = &s.kernel.ram.ranges[i];
		static const uint8_t zeros[PAGE];

		o = json_pack("{s:i,s:I,s:I,s:I}", "fd", 0, "offset", (json_int_t)at, "address",
			      (json_int_t)r->address, "size", (json_int_t)r->size);
		json_array_append_new(list, o);
		for (page = 0; page < r->size; page += PAGE) {
			if (memcmp(r->data + page, zeros, PAGE) &&
			    pwrite(fd, r->data + page, PAGE, at + page) != PAGE)
				die(EXIT_FAILURE, "'%s': %s", path, strerror(errno));
		}
		at += r->size;
	}
	json_object_set_new(answer, "ram", list);
	doc = json_pack("{s:o,s:o}", "ram", answer, "regs", regs);
	if (ftruncate(fd, at) || json_dump_file(doc, json, JSON_INDENT(1)))
		die(EXIT_FAILURE, "'%s': %s", json, strerror(errno));
	json_decref(doc);
	free(json);
	session_close(&s);
	return close(fd);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int open_times(const struct image *im, size_t n)
{
	uint64_t *us = xcalloc(n, sizeof(*us));
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t begin = now_ns();
		struct kernel k;

		if (image_open(im, &k))
			die(EXIT_FAILURE, "the kernel does not open");
		us[i] = (now_ns() - begin) / 1000;
		kernel_close(&k);
	}
	qsort(us, n, sizeof(*us), compare);
	printf("%" PRIu64 "\n", us[n / 2]);
	free(us);
	return 0;
}

/* The pages of RAM that this process has looked at through @k's mappings, as file offsets. */
struct pages {
	uint64_t *at;
	size_t n;
};

static void forget_touched(const struct kernel *k)
{
	size_t i;

	for (i = 0; i < k->ram.n_ranges; i++)
		madvise(k->ram.ranges[i].data, k->ram.ranges[i].size, MADV_DONTNEED);
}

static void touched(const struct kernel *k, struct pages *p)
{
	_cleanup_close_ int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t base = 0, i, entry, pages;
	size_t r;

	for (r = 0; r < k->ram.n_ranges; r++) {
		pages = k->ram.ranges[r].size / PAGE;
		for (i = 0; i < pages; i++) {
			off_t at = ((uintptr_t)k->ram.ranges[r].data / PAGE + i) * sizeof(entry);

			if (pread(map, &entry, sizeof(entry), at) != sizeof(entry) ||
			    !(entry >> 63))
				continue;
			p->at = xrealloc(p->at, (p->n + 1) * sizeof(*p->at));
			p->at[p->n++] = base + i * PAGE;
		}
		base += k->ram.ranges[r].size;
	}
}

static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

struct spoilt {
	uint64_t at[MAX_SPOILT], was[MAX_SPOILT];
	size_t n;
};

/* Words become what is near to right, what is at the edge, or anything. */
static void spoil(struct image *im, const struct pages *p, uint64_t seed, struct spoilt *s)
{
	uint64_t state = seed;

	s->n = 1ULL << random_next(&state) % 7;
	for (size_t i = 0; i < s->n; i++) {
		uint64_t at =
			p->at[random_next(&state) % p->n] + random_next(&state) % PAGE / 8 * 8;
		uint64_t word, other = p->at[random_next(&state) % p->n];

		memcpy(&word, im->data + at, sizeof(word));
		s->at[i] = at;
		s->was[i] = word;
		switch (random_next(&state) % 6) {
		case 0:
			word ^= 1ULL << random_next(&state) % 64;
			break;
		case 1:
			word = random_next(&state) % 2 ? -1ULL : 0;
			break;
		case 2:
			word = random_next(&state);
			break;
		case 3: /* what another place holds: pointers that meet themselves */
			memcpy(&word, im->data + other + random_next(&state) % PAGE / 8 * 8,
			       sizeof(word));
			break;
		case 4:
			word += (int64_t)(random_next(&state) % 512) - 256;
			break;
		default:
			word = (word & ~0xffffffffULL) | (random_next(&state) & 0xffffffff);
		}
		memcpy(im->data + at, &word, sizeof(word));
	}
}

static void mend(struct image *im, struct spoilt *s)
{
	while (s->n--)
		memcpy(im->data + s->at[s->n], &s->was[s->n], sizeof(s->was[0]));
}

/* Two samples, written nowhere. */
static void monitor_once(struct session *s)
{
	_cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char *why = NULL;
	struct monitor *m = monitor_open(s, null, MONITOR_INTERVAL_NS, &why);
	int i;

	for (i = 0; m && i < 2; i++)
		monitor_sample(m);
	monitor_close(m);
	free(why);
}

/* Take one, and sample, and write it nowhere. Whether there was one. */
static bool capture_once(struct session *s)
{
	struct capture_want want = {};
	char *why = NULL;
	json_t *doc = capture_take(s, &want, "hostile", "demand", &why);
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	bool made = text;

	monitor_once(s);
	free(text);
	free(why);
	json_decref(doc);
	return made;
}

static int hostile(struct image *im, size_t n, uint64_t seed)
{
	struct session s = {};
	struct pages at_open = {}, at_capture = {};
	size_t i, opened = 0, made = 0;
	struct rlimit limit = {MEMORY_LIMIT, MEMORY_LIMIT};
	struct rusage usage;

	setrlimit(RLIMIT_AS, &limit);
	vm_adopt(&s.vm, image_vm(im));
	if (image_open(im, &s.kernel) || (touched(&s.kernel, &at_open), !at_open.n))
		die(EXIT_FAILURE, "the kernel does not open");
	forget_touched(&s.kernel);
	if (!capture_once(&s) || (touched(&s.kernel, &at_capture), !at_capture.n))
		die(EXIT_FAILURE, "there is no capture");
	for (i = 0; i < n; i++) {
		bool open = (seed + i) % OPEN_EVERY == 0;
		struct session other = {.vm = s.vm};
		struct spoilt spoilt;

		alarm(ITERATION_SECONDS);
		spoil(im, open ? &at_open : &at_capture, seed + i, &spoilt);
		if (!open) {
			made += capture_once(&s);
		} else if (!image_open(im, &other.kernel)) {
			opened++;
			made += capture_once(&other);
			kernel_close(&other.kernel);
		}
		mend(im, &spoilt);
	}
	alarm(0);
	getrusage(RUSAGE_SELF, &usage);
	printf("%zu captures of %zu, %zu spoilt kernels opened, %zu and %zu pages, peak %ld MiB\n",
	       made, n, opened, at_open.n, at_capture.n, usage.ru_maxrss / 1024);
	session_close(&s);
	return 0;
}

int main(int argc, char **argv)
{
	struct image im = {};

	diag_init("ram_image");
	if (argc == 4 && !strcmp(argv[1], "record"))
		return record(argv[2], argv[3]);
	if (argc < 3 || (argc == 3 && strcmp(argv[1], "lacking")))
		die(EXIT_USAGE, "expected record RUNDIR FILE, open FILE N, hostile FILE N SEED, or "
				"lacking FILE");
	image_load(&im, argv[2]);
	if (!strcmp(argv[1], "lacking"))
		return lacking(&im);
	if (!strcmp(argv[1], "open"))
		return open_times(&im, atoi(argv[3]));
	return hostile(&im, atoi(argv[3]), argc > 4 ? strtoull(argv[4], NULL, 0) : 1);
}
