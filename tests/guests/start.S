/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a guest begins: the PVH entry (boot.c of kt-vmm/kvm says how), 32-bit protected mode, no
 * paging, %ebx at the start info. It stays there.
 */
	.section .note.pvh, "a", @note
	.long	4			/* length of the name */
	.long	4			/* of the entry */
	.long	18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	start

	.text
	.globl	start
start:
	cli
	cld
	movl	$stack_end, %esp
	xorl	%ebp, %ebp
	pushl	%ebx
	call	guest_begin
1:	hlt
	jmp	1b

	.bss
	.balign	16
	.skip	16384
stack_end:

	.section .note.GNU-stack, "", @progbits
