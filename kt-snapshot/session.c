// SPDX-License-Identifier: GPL-2.0
#include "session.h"

#include <errno.h>
#include <unistd.h>

#include "confine.h"

int session_read(struct session *s, bool writable, char **why)
{
	json_t *request = json_pack("{s:s,s:b}", "command", "ram", "write", writable);
	int fds[VM_MAX_FDS], err = -EREMOTEIO;
	size_t n, i;
	json_t *answer = vm_ask(&s->vm, request, fds, &n, why);

	if (answer)
		err = kernel_open(&s->kernel, answer, fds, n, writable, why);
	for (i = 0; i < n; i++)
		close(fds[i]);
	json_decref(answer);
	if (err)
		vm_close(&s->vm);
	return err;
}

int session_open(struct session *s, const char *path, bool writable, char **why)
{
	int err = vm_connect(&s->vm, path, why);

	if (err)
		return err;
	err = confine(why);
	if (err)
		vm_close(&s->vm);
	return err ? err : session_read(s, writable, why);
}

void session_close(struct session *s)
{
	kernel_close(&s->kernel);
	vm_close(&s->vm);
}
