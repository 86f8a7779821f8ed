/* SPDX-License-Identifier: Apache-2.0 */
/* Changes something, anything, on any file system. */
#include "tests/hostile/hostile.h"

#include <sys/stat.h>
#include <sys/xattr.h>

static void
attack(void)
{
	tried("create_root", open("/hostile", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	tried("create_tmp", open("/tmp/hostile", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	tried("create_shm", open("/dev/shm/hostile", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	tried("create_lib", open("/lib/hostile", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	tried("tmpfile", open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
	tried("tmpfile_root", open("/", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
	tried("mkdir", mkdir("/hostile.d", 0700));
	tried("mknod", mknod("/hostile.null", S_IFCHR | 0600, 0x103));
	tried("mkfifo", mkfifo("/hostile.fifo", 0600));
	tried("symlink", symlink("/etc/shadow", "/hostile.link"));
	tried("link", link("/lib", "/hostile.hard"));
	tried("rename", rename("/lib", "/hostile.lib"));
	tried("unlink", unlink("/etc/hosts"));
	tried("rmdir", rmdir("/tmp"));
	tried("truncate", truncate("/etc/hosts", 0));
	tried("chmod", chmod("/", 0777));
	tried("chown", chown("/", 1, 1));
	tried("setxattr", setxattr("/", "user.hostile", "x", 1, 0));
	tried("utimens", utimensat(AT_FDCWD, "/", NULL, 0));
	tried("memfd", syscall(SYS_memfd_create, "hostile", 0));
	tried("memfd_secret", syscall(SYS_memfd_secret, 0));
}
