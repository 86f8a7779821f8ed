/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks through every descriptor for what was left open by mistake: folders, regular
 * files, memory files, devices, listening sockets, anything that leads out.
 */
#include "tests/hostile/hostile.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum {
	MOST = 1024
};

static void
attack(void)
{
	unsigned folders = 0, files = 0, devices = 0, beyond = 0, links = 0;
	struct stat st;

	for (int fd = 0; fd < MOST; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			continue;
		beyond += fd > 7;
		if (fstat(fd, &st) < 0)
			continue;
		folders += S_ISDIR(st.st_mode);
		files += S_ISREG(st.st_mode);
		devices += S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode);
		links += openat(fd, "..", O_PATH | O_CLOEXEC) >= 0;
	}
	told("folders", folders ? "got" : "none", 0);
	told("files", files ? "got" : "none", 0);
	told("devices", devices ? "got" : "none", 0);
	told("beyond_the_known", beyond ? "got" : "none", 0);
	told("openat_through", links ? "got" : "none", 0);
	/* The rings are mapped; what they were mapped from must be gone. */
	for (int fd = 3; fd <= 7; fd++) {
		void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
		if (p != MAP_FAILED) {
			told("map_executable", "got", 0);
			return;
		}
	}
	told("map_executable", "none", 0);
}
