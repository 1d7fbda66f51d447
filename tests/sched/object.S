/* SPDX-License-Identifier: GPL-2.0 */
/* The compiled BPF object, carried inside kt-sched so that it is one file. */
	.section .rodata
	.balign 16
	.globl kt_sched_object, kt_sched_object_end
kt_sched_object:
	.incbin KT_SCHED_OBJECT
kt_sched_object_end:
	.section .note.GNU-stack, "", @progbits
