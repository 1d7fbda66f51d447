/* SPDX-License-Identifier: GPL-2.0 */
/* What the process that runs a guest gives up before the guest begins. */
#ifndef KT_KVM_CONFINE_H
#define KT_KVM_CONFINE_H

/*
 * No capability, no new privileges and no core dump, from here on and for the threads that are made
 * later: call it when all is open, before there are any. They
 * share one heap. 0 or -errno.
 */
int confine_privileges(void);

/*
 * Only the system calls of a running guest, for all threads that are there; any other one kills the
 * process (SIGSYS). No way leads to a file, a process or a network that is not open already, to a
 * new thread, or to memory that is code. 0 or -errno.
 */
int confine_calls(void);

#endif
