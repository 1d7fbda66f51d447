/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Variables of the guest that runs, by name: found, read and written by their types.
 *
 *	var.nr_dispatched		global variable of a BPF program, whichever map holds it
 *	map."kt_sched.bss".nr_x		the one of that map
 *	map.config[3].limit		a BPF array's element
 *	map.stats[0].cpu[1]		a per-CPU array's
 *	scx.watchdog_timeout		member of the root scheduler's struct scx_sched
 *	kernel.runqueues.cpu[2].nr_running	kernel variable whose type BTF tells: all per-CPU
 *ones kernel.sysctl_x, kernel.x:u32	another, as an unsigned number of its symbol's size, or as
 *	kernel.init_task:task_struct.pid	the type that is given
 *	module.kvm.halt_poll_ns:u32	a loaded module's variable, likewise
 *
 * More steps lead to members and elements.
 */
#ifndef KT_SNAPSHOT_ACCESS_H
#define KT_SNAPSHOT_ACCESS_H

#include <bpf/btf.h>
#include <jansson.h>
#include <stdint.h>

#include "session.h"

/* Where a variable is, valid while the guest stands still. */
struct target {
	uint64_t address; /* guest-virtual, of the variable itself or of what the bit field is in */
	uint32_t size;	  /* bytes */
	uint8_t bit, bits; /* a bit field's first bit within them, and width; bits 0: none */
	const struct btf *btf;
	uint32_t type;	      /* in @btf; 0: an unsigned number */
	const char *constant; /* why it must not be written, or NULL */
};

/*
 * Find @name. Returns 0, or -EINVAL (no such path), -ENOENT (not there), -ENOTUNIQ (it may be one
 * of several), -EFAULT, with *@why a line, malloc'ed, that says what was expected. The guest should
 * be frozen; the others below do that themselves.
 */
int target_find(struct session *s, const char *name, struct target *t, char **why);

/* Its value, a new reference, or NULL with *@why malloc'ed. */
json_t *target_read(struct session *s, const char *name, char **why);

/*
 * Write what @value spells: a number (decimal, 0x), true or false, an enumerator's name, a
 * character in '', or the text of a char array. The session must have been opened for writing.
 * Returns 0 once it was read back the same, or as target_find(), -ERANGE (it does not fit), -EROFS,
 * -EIO (it does not stay), with *@why malloc'ed.
 */
int target_write(struct session *s, const char *name, const char *value, char **why);

/*
 * The BTF of the loaded module @name, as the kernel keeps it, in *@data, malloc'ed. Returns 0 or
 * -ENOENT, -EFAULT with *@why malloc'ed. It freezes the guest meanwhile.
 */
int module_btf(struct session *s, const char *name, void **data, uint32_t *size, char **why);

#endif
