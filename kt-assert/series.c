// SPDX-License-Identifier: GPL-2.0
#include "series.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "snapshot_paths.h"

#define CHUNK_SIZE (256 * 1024)

struct file {
	char *path;
	int64_t first_ns;
	size_t position; /* as given, for files of the same time */
};

struct series_input {
	struct file *files;
	size_t n_files, max_files;
};

static void add_file(struct series_input *s, char *path)
{
	if (s->n_files == s->max_files) {
		s->max_files = s->max_files ? 2 * s->max_files : 8;
		s->files = xrealloc(s->files, s->max_files * sizeof(*s->files));
	}
	s->files[s->n_files] = (struct file){.path = path, .position = s->n_files};
	s->n_files++;
}

static int cannot_read(const char *path, int err, char **message)
{
	*message = xasprintf("cannot read '%s': %s", path, strerror(err));
	return -err;
}

static int is_json(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && entry->d_name[0] != '.' && !strcmp(entry->d_name + len - 5, ".json");
}

static int add_directory(struct series_input *s, const char *dir, char **message)
{
	_cleanup_free_ char *run = xasprintf("%s/run.json", dir);
	_cleanup_free_ char *path =
		access(run, F_OK) ? xstrdup(dir) : xasprintf("%s/snapshots", dir);
	struct dirent **entries;
	int n = scandir(path, &entries, is_json, alphasort), i;

	if (n < 0)
		return cannot_read(path, errno, message);
	for (i = 0; i < n; i++) {
		add_file(s, xasprintf("%s/%s", path, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	if (n)
		return 0;
	*message = xasprintf("%s: expected samples in *.json, found no such file", path);
	return -EBADMSG;
}

static int open_file(const char *path, char **message)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				   : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	return fd < 0 ? cannot_read(path, errno, message) : fd;
}

static const char *shown_name(const char *path)
{
	return strcmp(path, "-") ? path : "stdin";
}

/* Feed the whole of @file to @f. Returns what fields_feed() does, with a message that names it. */
static int feed_file(struct fields *f, const char *path, char **message)
{
	_cleanup_free_ char *chunk = xmalloc(CHUNK_SIZE);
	_cleanup_close_ int fd = open_file(path, message);
	int err = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	do {
		n = read(fd, chunk, CHUNK_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot_read(shown_name(path), errno, message);
		err = n ? fields_feed(f, chunk, n) : fields_finish(f);
	} while (n && !err);
	if (err && fields_error(f))
		*message = xasprintf("%s: %s", shown_name(path), fields_error(f));
	return err;
}

/* t_ns as a path, so that it is found as any field is. */
static struct jsonpath time_path(void)
{
	struct jsonpath p;
	char *why;

	jsonpath_parse("t_ns", &p, NULL, &why);
	return p;
}

/* Returns NULL, or what was expected. */
static const char *sample_time(const struct field *v, int64_t *t_ns)
{
	if (v->kind == FIELD_MISSING)
		return "expected the key \"t_ns\" in each sample, found none";
	if (v->kind != FIELD_NUMBER || v->number < 0 || v->number >= 0x1p63L ||
	    v->number != (int64_t)v->number)
		return "t_ns: expected a whole number from 0, below 2^63";
	*t_ns = v->number;
	return NULL;
}

/* Stop after the first sample: its time is all that is wanted. */
static int take_first(void *ctx, const struct field *found)
{
	struct field *first = ctx;

	*first = *found;
	return 1;
}

static int probe(struct file *file, char **message)
{
	struct jsonpath time = time_path();
	const struct jsonpath *paths[] = {&time};
	struct field first = {.kind = FIELD_MISSING};
	struct fields *f = fields_open(paths, 1, take_first, &first);
	const char *wrong;
	int err = feed_file(f, file->path, message);

	fields_close(f);
	jsonpath_free(&time);
	if (err < 0)
		return err;
	if (!err)
		return 0; /* empty, which is for the reading to say */
	wrong = sample_time(&first, &file->first_ns);
	if (!wrong)
		return 0;
	*message = xasprintf("%s: %s", file->path, wrong);
	return -EBADMSG;
}

static int by_time(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return x->position < y->position ? -1 : x->position > y->position;
}

/* They are read twice, so they have to be files. */
static int sort_files(struct series_input *s, char **message)
{
	size_t i;
	int err;

	for (i = 0; i < s->n_files; i++) {
		struct stat st;

		if (!strcmp(s->files[i].path, "-") ||
		    (!stat(s->files[i].path, &st) && !S_ISREG(st.st_mode))) {
			*message = xasprintf("%s: expected regular files where there are several",
					     shown_name(s->files[i].path));
			return -EBADMSG;
		}
		err = probe(&s->files[i], message);
		if (err)
			return err;
	}
	qsort(s->files, s->n_files, sizeof(*s->files), by_time);
	return 0;
}

int series_open(char *const *operands, size_t n, struct series_input **out, char **message)
{
	struct series_input *s = *out = xcalloc(1, sizeof(*s));
	struct stat st;
	int err = 0;
	size_t i;

	for (i = 0; !err && i < n; i++) {
		if (strcmp(operands[i], "-") && stat(operands[i], &st))
			return cannot_read(operands[i], errno, message);
		if (strcmp(operands[i], "-") && S_ISDIR(st.st_mode))
			err = add_directory(s, operands[i], message);
		else
			add_file(s, xstrdup(operands[i]));
	}
	return !err && s->n_files > 1 ? sort_files(s, message) : err;
}

void series_close(struct series_input *s)
{
	size_t i;

	for (i = 0; s && i < s->n_files; i++)
		free(s->files[i].path);
	if (s)
		free(s->files);
	free(s);
}

size_t series_files(const struct series_input *s)
{
	return s->n_files;
}

/* The ways on which a field is searched, and how many there are. */
struct wanted {
	struct jsonpath ways[SNAPSHOT_PATHS_MAX];
	size_t n;
};

struct reading {
	const struct wanted *wanted;
	size_t n_wanted;
	struct field *fields_found; /* of each that is wanted; what they hold is not theirs */
	struct sample at;
	int64_t first_ns;
	struct fields *fields;
	const char *wrong;
	void (*take)(void *ctx, const struct sample *at, const struct field *found);
	void *ctx;
};

static int take_sample(void *ctx, const struct field *found)
{
	struct reading *r = ctx;
	int64_t before = r->at.t_ns;
	size_t i;

	r->at.line = fields_line(r->fields);
	r->wrong = sample_time(&found[0], &r->at.t_ns);
	if (!r->wrong && r->at.number && r->at.t_ns < before)
		r->wrong = "t_ns: expected a time not before the sample before";
	if (r->wrong)
		return -EBADMSG;
	if (!r->at.number++)
		r->first_ns = r->at.t_ns;
	r->at.since_ns = r->at.t_ns - r->first_ns;
	found++;
	for (i = 0; i < r->n_wanted; i++) {
		size_t n = r->wanted[i].n, way = 0;

		while (way + 1 < n && found[way].kind == FIELD_MISSING)
			way++;
		r->fields_found[i] = found[way];
		found += n;
	}
	r->take(r->ctx, &r->at, r->fields_found);
	return 0;
}

static int read_file(struct reading *r, const struct series_input *s, const struct file *file,
		     const struct jsonpath *const *paths, size_t n_paths, char **message)
{
	const char *slash = strrchr(file->path, '/');
	uint64_t before = r->at.number;
	int err;

	r->at.file = s->n_files > 1 ? (slash ? slash + 1 : file->path) : NULL;
	r->fields = fields_open(paths, n_paths, take_sample, r);
	err = feed_file(r->fields, file->path, message);
	fields_close(r->fields);
	if (r->wrong)
		*message = xasprintf("%s: line %" PRIu64 ": %s", shown_name(file->path), r->at.line,
				     r->wrong);
	if (err || r->at.number > before)
		return err;
	*message =
		xasprintf("%s: expected at least one sample, found none", shown_name(file->path));
	return -EBADMSG;
}

int series_read(struct series_input *s, const struct jsonpath *const *paths, size_t n_paths,
		void (*take)(void *ctx, const struct sample *at, const struct field *found),
		void *ctx, char **message)
{
	struct jsonpath time = time_path();
	size_t n_all = 0, i, k;
	_cleanup_free_ const struct jsonpath **all =
		xcalloc(1 + n_paths * SNAPSHOT_PATHS_MAX, sizeof(*all));
	_cleanup_free_ struct wanted *wanted = xcalloc(n_paths + 1, sizeof(*wanted));
	_cleanup_free_ struct field *found = xcalloc(n_paths + 1, sizeof(*found));
	struct reading r = {.wanted = wanted,
			    .n_wanted = n_paths,
			    .fields_found = found,
			    .take = take,
			    .ctx = ctx};
	int err = 0;

	all[n_all++] = &time;
	for (i = 0; i < n_paths; i++) {
		wanted[i].n = snapshot_paths(paths[i], wanted[i].ways);
		for (k = 0; k < wanted[i].n; k++)
			all[n_all++] = &wanted[i].ways[k];
	}
	for (i = 0; !err && i < s->n_files; i++)
		err = read_file(&r, s, &s->files[i], all, n_all, message);
	for (i = 0; i < n_paths; i++) {
		for (k = 0; k < wanted[i].n; k++)
			jsonpath_free(&wanted[i].ways[k]);
	}
	jsonpath_free(&time);
	return err;
}
