/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens, told while it happens: one JSON object a message on the socket that KT_CHANNEL_FD
 * names (SOCK_SEQPACKET, kt-init's). Without it, and when it fails, nothing is sent. Sending never
 * blocks.
 */
#ifndef KT_EVENTS_H
#define KT_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct events {
	int fd; /* -1: nobody listens */
	bool warned;
};

/* Take the descriptor over from the environment; children do not inherit it. */
void events_open(struct events *ev);

/*
 * Send {"event": @event, "t_ns": now, @key: @value}; @key NULL leaves the pair out, @line above 0
 * adds "line".
 */
void events_send(struct events *ev, const char *event, const char *key, const char *value,
		 int line);

/* Send "scenario-start" of @scenario, whose workload is to take @duration_ns. */
void events_scenario(struct events *ev, const char *scenario, uint64_t duration_ns);

#endif
