// SPDX-License-Identifier: GPL-2.0
/*
 * A fuzz target without a fuzzer, for a few seconds of it in every check: `replay SECONDS SEED
 * FILE...` runs the files, and then inputs that it makes of them and of chance until the time is
 * up. Says how many. A crash is a crash; the seed and the number tell which input it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX 4096

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
void check(_Bool right, const char *what);

void check(_Bool right, const char *what)
{
	(void)right;
	(void)what;
}

static unsigned long long state;

/* xorshift64 */
static unsigned int chance(unsigned int below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 33) % below;
}

static size_t file_read(const char *path, unsigned char *buf)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f) {
		fprintf(stderr, "replay: %s: cannot be read\n", path);
		exit(64);
	}
	n = fread(buf, 1, INPUT_MAX, f);
	fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	static unsigned char buf[INPUT_MAX];
	unsigned long n = 0;
	time_t end;
	int i;

	if (argc < 4) {
		fprintf(stderr, "replay: expected SECONDS SEED FILE...\n");
		return 64;
	}
	end = time(NULL) + atoi(argv[1]);
	state = strtoull(argv[2], NULL, 0) | 1;
	for (i = 3; i < argc; i++, n++)
		LLVMFuzzerTestOneInput(buf, file_read(argv[i], buf));
	for (; time(NULL) < end; n++) {
		size_t size = file_read(argv[3 + chance(argc - 3)], buf), more = chance(200);
		unsigned int k, edits = chance(20);

		for (; more && size < INPUT_MAX; more--)
			buf[size++] = chance(256);
		for (k = 0; k < edits && size; k++)
			buf[chance(size)] = chance(256);
		alarm(10);
		LLVMFuzzerTestOneInput(buf, size);
		alarm(0);
	}
	printf("%lu inputs, seed %s\n", n, argv[2]);
	return 0;
}
