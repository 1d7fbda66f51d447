# SPDX-License-Identifier: GPL-2.0
# kt: test Linux process schedulers in VMs of a declared topology. `make help` lists the targets.

PREFIX	?= /usr/local
DESTDIR	?=
CC	?= gcc
CLANG	?= clang-19
BUILD	?= build
BIN	?= bin

CFLAGS	?= -O2 -g
KT_CFLAGS := -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-missing-field-initializers \
	     -Wmissing-prototypes -Wstrict-prototypes -Wvla -Ilibcommon -MMD -MP

PROGRAMS := kt-vmm kt-init kt-workload kt-assert kt-gauntlet
GUEST_PROGRAMS := kt-init kt-workload
SHELL_PROGRAMS := $(filter-out $(addprefix bin/,$(PROGRAMS)),$(wildcard bin/kt-*))

LIBS_kt-vmm	 := -ljansson -lelf -lz -lm
LIBS_kt-init	 := -ljansson -lz -lutil -lm
LIBS_kt-workload := -ljansson -lm
LIBS_kt-assert	 := -lyajl -ljansson -lm
LIBS_kt-gauntlet := -lm

all: $(addprefix $(BIN)/,$(PROGRAMS)) sched

help:
	@sed -n 's/^# target \([a-z-]*\): /  \1\t/p' Makefile | expand -t 20

# target all: build every program and the test scheduler (the default)
# target check: install what is missing, build, run every test
# target demo: the main job, from set-up to two verdicts
# target bench: measure against peers in the same run
# target install: install to DESTDIR/PREFIX
# target lint: clang-tidy, cppcheck and shellcheck
# target format: apply .clang-format
# target asan: run the tests with host programs under ASan and UBSan
# target clean: remove what was built

objects = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard $(1)/*.c)))

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(KT_CFLAGS) $(CFLAGS) $(SANITIZE) -c -o $@ $<

# Guest programs share libcommon's sources but are linked statically.
$(BUILD)/libcommon.a: $(call objects,libcommon)
	@rm -f $@
	$(AR) rcs $@ $^

define program
$(BIN)/$(1): $(call objects,$(1)) $(BUILD)/libcommon.a
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(SANITIZE) $(if $(filter $(1),$(GUEST_PROGRAMS)),-static) -o $$@ $$^ $$(LIBS_$(1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

sched:

clean:
	rm -rf $(BUILD) $(addprefix bin/,$(PROGRAMS))

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all help sched clean
