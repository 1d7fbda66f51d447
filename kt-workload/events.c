// SPDX-License-Identifier: GPL-2.0
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "diag.h"
#include "quantity.h"
#include "telemetry.h"
#include "text_json.h"

void events_open(struct events *ev)
{
	const char *text = getenv("KT_CHANNEL_FD");
	int type = 0;
	socklen_t len = sizeof(type);
	int64_t fd;

	*ev = (struct events){.fd = -1};
	if (!text)
		return;
	if (number_parse(text, 3, 1 << 20, &fd) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len)) {
		warn("KT_CHANNEL_FD='%s' is not a socket: events are not sent", text);
		return;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	unsetenv("KT_CHANNEL_FD");
	ev->fd = fd;
}

static void send_object(struct events *ev, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	if (text && send(ev->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
	    !ev->warned) {
		warn("an event could not be sent: %s", strerror(errno));
		ev->warned = true;
	}
	free(text);
}

static json_t *event_new(const char *event)
{
	return json_pack("{s:s,s:I}", "event", event, "t_ns", (json_int_t)clock_now());
}

void events_send(struct events *ev, const char *event, const char *key, const char *value, int line)
{
	json_t *o;

	if (ev->fd < 0)
		return;
	o = event_new(event);
	if (key)
		json_object_set_new(o, key, text_json(value));
	if (line > 0)
		json_object_set_new(o, "line", json_integer(line));
	send_object(ev, o);
}

void events_scenario(struct events *ev, const char *scenario, uint64_t duration_ns)
{
	json_t *o;

	if (ev->fd < 0)
		return;
	o = event_new("scenario-start");
	json_object_set_new(o, "scenario", text_json(scenario));
	json_object_set_new(o, "duration_ns", json_integer((json_int_t)duration_ns));
	send_object(ev, o);
}
