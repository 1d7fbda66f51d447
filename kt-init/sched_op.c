// SPDX-License-Identifier: GPL-2.0
/*
 * The scenario's op `sched`: the scheduler under test goes, comes and is exchanged while the
 * command runs on. All of it is done here, with the run's pipes served meanwhile; the host hears of
 * it by the events.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "diag.h"
#include "run.h"

#define OP_MS	50000 /* twice, it is less than kt-workload waits for a reply */
#define LOOK_MS 10    /* sched_ext's state changes without a word */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The words that start scheduler @name: those of --sched if that is meant, else just the name. */
static char **words_for(const struct run *r, const char *name)
{
	char **argv = guestconf_list(r->conf, "sched");

	if (argv[0] && (!strcmp(name, argv[0]) || !strcmp(name, base_name(argv[0]))))
		return argv;
	free(argv);
	argv = xcalloc(2, sizeof(*argv));
	argv[0] = xstrdup(name);
	return argv;
}

static bool is_attached(const struct run *r)
{
	return r->sched_seen && !r->sched_lost && r->sched.pid;
}

/* How many schedulers were enabled since the boot; the last thing that an attachment changes. */
static long enable_count(void)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/kernel/sched_ext/enable_seq", "re");
	long n = -1;

	return f && fscanf(f, "%ld", &n) == 1 ? n : -1;
}

/* Serve until sched_ext is in @state and shows (or not) an ops name, with more enabled than @count,
 * or the scheduler has ended.
 */
static bool state_wait(struct run *r, const char *state, bool alive, long count)
{
	uint64_t end = now_ns() + OP_MS * 1000000ULL;

	while (now_ns() < end) {
		_cleanup_free_ char *ops = sched_root_ops();

		if (!!ops == alive && sched_state_is(state) &&
		    (count < 0 || enable_count() > count))
			return true;
		if (alive && r->sched.exited)
			return false;
		serve(r, LOOK_MS);
	}
	return false;
}

static char *detach(struct run *r)
{
	struct sched_exit unread = {};

	if (!is_attached(r))
		return xstrdup("no scheduler is attached that was started for this run");
	child_stop(r, &r->sched, SIGINT, sched_gone);
	if (!state_wait(r, "disabled", false, -1))
		return xstrdup("the scheduler has ended, and is still there in sched_ext");
	sched_look(r);
	r->sched_seen = r->sched_lost = false;
	/* Its last words are not those of the next one. */
	sched_exit_read(r->kmsg, r->sched_name, &unread);
	free(unread.reason);
	free(unread.message);
	child_close(&r->sched);
	return NULL;
}

/* Takes @argv. */
static char *attach(struct run *r, char **argv)
{
	_cleanup_free_ char *how = NULL;
	long count = enable_count();
	int err;

	if (r->sched_seen) {
		free(argv);
		return xasprintf("scheduler '%s' is attached: expected 'sched replace', or 'sched "
				 "detach' before",
				 r->sched_name);
	}
	free(r->sched_argv);
	r->sched_argv = argv;
	free(take_ptr(r->sched_name)); /* it was that of another program */
	child_close(&r->sched);
	child_init(&r->sched);
	if (r->uevents < 0)
		r->uevents = sched_uevent_open();
	if (r->kmsg < 0)
		r->kmsg = sched_kmsg_open();
	err = child_start(&r->sched, argv, r->env, CHILD_IO_LOG, NULL);
	if (err)
		return xasprintf("cannot execute scheduler %s: %s (--include carries it into the "
				 "guest)",
				 argv[0], strerror(-err));
	if (state_wait(r, "enabled", true, count)) {
		sched_look(r);
		return NULL;
	}
	child_stop(r, &r->sched, SIGINT, sched_gone);
	how = status_describe(&r->sched);
	return xasprintf("scheduler %s was not attached: %s", argv[0], how);
}

/* Is @name, if one is given, the scheduler that runs? */
static bool is_meant(const struct run *r, const char *name)
{
	return !name || !strcmp(name, r->sched_name ? r->sched_name : "") ||
	       (r->sched_argv && !strcmp(base_name(name), base_name(r->sched_argv[0])));
}

static char *restart(struct run *r)
{
	char *why;

	why = detach(r);
	return why ? why : attach(r, take_ptr(r->sched_argv));
}

static char *replace(struct run *r, const char *name)
{
	char *why = detach(r);

	return why ? why : attach(r, words_for(r, name));
}

/* Returns NULL, or what is wrong, malloc'ed. */
static char *op_do(struct run *r, const char *action, const char *name)
{
	bool others = !strcmp(action, "attach") || !strcmp(action, "replace");

	if (others && !name)
		return xstrdup("expected the name of a scheduler");
	if (!others && !is_meant(r, name))
		return xasprintf("'%s' is not the scheduler that is attached", name);
	if (!strcmp(action, "attach"))
		return attach(r, words_for(r, name));
	if (!strcmp(action, "replace"))
		return replace(r, name);
	if (!strcmp(action, "restart"))
		return restart(r);
	if (!strcmp(action, "detach"))
		return detach(r);
	return xasprintf("unknown action '%s'", action);
}

json_t *sched_op(struct run *r, const json_t *request)
{
	const char *action = json_string_value(json_object_get(request, "action"));
	const char *name = json_string_value(json_object_get(request, "name"));
	json_t *id = json_object_get(request, "id"), *reply;
	_cleanup_free_ char *why = NULL;

	if (r->in_sched_op) {
		why = xstrdup("another sched op is under way");
	} else {
		r->in_sched_op = true;
		why = op_do(r, action ? action : "", name);
		r->in_sched_op = false;
	}
	reply = why ? json_pack("{s:s}", "error", why)
		    : json_pack("{s:b,s:s?}", "ok", 1, "scheduler",
				r->sched_seen ? r->sched_name : NULL);
	if (json_is_integer(id))
		json_object_set(reply, "id", id);
	return reply;
}
