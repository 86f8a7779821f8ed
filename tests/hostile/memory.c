/* SPDX-License-Identifier: Apache-2.0 */
/* Makes code out of data. */
#include "tests/hostile/hostile.h"

#include <sys/mman.h>
#include <sys/shm.h>

static bool
mapped(const char *name, void *p)
{
	return tried(name, p == MAP_FAILED ? -1 : 0);
}

static void
attack(void)
{
	const int all = PROT_READ | PROT_WRITE | PROT_EXEC,
		  anon = MAP_PRIVATE | MAP_ANONYMOUS;
	void *rw = mmap(NULL, 4096, PROT_READ | PROT_WRITE, anon, -1, 0);

	mapped("map_rwx", mmap(NULL, 4096, all, anon, -1, 0));
	mapped("map_wx", mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, anon, -1, 0));
	mapped(
	    "map_shared_rwx", mmap(NULL, 4096, all, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	tried("protect_rx", mprotect(rw, 4096, PROT_READ | PROT_EXEC));
	tried("protect_rwx", mprotect(rw, 4096, all));
	tried("protect_own_code",
	    mprotect((void *)((uintptr_t)attack & ~(uintptr_t)4095), 4096, all));
	tried("pkey_protect", syscall(SYS_pkey_mprotect, rw, 4096, all, -1));
	tried("remap_file_pages", syscall(SYS_remap_file_pages, rw, 4096, 0, 0, 0));
	tried("shmget", shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600));
	tried("madvise_remove", madvise(rw, 4096, MADV_REMOVE));
	tried("madvise_poison", madvise(rw, 4096, MADV_HWPOISON));
	tried("mlock", mlock(rw, 4096));
	tried("exec_memory", syscall(SYS_memfd_create, "code", 0));
	/* GNU ld.so honours a library that wants an executable stack: this is how. */
	tried("stack_exec",
	    mprotect((void *)((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)4095),
		4096, all | PROT_GROWSDOWN));
}
