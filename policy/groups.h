/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * Every system call that a filter says something about; what is not here gets ENOSYS, as
 * from a kernel that is too old to know it (libraries have fall-backs for that; EPERM
 * breaks them). Include with the macros that you need defined:
 *
 * ALLOW(call)            everywhere
 * FILES(call)            where files are given to read
 * REFUSE(call, err)      a plain error: honest code asks too, or it is not worth telling
 * DENY(call, err, kind)  the same, seen by the watcher, who tells people
 * ATTACK(call)           no plugin has a use for it: the watcher records it and kills
 * JUDGE(call, kind)      the watcher decides by the arguments (policy/notify.c)
 *
 * and, for calls of which only some arguments will do, the condition
 * (argument & mask) == value on one argument, on two, or that it does not hold:
 *
 * WHEN(verdict, when, call, err, kind, arg, mask, value)
 * WHEN2(verdict, when, call, err, kind, arg, mask, value, arg2, mask2, value2)
 * UNLESS(verdict, when, call, err, kind, arg, value)      all 64 bits
 * UNLESS2(verdict, when, call, err, kind, arg, value, arg2, mask2, value2)
 *
 * verdict is one of ALLOW REFUSE DENY ATTACK JUDGE; when is an occasion of
 * policy/compile.c. mask 0 is no condition. Conditions of different verdicts must exclude
 * each other. UNLESS2 adds a second condition, which must hold, to UNLESS.
 *
 * TAKE(when, call, err) and TAKE_WHEN(when, call, err, arg, mask, value) are the rows of
 * the second filter.
 */
#ifndef ALLOW
#define ALLOW(call)
#endif
#ifndef FILES
#define FILES(call)
#endif
#ifndef REFUSE
#define REFUSE(call, err)
#endif
#ifndef DENY
#define DENY(call, err, kind)
#endif
#ifndef ATTACK
#define ATTACK(call)
#endif
#ifndef JUDGE
#define JUDGE(call, kind)
#endif
#ifndef WHEN
#define WHEN(verdict, when, call, err, kind, arg, mask, value)
#endif
#ifndef WHEN2
#define WHEN2(verdict, when, call, err, kind, arg, mask, value, arg2, mask2, value2)
#endif
#ifndef UNLESS
#define UNLESS(verdict, when, call, err, kind, arg, value)
#endif
#ifndef UNLESS2
#define UNLESS2(verdict, when, call, err, kind, arg, value, arg2, mask2, value2)
#endif
#ifndef TAKE
#define TAKE(when, call, err)
#endif
#ifndef TAKE_WHEN
#define TAKE_WHEN(when, call, err, arg, mask, value)
#endif

/* Most int arguments: the kernel looks at the low half alone, so must we. */
#define G_INT 0xffffffffull

/* Reading and writing what is open already: the rings' eventfds, the control channel,
 * pipes, the plugin file while it is loaded. */
ALLOW(read) ALLOW(write) ALLOW(readv) ALLOW(writev) ALLOW(pread64) ALLOW(lseek)
ALLOW(close) ALLOW(close_range) ALLOW(fstat) ALLOW(dup) ALLOW(dup3) ALLOW(pipe2)
ALLOW(eventfd2)

/* Waiting. */
ALLOW(epoll_create1) ALLOW(epoll_ctl) ALLOW(epoll_pwait) ALLOW(epoll_pwait2)
ALLOW(ppoll) ALLOW(pselect6)
ALLOW(nanosleep) ALLOW(clock_nanosleep) ALLOW(restart_syscall) ALLOW(sched_yield)

/* Time: reading it, and timers (their number is bounded by RLIMIT_SIGPENDING). */
ALLOW(clock_gettime) ALLOW(clock_getres) ALLOW(gettimeofday) ALLOW(times) ALLOW(getrusage)
ALLOW(timerfd_create) ALLOW(timerfd_settime) ALLOW(timerfd_gettime)
ALLOW(timer_create) ALLOW(timer_settime) ALLOW(timer_gettime) ALLOW(timer_getoverrun)
ALLOW(timer_delete)

/* Memory that is not made executable: the rules for mmap and mprotect are below. */
ALLOW(brk) ALLOW(munmap) ALLOW(mremap) ALLOW(membarrier)

/* Threads and their signals. */
ALLOW(set_robust_list) ALLOW(rseq) ALLOW(set_tid_address) ALLOW(exit) ALLOW(exit_group)
ALLOW(rt_sigaction) ALLOW(rt_sigprocmask) ALLOW(rt_sigreturn) ALLOW(rt_sigpending)
ALLOW(rt_sigsuspend) ALLOW(rt_sigtimedwait) ALLOW(sigaltstack)

/* Facts about itself and the machine that namespaces have made harmless. */
ALLOW(getpid) ALLOW(gettid) ALLOW(getppid) ALLOW(getpgid)
ALLOW(getuid) ALLOW(geteuid) ALLOW(getgid) ALLOW(getegid) ALLOW(getresuid)
ALLOW(getresgid) ALLOW(getgroups)
ALLOW(uname) ALLOW(sysinfo) ALLOW(getrandom) ALLOW(getcpu)
ALLOW(sched_getaffinity) ALLOW(sched_getparam) ALLOW(sched_getscheduler)
ALLOW(sched_get_priority_max) ALLOW(sched_get_priority_min) ALLOW(getpriority)
ALLOW(getcwd) ALLOW(umask)

#ifdef __x86_64__
/* The same in this machine's older words. */
ALLOW(poll) ALLOW(select) ALLOW(epoll_wait) ALLOW(epoll_create) ALLOW(eventfd)
ALLOW(pipe) ALLOW(dup2) ALLOW(time) ALLOW(pause) ALLOW(getpgrp)
ALLOW(getrlimit)
#endif

/* Reading directories and being told of changes. */
FILES(getdents64) FILES(fadvise64) FILES(statx) FILES(statfs) FILES(fstatfs)
FILES(preadv) FILES(readahead) FILES(faccessat2) FILES(fgetxattr)
FILES(inotify_init1) FILES(inotify_add_watch) FILES(inotify_rm_watch)
#ifdef __x86_64__
FILES(inotify_init) FILES(getdents)
#endif

/* Private mappings and read-only shared ones. Shared memory that can be written is not
 * counted by RLIMIT_DATA; code comes from files, and only while libraries are loaded
 * (NO_EXEC below); nothing is writable and executable. */
WHEN(ALLOW, ALWAYS, mmap, 0, NONE, 2, PROT_WRITE | PROT_EXEC, 0)
WHEN2(ALLOW, ALWAYS, mmap, 0, NONE, 2, PROT_WRITE | PROT_EXEC, PROT_WRITE, 3, MAP_TYPE, MAP_PRIVATE)
WHEN2(ALLOW, ALWAYS, mmap, 0, NONE, 2, PROT_WRITE | PROT_EXEC, PROT_EXEC, 3, MAP_TYPE, MAP_PRIVATE)
WHEN2(DENY, ALWAYS, mmap, EPERM, MEMORY, 2, PROT_WRITE | PROT_EXEC, PROT_WRITE, 3, MAP_TYPE, MAP_SHARED)
WHEN2(DENY, ALWAYS, mmap, EPERM, MEMORY, 2, PROT_WRITE | PROT_EXEC, PROT_WRITE, 3, MAP_TYPE, MAP_SHARED_VALIDATE)
WHEN2(DENY, ALWAYS, mmap, EPERM, MEMORY, 2, PROT_WRITE | PROT_EXEC, PROT_EXEC, 3, MAP_TYPE, MAP_SHARED)
WHEN2(DENY, ALWAYS, mmap, EPERM, MEMORY, 2, PROT_WRITE | PROT_EXEC, PROT_EXEC, 3, MAP_TYPE, MAP_SHARED_VALIDATE)
WHEN(DENY, NO_JIT, mmap, EPERM, CODE, 2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC)
WHEN2(ALLOW, JIT, mmap, 0, NONE, 2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC, 3, MAP_TYPE, MAP_PRIVATE)
WHEN(ALLOW, NO_JIT, mprotect, 0, NONE, 2, PROT_EXEC, 0)
WHEN(DENY, NO_JIT, mprotect, EPERM, CODE, 2, PROT_EXEC, PROT_EXEC)
WHEN(ALLOW, JIT, mprotect, 0, NONE, 0, 0, 0)

/* Advice that changes nothing but speed, and DONTNEED and FREE on private memory. Not
 * REMOVE, which punches holes into shared memory, nor HWPOISON. */
#define G_ADVICE(n) WHEN(ALLOW, ALWAYS, madvise, 0, NONE, 2, G_INT, n)
G_ADVICE(MADV_NORMAL) G_ADVICE(MADV_RANDOM) G_ADVICE(MADV_SEQUENTIAL)
G_ADVICE(MADV_WILLNEED) G_ADVICE(MADV_DONTNEED) G_ADVICE(MADV_FREE)
G_ADVICE(MADV_DONTFORK) G_ADVICE(MADV_HUGEPAGE) G_ADVICE(MADV_NOHUGEPAGE)
G_ADVICE(MADV_DONTDUMP) G_ADVICE(MADV_POPULATE_READ) G_ADVICE(MADV_POPULATE_WRITE)
G_ADVICE(25 /* COLLAPSE */)
#undef G_ADVICE
WHEN(REFUSE, ALWAYS, madvise, EPERM, NONE, 2, G_INT, MADV_REMOVE)
WHEN(REFUSE, ALWAYS, madvise, EPERM, NONE, 2, G_INT, MADV_HWPOISON)

/* Without priority inheritance, which reaches deep into the scheduler. */
#define G_FUTEX(op) WHEN(ALLOW, ALWAYS, futex, 0, NONE, 1, \
	G_INT & ~(uint64_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME), op)
G_FUTEX(FUTEX_WAIT) G_FUTEX(FUTEX_WAKE) G_FUTEX(FUTEX_REQUEUE) G_FUTEX(FUTEX_CMP_REQUEUE)
G_FUTEX(FUTEX_WAKE_OP) G_FUTEX(FUTEX_WAIT_BITSET) G_FUTEX(FUTEX_WAKE_BITSET)
#undef G_FUTEX

/* Threads, by clone alone: clone3 keeps its flags in memory, where no filter sees them,
 * and ENOSYS sends libc back to clone. A process or a namespace is another matter. */
#define G_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define G_THREAD_TOO (CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | \
	CLONE_CHILD_SETTID | CLONE_DETACHED)
WHEN(ALLOW, ALWAYS, clone, 0, NONE, 0, ~(uint64_t)G_THREAD_TOO, G_THREAD)
WHEN(JUDGE, ALWAYS, clone, EPERM, PROCESS, 0, CLONE_THREAD, 0)
#define G_NEW(flag) WHEN(JUDGE, ALWAYS, clone, EPERM, PROCESS, 0, flag, flag)
G_NEW(CLONE_NEWNS) G_NEW(CLONE_NEWCGROUP) G_NEW(CLONE_NEWUTS) G_NEW(CLONE_NEWIPC)
G_NEW(CLONE_NEWUSER) G_NEW(CLONE_NEWPID) G_NEW(CLONE_NEWNET)
#undef G_NEW
REFUSE(clone3, ENOSYS)
DENY(execve, EACCES, EXEC) DENY(execveat, EACCES, EXEC)
#ifdef __x86_64__
DENY(fork, EPERM, PROCESS) DENY(vfork, EPERM, PROCESS)
#endif

/* Where it may start some, the launcher lets clone through; what waits for them: */
WHEN(ALLOW, PROCESSES, wait4, 0, NONE, 0, 0, 0) WHEN(ALLOW, PROCESSES, waitid, 0, NONE, 0, 0, 0)

/* Signals to itself: abort() and Go's preemption. */
WHEN(ALLOW, ALWAYS, tgkill, 0, NONE, 0, ~0ull, CONFINEMENT_WORKER_PID)
UNLESS(JUDGE, ALWAYS, tgkill, EPERM, SIGNAL, 0, CONFINEMENT_WORKER_PID)
JUDGE(kill, SIGNAL)
DENY(tkill, EPERM, SIGNAL) DENY(rt_sigqueueinfo, EPERM, SIGNAL)
DENY(rt_tgsigqueueinfo, EPERM, SIGNAL) DENY(pidfd_open, EPERM, SIGNAL)
DENY(pidfd_send_signal, EPERM, SIGNAL)

/* Looking at names and opening to read: they lead nowhere but to what is mounted. See
 * policy/notify.h for why "pure" asks the watcher. fstat() is newfstatat without a name. */
#define G_LOOK(call) \
	WHEN(JUDGE, OPENS_JUDGED, call, ENOENT, LOOK, 0, 0, 0) \
	WHEN(ALLOW, OPENS_FREE, call, 0, NONE, 0, 0, 0)
G_LOOK(readlinkat) G_LOOK(faccessat)
WHEN(JUDGE, OPENS_JUDGED, newfstatat, ENOENT, LOOK, 3, AT_EMPTY_PATH, 0)
WHEN(ALLOW, OPENS_JUDGED, newfstatat, 0, NONE, 3, AT_EMPTY_PATH, AT_EMPTY_PATH)
WHEN(ALLOW, OPENS_FREE, newfstatat, 0, NONE, 0, 0, 0)
#ifdef __x86_64__
G_LOOK(stat) G_LOOK(lstat) G_LOOK(access) G_LOOK(readlink)
#endif
#undef G_LOOK
#define G_OPEN_FLAGS (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))
#define G_OPEN(call, arg) \
	WHEN(JUDGE, OPENS_JUDGED, call, EACCES, OPEN, arg, 0, 0) \
	WHEN(ALLOW, OPENS_READ, call, 0, NONE, arg, G_OPEN_FLAGS, 0) \
	WHEN(DENY, OPENS_READ, call, EACCES, OPEN, arg, O_ACCMODE, O_WRONLY) \
	WHEN(DENY, OPENS_READ, call, EACCES, OPEN, arg, O_ACCMODE, O_RDWR) \
	WHEN(DENY, OPENS_READ, call, EACCES, OPEN, arg, O_ACCMODE, O_ACCMODE) \
	WHEN(DENY, OPENS_READ, call, EACCES, OPEN, arg, O_CREAT, O_CREAT) \
	WHEN(DENY, OPENS_READ, call, EACCES, OPEN, arg, O_TRUNC, O_TRUNC) \
	WHEN(DENY, OPENS_READ, call, EACCES, OPEN, arg, O_TMPFILE & ~O_DIRECTORY, O_TMPFILE & ~O_DIRECTORY)
/* What it makes belongs, on the host, to whoever owns the directory: it never becomes a
 * program that runs as its owner. */
#define G_MODE(call, arg) \
	WHEN(ALLOW, OPENS_WRITE, call, 0, NONE, arg, S_ISUID | S_ISGID | S_ISVTX, 0) \
	WHEN(JUDGE, OPENS_WRITE, call, EPERM, OPEN, arg, S_ISUID, S_ISUID) \
	WHEN(JUDGE, OPENS_WRITE, call, EPERM, OPEN, arg, S_ISGID, S_ISGID) \
	WHEN(JUDGE, OPENS_WRITE, call, EPERM, OPEN, arg, S_ISVTX, S_ISVTX)
G_OPEN(openat, 2) G_MODE(openat, 3)
#ifdef __x86_64__
G_OPEN(open, 1) G_MODE(open, 2)
DENY(creat, EACCES, WRITE)
#endif
#undef G_OPEN
#undef G_MODE

/* Changing the tree of files: only where directories are given to write, and never by
 * links, device nodes, or who may do what. */
#define G_CHANGE(call, error, kind) \
	WHEN(DENY, NO_WRITES, call, error, kind, 0, 0, 0) \
	WHEN(ALLOW, WRITES, call, 0, NONE, 0, 0, 0)
G_CHANGE(mkdirat, EACCES, WRITE) G_CHANGE(unlinkat, EACCES, WRITE)
G_CHANGE(renameat, EACCES, WRITE) G_CHANGE(renameat2, EACCES, WRITE)
G_CHANGE(truncate, EACCES, WRITE) G_CHANGE(utimensat, EACCES, WRITE)
G_CHANGE(ftruncate, EPERM, FD) G_CHANGE(fallocate, EPERM, FD)
DENY(linkat, EACCES, WRITE) DENY(symlinkat, EACCES, WRITE)
DENY(mknodat, EACCES, WRITE) DENY(fchmodat, EACCES, WRITE)
DENY(fchownat, EACCES, WRITE) DENY(setxattr, EACCES, WRITE)
DENY(lsetxattr, EACCES, WRITE) DENY(removexattr, EACCES, WRITE) DENY(lremovexattr, EACCES, WRITE)
/* Half of open_by_handle_at; alone it only asks on which mount a file is, as libraries do. */
REFUSE(name_to_handle_at, EPERM)
DENY(fchmod, EPERM, FD) DENY(fchown, EPERM, FD)
DENY(fsetxattr, EPERM, FD) DENY(fremovexattr, EPERM, FD)
#define G_WRITING(call) WHEN(ALLOW, WRITES, call, 0, NONE, 0, 0, 0)
G_WRITING(pwrite64) G_WRITING(pwritev) G_WRITING(fsync) G_WRITING(fdatasync) G_WRITING(flock)
#undef G_WRITING
#ifdef __x86_64__
G_CHANGE(mkdir, EACCES, WRITE) G_CHANGE(rmdir, EACCES, WRITE) G_CHANGE(unlink, EACCES, WRITE)
G_CHANGE(rename, EACCES, WRITE)
DENY(link, EACCES, WRITE) DENY(symlink, EACCES, WRITE)
DENY(mknod, EACCES, WRITE) DENY(chmod, EACCES, WRITE) DENY(chown, EACCES, WRITE)
DENY(lchown, EACCES, WRITE) DENY(utime, EACCES, WRITE) DENY(utimes, EACCES, WRITE)
DENY(futimesat, EACCES, WRITE)
#endif
#undef G_CHANGE

/* The network. Who may make a socket, and which, is in registers: the watcher looks and
 * lets the kernel go on. Sockets made so live in a network namespace that holds nothing
 * but what was put there for this worker. connect() is done by the launcher: sockets that
 * bind() brings in from outside must not, and where nothing was put is what people are
 * told. */
JUDGE(socket, SOCKET)
/* Streams both ends of which are its own: runtimes wake themselves up with them. Datagram
 * sockets could send elsewhere. */
WHEN2(ALLOW, SOCKETS, socketpair, 0, NONE, 0, G_INT, AF_UNIX, \
	1, G_INT & ~(uint64_t)(SOCK_NONBLOCK | SOCK_CLOEXEC), SOCK_STREAM)
WHEN(DENY, NO_SOCKETS, socketpair, EACCES, SOCKET, 0, 0, 0)
#define G_NET(call) \
	WHEN(ALLOW, SOCKETS, call, 0, NONE, 0, 0, 0) \
	WHEN(REFUSE, NO_SOCKETS, call, EACCES, NONE, 0, 0, 0)
G_NET(getsockname) G_NET(getpeername) G_NET(shutdown) G_NET(recvfrom)
#undef G_NET
/* Whoever connects to a unix socket could hand over what the plugin may not have: files,
 * other sockets. Only recvmsg takes such things; everything else drops them. */
WHEN(ALLOW, RECEIVES, recvmsg, 0, NONE, 0, 0, 0)
WHEN(DENY, NO_RECEIVES, recvmsg, EACCES, RECEIVE, 0, 0, 0)
WHEN(REFUSE, NO_SOCKETS, recvmsg, EACCES, NONE, 0, 0, 0)
#define G_SERVE(verdict, kind, call) \
	WHEN(verdict, LISTENS, call, EACCES, kind, 0, 0, 0) \
	WHEN(REFUSE, NO_LISTENS, call, EACCES, NONE, 0, 0, 0)
G_SERVE(JUDGE, BIND, bind) G_SERVE(JUDGE, LISTEN, listen)
G_SERVE(ALLOW, NONE, accept) G_SERVE(ALLOW, NONE, accept4)
#undef G_SERVE
WHEN(JUDGE, SOCKETS, connect, EPERM, CONNECT, 0, 0, 0)
WHEN(REFUSE, NO_SOCKETS, connect, EPERM, NONE, 0, 0, 0)
REFUSE(recvmmsg, EACCES)
/* Sending may not connect on its way (MSG_FASTOPEN). A datagram socket brought in from
 * outside could send to anywhere: where there may be one, nothing names an address. */
#define G_SEND(verdict, when, call, err, arg, value) \
	WHEN(verdict, when, call, err, SEND, arg, MSG_FASTOPEN, value)
G_SEND(ALLOW, SENDS, sendto, 0, 3, 0) G_SEND(DENY, SENDS, sendto, EPERM, 3, MSG_FASTOPEN)
G_SEND(ALLOW, SENDS, sendmsg, 0, 2, 0) G_SEND(DENY, SENDS, sendmsg, EPERM, 2, MSG_FASTOPEN)
G_SEND(ALLOW, SENDS, sendmmsg, 0, 3, 0) G_SEND(DENY, SENDS, sendmmsg, EPERM, 3, MSG_FASTOPEN)
WHEN2(ALLOW, ANSWERS, sendto, 0, NONE, 4, ~0ull, 0, 3, MSG_FASTOPEN, 0)
UNLESS2(DENY, ANSWERS, sendto, EPERM, SEND, 4, 0, 3, MSG_FASTOPEN, 0)
G_SEND(DENY, ANSWERS, sendto, EPERM, 3, MSG_FASTOPEN)
#undef G_SEND
WHEN(REFUSE, NO_SOCKETS, sendto, EACCES, NONE, 0, 0, 0)
WHEN(REFUSE, NO_SENDS, sendmmsg, EACCES, NONE, 0, 0, 0)
/* One sendmsg hands out the filter's listener, before the plugin is loaded. Where there
 * may be datagram sockets from outside there is not even that: the launcher fetches it. */
WHEN2(ALLOW, HANDS_OUT, sendmsg, 0, NONE, 0, ~0ull, CONFINEMENT_LISTENER_FD, 2, MSG_FASTOPEN, 0)
UNLESS(REFUSE, HANDS_OUT, sendmsg, EACCES, NONE, 0, CONFINEMENT_LISTENER_FD)
WHEN(REFUSE, ANSWERS, sendmsg, EACCES, NONE, 0, 0, 0)
/* Options that change a connection's speed and life, none that changes whose it is. */
#define G_OPT(level, name) \
	WHEN2(ALLOW, SOCKETS, setsockopt, 0, NONE, 1, G_INT, level, 2, G_INT, name)
G_OPT(SOL_SOCKET, SO_REUSEADDR) G_OPT(SOL_SOCKET, SO_KEEPALIVE) G_OPT(SOL_SOCKET, SO_LINGER)
G_OPT(SOL_SOCKET, SO_SNDBUF) G_OPT(SOL_SOCKET, SO_RCVBUF) G_OPT(SOL_SOCKET, SO_BROADCAST)
G_OPT(SOL_SOCKET, SO_RCVLOWAT) G_OPT(SOL_SOCKET, 20 /* SO_RCVTIMEO_OLD */)
G_OPT(SOL_SOCKET, 21 /* SO_SNDTIMEO_OLD */) G_OPT(SOL_SOCKET, 66 /* SO_RCVTIMEO_NEW */)
G_OPT(SOL_SOCKET, 67 /* SO_SNDTIMEO_NEW */)
G_OPT(IPPROTO_TCP, TCP_NODELAY) G_OPT(IPPROTO_TCP, TCP_CORK) G_OPT(IPPROTO_TCP, TCP_KEEPIDLE)
G_OPT(IPPROTO_TCP, TCP_KEEPINTVL) G_OPT(IPPROTO_TCP, TCP_KEEPCNT)
G_OPT(IPPROTO_TCP, TCP_QUICKACK) G_OPT(IPPROTO_TCP, TCP_USER_TIMEOUT)
G_OPT(IPPROTO_TCP, TCP_DEFER_ACCEPT)
G_OPT(IPPROTO_IP, IP_TOS) G_OPT(IPPROTO_IP, IP_RECVERR) G_OPT(IPPROTO_IP, IP_MTU_DISCOVER)
G_OPT(IPPROTO_IPV6, IPV6_V6ONLY) G_OPT(IPPROTO_IPV6, IPV6_RECVERR)
G_OPT(IPPROTO_IPV6, IPV6_MTU_DISCOVER) G_OPT(IPPROTO_IPV6, IPV6_TCLASS)
#undef G_OPT
#define G_OPT(level, name) \
	WHEN2(DENY, SOCKETS, setsockopt, EPERM, OPTION, 1, G_INT, level, 2, G_INT, name)
G_OPT(SOL_SOCKET, SO_REUSEPORT) G_OPT(SOL_SOCKET, SO_ATTACH_FILTER)
G_OPT(SOL_SOCKET, SO_BINDTODEVICE) G_OPT(SOL_SOCKET, SO_MARK) G_OPT(SOL_SOCKET, SO_ATTACH_BPF)
G_OPT(SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF) G_OPT(SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF)
G_OPT(SOL_SOCKET, SO_BINDTOIFINDEX) G_OPT(SOL_SOCKET, SO_ZEROCOPY)
G_OPT(IPPROTO_TCP, TCP_REPAIR) G_OPT(IPPROTO_TCP, TCP_ULP) G_OPT(IPPROTO_TCP, TCP_FASTOPEN)
G_OPT(IPPROTO_TCP, TCP_FASTOPEN_CONNECT) G_OPT(IPPROTO_TCP, TCP_CONGESTION)
G_OPT(IPPROTO_TCP, TCP_MD5SIG)
G_OPT(IPPROTO_IP, IP_TRANSPARENT) G_OPT(IPPROTO_IP, IP_FREEBIND) G_OPT(IPPROTO_IP, IP_ADD_MEMBERSHIP)
#undef G_OPT
WHEN(REFUSE, NO_SOCKETS, setsockopt, EACCES, NONE, 0, 0, 0)
#define G_LEVEL(level) WHEN(ALLOW, SOCKETS, getsockopt, 0, NONE, 1, G_INT, level)
G_LEVEL(IPPROTO_TCP) G_LEVEL(IPPROTO_IP) G_LEVEL(IPPROTO_IPV6)
#undef G_LEVEL
/* Not SO_PEERPIDFD, which is a handle on a process of the host. */
#define G_OPT(name) \
	WHEN2(ALLOW, SOCKETS, getsockopt, 0, NONE, 1, G_INT, SOL_SOCKET, 2, G_INT, name)
G_OPT(SO_TYPE) G_OPT(SO_ERROR) G_OPT(SO_DOMAIN) G_OPT(SO_PROTOCOL) G_OPT(SO_ACCEPTCONN)
G_OPT(SO_SNDBUF) G_OPT(SO_RCVBUF) G_OPT(SO_REUSEADDR) G_OPT(SO_REUSEPORT)
G_OPT(SO_KEEPALIVE) G_OPT(SO_LINGER) G_OPT(SO_BROADCAST) G_OPT(SO_RCVLOWAT)
G_OPT(SO_PEERCRED) G_OPT(SO_PASSCRED) G_OPT(SO_TIMESTAMP) G_OPT(SO_MARK) G_OPT(SO_PRIORITY)
G_OPT(20 /* SO_RCVTIMEO_OLD */) G_OPT(21 /* SO_SNDTIMEO_OLD */)
G_OPT(66 /* SO_RCVTIMEO_NEW */) G_OPT(67 /* SO_SNDTIMEO_NEW */)
#undef G_OPT
WHEN(REFUSE, NO_SOCKETS, getsockopt, EACCES, NONE, 0, 0, 0)

/* Descriptors' own flags. */
#define G_FCNTL(cmd) WHEN(ALLOW, ALWAYS, fcntl, 0, NONE, 1, G_INT, cmd)
G_FCNTL(F_DUPFD) G_FCNTL(F_DUPFD_CLOEXEC) G_FCNTL(F_GETFD) G_FCNTL(F_SETFD)
G_FCNTL(F_GETFL) G_FCNTL(F_SETFL)
#undef G_FCNTL
#define G_FCNTL(cmd) WHEN(REFUSE, ALWAYS, fcntl, EPERM, NONE, 1, G_INT, cmd)
G_FCNTL(F_SETOWN) G_FCNTL(F_SETOWN_EX) G_FCNTL(F_SETSIG) G_FCNTL(F_SETLEASE)
G_FCNTL(F_NOTIFY) G_FCNTL(F_SETPIPE_SZ) G_FCNTL(F_ADD_SEALS)
#undef G_FCNTL
#define G_IOCTL(cmd) WHEN(ALLOW, ALWAYS, ioctl, 0, NONE, 1, G_INT, cmd)
G_IOCTL(FIONREAD) G_IOCTL(FIONBIO) G_IOCTL(FIOCLEX) G_IOCTL(FIONCLEX)
#undef G_IOCTL
/* isatty() is asked of every stdout. No terminal, no network interface and no file takes
 * orders; the last two would put words into a terminal's input. */
#define G_IOCTL(cmd) WHEN(REFUSE, ALWAYS, ioctl, ENOTTY, NONE, 1, G_INT, cmd)
G_IOCTL(TCGETS) G_IOCTL(TCSETS) G_IOCTL(TCSETSW) G_IOCTL(TCSETSF) G_IOCTL(TIOCGWINSZ)
G_IOCTL(TIOCSWINSZ) G_IOCTL(TIOCGPGRP) G_IOCTL(TIOCSPGRP) G_IOCTL(TIOCSCTTY)
G_IOCTL(TIOCNOTTY)
#undef G_IOCTL
#define G_IOCTLS(type) WHEN(REFUSE, ALWAYS, ioctl, ENOTTY, NONE, 1, 0xff00, type)
G_IOCTLS(0x8900 /* sockets */) G_IOCTLS(0x9400 /* clones of files */)
G_IOCTLS(0x6600 /* flags of files */) G_IOCTLS(0x5800 /* file systems */)
#undef G_IOCTLS
WHEN(DENY, ALWAYS, ioctl, EPERM, TERMINAL, 1, G_INT, TIOCSTI)
WHEN(DENY, ALWAYS, ioctl, EPERM, TERMINAL, 1, G_INT, TIOCLINUX)

/* Names of threads and of memory; reading what confines it. Undoing that is told. */
#define G_PRCTL(op) WHEN(ALLOW, ALWAYS, prctl, 0, NONE, 0, G_INT, op)
G_PRCTL(PR_SET_NAME) G_PRCTL(PR_GET_NAME) G_PRCTL(0x53564d41 /* SET_VMA */)
G_PRCTL(PR_CAPBSET_READ) G_PRCTL(PR_GET_NO_NEW_PRIVS) G_PRCTL(PR_GET_DUMPABLE)
#undef G_PRCTL
#define G_PRCTL(op) WHEN(DENY, ALWAYS, prctl, EPERM, SELF, 0, G_INT, op)
G_PRCTL(PR_SET_DUMPABLE) G_PRCTL(PR_SET_PDEATHSIG) G_PRCTL(PR_SET_SECCOMP)
G_PRCTL(PR_SET_PTRACER & G_INT) G_PRCTL(PR_SET_SECUREBITS) G_PRCTL(PR_SET_KEEPCAPS)
G_PRCTL(PR_CAPBSET_DROP) G_PRCTL(PR_CAP_AMBIENT) G_PRCTL(PR_SET_MM)
G_PRCTL(PR_SET_CHILD_SUBREAPER) G_PRCTL(PR_SET_SYSCALL_USER_DISPATCH) G_PRCTL(65 /* SET_MDWE */)
#undef G_PRCTL
WHEN(ALLOW, ALWAYS, prlimit64, 0, NONE, 2, ~0ull, 0)
UNLESS(REFUSE, ALWAYS, prlimit64, EPERM, NONE, 2, 0)
WHEN(ALLOW, ALWAYS, personality, 0, NONE, 0, ~0ull, 0xffffffffull)
UNLESS(ATTACK, ALWAYS, personality, 0, NONE, 0, 0xffffffffull)
REFUSE(setrlimit, EPERM) REFUSE(setpriority, EPERM) REFUSE(sched_setaffinity, EPERM)
REFUSE(sched_setscheduler, EPERM) REFUSE(sched_setparam, EPERM) REFUSE(sched_setattr, EPERM)
#ifdef __x86_64__
REFUSE(arch_prctl, EPERM)
#endif

/* The worker's own second filter, once; then it is sealed. */
JUDGE(seccomp, SELF)

/* Who it is, and the clock and name of the machine. */
DENY(setuid, EPERM, SELF) DENY(setgid, EPERM, SELF) DENY(setreuid, EPERM, SELF)
DENY(setregid, EPERM, SELF) DENY(setresuid, EPERM, SELF) DENY(setresgid, EPERM, SELF)
DENY(setfsuid, EPERM, SELF) DENY(setfsgid, EPERM, SELF) DENY(setgroups, EPERM, SELF)
DENY(capset, EPERM, SELF) DENY(setpgid, EPERM, SELF) DENY(setsid, EPERM, SELF)
DENY(settimeofday, EPERM, HOST) DENY(clock_settime, EPERM, HOST) DENY(adjtimex, EPERM, HOST)
DENY(clock_adjtime, EPERM, HOST) DENY(sethostname, EPERM, HOST)
DENY(setdomainname, EPERM, HOST) DENY(syslog, EPERM, HOST) DENY(vhangup, EPERM, HOST)

/* What exploits call and plugins do not. */
ATTACK(ptrace) ATTACK(process_vm_readv) ATTACK(process_vm_writev) ATTACK(process_madvise)
ATTACK(pidfd_getfd) ATTACK(kcmp) ATTACK(bpf) ATTACK(perf_event_open) ATTACK(userfaultfd)
ATTACK(kexec_load) ATTACK(init_module) ATTACK(finit_module) ATTACK(delete_module)
ATTACK(mount) ATTACK(umount2) ATTACK(move_mount) ATTACK(open_tree) ATTACK(fsopen)
ATTACK(fsconfig) ATTACK(fsmount) ATTACK(fspick) ATTACK(mount_setattr)
ATTACK(pivot_root) ATTACK(chroot) ATTACK(setns) ATTACK(unshare)
ATTACK(keyctl) ATTACK(add_key) ATTACK(request_key)
ATTACK(open_by_handle_at) ATTACK(fanotify_init)
ATTACK(fanotify_mark) ATTACK(reboot) ATTACK(swapon) ATTACK(swapoff) ATTACK(acct)
ATTACK(quotactl) ATTACK(quotactl_fd)
#ifdef __x86_64__
ATTACK(iopl) ATTACK(ioperm) ATTACK(modify_ldt) ATTACK(kexec_file_load)
#endif

/* The second filter: what only loading and initialising needed goes. It gives plain errors,
 * which win over notifications, so what is told about stays out of it; the watcher itself
 * lets a sealed worker neither open files nor set filters. */
TAKE(HANDS_OUT, sendmsg, EACCES)
TAKE_WHEN(NO_EXEC, mmap, EPERM, 2, PROT_WRITE | PROT_EXEC, PROT_EXEC)
#define G_PRCTL(op) TAKE_WHEN(ALWAYS, prctl, EPERM, 0, G_INT, op)
G_PRCTL(PR_SET_NAME) G_PRCTL(PR_GET_NAME) G_PRCTL(0x53564d41 /* SET_VMA */)
G_PRCTL(PR_CAPBSET_READ) G_PRCTL(PR_GET_NO_NEW_PRIVS) G_PRCTL(PR_GET_DUMPABLE)
#undef G_PRCTL
/* clang-format on */

#undef G_INT
#undef G_OPEN_FLAGS
#undef G_THREAD
#undef G_THREAD_TOO
#undef ALLOW
#undef FILES
#undef REFUSE
#undef DENY
#undef ATTACK
#undef JUDGE
#undef WHEN
#undef WHEN2
#undef UNLESS
#undef UNLESS2
#undef TAKE
#undef TAKE_WHEN
