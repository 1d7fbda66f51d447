// SPDX-License-Identifier: GPL-2.0
#include "serve.h"

#include <stdarg.h>
#include <stdlib.h>

#include "capture.h"
#include "cleanup.h"
#include "diag.h"
#include "kept.h"

json_t *serve_refuse(const char *fmt, ...)
{
	json_t *text;
	va_list ap;

	va_start(ap, fmt);
	text = json_vsprintf(fmt, ap);
	va_end(ap);
	return json_pack("{s:o}", "error", text ? text : json_string("no reason that is text"));
}

json_t *serve_refuse_why(char *why)
{
	json_t *o = serve_refuse("%s", why ? why : "no reason given");

	free(why);
	return o;
}

/* With the guest behind a watch's hit, whatever happens it has to go on. */
static void let_go(struct server *sv, bool frozen)
{
	char *why = NULL;

	if (frozen && vm_thaw(&sv->s.vm, &why))
		free(why);
}

json_t *serve_capture(struct server *sv, const char *name, const char *trigger, bool frozen)
{
	struct capture_want want = {.frozen = frozen};
	json_t *doc, *reply;
	char *why = NULL;
	struct kept file;

	if (kept_open(&file, &sv->s.vm, name, &why)) {
		let_go(sv, frozen);
		return serve_refuse_why(why);
	}
	doc = capture_take(&sv->s, &want, kept_name(&file), trigger, &why);
	if (!doc) {
		let_go(sv, frozen);
		kept_drop(&file);
		return serve_refuse_why(why);
	}
	reply = kept_finish(&file, doc, &why);
	if (reply) {
		json_object_set(reply, "t_ns", json_object_get(doc, "t_ns"));
		json_object_set(reply, "frozen_ns", json_object_get(doc, "frozen_ns"));
	}
	json_decref(doc);
	return reply ? reply : serve_refuse_why(why);
}
