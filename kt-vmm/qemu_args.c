// SPDX-License-Identifier: GPL-2.0
#include "qemu_args.h"

#include <cpuid.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"

/*
 * QEMU's own system call filter, from its start on: it starts no program, raises no privilege and
 * leaves its scheduling to us.
 */
#define SANDBOX "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

struct args {
	char **list;
	size_t n;
};

static void add(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct args *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		die(EXIT_INTERNAL, "out of memory");
	ptrlist_add(&a->list, &a->n, s);
}

/* A descriptor's number; a dry run has none yet. */
static char *fd_name(int fd)
{
	return fd < 0 ? xstrdup("N") : xasprintf("%d", fd);
}

/*
 * What the host's CPU needs to show the guest one L3 a die. QEMU gives AMD's cache leaves only with
 * topoext. Linux takes a first-generation EPYC's L3 from fixed APIC id bits, whatever the leaves
 * say (arch/x86/kernel/cpu/cacheinfo.c): there the guest gets the model number of the second.
 */
static const char *host_cpu_extra(void)
{
	unsigned int eax, ebx, ecx, edx, family, model;

	if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx) || ebx != signature_AMD_ebx)
		return "";
	__get_cpuid(1, &eax, &ebx, &ecx, &edx);
	family = (eax >> 8 & 0xf) + (eax >> 20 & 0xff);
	model = (eax >> 4 & 0xf) | (eax >> 12 & 0xf0);
	return family == 0x17 && model <= 0x1f ? ",topoext=on,model=49" : ",topoext=on";
}

/* Deterministic runs have no random numbers from the CPU. */
static const char *emulated_cpu_extra(const struct engine_config *c)
{
	return c->deterministic ? ",-rdrand,-rdseed" : "";
}

/*
 * Emulated CPUs take Intel's name, since QEMU describes the L3 of an emulated AMD CPU nowhere
 * (docs/measurements.md). What QEMU emulates of virtualization is AMD's alone, and Linux's kvm_amd
 * wants the name with it.
 */
static void add_cpu(struct args *a, const struct engine_config *c)
{
	add(a, "-cpu");
	if (c->use_kvm)
		add(a, "host,host-cache-info=off,l3-cache=on%s", host_cpu_extra());
	else if (c->nested)
		add(a, "EPYC-v3,+svm,+npt%s", emulated_cpu_extra(c));
	else
		add(a, "max,vendor=GenuineIntel,l3-cache=on%s", emulated_cpu_extra(c));
}

/* One NUMA node is a socket, one LLC a die: QEMU gives each die an L3 of its own. */
static void add_topology(struct args *a, const struct machine *m)
{
	const struct topology *t = &m->topology;

	add(a, "-smp");
	add(a, "%u,sockets=%u,dies=%u,cores=%u,threads=%u", topology_cpus(t), t->numa_nodes,
	    t->llcs / t->numa_nodes, t->cores, t->threads);
}

static void add_access(struct args *a, unsigned int from, unsigned int to, const char *type,
		       uint32_t value, const char *unit)
{
	if (!value)
		return;
	add(a, "-numa");
	add(a, "hmat-lb,initiator=%u,target=%u,hierarchy=memory,data-type=access-%s,%s=%u%s", from,
	    to, type, type, value, unit);
}

static void add_hmat(struct args *a, const struct machine *m)
{
	unsigned int i, j;

	add(a, "-machine");
	add(a, "hmat=on");
	for (i = 0; i < m->topology.numa_nodes; i++) {
		for (j = 0; j < m->nodes; j++) {
			add_access(a, i, j, "latency", m->latency_ns[i][j], "");
			add_access(a, i, j, "bandwidth", m->bandwidth_mbs[i][j], "M");
		}
	}
}

static void add_memory(struct args *a, const struct engine_config *c)
{
	const struct machine *m = c->machine;
	unsigned int i, j;

	add(a, "-m");
	add(a, "%lluM", (unsigned long long)machine_memory(m) >> 20);
	for (i = 0; i < m->nodes; i++) {
		_cleanup_free_ char *fd = fd_name(c->ram[i]), *initiator = NULL;

		add(a, "-object");
		add(a, "memory-backend-file,id=ram%u,size=%lluM,mem-path=/proc/self/fd/%s,share=on",
		    i, (unsigned long long)m->node_memory[i] >> 20, fd);
		add(a, "-numa");
		if (m->hmat)
			initiator = xasprintf(",initiator=%u", machine_initiator(m, i));
		if (i < m->topology.numa_nodes)
			add(a, "node,nodeid=%u,memdev=ram%u,cpus=%u-%u%s", i, i,
			    topology_node_first_cpu(&m->topology, i),
			    topology_node_first_cpu(&m->topology, i) +
				    topology_node_cpus(&m->topology) - 1,
			    initiator ? initiator : "");
		else
			add(a, "node,nodeid=%u,memdev=ram%u%s", i, i, initiator ? initiator : "");
	}
	for (i = 0; i < m->nodes; i++) {
		for (j = 0; j < m->nodes && m->nodes > 1; j++) {
			add(a, "-numa");
			add(a, "dist,src=%u,dst=%u,val=%u", i, j, m->distance[i][j]);
		}
	}
	if (m->hmat)
		add_hmat(a, m);
}

/*
 * The channel's device has no ioeventfd: with one, another thread takes the guest's notifications
 * at moments that the host chooses (docs/measurements.md, "Replay").
 */
static void add_devices(struct args *a, const struct engine_config *c, const struct qemu_sockets *s)
{
	_cleanup_free_ char *console = fd_name(c->console), *channel = fd_name(c->channel);
	_cleanup_free_ char *monitor = fd_name(s->qmp), *gdb = fd_name(s->gdb);

	add(a, "-chardev");
	add(a, "file,id=console,path=/proc/self/fd/%s,append=on", console);
	add(a, "-serial");
	add(a, "chardev:console");
	add(a, "-device");
	add(a, "virtio-serial-pci,max_ports=2,ioeventfd=%s", c->deterministic ? "off" : "on");
	add(a, "-chardev");
	if (c->deterministic)
		add(a, "file,id=kt,path=/proc/self/fd/%s,append=on", channel);
	else
		add(a, "socket,id=kt,fd=%s", channel);
	add(a, "-device");
	add(a, "virtserialport,chardev=kt,name=kt");
	add(a, "-chardev");
	add(a, "socket,id=qmp,fd=%s", monitor);
	add(a, "-mon");
	add(a, "chardev=qmp,mode=control");
	add(a, "-chardev");
	add(a, "socket,id=gdb,fd=%s", gdb);
	add(a, "-gdb");
	add(a, "chardev:gdb");
}

char **qemu_args(const struct engine_config *c, const struct qemu_sockets *s)
{
	static const char *const fixed[] = {
		QEMU_PROGRAM,
		"-nodefaults",
		"-no-user-config",
		"-sandbox",
		SANDBOX,
		"-display",
		"none",
		"-no-reboot",
		"-S",
		"-machine",
		"pc,hpet=off,vmport=off,mem-merge=off",
		"-accel",
	};
	_cleanup_free_ char *initrd = fd_name(c->initrd);
	struct args a = {0};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fixed); i++)
		add(&a, "%s", fixed[i]);
	/* One thread: with one per vCPU QEMU 7.2 loses a boot now and then (docs/measurements.md).
	 */
	add(&a, "%s", c->use_kvm ? "kvm" : "tcg,thread=single");
	if (c->deterministic) {
		add(&a, "-icount");
		add(&a, "shift=2,sleep=off");
		add(&a, "-rtc");
		add(&a, "base=2026-01-01,clock=vm");
	}
	add_cpu(&a, c);
	add_topology(&a, c->machine);
	add_memory(&a, c);
	add(&a, "-kernel");
	add(&a, "%s", c->kernel);
	add(&a, "-initrd");
	add(&a, "/proc/self/fd/%s", initrd);
	add(&a, "-append");
	add(&a, "%s", c->cmdline);
	add_devices(&a, c, s);
	return a.list;
}

void qemu_args_free(char **args)
{
	size_t i;

	for (i = 0; args[i]; i++)
		free(args[i]);
	free(args);
}
