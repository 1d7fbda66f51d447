/* SPDX-License-Identifier: GPL-2.0 */
/* Does this host's KVM deliver data watchpoints? Some accept them, and then nothing happens. */
#ifndef KT_WATCH_PROBE_H
#define KT_WATCH_PROBE_H

/*
 * Run a guest of a few instructions that writes to a watched address, on a VM of its own of
 * @kvm_fd. Returns NULL if the watchpoint was hit, else a phrase that says what happened instead,
 * static.
 */
const char *watch_probe(int kvm_fd);

#endif
