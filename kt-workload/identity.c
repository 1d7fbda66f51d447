// SPDX-License-Identifier: GPL-2.0
#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "names.h"
#include "quantity.h"

#define ID_MAX (UINT32_MAX - 1) /* -1 means "as it is" */

/* The files themselves are read: a static program has no name service. */
static bool user_find(FILE *f, const char *name, int64_t *id, const char ***names, size_t *n)
{
	struct passwd *pw;

	while ((pw = fgetpwent(f))) {
		*id = pw->pw_uid;
		if (!strcmp(pw->pw_name, name))
			return true;
		ptrlist_add(names, n, xstrdup(pw->pw_name));
	}
	return false;
}

static bool group_find(FILE *f, const char *name, int64_t *id, const char ***names, size_t *n)
{
	struct group *gr;

	while ((gr = fgetgrent(f))) {
		*id = gr->gr_gid;
		if (!strcmp(gr->gr_name, name))
			return true;
		ptrlist_add(names, n, xstrdup(gr->gr_name));
	}
	return false;
}

static void names_free(const char **names)
{
	size_t i;

	for (i = 0; names && names[i]; i++)
		free((char *)names[i]);
	free(names);
}

/* "unknown user 'nobdoy': did you mean 'nobody'?" */
static char *unknown_id(const char *what, const char *key, const char *text, const char *file,
			const char *const *names)
{
	_cleanup_free_ char *all = names ? unknown_name(what, text, names) : NULL;

	if (all && strstr(all, "did you mean"))
		return take_ptr(all);
	return xasprintf("%s='%s': expected a number or a name of %s", key, text, file);
}

int identity_parse_uid(const char *text, struct identity *id, char **why)
{
	_cleanup_fclose_ FILE *f = NULL;
	const char **names = NULL;
	size_t n = 0;
	int64_t number;

	id->has_uid = !number_parse(text, 0, ID_MAX, &number);
	if (!id->has_uid && (f = fopen("/etc/passwd", "re")))
		id->has_uid = user_find(f, text, &number, &names, &n);
	if (id->has_uid)
		id->uid = number;
	else
		*why = unknown_id("user", "uid", text, "/etc/passwd", names);
	names_free(names);
	return id->has_uid ? 0 : -EINVAL;
}

int identity_parse_gid(const char *text, struct identity *id, char **why)
{
	_cleanup_fclose_ FILE *f = NULL;
	const char **names = NULL;
	size_t n = 0;
	int64_t number;

	id->has_gid = !number_parse(text, 0, ID_MAX, &number);
	if (!id->has_gid && (f = fopen("/etc/group", "re")))
		id->has_gid = group_find(f, text, &number, &names, &n);
	if (id->has_gid)
		id->gid = number;
	else
		*why = unknown_id("group", "gid", text, "/etc/group", names);
	names_free(names);
	return id->has_gid ? 0 : -EINVAL;
}

int identity_assume(const struct identity *id)
{
	/* The calls themselves, because glibc's would change all threads. */
	if (id->has_gid &&
	    (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, id->gid, id->gid, id->gid)))
		return -errno;
	if (id->has_uid && syscall(SYS_setresuid, id->uid, id->uid, id->uid))
		return -errno;
	return 0;
}

bool capability_has(int cap)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	return !syscall(SYS_capget, &header, data) &&
	       data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}
