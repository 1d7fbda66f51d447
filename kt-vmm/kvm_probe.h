/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this host's /dev/kvm is worth: does it execute guest code, at speed, and what else of it
 * does the kvm engine care about? Found out by small guests, once per boot of the host.
 */
#ifndef KT_KVM_PROBE_H
#define KT_KVM_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct kvm_probe {
	bool usable;	  /* a stock kernel can be run */
	char *why;	  /* why not; malloc'ed, NULL when usable */
	char *missing;	  /* an instruction that a stock kernel uses and that failed, or NULL */
	char *module;	  /* what is behind it, as /sys/module says: kvm_intel, kvm_amd, or NULL */
	uint64_t loops;	  /* of the timed loop */
	uint64_t loop_ns; /* the fastest of its runs; 0: it was not run */
	char *no_watchpoints; /* why data watchpoints cannot be had, or NULL */
	bool x2apic_ids;      /* 32-bit APIC ids */
	bool split_irqchip;
	unsigned int max_cpus;
	unsigned int disable_exits; /* KVM_X86_DISABLE_EXITS_* that may be asked for */
	char boot_id[64];	    /* of the host; "" when unknown */
	bool cached;		    /* not found out now, but read */
};

/*
 * Take what an earlier probe of this boot of the host found, or probe and keep it: in
 * $XDG_RUNTIME_DIR/kt, else in the cache directory. A file that others could have written is not
 * taken. @anew probes in any case.
 */
void kvm_probe_get(struct kvm_probe *p, bool anew);
void kvm_probe_free(struct kvm_probe *p);

/* Probe now, whatever is kept. */
void kvm_probe_run(struct kvm_probe *p);

/* As kt-vmm --probe prints it, schema kt-probe/1. And back: 0 or -EBADMSG. */
json_t *kvm_probe_json(const struct kvm_probe *p);
int kvm_probe_parse(struct kvm_probe *p, const json_t *j);

#endif
