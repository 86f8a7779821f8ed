/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt for each layer that others usually come before: its success depends on that
 * layer once those are taken away (tests/e2e/8220-alone.sh). "only=KEY" is the key of a
 * shared memory segment of the host's that anybody may read.
 */
#include "tests/hostile/hostile.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/utsname.h>

/* uts: what the machine is called. */
static void
hostname(void)
{
	struct utsname u;

	if (uname(&u) < 0)
		told("hostname", "denied", errno);
	else
		told("hostname", strcmp(u.nodename, "mews") == 0 ? "none" : "got", 0);
}

/* cgroup: where in the host's tree it is. */
static void
cgroup_path(void)
{
	char line[512], *path;
	bool tells = false;
	FILE *f = fopen("/proc/self/cgroup", "re");

	if (!f) {
		told("cgroup_path", "denied", errno);
		return;
	}
	while (fgets(line, sizeof(line), f))
		tells |= (path = strrchr(line, ':')) && strcmp(path, ":/\n") != 0;
	fclose(f);
	told("cgroup_path", tells ? "got" : "none", 0);
}

/* rlimits: more open files than were given, and files of any size. */
static void
beyond_limits(void)
{
	struct rlimit core;
	int n = 0;

	while (n < 1000 && dup(0) >= 0)
		n++;
	tried("open_files", n < 1000 ? -1 : 0);
	for (int fd = 8; fd < 1100; fd++)
		close(fd);
	getrlimit(RLIMIT_CORE, &core);
	told("core", core.rlim_max ? "got" : "none", 0);
}

/* pid: whether there is anybody but the two that there should be. */
static void
other_processes(void)
{
	/* Its own threads have numbers below. */
	for (int pid = 128; pid < 1 << 16; pid++)
		if (getpgid(pid) >= 0) {
			told("other_processes", "got", 0);
			return;
		}
	told("other_processes", "denied", errno);
}

static void
attack(void)
{
	void *page =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	hostname();
	other_processes();
	cgroup_path();
	beyond_limits();
	/* ipc: by its key, as on the host. */
	tried("segment", shmget((key_t)strtol(hostile_only, NULL, 0), 0, 0));
	/* no-caps: those of its own user namespace would do. */
	tried("new_hostname", syscall(SYS_sethostname, "hostile", 7));
	/* mdwe */
	tried("made_code", mprotect(page, 4096, PROT_READ | PROT_EXEC));
}
