/* SPDX-License-Identifier: GPL-2.0 */
/*
 * epoll_wait(2) with its begin and end known to the instruction, so that a caller who is held up
 * just before it or just after it is not taken to wait. Reading the counter and entering the kernel
 * are one restartable sequence (rseq(2)): the kernel breaks it off when the caller loses the CPU or
 * gets a signal in between.
 */
#ifndef KT_EXACT_WAIT_H
#define KT_EXACT_WAIT_H

#include <errno.h>
#include <linux/rseq.h>
#include <sys/epoll.h>
#include <sys/rseq.h>

#include "worker_clock.h"

struct exact_times {
	uint64_t begin, end; /* ticks_now() */
};

#ifdef __x86_64__

static inline struct rseq *exact_wait_area(void)
{
	return (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

/*
 * The sequence ends behind the syscall instruction: in the kernel and on return from it the caller
 * is outside. At its abort the kernel jumps to a place that RSEQ_SIG precedes (as an operand of
 * ud1).
 */
static inline long exact_wait_call(int fd, struct epoll_event *event, int timeout_ms,
				   struct exact_times *t)
{
	long ret = -EAGAIN;
	register long r10 __asm__("r10") = timeout_ms;
	uint64_t begin, end_low = 0, end_high = 0;

	__asm__ volatile(".pushsection __rseq_cs, \"aw\"\n"
			 ".balign 32\n"
			 "3: .long 0, 0\n"
			 "   .quad 1f, 2f - 1f, 4f\n"
			 ".popsection\n"
			 ".pushsection .text.unlikely, \"ax\"\n"
			 "   .byte 0x0f, 0xb9, 0x3d\n"
			 "   .long %c[sig]\n"
			 "4: jmp 5f\n"
			 ".popsection\n"
			 "   leaq 3b(%%rip), %%rcx\n"
			 "   movq %%rcx, %[cs]\n"
			 "1: rdtsc\n"
			 "   shlq $32, %%rdx\n"
			 "   orq %%rax, %%rdx\n"
			 "   movq %%rdx, %[begin]\n"
			 "   movl $1, %%edx\n"
			 "   movl %[nr], %%eax\n"
			 "   syscall\n"
			 "2: movq %%rax, %[ret]\n"
			 "   rdtsc\n"
			 "5:\n"
			 : [ret] "+&r"(ret), [begin] "=&r"(begin), "+a"(end_low),
			   "+d"(end_high), [cs] "=m"(exact_wait_area()->rseq_cs), "+m"(*event)
			 : [nr] "i"(232 /* __NR_epoll_wait */), [sig] "i"(RSEQ_SIG), "D"((long)fd),
			   "S"(event), "r"(r10)
			 : "rcx", "r11", "memory", "cc");
	*t = (struct exact_times){.begin = begin, .end = end_high << 32 | end_low};
	return ret;
}
#endif

/*
 * Wait for one event, at most @timeout_ms. Returns how many there were, 0 or 1; -EAGAIN when the
 * caller was held up on the way and did not wait; else -errno. Without rseq it does what
 * epoll_wait(2) does, and times are those around it.
 */
static inline long exact_epoll_wait(int fd, struct epoll_event *event, int timeout_ms,
				    struct exact_times *t)
{
	long ret;

#ifdef __x86_64__
	if (__rseq_size)
		return exact_wait_call(fd, event, timeout_ms, t);
#endif
	t->begin = ticks_now();
	ret = epoll_wait(fd, event, 1, timeout_ms);
	t->end = ticks_now();
	return ret < 0 ? -errno : ret;
}

#endif
