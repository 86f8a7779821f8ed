/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/proc_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
proc_read(const char *path, char *out, size_t size, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	if (fd < 0)
		return err_sys(err, "%s", path);
	while (len < size - 1) {
		ssize_t n = read(fd, out + len, size - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_sys(err, "%s", path);
			close(fd);
			return false;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	out[len] = '\0';
	if (len == size - 1)
		return err_set(err, ERR_LIMIT, "%s is too long", path);
	return true;
}

const char *
proc_line(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *s = text; s != NULL && *s != '\0';) {
		if (strncmp(s, key, n) == 0) {
			s += n;
			return s + strspn(s, " \t");
		}
		s = strchr(s, '\n');
		if (s != NULL)
			s++;
	}
	return NULL;
}

bool
proc_number(const char *text, const char *key, int base, uint64_t *ret_value)
{
	const char *s = proc_line(text, key);
	char *end;

	if (s == NULL)
		return false;
	errno = 0;
	uint64_t v = strtoull(s, &end, base);
	if (end == s || errno != 0)
		return false;
	*ret_value = v;
	return true;
}
