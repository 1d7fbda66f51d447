# SPDX-License-Identifier: GPL-2.0
# kt-sched, the scheduler to test with; included by the top Makefile. libbpf: bin/kt-deps puts it there.

LIBBPF		?= $(BUILD)/deps/libbpf/usr
LIBBPF_A	 = $(firstword $(wildcard $(LIBBPF)/lib/*/libbpf.a $(LIBBPF)/lib/libbpf.a))
SCHED_BUILD	:= $(BUILD)/tests/sched
SCHED_OBJECTS	:= $(addprefix $(SCHED_BUILD)/,kt_sched.o loader.o llc.o object.o)
SCHED_INCLUDES	 = -isystem $(LIBBPF)/include
# Where <asm/types.h> is: -target bpf does not know the host's multiarch folder.
SCHED_ARCH_DIR	 = $(shell $(CC) -print-multiarch)

sched: $(SCHED_BUILD)/kt-sched

$(SCHED_BUILD)/kt_sched.bpf.o: tests/sched/kt_sched.bpf.c tests/sched/scx.bpf.h tests/sched/kt_sched.h
	@mkdir -p $(@D)
	$(CLANG) -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare \
		$(SCHED_INCLUDES) -isystem /usr/include/$(SCHED_ARCH_DIR) -c -o $@ $<

$(SCHED_BUILD)/object.o: tests/sched/object.S $(SCHED_BUILD)/kt_sched.bpf.o
	$(CC) -DKT_SCHED_OBJECT='"$(SCHED_BUILD)/kt_sched.bpf.o"' -c -o $@ $<

$(filter-out %/object.o,$(SCHED_OBJECTS)): KT_CFLAGS += $(SCHED_INCLUDES)

$(SCHED_BUILD)/kt-sched: $(SCHED_OBJECTS) $(BUILD)/libcommon.a
	$(CC) $(CFLAGS) -static -o $@ $^ $(LIBBPF_A) -lelf -lz -lzstd -lm
