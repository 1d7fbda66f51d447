// SPDX-License-Identifier: GPL-2.0
#include "gdb.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

#define ANSWER_MS 10000

void gdb_open(struct gdb *g, int fd)
{
	memset(g, 0, sizeof(*g));
	g->fd = fd;
}

void gdb_close(struct gdb *g)
{
	cleanup_closep(&g->fd);
	g->fd = -1;
}

static int packet_send(struct gdb *g, const char *data)
{
	_cleanup_free_ char *packet = NULL;
	unsigned char sum = 0;
	const char *c;
	size_t len;

	for (c = data; *c; c++)
		sum += *c;
	packet = xasprintf("$%s#%02x", data, sum);
	len = strlen(packet);
	return send(g->fd, packet, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -EPIPE;
}

/*
 * Take the next packet's text out of the buffer and acknowledge it; checksums are left to the
 * socket. Returns whether there was a whole one.
 */
static bool packet_take(struct gdb *g, char *text)
{
	char *begin = memchr(g->buf, '$', g->len), *end;
	size_t left;

	if (!begin) {
		g->len = 0; /* acknowledgements */
		return false;
	}
	left = g->len - (begin - g->buf);
	end = memchr(begin, '#', left);
	if (!end || end + 3 > begin + left)
		return false;
	memcpy(text, begin + 1, end - begin - 1);
	text[end - begin - 1] = '\0';
	left -= end + 3 - begin;
	memmove(g->buf, end + 3, left);
	g->len = left;
	return send(g->fd, "+", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

/* Read once. Returns 0, -EAGAIN with nothing there, or another negative errno. */
static int fill(struct gdb *g, int flags)
{
	ssize_t n;

	if (g->len == sizeof(g->buf))
		return -EMSGSIZE;
	n = recv(g->fd, g->buf + g->len, sizeof(g->buf) - g->len, flags);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	g->len += n;
	return n ? 0 : -EPIPE;
}

/*
 * "T05thread:p01.02;watch:ffff...;" when a watchpoint was hit; other stops are our own doing and
 * mean nothing here.
 */
static bool note_stop(struct gdb *g, const char *text)
{
	const char *watch = strstr(text, "watch:"), *thread = strstr(text, "thread:");

	if (text[0] != 'T' && text[0] != 'S')
		return false;
	if (!watch)
		return true;
	g->hit = true;
	g->last.address = strtoull(watch + strlen("watch:"), NULL, 16);
	g->last.cpu = 0;
	if (thread) {
		thread += strlen("thread:");
		if (*thread == 'p')
			thread = strchr(thread, '.') ? strchr(thread, '.') + 1 : "1";
		g->last.cpu = strtoul(thread, NULL, 16);
		g->last.cpu -= g->last.cpu > 0; /* threads count from 1 */
	}
	return true;
}

/* Send @data and wait for the answer, in @text (GDB_MAX_PACKET bytes). Returns 0 or -errno. */
static int ask(struct gdb *g, const char *data, char *text)
{
	struct pollfd p = {g->fd, POLLIN, 0};
	int err = packet_send(g, data);

	while (!err) {
		while (packet_take(g, text)) {
			if (!note_stop(g, text))
				return 0;
		}
		err = poll(&p, 1, ANSWER_MS) ? fill(g, 0) : -ETIMEDOUT;
	}
	return err;
}

/* @bytes of little-endian hexadecimal at *@text, which moves on. */
static uint64_t take_number(const char **text, unsigned int bytes, bool *ok)
{
	uint64_t value = 0;
	unsigned int i, byte;

	for (i = 0; i < bytes; i++, *text += 2) {
		if (!(*text)[0] || !(*text)[1] || sscanf(*text, "%2x", &byte) != 1) {
			*ok = false;
			return 0;
		}
		value |= (uint64_t)byte << (8 * i);
	}
	return value;
}

int gdb_registers(struct gdb *g, unsigned int cpu, struct engine_registers *r)
{
	_cleanup_free_ char *text = xmalloc(GDB_MAX_PACKET);
	char select[32];
	const char *p = text;
	bool ok = true;
	size_t i;
	int err;

	snprintf(select, sizeof(select), "Hg%x", cpu + 1);
	err = ask(g, select, text);
	if (err || strcmp(text, "OK"))
		return err ? err : -EPROTO;
	err = ask(g, "g", text);
	if (err)
		return err;
	/* The order of QEMU's target/i386/gdbstub.c and i386-64bit.xml. */
	for (i = 0; i < ENGINE_GENERAL_REGISTERS; i++)
		r->general[i] = take_number(&p, 8, &ok);
	r->rip = take_number(&p, 8, &ok);
	r->rflags = take_number(&p, 4, &ok);
	for (i = 0; i < ENGINE_SEGMENTS; i++)
		r->segment[i] = take_number(&p, 4, &ok);
	r->fs_base = take_number(&p, 8, &ok);
	r->gs_base = take_number(&p, 8, &ok);
	r->kernel_gs_base = take_number(&p, 8, &ok);
	r->cr0 = take_number(&p, 8, &ok);
	r->cr2 = take_number(&p, 8, &ok);
	r->cr3 = take_number(&p, 8, &ok);
	r->cr4 = take_number(&p, 8, &ok);
	r->cr8 = take_number(&p, 8, &ok);
	r->efer = take_number(&p, 8, &ok);
	return ok ? 0 : -EPROTO;
}

int gdb_watch(struct gdb *g, uint64_t address, unsigned int len, bool on)
{
	_cleanup_free_ char *text = xmalloc(GDB_MAX_PACKET);
	char request[64];
	int err;

	snprintf(request, sizeof(request), "%c2,%llx,%x", on ? 'Z' : 'z',
		 (unsigned long long)address, len);
	err = ask(g, request, text);
	return err ? err : strcmp(text, "OK") ? -ENOSPC : 0;
}

bool gdb_poll(struct gdb *g, struct engine_hit *hit)
{
	_cleanup_free_ char *text = xmalloc(GDB_MAX_PACKET);

	while (!fill(g, MSG_DONTWAIT))
		;
	while (packet_take(g, text))
		note_stop(g, text);
	if (!g->hit)
		return false;
	g->hit = false;
	*hit = g->last;
	return true;
}
