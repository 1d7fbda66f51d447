// SPDX-License-Identifier: GPL-2.0
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "carry.h"
#include "cleanup.h"
#include "cpio.h"
#include "diag.h"
#include "exits.h"
#include "guestconf.h"
#include "layout.h"
#include "status.h"
#include "words.h"

/*
 * What a guest that lives for seconds can do without. An oops ends the run: the kernel's state is
 * nothing to test a scheduler on. A panicked one waits, so that it can be looked at. The slow
 * serial port is for what is wrong: warnings and worse.
 */
#define CMDLINE                                                                           \
	"console=ttyS0 quiet loglevel=5 oops=panic panic=3 mitigations=off tsc=reliable " \
	"no_timer_check rcupdate.rcu_expedited=1 cryptomgr.notests audit=0"

char *guest_cmdline(const char *append, bool deterministic)
{
	char *line = xasprintf("%s%s%s%s", CMDLINE, deterministic ? " nokaslr" : "",
			       append ? " " : "", append ? append : "");
	size_t len = strlen(line);

	if (len > GUEST_CMDLINE_MAX)
		die(EXIT_USAGE,
		    "--append: the kernel's command line would have %zu bytes, expected at most %d",
		    len, GUEST_CMDLINE_MAX);
	return line;
}

static void carry_or_die(struct cpio *c, int status, const char *host, const char *guest)
{
	char *why;

	if (carry_file(c, host, guest, &why))
		die(status, "%s", why);
}

/* kt's own guest program @name, from beside this program to @guest. */
static void add_own_program(struct cpio *c, const char *name, const char *guest)
{
	bool own;
	_cleanup_free_ char *path = carry_find_command(name, &own);

	if (!path)
		die(STATUS_VMM, "%s: not found beside kt-vmm: is the installation complete?", name);
	carry_or_die(c, STATUS_VMM, path, guest);
}

static void add_include(struct cpio *c, const char *text)
{
	const char *colon = strrchr(text, ':');
	_cleanup_free_ char *host = xstrndup(text, colon ? (size_t)(colon - text) : strlen(text));

	/* A colon may be part of the file's name. */
	if (!colon || access(text, F_OK) == 0)
		carry_or_die(c, EXIT_USAGE, text, NULL);
	else if (!colon[1])
		die(EXIT_USAGE, "--include '%s': expected FILE or FILE:GUESTPATH", text);
	else
		carry_or_die(c, EXIT_USAGE, host, colon + 1);
}

/* Carry the arguments that name files; what cannot be carried stays the guest's business. */
static void add_arguments(struct cpio *c, char *const *args)
{
	for (; *args; args++) {
		_cleanup_free_ char *why = NULL;
		const char *value = strchr(*args, '='); /* --config=FILE */
		const char *file = path_is_regular(*args) || !value ? *args : value + 1;

		if (path_is_regular(file) && carry_file(c, file, NULL, &why))
			info("argument '%s': not carried in full: %s", *args, why);
	}
}

/* Is a program @name there in the guest without our doing: included, or a busybox applet? */
static bool in_guest(const struct cpio *c, const char *name)
{
	_cleanup_free_ char *dirs = xstrdup(GUEST_PATH_ENV);
	char *dir, *save;

	for (dir = strtok_r(dirs, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		_cleanup_free_ char *path = path_normalise(dir, name);

		if (cpio_has(c, path))
			return true;
	}
	return false;
}

/*
 * Carry the command. Returns the guest's name for it. A path keeps its form, a word is found on the
 * guest's PATH since the host's directory comes along; one from an unusual directory is named in
 * full.
 */
static char *add_command(struct cpio *c, const char *name, bool auto_include)
{
	bool own;
	_cleanup_free_ char *host = carry_find_command(name, &own), *full = NULL;

	if (!host || !auto_include) {
		if (in_guest(c, name) || (host && !auto_include))
			return xstrdup(name);
		die(STATUS_NOT_FOUND,
		    "command '%s': not found among kt's guest programs, on PATH or in what is "
		    "included",
		    name);
	}
	if (!path_is_regular(host) || access(host, X_OK))
		die(STATUS_CANNOT_EXEC, "command '%s': expected an executable file", name);
	if (own) {
		full = xasprintf(GUEST_BIN_DIR "/%s", name);
		carry_or_die(c, STATUS_CANNOT_EXEC, host, full);
		return take_ptr(full);
	}
	carry_or_die(c, STATUS_CANNOT_EXEC, host, NULL);
	if (strchr(name, '/'))
		return xstrdup(name);
	return take_ptr(host);
}

static void add_sched(struct cpio *c, struct guestconf *conf, const struct guest_options *o)
{
	_cleanup_free_ char *path = NULL;
	const char *why = NULL;
	char **words;
	size_t i;

	if (!o->sched)
		return;
	if (!path_is_regular(o->sched) || access(o->sched, X_OK))
		die(EXIT_USAGE, "scheduler '%s': expected an executable file", o->sched);
	path = path_absolute(o->sched);
	if (!path)
		die(EXIT_USAGE, "scheduler '%s': %s", o->sched, strerror(errno));
	carry_or_die(c, EXIT_USAGE, path, NULL);
	guestconf_add(conf, "sched", path);
	words = words_split(o->sched_args ? o->sched_args : "", &why);
	if (!words)
		die(EXIT_USAGE, "--sched-args: %s", why);
	if (o->auto_include)
		add_arguments(c, words);
	for (i = 0; words[i]; i++)
		guestconf_add(conf, "sched", words[i]);
	words_free(words);
}

/* Modules lie in a directory of their own, numbered: two may have one name. */
static void add_modules(struct cpio *c, struct guestconf *conf, const struct guest_options *o)
{
	size_t i;

	for (i = 0; o->modules && o->modules[i]; i++) {
		const char *slash = strrchr(o->modules[i], '/');
		_cleanup_free_ char *guest =
			xasprintf(GUEST_MODULE_DIR "/%zu/%s", i, slash ? slash + 1 : o->modules[i]);

		if (!path_is_regular(o->modules[i]))
			die(EXIT_USAGE, "module '%s': expected a file", o->modules[i]);
		carry_or_die(c, EXIT_USAGE, o->modules[i], guest);
		guestconf_add(conf, "module", guest);
	}
}

/* The whole of a deterministic run's stdin, read before the boot: its arrival must not vary. */
static void add_stdin(struct cpio *c, int from)
{
	_cleanup_close_ int fd = memfd_create("kt-stdin", MFD_CLOEXEC);
	uint64_t size = 0;
	char buf[65536];
	ssize_t n;

	while (fd >= 0 && (n = read(from, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || write(fd, buf, n) != n)
			die(STATUS_VMM, "stdin: %s", strerror(errno));
		size += n;
	}
	if (fd < 0 || lseek(fd, 0, SEEK_SET) || cpio_add_fd(c, GUEST_STDIN_PATH, 0600, fd, size))
		die(STATUS_VMM, "stdin: cannot be carried into the guest");
}

/* Does one of @pairs from the @from'th on set the variable that @pair sets? */
static bool is_set(const char **pairs, size_t from, const char *pair)
{
	size_t len = strcspn(pair, "=") + 1, i;

	for (i = from; pairs && pairs[i]; i++) {
		if (!strncmp(pairs[i], pair, len))
			return true;
	}
	return false;
}

/* Set @name unless the user does: of two equal names getenv(3) takes the first. */
static void add_variable(struct guestconf *conf, const struct guest_options *o, const char *name,
			 const char *value)
{
	_cleanup_free_ char *pair = xasprintf("%s=%s", name, value);

	if (!is_set(o->env, 0, pair))
		guestconf_add(conf, "env", pair);
}

static void add_environment(struct guestconf *conf, const struct guest_options *o)
{
	const char *term = getenv("TERM"), *libs = getenv("LD_LIBRARY_PATH");
	_cleanup_free_ char *seed = xasprintf("%" PRIu64, o->seed);
	size_t i;

	add_variable(conf, o, "PATH", GUEST_PATH_ENV);
	add_variable(conf, o, "HOME", GUEST_HOME);
	add_variable(conf, o, "USER", "root");
	add_variable(conf, o, "SHELL", "/bin/sh");
	add_variable(conf, o, "KT_CHANNEL_FD", "63");
	if (o->shell && term)
		add_variable(conf, o, "TERM", term);
	if (libs && libs[0])
		add_variable(conf, o, "LD_LIBRARY_PATH", libs);
	if (o->has_seed) {
		add_variable(conf, o, "KT_SEED", seed);
		guestconf_add(conf, "seed", seed);
	}
	for (i = 0; o->env && o->env[i]; i++) {
		if (!is_set(o->env, i + 1, o->env[i]))
			guestconf_add(conf, "env", o->env[i]);
	}
}

static void add_path(const char *path, void *arg)
{
	struct {
		char **list;
		size_t n;
	} *files = arg;

	ptrlist_add(&files->list, &files->n, xstrdup(path));
}

static void add_command_line(struct cpio *c, struct guestconf *conf, const struct guest_options *o)
{
	_cleanup_free_ char *command = NULL;
	size_t i;

	if (!o->command[0]) { /* --shell without a command */
		if (!in_guest(c, "sh"))
			die(STATUS_VMM, "--shell: /bin/busybox is missing (kt-deps installs it)");
		guestconf_add(conf, "arg", "sh");
		return;
	}
	command = add_command(c, o->command[0], o->auto_include);
	guestconf_add(conf, "arg", command);
	for (i = 1; o->command[i]; i++)
		guestconf_add(conf, "arg", o->command[i]);
	if (o->auto_include)
		add_arguments(c, o->command + 1);
}

void guest_build(struct guest *g, const struct guest_options *o, const struct kernel *k)
{
	struct {
		char **list;
		size_t n;
	} files = {0};
	struct guestconf conf = {0};
	struct cpio *c = cpio_new();
	size_t i;
	int err;

	if (!c)
		die(STATUS_VMM, "initramfs: %s", strerror(errno));
	add_own_program(c, "kt-init", "/init");
	cpio_add_dir(c, GUEST_HOME, 0700);
	for (i = 0; o->includes && o->includes[i]; i++)
		add_include(c, o->includes[i]);
	if (o->auto_include) {
		carry_busybox(c);
		/* Scripts call it, too. */
		add_own_program(c, "kt-workload", GUEST_BIN_DIR "/kt-workload");
	}
	add_command_line(c, &conf, o);
	add_modules(c, &conf, o);
	add_sched(c, &conf, o);
	if (k->config)
		carry_or_die(c, STATUS_VMM, k->config, "/kt/config");
	add_environment(&conf, o);
	if (o->stdin_fd >= 0) {
		add_stdin(c, o->stdin_fd);
		guestconf_add(&conf, "stdin", GUEST_STDIN_PATH);
	} else if (!o->forward_stdin) {
		guestconf_add(&conf, "stdin", "/dev/null");
	}
	if (!o->deterministic)
		guestconf_add(&conf, "bye", "1");
	if (o->shell)
		guestconf_add(&conf, "pty", "1");
	cpio_add_data(c, GUESTCONF_PATH, 0600, conf.data, conf.len);
	err = cpio_finish(c, &g->initrd);
	if (err)
		die(STATUS_VMM, "initramfs: %s", strerror(-err));
	cpio_list(c, add_path, &files);
	g->files = files.list;
	cpio_free(c);
	free(conf.data);
}

void guest_free(struct guest *g)
{
	size_t i;

	for (i = 0; g->files[i]; i++)
		free(g->files[i]);
	free(g->files);
	cpio_archive_free(&g->initrd);
}
