/* SPDX-License-Identifier: GPL-2.0 */
/* The running VM as vm.c and guest_frames.c share it. */
#ifndef KT_VM_STATE_H
#define KT_VM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel.h"
#include "clock.h"
#include "control.h"
#include "reader.h"
#include "triggers.h"
#include "vm.h"

/* Guest output that our reader has yet to take; meanwhile the guest's further frames wait. */
struct pending {
	int fd;
	const uint8_t *data; /* in the channel's reader */
	size_t len;
};

struct vm {
	const struct vm_options *o;
	struct vm_result *r;
	struct engine engine;
	struct engine_config config;
	struct channel channel;
	struct pending pending;
	int stdin_fd;	 /* -1 when there is nothing more to forward */
	uint32_t credit; /* bytes of stdin that the guest takes */
	uint64_t start, deadline;
	bool pinged, ponged, ended;
	struct control control;
	struct reader reader;
	struct triggers triggers;
	void (*triggers_last_done)(struct vm *vm);
	unsigned int frozen; /* how often, by whomever */
	uint64_t frozen_ns;  /* since when */
};

/*
 * Stop every vCPU before returning, and let them go on when all who froze it have thawed it. While
 * frozen no deadline comes nearer. 0 or -errno.
 */
int vm_freeze(struct vm *vm);
void vm_thaw(struct vm *vm);

/* Add a line to events.jsonl, and tell the clients that want to know. */
void vm_event_log(struct vm *vm, const json_t *event);

/* The deadline @after_ns from now; 0: none. */
void vm_deadline_set(struct vm *vm, uint64_t after_ns);

/* Send a frame to the guest; one that reads nothing is at fault. */
void vm_send(struct vm *vm, enum frame_type type, const void *data, size_t len);

/* Send the terminal's size. */
void vm_send_winsize(struct vm *vm);

/* Do what one frame of the guest says. Output may stay in @vm->pending. */
void guest_frame(struct vm *vm, const struct frame *f);

/* Answer a REQUEST, now or later. */
void guest_request(struct vm *vm, const struct frame *f);

/* Write out what is pending, as far as its reader takes it. */
void guest_output_flush(struct vm *vm);

/* End the run because of what came over the channel. */
void guest_broke_channel(struct vm *vm, const char *what);

#endif
