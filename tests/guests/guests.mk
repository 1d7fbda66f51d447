# SPDX-License-Identifier: GPL-2.0
# The guests without a kernel, for kt-vmm -k, and the program that drives the kvm engine's devices
# without a CPU; included by the top Makefile.

GUEST_DIR	:= $(BUILD)/tests/guests
BARE_GUESTS	:= acpi cpuid flood hostile initramfs pc stay topology
# What each of them has in common, and what two of them share with the test of the devices.
GUEST_PARTS	:= start guest driver vconsole abuse
# 32-bit code without vector registers: no paging, and little for an emulating KVM to know.
GUEST_CFLAGS	:= -m32 -march=i686 -std=gnu17 -Os -g0 -ffreestanding -fno-pic -fno-pie -fno-builtin \
		   -fno-stack-protector -fcf-protection=none -mgeneral-regs-only -fno-asynchronous-unwind-tables \
		   -Wall -Wextra -Werror -Wno-missing-field-initializers -Wstrict-prototypes \
		   -isystem /usr/include/$(MULTIARCH) -MMD -MP

guests: $(BARE_GUESTS:%=$(GUEST_DIR)/%.elf)

$(GUEST_DIR)/%.o: tests/guests/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -c -o $@ $<

$(GUEST_DIR)/%.o: tests/guests/%.S
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -m32 -c -o $@ $<

# Loaders want an ELF file of 64 bits around it.
$(GUEST_DIR)/%.elf: $(GUEST_DIR)/%.o $(GUEST_PARTS:%=$(GUEST_DIR)/%.o) tests/guests/guest.ld
	$(call say,LD,$@)
	$(Q)ld -m elf_i386 -nostdlib -z noexecstack --no-warn-rwx-segments -T tests/guests/guest.ld \
		-o $@.32 $(filter %.o,$^)
	$(Q)objcopy -O elf64-x86-64 $@.32 $@
	@rm -f $@.32

$(GUEST_DIR)/acpi.elf: $(GUEST_DIR)/tables.o
$(GUEST_DIR)/topology.elf: $(GUEST_DIR)/tables.o $(GUEST_DIR)/smp.o

.PRECIOUS: $(GUEST_DIR)/%.o
.PHONY: guests

# The devices as kt-vmm has them, in a machine of the test's own.
DEVICE_PARTS	:= acpi_pm bus devices i8042 pci pci_msix post rtc serial virtio_console virtio_pci virtio_regs virtqueue
DEVICE_SOURCES	:= $(DEVICE_PARTS:%=kt-vmm/kvm/%.c) tests/kvm/rig.c tests/guests/driver.c tests/guests/vconsole.c
$(BUILD)/tests/kvm/devices: $(DEVICE_SOURCES) tests/kvm/devices.c tests/kvm/ports.c tests/guests/abuse.c $(BUILD)/libcommon.a \
		$(wildcard tests/kvm/*.h tests/guests/*.h kt-vmm/kvm/*.h kt-vmm/engine.h)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(KT_CFLAGS)) $(CFLAGS) $(SANITIZE) -Ikt-vmm -o $@ \
		$(filter %.c %.a,$^) -pthread

guests: $(BUILD)/tests/kvm/devices

# The kvm engine's confinement, and what it forbids.
$(BUILD)/tests/kvm/confined: tests/kvm/confined.c kt-vmm/kvm/confine.c kt-vmm/kvm/confine.h $(BUILD)/libcommon.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(KT_CFLAGS)) $(CFLAGS) $(SANITIZE) -Ikt-vmm -o $@ \
		$(filter %.c %.a,$^) -lseccomp -lcap -pthread

guests: $(BUILD)/tests/kvm/confined

# The fuzz target of the devices, with a driver that needs no fuzzer.
$(BUILD)/tests/kvm/replay: $(DEVICE_SOURCES) tests/kvm/replay.c tests/fuzz/devices_fuzz.c libcommon/diag.c \
		$(wildcard tests/kvm/*.h tests/guests/*.h kt-vmm/kvm/*.h kt-vmm/engine.h)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(KT_CFLAGS)) -O1 -g -fsanitize=address,undefined \
		-fno-sanitize-recover=undefined -Ikt-vmm -o $@ $(filter %.c,$^) -pthread

guests: $(BUILD)/tests/kvm/replay
