/* SPDX-License-Identifier: GPL-2.0 */
/* The kvm engine's state as its own files share it. Devices see kvm.h and bus.h instead. */
#ifndef KT_KVM_STATE_H
#define KT_KVM_STATE_H

#include <linux/kvm.h>
#include <pthread.h>
#include <sys/ioctl.h>

#include "irqchip.h"
#include "kvm.h"
#include "load.h"

#define KVM_MAX_WATCHES 4 /* debug registers 0 to 3 */

struct kvm_vcpu {
	struct kvm_vm *vm;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	pid_t tid;
	bool started; /* has a thread */
	bool parked;  /* stands still until it is thawed */
	bool hit;     /* wrote to a watched address, which is not told yet */
	uint64_t hit_address;
};

struct kvm_watch {
	uint64_t address;
	unsigned int len; /* 0: free */
	unsigned int users;
};

struct kvm_vm {
	const struct engine_config *config;
	int end_fd;   /* an eventfd: the VM has ended, or is to end */
	int watch_fd; /* an eventfd of the caller's: a watch was hit */
	int kvm_fd, vm_fd;
	size_t run_size; /* of each vCPU's struct kvm_run */

	uint8_t *ram; /* guest-physical address 0 as we see it */
	uint64_t ram_span;
	struct load load;
	uint64_t entry; /* the kernel's PVH entry, physical */

	struct bus bus;
	struct irqchip irqchip;
	struct kvm_devices devices;
	pthread_t bus_thread;
	pid_t bus_tid; /* under lock; 0: the thread has not begun */
	bool have_bus, bus_started, bus_ending;
	struct bus_poll bus_end; /* an eventfd: the thread is to go */

	unsigned int n_cpus, n_made;
	struct kvm_vcpu *cpus;

	/* All below: under lock. */
	pthread_mutex_t lock;
	pthread_cond_t parked_cond, thaw_cond; /* parked_cond: also a thread's beginning */
	bool freezing, stopping;
	unsigned int n_parked, n_running; /* vCPU threads */
	struct kvm_watch watches[KVM_MAX_WATCHES];
	unsigned int n_hits; /* vCPUs with a hit */
	enum engine_end end;
	char *error; /* why, a malloc'ed phrase; NULL if nothing is wrong */

	/* The main thread's own. */
	bool frozen;		     /* all are parked, and the bus is ours */
	bool have_clock;	     /* of the time since then: */
	struct kvm_clock_data clock; /* kvmclock */
	uint64_t stopped_tsc;	     /* the host's */
};

/* Set @vm's error, unless it has one, and return @err. */
int kvm_error(struct kvm_vm *vm, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * vm.c: make the VM that @c describes into *@vm, which need not be initialized; raise @watch_fd
 * when a watch is hit. Start its threads, which are parked when it returns: kvm_vcpus_unpark() lets
 * the guest begin. 0 or -errno with the error set. There is no way back but the process's end.
 */
int kvm_vm_create(struct kvm_vm *vm, const struct engine_config *c, int watch_fd);
int kvm_vm_start(struct kvm_vm *vm);

/* From the main thread: as the functions of struct engine_ops with these names say. */
void kvm_vm_freeze(struct kvm_vm *vm);
void kvm_vm_thaw(struct kvm_vm *vm);
int kvm_vm_registers(struct kvm_vm *vm, unsigned int cpu, struct engine_registers *r);
bool kvm_vm_hit(struct kvm_vm *vm, struct engine_hit *hit);

/*
 * End all threads, then the devices: their descriptors close, and who reads from them sees it.
 * Returns how the VM has ended.
 */
enum engine_end kvm_vm_quiesce(struct kvm_vm *vm);

/*
 * memory.c: map the nodes' memory, which needs no VM yet; make it the guest's. 0 or -errno with the
 * error set.
 */
int kvm_memory_map(struct kvm_vm *vm);
int kvm_memory_slots(struct kvm_vm *vm);
uint64_t kvm_ram_below_4g(const struct machine *m);
/* The node that holds guest-physical @gpa, where in it, and how much of it follows. Or -EFAULT. */
int kvm_ram_node(const struct kvm_vm *vm, uint64_t gpa, uint64_t *offset, uint64_t *left);

/*
 * boot.c: put kernel, command line, initramfs and start info into RAM. The guest may begin after
 * load_ready().
 */
int kvm_boot_load(struct kvm_vm *vm);
/* Let the boot CPU begin at the kernel's entry. */
int kvm_boot_registers(struct kvm_vm *vm, struct kvm_vcpu *v);

/* tuning.c: what struct engine_tuning wishes. */
void kvm_tune_vm(struct kvm_vm *vm); /* before there are vCPUs */
void kvm_tune_memory(struct kvm_vm *vm);
void kvm_tune_cpuid(struct kvm_vm *vm, struct kvm_cpuid2 *c);

/* vcpu.c */
int kvm_vcpus_init(struct kvm_vm *vm);
int kvm_vcpus_start(struct kvm_vm *vm); /* they are parked when it returns */
void kvm_vcpus_stop(struct kvm_vm *vm); /* joins the threads */
/* Park all vCPUs; when it returns, none of them runs. Let them go on. */
void kvm_vcpus_park(struct kvm_vm *vm);
void kvm_vcpus_unpark(struct kvm_vm *vm);
/* End without waiting; from any thread. The first @end counts. */
void kvm_end(struct kvm_vm *vm, enum engine_end end);
/* The guest has broken itself, in a way that @fmt says. */
void kvm_crash(struct kvm_vm *vm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* clock.c: stop the guest's clocks, while no vCPU runs, and let them go on from there. */
void kvm_clock_stop(struct kvm_vm *vm);
void kvm_clock_go(struct kvm_vm *vm);

/* watch.c: as engine_ops.watch says, while no vCPU runs. */
int kvm_watch(struct kvm_vm *vm, uint64_t address, unsigned int len, bool on);
/* KVM_EXIT_DEBUG of @v: if it was a watch, all are told to park. */
void kvm_watch_exit(struct kvm_vcpu *v);
/* The next hit that is not told yet, while no vCPU runs. */
bool kvm_watch_take(struct kvm_vm *vm, struct engine_hit *hit);

/* registers.c: while @v does not run, or from its own thread. 0 or -errno. */
int kvm_vcpu_registers(struct kvm_vcpu *v, struct engine_registers *r);

#endif
