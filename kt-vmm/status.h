/* SPDX-License-Identifier: GPL-2.0 */
/* How a run ended and kt-vmm's exit status for it; docs/exit-status.md is the user's table. */
#ifndef KT_STATUS_H
#define KT_STATUS_H

enum {
	STATUS_OOPS = 119,	 /* the guest kernel oopsed */
	STATUS_PANIC = 120,	 /* the guest kernel panicked */
	STATUS_SCHED = 121,	 /* the scheduler did not attach, or died during the run */
	STATUS_GUEST_DIED = 122, /* the VM ended without a word, or broke the channel's protocol */
	STATUS_HANG = 123,	 /* time was up and the guest did not answer */
	STATUS_TIMEOUT = 124,	 /* time was up and the command still ran */
	STATUS_VMM = 125,	 /* kt-vmm or its engine failed */
	STATUS_CANNOT_EXEC = 126,
	STATUS_NOT_FOUND = 127,
	STATUS_SIGNAL = 128, /* + signal number */
};

#endif
