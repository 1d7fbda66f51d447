/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a hostile driver does to the virtio console, and that the device bears it: what breaks a
 * queue makes it ask for a reset, what is mere nonsense changes nothing, and after either it works.
 */
#ifndef KT_GUEST_ABUSE_H
#define KT_GUEST_ABUSE_H

/* All of it, by check(). The device is left reset. */
void abuse_all(void);

#endif
