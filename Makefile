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
# For host programs only: a static guest program cannot carry a sanitizer.
SANITIZE ?=

# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-7s %s\n' $(1) $(2))

# For a make that a goal starts, where the user has not said how many jobs.
PARALLEL = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

HOST_PROGRAMS  := kt-vmm kt-assert kt-gauntlet kt-snapshot
GUEST_PROGRAMS := kt-init kt-workload
PROGRAMS       := $(HOST_PROGRAMS) $(GUEST_PROGRAMS)
SHELL_PROGRAMS := $(filter-out $(addprefix bin/,$(PROGRAMS)),$(wildcard bin/kt-*))
C_SOURCES      := $(wildcard libcommon/*.[ch] $(addsuffix /*.[ch],$(PROGRAMS)) $(addsuffix /*/*.[ch],$(PROGRAMS)) tests/*/*.[ch])
LINT_SOURCES   := $(filter-out %.bpf.c,$(filter %.c,$(C_SOURCES)))

# Copied in, as each library that has to be loaded delays the guest. libelf.a may need libzstd.
LIBS_kt-vmm	 := -Wl,-Bstatic -ljansson -lelf -lz -lzstd -lseccomp -lcap -lm -Wl,-Bdynamic
LIBS_kt-init	 := -ljansson -lz -lutil -lm
LIBS_kt-workload := -ljansson -lm
LIBS_kt-assert	 := -lyajl -ljansson -lm
LIBS_kt-snapshot = $(LIBBPF_A) -ljansson -lelf -lz -lzstd -lseccomp -lcap -lm
LIBS_kt-gauntlet := -ljansson -lm

all: $(addprefix $(BIN)/,$(PROGRAMS)) sched maps guests $(BUILD)/tests/snapshot/ram_image

help:
	@sed -n 's/^# target \([a-z-]*\): /  \1\t/p' Makefile | expand -t 12

# target all: build every program and the test scheduler (the default)
# target check: install what is missing, build, run every test
# target check-snapshot: run kt-snapshot's tests on each series of kernels that kt-kernel can get
# target check-presets: boot the presets of up to KT_PRESET_CPUS CPUs, and of KT_PRESET_LAB_CPUS in the KVM lab
# target check-lab: run the kvm engine's tests in the KVM lab, an emulated KVM host
# target check-lab-long: the same with 100 boots in a row
# target demo: the main job, from set-up to two verdicts
# target bench: measure against peers in the same run
# target install: install to DESTDIR/PREFIX
# target man: build the manual pages
# target lint: cppcheck and shellcheck
# target format: apply .clang-format
# target asan: run the tests with host programs under ASan and UBSan
# target fuzz: fuzz the parsers of outside input for FUZZ_SECONDS each
# target clean: remove what was built

comma := ,
objects = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard $(1)/*.c $(1)/*/*.c)))

# libcommon is compiled twice where a sanitizer is used: once for each kind of program.
define compile
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KT_CFLAGS) $(CFLAGS) $(1) -c -o $@ $<
endef

$(BUILD)/guest/%.o: %.c
	$(call compile)

$(BUILD)/%.o: %.c
	$(call compile,$(SANITIZE))

$(BUILD)/libcommon.a: $(call objects,libcommon)
$(BUILD)/guest/libcommon.a: $(patsubst %.c,$(BUILD)/guest/%.o,$(sort $(wildcard libcommon/*.c)))
$(BUILD)/libcommon.a $(BUILD)/guest/libcommon.a:
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

define host_program
$(BIN)/$(1): $(call objects,$(1)) $(BUILD)/libcommon.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(CC) $$(CFLAGS) $$(SANITIZE) -o $$@ $$^ $$(LIBS_$(1))
endef
define guest_program
$(BIN)/$(1): $(patsubst $(BUILD)/%,$(BUILD)/guest/%,$(call objects,$(1))) $(BUILD)/guest/libcommon.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(CC) $$(CFLAGS) -static -o $$@ $$^ $$(LIBS_$(1))
endef
# The types of a kernel are read by the libbpf that the test scheduler is built with.
$(call objects,kt-snapshot): KT_CFLAGS += $(SCHED_CFLAGS)
$(call objects,kt-snapshot): | libbpf

$(foreach p,$(HOST_PROGRAMS),$(eval $(call host_program,$(p))))
$(foreach p,$(GUEST_PROGRAMS),$(eval $(call guest_program,$(p))))

include tests/sched/sched.mk
include tests/maps/maps.mk
include tests/guests/guests.mk

# What a fresh machine lacks, by the project's own scripts. Both do nothing when all is there. Each
# goal is a make of its own: what it finds may have been installed a moment before.
setup:
	@bin/kt-deps
	@bin/kt-kernel fetch > /dev/null

# One of each series with sched_ext, as far as the distribution still has it.
CHECK_KERNELS := 7.0 7.1 7.2 7.3

check-kernels: setup
	@for k in $(CHECK_KERNELS); do \
		bin/kt-kernel fetch $$k > /dev/null || echo "check: going on without kernel $$k" >&2; \
	done

check: check-kernels
	$(Q)$(MAKE) $(PARALLEL) --no-print-directory all
	@tests/run

# The newest of each series but 6.1, whose types kt-snapshot has not been made for.
check-snapshot: setup
	$(Q)$(MAKE) $(PARALLEL) --no-print-directory all
	@bin/kt-kernel remote | awk -F '[.]' '$$1 $$2 != "61" && !seen[$$1 "." $$2]++ { print $$1 "." $$2 }' | { \
		while read -r k; do \
			KT_KERNEL=$$(bin/kt-kernel fetch "$$k") && export KT_KERNEL && echo "kernel $$KT_KERNEL" && \
				tests/run tests/kernels/snapshot.bats < /dev/null || failed="$$failed $$k"; \
		done; \
		[ -z "$$failed" ] || { echo "check-snapshot: failed:$$failed" >&2; exit 1; }; }

# Both engines by the topology that guests see of each preset; `make check` boots the smallest alone.
check-presets: export KT_PRESET_CPUS ?= 64
check-presets: export KT_PRESET_LAB_CPUS ?= 16
check-presets: export BATS_TEST_TIMEOUT = 7200
check-presets: setup
	@bin/kt-kernel fetch --modules > /dev/null
	$(Q)$(MAKE) $(PARALLEL) --no-print-directory all
	@tests/run tests/presets.bats

# The KVM modules of the newest kernel come with it.
check-lab: setup
	@bin/kt-kernel fetch --modules > /dev/null
	$(Q)$(MAKE) $(PARALLEL) --no-print-directory all
	@tests/run tests/lab/lab.bats

check-lab-long: export LAB_BOOTS = 100
check-lab-long: export LAB_TIMEOUT = 40m
check-lab-long: check-lab

demo: setup
	$(Q)$(MAKE) $(PARALLEL) --no-print-directory all
	@bin/kt-demo

# The workers' own loop and records, without the program around them.
SPIN_OBJECTS := $(filter-out %/main.o,$(call objects,kt-workload))
$(BUILD)/tests/bench/spin_overhead: tests/bench/spin_overhead.c $(SPIN_OBJECTS) $(BUILD)/libcommon.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(KT_CFLAGS)) $(CFLAGS) -Ikt-workload -o $@ $^ -ljansson -lm

$(BUILD)/tests/bench/bare_work: tests/bench/bare_work.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(KT_CFLAGS)) $(CFLAGS) -o $@ $< -pthread

# Parts of kt-workload, each with a small program around it.
UNITS := $(addprefix $(BUILD)/tests/,worker_clock histogram patience)
$(BUILD)/tests/patience: $(BUILD)/guest/kt-workload/worker_clock.o
$(UNITS): $(BUILD)/tests/%: tests/lib/%.c $(BUILD)/guest/kt-workload/%.o $(BUILD)/guest/libcommon.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(KT_CFLAGS)) $(CFLAGS) -Ikt-workload -o $@ $(filter-out %.a,$^) $(filter %.a,$^) -lm

# A guest's memory in a file, and kt-snapshot's own code on it, its look-ups taken over.
SNAPSHOT_OBJECTS := $(filter-out %/main.o,$(call objects,kt-snapshot))
RAM_IMAGE_OBJECTS := $(call objects,tests/snapshot)
RAM_IMAGE_WRAPS	:= types_field types_find types_size kallsyms_find
$(RAM_IMAGE_OBJECTS): KT_CFLAGS += $(SCHED_CFLAGS) -Ikt-snapshot
$(BUILD)/tests/snapshot/ram_image: $(RAM_IMAGE_OBJECTS) $(SNAPSHOT_OBJECTS) $(BUILD)/libcommon.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $(addprefix -Wl$(comma)--wrap=,$(RAM_IMAGE_WRAPS)) -o $@ $^ $(LIBS_kt-snapshot)

bench: setup
	$(Q)$(MAKE) $(PARALLEL) --no-print-directory all $(BUILD)/tests/bench/spin_overhead $(BUILD)/tests/bench/bare_work
	tests/bench/run

asan: check-kernels
	$(Q)$(MAKE) $(PARALLEL) --no-print-directory all BUILD=build/asan BIN=build/asan/bin CFLAGS="-O1 -g -fno-omit-frame-pointer" \
		SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined" \
		LIBBPF=build/deps/libbpf/usr
	KT_BIN=$(CURDIR)/build/asan/bin ASAN_OPTIONS=detect_leaks=0 tests/run

MAN := $(patsubst docs/man/%.scd,$(BUILD)/man/%,$(wildcard docs/man/*.scd))
man: $(MAN)
$(BUILD)/man/%: docs/man/%.scd
	$(call say,MAN,$@)
	@mkdir -p $(@D)
	$(Q)scdoc < $< > $@

# The checks of kt-assert and the keys of its policies are listed from its table.
CHECK_LISTS := $(addprefix $(BUILD)/man/,checks.scd keys.scd)
$(CHECK_LISTS): $(BUILD)/man/%.scd: docs/man/%.jq $(BIN)/kt-assert
	@mkdir -p $(@D)
	$(Q)$(BIN)/kt-assert --list-checks --format json | jq -r -f $< > $@
$(BUILD)/man/kt-assert.1 $(BUILD)/man/kt-policy.5: $(BUILD)/man/%: docs/man/%.scd $(CHECK_LISTS)
	$(call say,MAN,$@)
	$(Q)sed -e '/^@checks@$$/{r $(BUILD)/man/checks.scd' -e 'd;}' -e '/^@keys@$$/{r $(BUILD)/man/keys.scd' -e 'd;}' $< | scdoc > $@

# The part that follows from the table of work types stands where the page says @WORK_TYPES@.
$(BUILD)/man/kt-work.7: docs/man/kt-work.7.scd $(BIN)/kt-workload
	$(call say,MAN,$@)
	@mkdir -p $(@D)
	$(Q)$(BIN)/kt-workload --list-work=scdoc | \
		sed -e '/^@WORK_TYPES@$$/{r /dev/stdin' -e 'd;}' $< | scdoc > $@

install: all man
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/doc/kt
	install -m 755 $(addprefix $(BIN)/,$(PROGRAMS)) $(SHELL_PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -d $(DESTDIR)$(PREFIX)/lib/kt $(DESTDIR)$(PREFIX)/share/kt/scenarios
	install -m 755 $(BUILD)/tests/sched/kt-sched $(DESTDIR)$(PREFIX)/lib/kt
	install -m 644 tests/sched/kt-sched.flags $(DESTDIR)$(PREFIX)/lib/kt
	install -m 644 $(wildcard tests/scenarios/*.kt) $(DESTDIR)$(PREFIX)/share/kt/scenarios
	install -d $(DESTDIR)$(PREFIX)/share/kt/report
	install -m 644 $(wildcard kt-report/*) $(DESTDIR)$(PREFIX)/share/kt/report
	install -m 644 README.md LICENSE $(wildcard docs/*.md) $(DESTDIR)$(PREFIX)/share/doc/kt
	$(Q)for page in $(MAN); do \
		section=man$${page##*.}; \
		install -d $(DESTDIR)$(PREFIX)/share/man/$$section || exit; \
		install -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/$$section || exit; \
	done

format:
	clang-format -i $(C_SOURCES)

fuzz:
	tests/fuzz/run $(FUZZ_SECONDS)

lint:
	cppcheck --quiet --std=c17 --language=c --error-exitcode=1 --inline-suppr -j 2 \
		--enable=warning,performance,portability --suppressions-list=tests/lib/cppcheck.txt \
		-Ilibcommon $(LINT_SOURCES)
	shellcheck -x $(SHELL_PROGRAMS) .ci/run tests/run $(wildcard tests/lab/*.sh tests/bench/*.sh tests/lib/*.bash tests/lib/*.sh) \
		tests/lib/tell-topology
	clang-format --dry-run -Werror $(C_SOURCES)

clean:
	rm -rf $(BUILD)/guest $(BUILD)/man $(BUILD)/asan $(BUILD)/tests $(BUILD)/fuzz \
		$(addprefix $(BUILD)/,$(PROGRAMS) libcommon libcommon.a) $(addprefix bin/,$(PROGRAMS))

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all help sched setup check-kernels check check-snapshot check-presets check-lab check-lab-long demo bench asan man install format lint fuzz clean
