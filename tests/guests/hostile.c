// SPDX-License-Identifier: GPL-2.0
/* A guest that drives the virtio console wrongly on purpose. */
#include "abuse.h"
#include "guest.h"

void guest_main(const struct guest_boot *boot)
{
	(void)boot;
	abuse_all();
}
