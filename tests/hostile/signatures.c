/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that no plugin ever has a reason to make: the first one is the worker's last.
 * "only=NAME" says which; they are made with arguments that an attacker would use.
 */
#include "tests/hostile/hostile.h"

#include <linux/bpf.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>

static char buffer[256];

/* clang-format off */
static const struct {
	const char *name;
	long number, arg[5];
} calls[] = {
	{"ptrace_traceme",    SYS_ptrace,            {PTRACE_TRACEME}},
	{"ptrace_attach",     SYS_ptrace,            {PTRACE_ATTACH, 1}},
	{"process_vm_readv",  SYS_process_vm_readv,  {1, (long)buffer, 1, (long)buffer, 1}},
	{"process_vm_writev", SYS_process_vm_writev, {1, (long)buffer, 1, (long)buffer, 1}},
	{"process_madvise",   SYS_process_madvise,   {3, (long)buffer, 1, 21}},
	{"pidfd_getfd",       SYS_pidfd_getfd,       {3, 0, 0}},
	{"kcmp",              SYS_kcmp,              {1, 2, 0}},
	{"bpf",               SYS_bpf,               {BPF_PROG_LOAD, (long)buffer, 64}},
	{"perf_event_open",   SYS_perf_event_open,   {(long)buffer, 0, -1, -1}},
	{"userfaultfd",       SYS_userfaultfd,       {1}},
	{"kexec_load",        SYS_kexec_load,        {0}},
	{"kexec_file_load",   SYS_kexec_file_load,   {0}},
	{"init_module",       SYS_init_module,       {(long)buffer, 1, (long)buffer}},
	{"finit_module",      SYS_finit_module,      {3, (long)buffer}},
	{"delete_module",     SYS_delete_module,     {(long)buffer}},
	{"mount",             SYS_mount,             {(long)"none", (long)"/", (long)"tmpfs", 0, 0}},
	{"umount2",           SYS_umount2,           {(long)"/", MNT_DETACH}},
	{"move_mount",        SYS_move_mount,        {3, (long)"", 3, (long)"/", 0}},
	{"open_tree",         SYS_open_tree,         {AT_FDCWD, (long)"/", 1}},
	{"fsopen",            SYS_fsopen,            {(long)"tmpfs", 0}},
	{"fsmount",           SYS_fsmount,           {3, 0, 0}},
	{"fsconfig",          SYS_fsconfig,          {3, 0, 0, 0, 0}},
	{"fspick",            SYS_fspick,            {AT_FDCWD, (long)"/", 0}},
	{"mount_setattr",     SYS_mount_setattr,     {AT_FDCWD, (long)"/", 0, (long)buffer, 32}},
	{"pivot_root",        SYS_pivot_root,        {(long)"/", (long)"/"}},
	{"chroot",            SYS_chroot,            {(long)"/"}},
	{"setns",             SYS_setns,             {3, 0}},
	{"unshare_user",      SYS_unshare,           {CLONE_NEWUSER}},
	{"unshare_files",     SYS_unshare,           {CLONE_FILES}},
	{"clone_newuser",     SYS_clone,             {CLONE_NEWUSER | 17}},
	{"clone_newns",       SYS_clone,             {CLONE_NEWNS | 17}},
	{"keyctl",            SYS_keyctl,            {0}},
	{"add_key",           SYS_add_key,           {(long)"user", (long)"x", (long)"y", 1, -2}},
	{"request_key",       SYS_request_key,       {(long)"user", (long)"x", 0, 0}},
	{"open_by_handle_at", SYS_open_by_handle_at, {AT_FDCWD, (long)buffer, 0}},
	{"fanotify_init",     SYS_fanotify_init,     {0, 0}},
	{"iopl",              SYS_iopl,              {3}},
	{"ioperm",            SYS_ioperm,            {0, 1024, 1}},
	{"modify_ldt",        SYS_modify_ldt,        {1, (long)buffer, 16}},
	{"reboot",            SYS_reboot,            {0xfee1dead, 672274793, 0}},
	{"swapon",            SYS_swapon,            {(long)"/x", 0}},
	{"swapoff",           SYS_swapoff,           {(long)"/x"}},
	{"acct",              SYS_acct,              {0}},
	{"quotactl",          SYS_quotactl,          {0}},
	{"personality",       SYS_personality,       {READ_IMPLIES_EXEC}},
};
/* clang-format on */

static void
attack(void)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const long *a = calls[i].arg;
		if (only(calls[i].name))
			tried(calls[i].name,
			    syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4], 0));
	}
}
