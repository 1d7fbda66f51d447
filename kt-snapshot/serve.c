// SPDX-License-Identifier: GPL-2.0
#include "serve.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "cleanup.h"
#include "diag.h"

json_t *serve_refuse(const char *fmt, ...)
{
	json_t *text;
	va_list ap;

	va_start(ap, fmt);
	text = json_vsprintf(fmt, ap);
	va_end(ap);
	return json_pack("{s:o}", "error", text ? text : json_string("no reason that is text"));
}

json_t *serve_refuse_why(char *why)
{
	json_t *o = serve_refuse("%s", why ? why : "no reason given");

	free(why);
	return o;
}

/* Write @doc to @fd. Returns 0 or -errno: the disk may be full. */
static int document_write(const json_t *doc, int fd)
{
	_cleanup_fclose_ FILE *f = fdopen(fd, "w");
	static char buf[1 << 16];
	int ret;

	if (!f) {
		ret = -errno;
		close(fd);
		return ret;
	}
	setvbuf(f, buf, _IOFBF, sizeof(buf));
	errno = 0;
	ret = json_dumpf(doc, f, JSON_INDENT(1)) || fputc('\n', f) == EOF || fflush(f);
	return ret ? (errno ? -errno : -EIO) : 0;
}

/* Have the complete file kept under the name that it got. Returns its path, or NULL with *@why. */
static json_t *file_keep(struct server *sv, json_t *file, const json_t *doc, char **why)
{
	json_t *answer, *request;

	request = json_pack("{s:s,s:O,s:O,s:O}", "command", "keep", "file", file, "trigger",
			    json_object_get(doc, "trigger"), "t_ns", json_object_get(doc, "t_ns"));
	answer = vm_ask(&sv->s.vm, request, NULL, NULL, why);
	if (answer) {
		json_object_set(answer, "t_ns", json_object_get(doc, "t_ns"));
		json_object_set(answer, "frozen_ns", json_object_get(doc, "frozen_ns"));
	}
	return answer;
}

/* The file could not be filled. */
static void file_drop(struct server *sv, json_t *file)
{
	char *why = NULL;

	json_decref(vm_ask(&sv->s.vm, json_pack("{s:s,s:O}", "command", "drop", "file", file), NULL,
			   NULL, &why));
	free(why);
}

/* With the guest behind a watch's hit, whatever happens it has to go on. */
static void let_go(struct server *sv, bool frozen)
{
	char *why = NULL;

	if (frozen && vm_thaw(&sv->s.vm, &why))
		free(why);
}

json_t *serve_capture(struct server *sv, const char *name, const char *trigger, bool frozen)
{
	struct capture_want want = {.frozen = frozen};
	int fds[VM_MAX_FDS], err;
	json_t *answer, *doc, *file, *kept;
	char *why = NULL;
	size_t n = 0;

	answer = vm_ask(&sv->s.vm, json_pack("{s:s,s:s}", "command", "file", "name", name), fds, &n,
			&why);
	if (!answer || n != 1) {
		while (n)
			close(fds[--n]);
		json_decref(answer);
		let_go(sv, frozen);
		return serve_refuse_why(answer && !why ? xstrdup("no file came") : why);
	}
	file = json_object_get(answer, "file");
	doc = capture_take(&sv->s, &want, json_string_value(json_object_get(answer, "name")),
			   trigger, &why);
	if (!doc) {
		let_go(sv, frozen);
		close(fds[0]);
		file_drop(sv, file);
		json_decref(answer);
		return serve_refuse_why(why);
	}
	err = document_write(doc, fds[0]);
	kept = err ? NULL : file_keep(sv, file, doc, &why);
	if (err) {
		file_drop(sv, file);
		why = xasprintf("cannot write the snapshot: %s", strerror(-err));
	}
	json_decref(doc);
	json_decref(answer);
	return kept ? kept : serve_refuse_why(why);
}
