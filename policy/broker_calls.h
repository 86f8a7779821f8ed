/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the broker gives up once it is up, for itself and whatever it starts later: a
 * program that alerts are given to, and itself anew when it is reloaded. That one makes a
 * launcher again, which is why mounting, namespaces and looking into workers (by
 * process_vm_readv and pidfd_getfd) are not here.
 *
 * NEVER(call), and NEVER_WHEN(call, argument, mask, value). Undefined at the end.
 */
/* clang-format off */
/* Other processes' memory, and being steered by another. */
NEVER(ptrace) NEVER(process_vm_writev) NEVER(kcmp)
/* Deep parts of the kernel that no part of mews calls. */
NEVER(bpf) NEVER(perf_event_open) NEVER(userfaultfd) NEVER(io_uring_setup)
NEVER(io_uring_enter) NEVER(io_uring_register) NEVER(add_key) NEVER(request_key)
NEVER(keyctl) NEVER(fanotify_init) NEVER(open_by_handle_at) NEVER(name_to_handle_at)
NEVER(mbind) NEVER(move_pages) NEVER(migrate_pages) NEVER(remap_file_pages)
/* The machine as a whole. */
NEVER(kexec_load) NEVER(init_module) NEVER(finit_module) NEVER(delete_module) NEVER(reboot)
NEVER(swapon) NEVER(swapoff) NEVER(acct) NEVER(quotactl) NEVER(settimeofday)
NEVER(clock_settime) NEVER(adjtimex) NEVER(clock_adjtime) NEVER(syslog) NEVER(vhangup)
NEVER(setdomainname)
#ifdef __x86_64__
NEVER(iopl) NEVER(ioperm) NEVER(modify_ldt) NEVER(kexec_file_load)
#endif
/* Memory that is written and executed, or was. */
NEVER_WHEN(mmap, 2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC)
NEVER_WHEN(mprotect, 2, PROT_EXEC, PROT_EXEC) NEVER_WHEN(pkey_mprotect, 2, PROT_EXEC, PROT_EXEC)
NEVER_WHEN(personality, 0, 0x0400000 /* READ_IMPLIES_EXEC */, 0x0400000)
/* Packets as they are on the wire, and words put into a terminal. */
NEVER_WHEN(socket, 0, 0xffffffffull, AF_PACKET) NEVER_WHEN(socket, 0, 0xffffffffull, AF_ALG)
NEVER_WHEN(socket, 0, 0xffffffffull, AF_VSOCK)
NEVER_WHEN(ioctl, 1, 0xffffffffull, TIOCSTI) NEVER_WHEN(ioctl, 1, 0xffffffffull, TIOCLINUX)
/* clang-format on */
#undef NEVER
#undef NEVER_WHEN
