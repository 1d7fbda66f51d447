// SPDX-License-Identifier: GPL-2.0
/*
 * What the guest asks of us (docs/channel.md, REQUEST). All of it is the reader's to do; the guest
 * waits for the reply.
 */
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "vm_state.h"

/* A reply to the guest's request @id. */
static void reply_send(struct vm *vm, const json_t *reply, json_t *id)
{
	json_t *o = json_copy((json_t *)reply);
	_cleanup_free_ char *text = NULL;

	if (json_is_integer(id))
		json_object_set(o, "id", id);
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text && !vm->ended)
		vm_send(vm, FRAME_REPLY, text, strlen(text));
}

static const struct {
	const char *name;
	const char *members[2]; /* strings that it must have */
} requests[] = {
	{"snapshot", {"name"}},
	{"watch", {"symbol"}},
	{"read", {"target"}},
	{"write", {"target", "value"}},
};

/* What the reader is to be asked, or NULL with *@why, static. */
static json_t *request_take(const json_t *asked, const char **why)
{
	const char *name = json_string_value(json_object_get(asked, "request"));
	json_t *o;
	size_t i, j;

	for (i = 0; name && i < ARRAY_SIZE(requests) && strcmp(requests[i].name, name); i++)
		;
	*why = "this host knows no such request";
	if (!name || i == ARRAY_SIZE(requests))
		return NULL;
	o = json_pack("{s:s,s:s}", "request", name, "trigger", "scenario");
	for (j = 0; j < ARRAY_SIZE(requests[i].members) && requests[i].members[j]; j++) {
		json_t *value = json_object_get(asked, requests[i].members[j]);

		if (json_is_string(value)) {
			json_object_set(o, requests[i].members[j], value);
			continue;
		}
		json_decref(o);
		*why = "the request lacks a member";
		return NULL;
	}
	return o;
}

void guest_request(struct vm *vm, const struct frame *f)
{
	json_t *asked = json_loadb((const char *)f->data, f->len, JSON_REJECT_DUPLICATES, NULL);
	json_t *id = json_object_get(asked, "id"), *request;
	const char *why;

	request = request_take(asked, &why);
	if (request) {
		reader_ask(vm, request, reply_send, json_incref(id));
	} else {
		json_t *no = json_pack("{s:s}", "error", why);

		reply_send(vm, no, id);
		json_decref(no);
	}
	json_decref(asked);
}
