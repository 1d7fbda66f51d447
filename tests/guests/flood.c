// SPDX-License-Identifier: GPL-2.0
/* A guest that says more than it has to, the word mib= on the command line says how much. */
#include "guest.h"
#include "words.h"

void guest_main(const struct guest_boot *boot)
{
	guest_flood(word_number(boot->cmdline, "mib"));
}
