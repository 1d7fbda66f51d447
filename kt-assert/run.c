// SPDX-License-Identifier: GPL-2.0
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bind.h"
#include "cleanup.h"
#include "diag.h"
#include "text.h"

#define RUN_JSON_MAX	(1 << 20)
#define LOG_LINES	40
#define LOG_TAIL_BYTES	(64 * 1024)
#define TIMELINE_EVENTS 100
#define EVENT_LINE_MAX	4096

struct outcome {
	const char *name;
	enum verdict verdict;
	const char *text; /* NULL: made from the exit status */
};

static const struct outcome outcomes[] = {
	{"exited", VERDICT_PASS, NULL},
	{"signalled", VERDICT_FAIL, NULL},
	{"timeout", VERDICT_FAIL, "the run timed out (outcome timeout)"},
	{"hang", VERDICT_FAIL, "the guest hung (outcome hang)"},
	{"panic", VERDICT_FAIL, "the guest kernel panicked (outcome panic)"},
	{"oops", VERDICT_FAIL, "the guest kernel oopsed (outcome oops)"},
	{"oom-kill", VERDICT_FAIL, "the guest ran out of memory (outcome oom-kill)"},
	{"scheduler-died", VERDICT_FAIL, "the scheduler died (outcome scheduler-died)"},
	{"scheduler-failed", VERDICT_FAIL,
	 "the scheduler could not be started (outcome scheduler-failed)"},
	{"guest-died", VERDICT_FAIL, "the guest died silently (outcome guest-died)"},
	{"not-found", VERDICT_FAIL, "the guest did not find the command (outcome not-found)"},
	{"not-executable", VERDICT_FAIL,
	 "the guest could not execute the command (outcome not-executable)"},
	{"interrupted", VERDICT_INCONCLUSIVE, "the run was interrupted (outcome interrupted)"},
	{"failed", VERDICT_INCONCLUSIVE, "the VM could not be run (outcome failed)"},
};

static const struct outcome *outcome_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(outcomes); i++) {
		if (!strcmp(outcomes[i].name, name))
			return &outcomes[i];
	}
	return NULL;
}

/* A member that is a string, a number (made text) or null. */
static char *text_member(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	if (json_is_string(v))
		return xstrdup(json_string_value(v));
	if (json_is_integer(v))
		return xasprintf("%lld", (long long)json_integer_value(v));
	return NULL;
}

/* A member that is a whole number from 0, or BIND_NONE. */
static int64_t whole_member(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_integer(v) && json_integer_value(v) >= 0 ? json_integer_value(v) : BIND_NONE;
}

static const char *run_parse_sched(struct run *r, const json_t *root)
{
	const json_t *sched = json_object_get(root, "scheduler");

	if (!sched || json_is_null(sched))
		return NULL;
	if (!json_is_object(sched))
		return "scheduler: expected an object or null";
	r->has_sched = true;
	r->sched_name = text_member(sched, "name");
	r->exit_kind = text_member(sched, "exit_kind");
	r->exit_reason = text_member(sched, "exit_reason");
	r->exit_message = text_member(sched, "exit_message");
	return NULL;
}

/* Is @schema another version of kt-run? */
static bool is_other_version(const char *schema)
{
	return schema && !strncmp(schema, "kt-run/", 7) && strcmp(schema, "kt-run/1");
}

/* Take what is needed from the document; returns NULL, or what was expected. */
static const char *run_parse(struct run *r, const json_t *root)
{
	const char *schema = json_string_value(json_object_get(root, "schema"));
	const char *outcome = json_string_value(json_object_get(root, "outcome"));
	const json_t *status = json_object_get(root, "exit_status");
	const json_t *emulated = json_object_get(root, "emulated");
	const json_t *oversubscribed = json_object_get(root, "oversubscribed");

	if (!schema || strcmp(schema, "kt-run/1"))
		return "schema: expected \"kt-run/1\"";
	if (!outcome || !outcome_find(outcome))
		return "outcome: expected exited, signalled, timeout, hang, panic, oops, oom-kill, "
		       "scheduler-died, scheduler-failed, guest-died, not-found, not-executable, "
		       "interrupted or failed";
	if (status && !json_is_null(status) &&
	    (!json_is_integer(status) || json_integer_value(status) < 0))
		return "exit_status: expected a whole number from 0, or null";
	if (emulated && !json_is_boolean(emulated))
		return "emulated: expected true or false";
	if (oversubscribed && !json_is_boolean(oversubscribed))
		return "oversubscribed: expected true or false";
	r->outcome = xstrdup(outcome);
	r->status = json_is_integer(status) ? json_integer_value(status) : BIND_NONE;
	r->message = text_member(root, "message");
	r->emulated = json_is_true(emulated);
	r->oversubscribed = json_is_true(oversubscribed);
	r->topology = text_member(root, "topology");
	r->wall_ns = whole_member(root, "wall_ns");
	return run_parse_sched(r, root);
}

int run_read(const char *dir, struct run *r, char **message)
{
	_cleanup_free_ char *path = xasprintf("%s/run.json", dir);
	_cleanup_fclose_ FILE *f = NULL;
	json_auto_t *root = NULL;
	const char *wrong = NULL, *schema;
	json_error_t error;
	struct stat st;

	memset(r, 0, sizeof(*r));
	r->dir = xstrdup(dir);
	r->status = BIND_NONE;
	r->wall_ns = BIND_NONE;
	f = fopen(path, "re");
	if (!f && errno == ENOENT)
		return 0;
	if (!f || fstat(fileno(f), &st)) {
		*message = xasprintf("%s: %s", path, strerror(errno));
		return -errno;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > RUN_JSON_MAX) {
		*message = xasprintf("%s: expected a file of at most %d bytes", path, RUN_JSON_MAX);
		return -EBADMSG;
	}
	root = json_loadf(f, JSON_REJECT_DUPLICATES, &error);
	if (!root) {
		*message = xasprintf("%s: byte %d: expected JSON (%s)", path, error.position,
				     error.text);
		return !st.st_size || json_error_code(&error) == json_error_premature_end_of_input
			       ? -ENODATA
			       : -EBADMSG;
	}
	schema = json_string_value(json_object_get(root, "schema"));
	if (is_other_version(schema)) {
		*message =
			xasprintf("%s: schema: expected \"kt-run/1\", found \"%s\"", path, schema);
		return -EPROTONOSUPPORT;
	}
	wrong = run_parse(r, root);
	if (wrong) {
		*message = xasprintf("%s: %s", path, wrong);
		return -EBADMSG;
	}
	r->known = true;
	return 0;
}

void run_free(struct run *r)
{
	free(r->dir);
	free(r->outcome);
	free(r->message);
	free(r->topology);
	free(r->sched_name);
	free(r->exit_kind);
	free(r->exit_reason);
	free(r->exit_message);
	memset(r, 0, sizeof(*r));
}

bool run_ended_well(const struct run *r)
{
	return !r->known || (!strcmp(r->outcome, "exited") && r->status <= 0);
}

void run_judge(const struct run *r, struct result *result)
{
	const struct outcome *o = r->known ? outcome_find(r->outcome) : NULL;
	struct subject run = {.cgroup = -1};

	if (!o)
		return;
	if (o->text)
		result_add(result, o->verdict, run, NAN, r->message ? "%s: %s" : "%s", o->text,
			   r->message);
	else if (o->verdict == VERDICT_FAIL && r->status > 128)
		result_add(result, VERDICT_FAIL, run, NAN, "the command died of signal %lld",
			   (long long)r->status - 128);
	else if (o->verdict == VERDICT_FAIL)
		result_add(result, VERDICT_FAIL, run, NAN, "the command died of a signal");
	else if (!run_ended_well(r))
		result_add(result, VERDICT_FAIL, run, NAN,
			   "the command exited with status %lld (expected 0)",
			   (long long)r->status);
}

/* The last LOG_LINES lines of the file, with its size capped; NULL if there are none. */
static char *log_tail(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	unsigned int lines = 0;
	size_t n;
	char *p;

	if (!f)
		return NULL;
	if (fseek(f, -LOG_TAIL_BYTES, SEEK_END))
		rewind(f);
	text = xmalloc(LOG_TAIL_BYTES + 1);
	n = fread(text, 1, LOG_TAIL_BYTES, f);
	while (n && text[n - 1] == '\n')
		n--;
	if (!n)
		return NULL;
	text[n] = '\0';
	for (p = text + n; p > text; p--) {
		if (p[-1] == '\n' && ++lines == LOG_LINES)
			break;
	}
	return xstrndup(p, text + n - p);
}

static void print_member(FILE *out, const char *key, const char *value)
{
	if (!value)
		return;
	fprintf(out, "  %s: ", key);
	text_print_safe(out, value);
	fputc('\n', out);
}

static void print_log(FILE *out, char *log)
{
	char *line;

	while ((line = strsep(&log, "\n"))) {
		fprintf(out, "  ");
		text_print_safe(out, line);
		fputc('\n', out);
	}
}

void run_print_stderr(const struct run *r, FILE *out)
{
	_cleanup_free_ char *path = xasprintf("%s/stderr.log", r->dir ? r->dir : ".");
	_cleanup_free_ char *log = NULL;

	if (!r->dir || run_ended_well(r))
		return;
	log = log_tail(path);
	if (log) {
		fprintf(out, "\n--- stderr ---\n");
		print_log(out, log);
	}
}

void run_print_scheduler(const struct run *r, FILE *out)
{
	_cleanup_free_ char *path = xasprintf("%s/sched.log", r->dir ? r->dir : ".");
	_cleanup_free_ char *log = NULL;

	if (!r->has_sched)
		return;
	log = log_tail(path);
	if (!log && !r->exit_kind && !r->exit_reason && !r->exit_message)
		return;
	fprintf(out, "\n--- scheduler ---\n");
	print_member(out, "exit kind", r->exit_kind);
	print_member(out, "reason", r->exit_reason);
	print_member(out, "message", r->exit_message);
	if (log)
		print_log(out, log);
}

/* The event's time, or BIND_NONE when the line is not an event. */
static int64_t event_time(const json_t *event)
{
	const json_t *t = json_object_get(event, "t_ns");

	if (!json_is_string(json_object_get(event, "event")) || !json_is_integer(t))
		return BIND_NONE;
	return json_integer_value(t) < 0 ? BIND_NONE : json_integer_value(t);
}

/* "  +1234ms step name=warmup", the time counted from @start_ns. */
static void print_event(const char *line, int64_t start_ns, FILE *out)
{
	json_auto_t *event = json_loads(line, 0, NULL);
	int64_t t = event_time(event);
	const json_t *value;
	const char *key;

	if (t == BIND_NONE) {
		fprintf(out, "  ? (not an event: expected \"event\" and \"t_ns\")\n");
		return;
	}
	fprintf(out, "  %+lldms ", (long long)((t - start_ns) / 1000000));
	text_print_safe(out, json_string_value(json_object_get(event, "event")));
	json_object_foreach(event, key, value)
	{
		_cleanup_free_ char *dump = NULL;

		if (!strcmp(key, "event") || !strcmp(key, "t_ns"))
			continue;
		if (!json_is_string(value))
			dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		fputc(' ', out);
		/* {"event":"op","op":"cgroup a"} is the op "cgroup a". */
		if (strcmp(key, json_string_value(json_object_get(event, "event")))) {
			text_print_safe(out, key);
			fputc('=', out);
		}
		text_print_safe(out, dump ? dump : json_string_value(value));
	}
	fputc('\n', out);
}

/* Read one line of at most @max - 1 bytes, the rest of a longer one is dropped; false at the end.
 */
static bool read_line(FILE *f, char *line, size_t max)
{
	size_t n;
	int c;

	if (!fgets(line, max, f))
		return false;
	n = strcspn(line, "\n");
	if (!line[n]) {
		while ((c = getc(f)) != EOF && c != '\n')
			;
	}
	line[n] = '\0';
	return true;
}

void run_print_timeline(const struct run *r, FILE *out)
{
	_cleanup_free_ char *path = xasprintf("%s/events.jsonl", r->dir ? r->dir : ".");
	_cleanup_fclose_ FILE *f = r->dir ? fopen(path, "re") : NULL;
	char *last[TIMELINE_EVENTS] = {NULL};
	char line[EVENT_LINE_MAX];
	int64_t start_ns = BIND_NONE;
	size_t n = 0, i;

	while (f && read_line(f, line, sizeof(line))) {
		char **slot = &last[n % TIMELINE_EVENTS];

		if (!line[0])
			continue;
		if (start_ns == BIND_NONE) {
			json_auto_t *event = json_loads(line, 0, NULL);

			start_ns = event_time(event);
		}
		free(*slot);
		*slot = xstrdup(line);
		n++;
	}
	if (n)
		fprintf(out, "\n--- timeline ---\n");
	if (n > TIMELINE_EVENTS)
		fprintf(out, "  (%zu earlier events in events.jsonl)\n", n - TIMELINE_EVENTS);
	for (i = n > TIMELINE_EVENTS ? n - TIMELINE_EVENTS : 0; i < n; i++) {
		_cleanup_free_ char *raw = last[i % TIMELINE_EVENTS];

		print_event(raw, start_ns, out);
	}
}
