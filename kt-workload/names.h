/* SPDX-License-Identifier: GPL-2.0 */
/* Messages about names that are not in a table. */
#ifndef KT_NAMES_H
#define KT_NAMES_H

/*
 * "unknown WHAT 'NAME': did you mean 'NEAR'?", or the list of all @names (NULL-terminated) when
 * none is near. Caller frees.
 */
char *unknown_name(const char *what, const char *name, const char *const *names);

#endif
