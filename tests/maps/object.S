/* SPDX-License-Identifier: GPL-2.0 */
/* The compiled BPF object, carried inside kt-maps so that it is one file. */
	.section .rodata
	.balign 16
	.globl kt_maps_object, kt_maps_object_end
kt_maps_object:
	.incbin KT_MAPS_OBJECT
kt_maps_object_end:
	.section .note.GNU-stack, "", @progbits
