/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A capture: one JSON document with what was to be seen of the kernel at one moment, the guest
 * frozen meanwhile. Each section is one member of the document; a section that this kernel has not
 * got, or not all of, says so in "missing".
 */
#ifndef KT_SNAPSHOT_CAPTURE_H
#define KT_SNAPSHOT_CAPTURE_H

#include "session.h"

/* What is wanted; zero: everything. */
struct capture_want {
	const char **sections; /* names, NULL-terminated; NULL: all */
	const char **maps;     /* globs of BPF maps' names, NULL-terminated; NULL: all */
	unsigned int chase;    /* how many levels of pointers in maps to follow */
	bool frozen; /* behind a watch's hit: no time to prepare; the capture lets the guest go on
		      */
};

/* The state of one capture, handed from section to section. */
struct capture {
	struct kernel *kernel;
	struct vm *vm;
	const struct capture_want *want;
	json_t *doc;
	json_t *missing; /* strings: what this kernel has not got, by name */
};

/*
 * A section. collect() runs while the guest is frozen and is quick: it copies; render() runs
 * afterwards and makes JSON. Either may be NULL. Both return 0 or -errno; what is merely not there
 * goes to capture_missing(). prepare(), if any, runs before the guest is frozen, and may touch what
 * collect() will need, so that it is quick.
 */
struct capture_section {
	const char *name;
	const char *help;
	/*
	 * What it needs of a kernel, NULL-terminated: "struct rq.curr", "struct rq", "runqueues";
	 * of several, with " or " between them, one. What is not there is noted in "missing";
	 * without the first the section is not there at all, and the rest is not looked at.
	 */
	const char *const *needs;
	void (*prepare)(struct capture *c);
	int (*collect)(struct capture *c, void **state);
	int (*render)(struct capture *c, void *state);
	void (*release)(void *state);
};

extern const struct capture_section section_cpus, section_map, section_prog;
extern const struct capture_section section_domain, section_regs, section_scx;

/* All sections, in the order of the document; ends with NULL. */
extern const struct capture_section *const capture_sections[];

/* Note that @what (a section, a symbol, "struct rq.clock") is not there. */
void capture_missing(struct capture *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Take one. @name and @trigger go into the document. Returns it, a new reference, or NULL with
 * *@why malloc'ed.
 */
json_t *capture_take(struct session *s, const struct capture_want *want, const char *name,
		     const char *trigger, char **why);

#endif
