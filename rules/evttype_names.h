/* SPDX-License-Identifier: Apache-2.0 */
/* What evt.type can be, bytewise sorted: NAME(text). */
/* clang-format off */
#define EVENT_TYPES(NAME) \
	NAME("NA") NAME("_newselect") NAME("_sysctl") NAME("accept") NAME("accept4") \
	NAME("access") NAME("acct") NAME("add_key") NAME("adjtimex") NAME("alarm") \
	NAME("arch_prctl") NAME("asyncevent") NAME("bdflush") NAME("bind") NAME("bpf") \
	NAME("brk") NAME("cachestat") NAME("capget") NAME("capset") NAME("chdir") NAME("chmod") \
	NAME("chown") NAME("chroot") NAME("clock_adjtime") NAME("clock_getres") \
	NAME("clock_gettime") NAME("clock_nanosleep") NAME("clock_settime") NAME("clone") \
	NAME("clone3") NAME("close") NAME("close_range") NAME("connect") NAME("container") \
	NAME("copy_file_range") NAME("cpu_hotplug") NAME("creat") NAME("create_module") \
	NAME("delete_module") NAME("drop") NAME("dup") NAME("dup2") NAME("dup3") \
	NAME("epoll_create") NAME("epoll_create1") NAME("epoll_ctl") NAME("epoll_ctl_old") \
	NAME("epoll_pwait") NAME("epoll_pwait2") NAME("epoll_wait") NAME("epoll_wait_old") \
	NAME("eventfd") NAME("eventfd2") NAME("execve") NAME("execveat") NAME("exit") \
	NAME("exit_group") NAME("faccessat") NAME("faccessat2") NAME("fadvise64") \
	NAME("fallocate") NAME("fanotify_init") NAME("fanotify_mark") NAME("fchdir") \
	NAME("fchmod") NAME("fchmodat") NAME("fchmodat2") NAME("fchown") NAME("fchownat") \
	NAME("fcntl") NAME("fdatasync") NAME("fgetxattr") NAME("file_getattr") \
	NAME("file_setattr") NAME("finit_module") NAME("flistxattr") NAME("flock") NAME("fork") \
	NAME("fremovexattr") NAME("fsconfig") NAME("fsetxattr") NAME("fsmount") NAME("fsopen") \
	NAME("fspick") NAME("fstat") NAME("fstat64") NAME("fstatat64") NAME("fstatfs") \
	NAME("fstatfs64") NAME("fsync") NAME("ftruncate") NAME("futex") NAME("futex_requeue") \
	NAME("futex_wait") NAME("futex_waitv") NAME("futex_wake") NAME("futimesat") \
	NAME("get_kernel_syms") NAME("get_mempolicy") NAME("get_robust_list") \
	NAME("get_thread_area") NAME("getcpu") NAME("getcwd") NAME("getdents") \
	NAME("getdents64") NAME("getegid") NAME("geteuid") NAME("getgid") NAME("getgroups") \
	NAME("getitimer") NAME("getpeername") NAME("getpgid") NAME("getpgrp") NAME("getpid") \
	NAME("getpmsg") NAME("getppid") NAME("getpriority") NAME("getrandom") NAME("getresgid") \
	NAME("getresuid") NAME("getrlimit") NAME("getrusage") NAME("getsid") \
	NAME("getsockname") NAME("getsockopt") NAME("gettid") NAME("gettimeofday") \
	NAME("getuid") NAME("getxattr") NAME("getxattrat") NAME("groupadded") \
	NAME("groupdeleted") NAME("idle") NAME("infra") NAME("init_module") \
	NAME("inotify_add_watch") NAME("inotify_init") NAME("inotify_init1") \
	NAME("inotify_rm_watch") NAME("io_cancel") NAME("io_destroy") NAME("io_getevents") \
	NAME("io_pgetevents") NAME("io_setup") NAME("io_submit") NAME("io_uring_enter") \
	NAME("io_uring_register") NAME("io_uring_setup") NAME("ioctl") NAME("ioperm") \
	NAME("iopl") NAME("ioprio_get") NAME("ioprio_set") NAME("ipc") NAME("k8s") NAME("kcmp") \
	NAME("kexec_file_load") NAME("kexec_load") NAME("keyctl") NAME("kill") \
	NAME("landlock_add_rule") NAME("landlock_create_ruleset") \
	NAME("landlock_restrict_self") NAME("lchown") NAME("lgetxattr") NAME("link") \
	NAME("linkat") NAME("listen") NAME("listmount") NAME("listns") NAME("listxattr") \
	NAME("listxattrat") NAME("llistxattr") NAME("llseek") NAME("lookup_dcookie") \
	NAME("lremovexattr") NAME("lseek") NAME("lsetxattr") NAME("lsm_get_self_attr") \
	NAME("lsm_list_modules") NAME("lsm_set_self_attr") NAME("lstat") NAME("lstat64") \
	NAME("madvise") NAME("map_shadow_stack") NAME("mbind") NAME("membarrier") \
	NAME("memfd_create") NAME("memfd_secret") NAME("mesos") NAME("migrate_pages") \
	NAME("mincore") NAME("mkdir") NAME("mkdirat") NAME("mknod") NAME("mknodat") \
	NAME("mlock") NAME("mlock2") NAME("mlockall") NAME("mmap") NAME("mmap2") \
	NAME("modify_ldt") NAME("mount") NAME("mount_setattr") NAME("move_mount") \
	NAME("move_pages") NAME("mprotect") NAME("mq_getsetattr") NAME("mq_notify") \
	NAME("mq_open") NAME("mq_timedreceive") NAME("mq_timedsend") NAME("mq_unlink") \
	NAME("mremap") NAME("mseal") NAME("msgctl") NAME("msgget") NAME("msgrcv") \
	NAME("msgsnd") NAME("msync") NAME("multiplexer") NAME("munlock") NAME("munlockall") \
	NAME("munmap") NAME("name_to_handle_at") NAME("nanosleep") NAME("newfstatat") \
	NAME("nfsservctl") NAME("nice") NAME("notification") NAME("oldfstat") NAME("oldlstat") \
	NAME("oldolduname") NAME("oldstat") NAME("olduname") NAME("open") \
	NAME("open_by_handle_at") NAME("open_tree") NAME("open_tree_attr") NAME("openat") \
	NAME("openat2") NAME("page_fault") NAME("pause") NAME("pciconfig_iobase") \
	NAME("pciconfig_read") NAME("pciconfig_write") NAME("perf_event_open") \
	NAME("personality") NAME("pidfd_getfd") NAME("pidfd_open") NAME("pidfd_send_signal") \
	NAME("pipe") NAME("pipe2") NAME("pivot_root") NAME("pkey_alloc") NAME("pkey_free") \
	NAME("pkey_mprotect") NAME("pluginevent") NAME("poll") NAME("ppoll") NAME("prctl") \
	NAME("pread") NAME("preadv") NAME("preadv2") NAME("prlimit") NAME("process_madvise") \
	NAME("process_mrelease") NAME("process_vm_readv") NAME("process_vm_writev") \
	NAME("procexit") NAME("procinfo") NAME("pselect6") NAME("ptrace") NAME("pwrite") \
	NAME("pwritev") NAME("pwritev2") NAME("query_module") NAME("quotactl") \
	NAME("quotactl_fd") NAME("read") NAME("readahead") NAME("readdir") NAME("readlink") \
	NAME("readlinkat") NAME("readv") NAME("reboot") NAME("recv") NAME("recvfrom") \
	NAME("recvmmsg") NAME("recvmsg") NAME("remap_file_pages") NAME("removexattr") \
	NAME("removexattrat") NAME("rename") NAME("renameat") NAME("renameat2") \
	NAME("request_key") NAME("restart_syscall") NAME("riscv_flush_icache") \
	NAME("riscv_hwprobe") NAME("rmdir") NAME("rseq") NAME("rseq_slice_yield") \
	NAME("rt_sigaction") NAME("rt_sigpending") NAME("rt_sigprocmask") \
	NAME("rt_sigqueueinfo") NAME("rt_sigreturn") NAME("rt_sigsuspend") \
	NAME("rt_sigtimedwait") NAME("rt_tgsigqueueinfo") NAME("rtas") \
	NAME("s390_guarded_storage") NAME("s390_pci_mmio_read") NAME("s390_pci_mmio_write") \
	NAME("s390_runtime_instr") NAME("s390_sthyi") NAME("scapevent") \
	NAME("sched_get_priority_max") NAME("sched_get_priority_min") NAME("sched_getaffinity") \
	NAME("sched_getattr") NAME("sched_getparam") NAME("sched_getscheduler") \
	NAME("sched_rr_get_interval") NAME("sched_setaffinity") NAME("sched_setattr") \
	NAME("sched_setparam") NAME("sched_setscheduler") NAME("sched_yield") NAME("seccomp") \
	NAME("select") NAME("semctl") NAME("semget") NAME("semop") NAME("semtimedop") \
	NAME("send") NAME("sendfile") NAME("sendmmsg") NAME("sendmsg") NAME("sendto") \
	NAME("set_mempolicy") NAME("set_mempolicy_home_node") NAME("set_robust_list") \
	NAME("set_thread_area") NAME("set_tid_address") NAME("setdomainname") NAME("setfsgid") \
	NAME("setfsuid") NAME("setgid") NAME("setgroups") NAME("sethostname") NAME("setitimer") \
	NAME("setns") NAME("setpgid") NAME("setpriority") NAME("setregid") NAME("setresgid") \
	NAME("setresuid") NAME("setreuid") NAME("setrlimit") NAME("setsid") NAME("setsockopt") \
	NAME("settimeofday") NAME("setuid") NAME("setxattr") NAME("setxattrat") \
	NAME("sgetmask") NAME("shmat") NAME("shmctl") NAME("shmdt") NAME("shmget") \
	NAME("shutdown") NAME("sigaction") NAME("sigaltstack") NAME("signal") \
	NAME("signaldeliver") NAME("signalfd") NAME("signalfd4") NAME("sigpending") \
	NAME("sigprocmask") NAME("sigreturn") NAME("sigsuspend") NAME("socket") \
	NAME("socketcall") NAME("socketpair") NAME("splice") NAME("spu_create") NAME("spu_run") \
	NAME("ssetmask") NAME("stat") NAME("stat64") NAME("statfs") NAME("statfs64") \
	NAME("statmount") NAME("statx") NAME("stime") NAME("subpage_prot") NAME("swapcontext") \
	NAME("swapoff") NAME("swapon") NAME("switch") NAME("switch_endian") NAME("symlink") \
	NAME("symlinkat") NAME("sync") NAME("sync_file_range") NAME("sync_file_range2") \
	NAME("syncfs") NAME("sys_debug_setcontext") NAME("sysfs") NAME("sysinfo") \
	NAME("syslog") NAME("task") NAME("task_file_anon_inode") NAME("task_file_directory") \
	NAME("task_file_memfd") NAME("task_file_pipe") NAME("task_file_regular") \
	NAME("task_file_socket_inet") NAME("task_file_socket_inet6") \
	NAME("task_file_socket_netlink") NAME("task_file_socket_unix") NAME("tee") \
	NAME("tgkill") NAME("time") NAME("timer_create") NAME("timer_delete") \
	NAME("timer_getoverrun") NAME("timer_gettime") NAME("timer_settime") NAME("timerfd") \
	NAME("timerfd_create") NAME("timerfd_gettime") NAME("timerfd_settime") NAME("times") \
	NAME("tkill") NAME("tracer") NAME("truncate") NAME("umask") NAME("umount") \
	NAME("umount2") NAME("uname") NAME("unlink") NAME("unlinkat") NAME("unshare") \
	NAME("uprobe") NAME("uretprobe") NAME("uselib") NAME("useradded") NAME("userdeleted") \
	NAME("userfaultfd") NAME("ustat") NAME("utime") NAME("utimensat") NAME("utimes") \
	NAME("vfork") NAME("vhangup") NAME("vm86") NAME("vmsplice") NAME("wait4") \
	NAME("waitid") NAME("waitpid") NAME("write") NAME("writev")
/* clang-format on */
