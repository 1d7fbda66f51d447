// SPDX-License-Identifier: GPL-2.0
/*
 * patience LIMIT_MS LOOK_MS: have patience for so long, looking so often, and print how many looks
 * it took.
 */
#include "patience.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct patience p;
	unsigned int looks = 1;

	if (argc != 3)
		return 64;
	patience_begin(&p, strtoull(argv[1], NULL, 10) * 1000000);
	for (usleep(atoi(argv[2]) * 1000); !patience_over(&p); looks++)
		usleep(atoi(argv[2]) * 1000);
	printf("%u\n", looks);
	return 0;
}
