// SPDX-License-Identifier: GPL-2.0
#include "scenario.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "diag.h"
#include "line.h"
#include "quantity.h"
#include "words.h"

/* The "duration T" of a scenario, as kt-scenario(5) has it. */
static void duration_read(FILE *in, uint64_t *run_ns)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, in) >= 0) {
		const char *why;
		char **words = words_split(line, &why);
		uint64_t ns;

		if (words && words[0] && words[1] && !strcmp(words[0], "duration") &&
		    !duration_parse(words[1], &ns))
			*run_ns = ns;
		words_free(words);
	}
}

int scenarios_read(const char *const *command, struct constraints *c, uint64_t *run_ns, char **why)
{
	int err = 0;
	size_t i;

	for (i = 1; command[i] && !err; i++) {
		_cleanup_fclose_ FILE *in = NULL;
		struct stat st;

		if (!scenario_operand(command[i]))
			continue;
		in = fopen(command[i], "re");
		if (!in || fstat(fileno(in), &st) || !S_ISREG(st.st_mode)) {
			info("%s: not read: no such scenario file here", command[i]);
			continue;
		}
		if (c)
			err = constraints_read(c, in, command[i], why);
		if (!err && !fseek(in, 0, SEEK_SET))
			duration_read(in, run_ns);
	}
	return err;
}
