/* SPDX-License-Identifier: Apache-2.0 */
/* Capture files, plain and compressed. Whatever is read is written again and must be read
 * again as the same. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/capture/scap.h"
#include "tests/fuzz/fuzz.h"

static int
file_of(const void *p, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, p, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

/* Sums up every byte handed out: a sanitizer sees what lies outside. */
static uint64_t
sum_of(const struct scap_event *e)
{
	uint64_t sum = e->len + e->type;

	for (uint32_t i = 0; i < e->len; i++)
		sum = sum * 31 + e->bytes[i];
	if (e->async_name)
		sum += strlen(e->async_name);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int copy = memfd_create("copy", MFD_CLOEXEC);
	struct scap_reader *r =
	    scap_reader_fdopen(file_of(data, size), "F", &(struct err){0});
	struct scap_event e;
	struct scap_writer *w;
	uint64_t sum = 0, again = 0, n = 0;
	enum scap_rc rc;
	struct err err;

	if (copy < 0)
		abort();
	w = scap_writer_new(dup(copy), &err);
	if (!w)
		abort();
	while (r && ((rc = scap_reader_next(r, &e, &err)) == SCAP_GOT_EVENT ||
			rc == SCAP_SKIPPED)) {
		if (rc == SCAP_SKIPPED)
			continue;
		if (!scap_writer_event(w, e.bytes, e.len, e.is_state, &err))
			continue;
		sum += sum_of(&e);
		n++;
	}
	scap_reader_free(r);
	if (!scap_writer_close(w, &err))
		abort();
	lseek(copy, 0, SEEK_SET);
	r = scap_reader_fdopen(copy, "copy", &err);
	if (!r != !n)
		abort();
	while (r && scap_reader_next(r, &e, &err) == SCAP_GOT_EVENT) {
		again += sum_of(&e);
		n--;
	}
	scap_reader_free(r);
	if (n != 0 || sum != again)
		abort();
	return 0;
}
