/* SPDX-License-Identifier: Apache-2.0 */
/* Types into the operator's terminal, and other requests by ioctl. */
#include "tests/hostile/hostile.h"

#include <sys/ioctl.h>
#include <termios.h>

static void
request(const char *name, unsigned long number)
{
	char byte = 'x';
	int error = 0;

	for (int fd = 0; fd < 8; fd++) {
		if (syscall(SYS_ioctl, fd, number, &byte) >= 0) {
			told(name, "got", 0);
			return;
		}
		error = errno == EBADF ? error : errno;
	}
	told(name, "denied", error);
}

static void
attack(void)
{
	request("type", TIOCSTI);
	request("type_high_bits", TIOCSTI | 1ul << 32);
	request("linux_console", TIOCLINUX);
	request("controlling", TIOCSCTTY);
	request("foreground", TIOCSPGRP);
	request("async_owner", 0x8901 /* FIOSETOWN */);
	request("interfaces", 0x8912 /* SIOCGIFCONF */);
	request("clone_range", 0x4020940d /* FICLONERANGE */);
}
