/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kt-vmm tells kt-init about the run: a list of key and value strings, each ended by a NUL, in
 * the file GUESTCONF_PATH of the initramfs. A key may come several times (the words of a command).
 * docs/channel.md lists the keys.
 */
#ifndef KT_GUESTCONF_H
#define KT_GUESTCONF_H

#include <stddef.h>

#define GUESTCONF_PATH	 "/kt/run"
#define GUEST_BIN_DIR	 "/kt/bin"     /* kt's guest programs and busybox applets */
#define GUEST_STDIN_PATH "/kt/stdin"   /* stdin of a deterministic run */
#define GUEST_MODULE_DIR "/kt/modules" /* kernel modules to load */
#define GUEST_HOME	 "/root"       /* the command's working directory */
#define GUEST_PORT_NAME	 "kt"	       /* name of the virtio-serial port */
#define GUEST_PATH_ENV	 "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" GUEST_BIN_DIR

struct guestconf {
	char *data; /* malloc'ed; zero-initialise for writing */
	size_t len;
};

void guestconf_add(struct guestconf *c, const char *key, const char *value);

/* Read the whole file. Returns 0, -errno, or -EBADMSG when it is not made of NUL-ended pairs. */
int guestconf_read(struct guestconf *c, const char *path);

/* First value of @key, or NULL. Inside @c. */
const char *guestconf_get(const struct guestconf *c, const char *key);

/* All values of @key as a NULL-terminated array; the caller frees the array, not the strings. */
char **guestconf_list(const struct guestconf *c, const char *key);

#endif
