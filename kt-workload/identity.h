/* SPDX-License-Identifier: GPL-2.0 */
/* Users and groups that workers run as, and what it takes to become them. */
#ifndef KT_IDENTITY_H
#define KT_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

struct identity {
	bool has_uid, has_gid;
	uid_t uid;
	gid_t gid;
};

/*
 * A number, or a name of /etc/passwd or /etc/group. Returns 0, or -EINVAL with *@why (caller
 * frees).
 */
int identity_parse_uid(const char *text, struct identity *id, char **why);
int identity_parse_gid(const char *text, struct identity *id, char **why);

/* Become it, for good: the calling thread alone, without other groups. Returns 0 or -errno. */
int identity_assume(const struct identity *id);

/* Whether this process has capability @cap (CAP_...) in effect: capget(2). */
bool capability_has(int cap);

#endif
