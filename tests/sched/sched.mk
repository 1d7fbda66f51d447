# SPDX-License-Identifier: GPL-2.0
# kt-sched, the scheduler to test with; included by the top Makefile. A guest program: static.

# libbpf 1.4 or later, where bin/kt-deps unpacks it; LIBBPF= points to another one's prefix.
LIBBPF		?= $(BUILD)/deps/libbpf/usr
LIBBPF_A	 = $(firstword $(wildcard $(LIBBPF)/lib/*/libbpf.a $(LIBBPF)/lib*/libbpf.a))
# -target bpf does not know the host's folder of <asm/types.h>.
MULTIARCH	 = $(shell $(CC) -print-multiarch)
SCHED_CFLAGS	 = -isystem $(LIBBPF)/include
SCHED_DIR	:= $(BUILD)/tests/sched
SCHED_OBJECTS	:= $(patsubst %.c,$(BUILD)/guest/%.o,$(filter-out %.bpf.c,$(wildcard tests/sched/*.c)))

sched: $(SCHED_DIR)/kt-sched

libbpf:
	@[ -n "$(LIBBPF_A)" ] || { echo "$(LIBBPF) has no libbpf: bin/kt-deps puts one there" >&2; exit 1; }
.PHONY: libbpf

$(SCHED_DIR)/kt_sched.bpf.o $(SCHED_OBJECTS): | libbpf

$(SCHED_DIR)/kt_sched.bpf.o: tests/sched/kt_sched.bpf.c tests/sched/scx.bpf.h tests/sched/kt_sched.h
	$(call say,CLANG,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Werror -Wno-unused-parameter \
		-Wno-sign-compare $(SCHED_CFLAGS) -isystem /usr/include/$(MULTIARCH) -c -o $@ $<

$(SCHED_DIR)/object.o: tests/sched/object.S $(SCHED_DIR)/kt_sched.bpf.o
	$(call say,AS,$<)
	$(Q)$(CC) -DKT_SCHED_OBJECT='"$(SCHED_DIR)/kt_sched.bpf.o"' -c -o $@ $<

$(SCHED_OBJECTS): KT_CFLAGS += $(SCHED_CFLAGS)

$(SCHED_DIR)/kt-sched: $(SCHED_OBJECTS) $(SCHED_DIR)/object.o $(BUILD)/guest/libcommon.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -static -o $@ $^ $(LIBBPF_A) -lelf -lz -lzstd -lm
