/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what belongs to others, by every way to name it. */
#include "tests/hostile/hostile.h"

#include <dirent.h>
#include <sys/stat.h>

static const char *const paths[][2] = {
    {"shadow", "/etc/shadow"},
    {"passwd", "/etc/passwd"},
    {"dots", "/../../../../etc/shadow"},
    {"proc_root", "/proc/1/root/etc/shadow"},
    {"proc_environ", "/proc/1/environ"},
    {"proc_mem", "/proc/self/mem"},
    {"proc_fd", "/proc/self/fd/3"},
    {"proc_maps", "/proc/self/maps"},
    {"sys", "/sys/kernel/vmcoreinfo"},
    {"dev_mem", "/dev/mem"},
    {"dev_tty", "/dev/tty"},
    {"dev_null", "/dev/null"},
    {"home", "/root/.ssh"},
    {"docker", "/var/run/docker.sock"},
    {"tmp", "/tmp"},
    {"shm", "/dev/shm"},
};

/* How many names a folder has, as far as it can be seen. */
static void
listing(const char *name, const char *path)
{
	DIR *d = opendir(path);

	if (!d) {
		told(name, "denied", errno);
		return;
	}
	told(name, readdir(d) ? "got" : "empty", 0);
	closedir(d);
}

static void
attack(void)
{
	char target[64];
	struct stat st;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		tried(paths[i][0], open(paths[i][1], O_RDONLY | O_CLOEXEC));
	tried("path_fd", open("/etc/shadow", O_PATH | O_CLOEXEC));
	tried("stat", stat("/etc/shadow", &st));
	tried("access", access("/etc/shadow", F_OK));
	tried("readlink", readlink("/proc/self/exe", target, sizeof(target)));
	tried("statx", syscall(SYS_statx, AT_FDCWD, "/etc/shadow", 0, 0, target));
	tried("openat2", syscall(SYS_openat2, AT_FDCWD, "/etc/shadow", target, 24));
	tried("chdir", chdir("/etc"));
	listing("list_etc", "/etc");
	listing("list_home", "/home");
	/* There in every root; that it cannot be read is Landlock's doing alone, before
	 * the seal and where files are given. */
	listing("list_root", "/");
}
