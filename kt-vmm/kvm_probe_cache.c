// SPDX-License-Identifier: GPL-2.0
/*
 * The probe's result as JSON, and where it is kept for as long as the host is up. The directory is
 * the user's own, never a shared one: what is read there decides what runs.
 */
#include "kvm_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "kernel_cache.h"

#define SCHEMA	      "kt-probe/1"
#define FILE_NAME     "kvm-probe.json"
#define FILE_MAX_SIZE 16384

static json_t *text(const char *s)
{
	return s ? json_string(s) : json_null();
}

json_t *kvm_probe_json(const struct kvm_probe *p)
{
	return json_pack(
		"{s:s, s:o, s:b, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:b, s:b, s:i, s:i, s:b}",
		"schema", SCHEMA, "boot_id", text(p->boot_id), "usable", p->usable, "why",
		text(p->why), "module", text(p->module), "missing_instruction", text(p->missing),
		"loops", (json_int_t)p->loops, "loop_ns",
		p->loop_ns ? json_integer((json_int_t)p->loop_ns) : json_null(), "watchpoints",
		p->usable ? json_boolean(!p->no_watchpoints) : json_null(), "watchpoints_why",
		text(p->no_watchpoints), "x2apic_ids", p->x2apic_ids, "split_irqchip",
		p->split_irqchip, "max_cpus", (int)p->max_cpus, "disable_exits",
		(int)p->disable_exits, "cached", p->cached);
}

static char *text_of(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? xstrdup(s) : NULL;
}

int kvm_probe_parse(struct kvm_probe *p, const json_t *j)
{
	const char *schema = json_string_value(json_object_get(j, "schema"));
	const json_t *usable = json_object_get(j, "usable");

	if (!schema || strcmp(schema, SCHEMA) || !json_is_boolean(usable) ||
	    json_is_true(usable) != json_is_null(json_object_get(j, "why")))
		return -EBADMSG;
	*p = (struct kvm_probe){
		.usable = json_is_true(usable),
		.why = text_of(j, "why"),
		.missing = text_of(j, "missing_instruction"),
		.module = text_of(j, "module"),
		.no_watchpoints = text_of(j, "watchpoints_why"),
		.loops = json_integer_value(json_object_get(j, "loops")),
		.loop_ns = json_integer_value(json_object_get(j, "loop_ns")),
		.x2apic_ids = json_is_true(json_object_get(j, "x2apic_ids")),
		.split_irqchip = json_is_true(json_object_get(j, "split_irqchip")),
		.max_cpus = json_integer_value(json_object_get(j, "max_cpus")),
		.disable_exits = json_integer_value(json_object_get(j, "disable_exits")),
		.cached = true,
	};
	return 0;
}

/* Which boot of the host this is; "" when the kernel does not say. */
static void boot_id_read(char id[64])
{
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || !fgets(id, 64, f))
		id[0] = 0;
	id[strcspn(id, "\n")] = 0;
}

/* Is it the user's own, and can nobody else write to it? */
static bool is_own(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* The directory of the kept result, made if need be; -1: there is none that can be trusted. */
static int dir_open(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	_cleanup_free_ char *kernels = NULL, *dir = NULL;
	int fd;

	if (runtime && runtime[0] == '/') {
		dir = xasprintf("%s/kt", runtime);
	} else {
		kernels = kernel_cache_dir();
		dir = xstrndup(kernels, strrchr(kernels, '/') - kernels);
	}
	mkdir(dir, 0700);
	fd = open(dir, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && !is_own(fd, S_IFDIR))
		cleanup_closep(&fd), fd = -1;
	return fd;
}

static bool cache_read(int dir, const char *boot_id, struct kvm_probe *p)
{
	_cleanup_close_ int fd =
		openat(dir, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char buf[FILE_MAX_SIZE];
	const char *id;
	json_t *j;
	ssize_t n;
	bool good;

	if (fd < 0 || !is_own(fd, S_IFREG))
		return false;
	n = read(fd, buf, sizeof(buf));
	j = n > 0 ? json_loadb(buf, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	id = json_string_value(json_object_get(j, "boot_id"));
	good = id && !strcmp(id, boot_id) && !kvm_probe_parse(p, j);
	if (good)
		strcpy(p->boot_id, boot_id);
	json_decref(j);
	return good;
}

/* What cannot be kept is found out again. */
static void cache_write(int dir, const struct kvm_probe *p)
{
	_cleanup_free_ char *name = xasprintf("." FILE_NAME ".%d", getpid());
	_cleanup_close_ int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	json_t *j;

	if (fd < 0)
		return;
	j = kvm_probe_json(p);
	if (json_dumpfd(j, fd, JSON_INDENT(2)) || renameat(dir, name, dir, FILE_NAME))
		unlinkat(dir, name, 0);
	json_decref(j);
}

/*
 * A kept "usable" holds only for who may open /dev/kvm, and a module may have been loaded anew: it
 * counts while the device is there and the same module behind it.
 */
static bool still_true(const struct kvm_probe *kept)
{
	_cleanup_close_ int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	_cleanup_free_ char *path = kept->module ? xasprintf("/sys/module/%s", kept->module) : NULL;

	return kvm >= 0 && path && access(path, F_OK) == 0;
}

void kvm_probe_get(struct kvm_probe *p, bool anew)
{
	_cleanup_close_ int dir = dir_open();
	char boot_id[64];

	boot_id_read(boot_id);
	if (!anew && dir >= 0 && boot_id[0] && cache_read(dir, boot_id, p)) {
		if (still_true(p))
			return;
		kvm_probe_free(p);
	}
	kvm_probe_run(p);
	strcpy(p->boot_id, boot_id);
	/* A loop may have been slow because the host was busy. */
	if (dir >= 0 && boot_id[0] && (p->usable || p->missing))
		cache_write(dir, p);
}
