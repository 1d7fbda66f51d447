// SPDX-License-Identifier: GPL-2.0
#include "bpf_chain.h"

#include <stdlib.h>

#include "cleanup.h"
#include "diag.h"

int chain_walk(struct bpf *b, struct map_copy *m, uint64_t first, const struct chain_rules *rules)
{
	uint64_t at = first, mark = first;
	size_t steps = 0, power = 1;

	for (;;) {
		int err = rules->each(rules->context, at);

		if (err)
			return err;
		if (memory_u64(&b->k->memory, at + rules->next, &at)) {
			map_truncated(m, "a list leads out of memory");
			return 0;
		}
		if (rules->is_end(at) || at == rules->round)
			return 0;
		/* A mark that moves ever further: who comes by it again goes round (Brent). */
		if (at == mark) {
			map_truncated(m, "a list goes round");
			return 0;
		}
		if (++steps == power) {
			mark = at;
			power *= 2;
			steps = 0;
		}
	}
}

uint8_t *map_buckets_read(struct bpf *b, struct map_copy *m, uint64_t address, uint64_t n,
			  uint32_t size)
{
	_cleanup_free_ uint8_t *buckets = NULL;

	if (!n || n > BPF_MAP_MAX_BUCKETS || size < sizeof(uint64_t) || size > 64) {
		map_truncated(m, "%lu buckets: expected at most %u", (unsigned long)n,
			      BPF_MAP_MAX_BUCKETS);
		return NULL;
	}
	buckets = xmalloc(n * size);
	if (memory_read(&b->k->memory, address, buckets, n * size)) {
		map_truncated(m, "its buckets are not in memory");
		return NULL;
	}
	return take_ptr(buckets);
}
