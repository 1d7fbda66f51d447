// SPDX-License-Identifier: GPL-2.0
#include "kept.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

int kept_open(struct kept *f, struct vm *vm, const char *name, char **why)
{
	int fds[VM_MAX_FDS];
	size_t n = 0;

	*f = (struct kept){.vm = vm, .fd = -1};
	f->answer =
		vm_ask(vm, json_pack("{s:s,s:s}", "command", "file", "name", name), fds, &n, why);
	if (f->answer && n == 1) {
		f->fd = fds[0];
		return 0;
	}
	while (n)
		close(fds[--n]);
	if (f->answer)
		*why = xstrdup("no file came");
	json_decref(f->answer);
	return -EREMOTEIO;
}

const char *kept_name(const struct kept *f)
{
	return json_string_value(json_object_get(f->answer, "name"));
}

/* The disk may be full. The file is closed in any case. */
static int document_write(struct kept *f, const json_t *doc)
{
	_cleanup_fclose_ FILE *file = fdopen(f->fd, "w");
	static char buf[1 << 16];
	int ret;

	if (!file)
		return -errno;
	f->fd = -1;
	setvbuf(file, buf, _IOFBF, sizeof(buf));
	errno = 0;
	ret = json_dumpf(doc, file, JSON_INDENT(1)) || fputc('\n', file) == EOF || fflush(file);
	return ret ? (errno ? -errno : -EIO) : 0;
}

json_t *kept_finish(struct kept *f, const json_t *doc, char **why)
{
	json_t *request, *answer;
	int err = document_write(f, doc);

	if (err) {
		kept_drop(f);
		*why = xasprintf("cannot write the snapshot: %s", strerror(-err));
		return NULL;
	}
	request = json_pack("{s:s,s:O,s:O,s:O}", "command", "keep", "file",
			    json_object_get(f->answer, "file"), "trigger",
			    json_object_get(doc, "trigger"), "t_ns", json_object_get(doc, "t_ns"));
	answer = vm_ask(f->vm, request, NULL, NULL, why);
	json_decref(f->answer);
	return answer;
}

void kept_drop(struct kept *f)
{
	json_t *request = json_pack("{s:s,s:O}", "command", "drop", "file",
				    json_object_get(f->answer, "file"));
	char *why = NULL;

	if (f->fd >= 0)
		close(f->fd);
	json_decref(vm_ask(f->vm, request, NULL, NULL, &why));
	free(why);
	json_decref(f->answer);
}
