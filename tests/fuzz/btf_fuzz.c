// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target for what kt-snapshot shows by types: neither the types (BTF) nor the values are
 * trusted. An input is u16 length of the value, the value, the BTF; the value is shown as each of
 * the first types. What comes out is JSON that can be printed. tests/fuzz/run builds and runs it.
 */
#include <bpf/libbpf.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "btf_render.h"

#define TYPES_TRIED 48
#define BUDGET	    20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

static void show(const struct btf *btf, uint32_t id, const uint8_t *value, size_t len)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	struct btf_render r = {.btf = btf, .budget = BUDGET};
	json_t *shown = btf_is_datasec(t) ? btf_render_section(&r, id, value, len)
					  : btf_render(&r, id, value, len);
	char *text = json_dumps(shown, JSON_ENCODE_ANY);

	if (!text || r.budget > BUDGET)
		abort();
	free(text);
	json_decref(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len;
	uint8_t *value;
	struct btf *btf;
	uint32_t id;

	if (size < 2)
		return 0;
	libbpf_set_print(silent);
	len = data[0] | data[1] << 8;
	len = len < size - 2 ? len : size - 2;
	/* A copy, so that a read beyond it is seen. */
	value = malloc(len ? len : 1);
	memcpy(value, data + 2, len);
	btf = btf__new(data + 2 + len, size - 2 - len);
	if (!libbpf_get_error(btf)) {
		for (id = 1; id < btf__type_cnt(btf) && id < TYPES_TRIED; id++)
			show(btf, id, value, len);
		btf__free(btf);
	}
	free(value);
	return 0;
}
