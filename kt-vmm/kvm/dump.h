/* SPDX-License-Identifier: GPL-2.0 */
/* What the kvm engine tells its guests of a machine, written to files: nothing runs for it. */
#ifndef KT_KVM_DUMP_H
#define KT_KVM_DUMP_H

#include "../machine.h"

/*
 * Write each ACPI table of @m to DIR/NAME.dat ("apic.dat", as acpidump names them), and to
 * DIR/cpuid.json what CPUID tells of the topology: one object a line with vendor ("GenuineIntel",
 * "AuthenticAMD"), cpu, leaf, subleaf, eax, ebx, ecx and edx. @dir is made if it is missing. 0 or
 * -errno with *@why malloc'ed.
 */
int kvm_dump(const struct machine *m, const char *dir, char **why);

#endif
