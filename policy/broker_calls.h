/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the broker gives up once it is up. Whatever needs one of these is started earlier
 * (the launcher, which makes workers and looks into them) or by another process (the
 * keeper, which starts programs and the broker itself anew): broker/keeper/keeper.h.
 *
 * NEVER(call), and NEVER_WHEN(call, argument, mask, value): an attempt ends the broker.
 * ABSENT(call): does not exist, so that libc goes another way. Undefined at the end.
 */
/* clang-format off */
/* Programs and processes; threads are all that it makes. */
NEVER(execve) NEVER(execveat) NEVER(fork) NEVER(vfork)
NEVER_WHEN(clone, 0, CLONE_THREAD, 0)
ABSENT(clone3) /* its flags are out of a filter's sight */
/* Namespaces, mounts, other roots. */
NEVER(unshare) NEVER(setns) NEVER(mount) NEVER(umount2) NEVER(pivot_root) NEVER(chroot)
NEVER(move_mount) NEVER(open_tree) NEVER(fsopen) NEVER(fsconfig) NEVER(fsmount)
NEVER(fspick) NEVER(mount_setattr) NEVER(mknod) NEVER(mknodat) NEVER(sethostname)
NEVER(setdomainname)
NEVER_WHEN(clone, 0, CLONE_NEWUSER, CLONE_NEWUSER)
/* Other processes' memory, files and flow, and being steered by another. */
NEVER(ptrace) NEVER(process_vm_readv) NEVER(process_vm_writev) NEVER(process_madvise)
NEVER(process_mrelease) NEVER(pidfd_getfd) NEVER(pidfd_open) NEVER(kcmp)
NEVER_WHEN(prctl, 0, 0xffffffffull, PR_SET_PTRACER)
/* Another user. */
NEVER(setuid) NEVER(setgid) NEVER(setreuid) NEVER(setregid) NEVER(setresuid)
NEVER(setresgid) NEVER(setfsuid) NEVER(setfsgid) NEVER(setgroups) NEVER(capset)
/* Deep parts of the kernel that no part of mews calls. */
NEVER(bpf) NEVER(perf_event_open) NEVER(userfaultfd) NEVER(io_uring_setup)
NEVER(io_uring_enter) NEVER(io_uring_register) NEVER(add_key) NEVER(request_key)
NEVER(keyctl) NEVER(fanotify_init) NEVER(open_by_handle_at) NEVER(name_to_handle_at)
NEVER(mbind) NEVER(move_pages) NEVER(migrate_pages) NEVER(remap_file_pages)
NEVER(memfd_secret) NEVER(shmget) NEVER(shmat) NEVER(shmctl) NEVER(msgget) NEVER(semget)
NEVER(seccomp) NEVER(lookup_dcookie)
/* The machine as a whole. */
NEVER(kexec_load) NEVER(init_module) NEVER(finit_module) NEVER(delete_module) NEVER(reboot)
NEVER(swapon) NEVER(swapoff) NEVER(acct) NEVER(quotactl) NEVER(settimeofday)
NEVER(clock_settime) NEVER(adjtimex) NEVER(clock_adjtime) NEVER(syslog) NEVER(vhangup)
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
#undef ABSENT
