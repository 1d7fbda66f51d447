# SPDX-License-Identifier: GPL-2.0
# kt-maps, BPF maps of known contents to test with; included by the top Makefile. A guest program:
# static. Built as kt-sched is (tests/sched/sched.mk).

MAPS_DIR	:= $(BUILD)/tests/maps
MAPS_OBJECTS	:= $(patsubst %.c,$(BUILD)/guest/%.o,$(filter-out %.bpf.c,$(wildcard tests/maps/*.c)))

maps: $(MAPS_DIR)/kt-maps
.PHONY: maps

$(MAPS_DIR)/maps.bpf.o $(MAPS_OBJECTS): | libbpf

$(MAPS_DIR)/maps.bpf.o: tests/maps/maps.bpf.c tests/maps/maps.h
	$(call say,CLANG,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Werror -Wno-unused-parameter \
		$(SCHED_CFLAGS) -isystem /usr/include/$(MULTIARCH) -c -o $@ $<

$(MAPS_DIR)/object.o: tests/maps/object.S $(MAPS_DIR)/maps.bpf.o
	$(call say,AS,$<)
	$(Q)$(CC) -DKT_MAPS_OBJECT='"$(MAPS_DIR)/maps.bpf.o"' -c -o $@ $<

$(MAPS_OBJECTS): KT_CFLAGS += $(SCHED_CFLAGS)

$(MAPS_DIR)/kt-maps: $(MAPS_OBJECTS) $(MAPS_DIR)/object.o $(BUILD)/guest/libcommon.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -static -o $@ $^ $(LIBBPF_A) -lelf -lz -lzstd -lm
