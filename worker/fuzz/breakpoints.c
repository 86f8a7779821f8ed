/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/fuzz/breakpoints.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#include "worker/fuzz/blocks.h"
#include "worker/fuzz/coverage.h"
#include "worker/fuzz/insn.h"

enum {
	BREAKPOINT = 0xcc,
	FRESH = 1024, /* blocks between two cases whose constants are looked at */
	BLOCK_BYTES = 256,
};

static struct blocks blocks;
static uint8_t original[FUZZ_BLOCKS];
static uint8_t *file; /* writable */
static struct fuzz_up *up;
static _Atomic uint32_t fresh[FRESH], n_fresh;
static struct sigaction others; /* whoever minded this signal before */

bool
breakpoints_map(int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "the plugin's copy");
	file = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		return err_sys(err, "the plugin's copy");
	blocks.file = file;
	blocks.size = (size_t)st.st_size;
	close(fd);
	return true;
}

/* blocks.n when none begins there. */
static uint32_t
find(uint64_t address)
{
	uint32_t from = 0, to = blocks.n;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;
		if (blocks.at[mid] == address)
			return mid;
		if (blocks.at[mid] < address)
			from = mid + 1;
		else
			to = mid;
	}
	return blocks.n;
}

static void
on_trap(int number, siginfo_t *info, void *context)
{
	greg_t *pc = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	uint32_t i = find((uint64_t)*pc - 1 - blocks.base);

	if (i == blocks.n) {
		if (others.sa_flags & SA_SIGINFO)
			others.sa_sigaction(number, info, context);
		return;
	}
	/* Two threads may come here for one block: both go on. */
	uint8_t bit = (uint8_t)(1u << i % 8);
	uint8_t had = __atomic_fetch_or(&up->block_hit[i / 8], bit, __ATOMIC_RELAXED);
	file[blocks_offset(&blocks, blocks.at[i])] = original[i];
	*pc -= 1;
	if (had & bit)
		return;
	atomic_fetch_add(&up->n_blocks_hit, 1);
	if (coverage_counts) {
		uint32_t at = atomic_fetch_add(&n_fresh, 1);
		if (at < FRESH)
			fresh[at] = i;
	}
	coverage_block();
}

/* Blocks of earlier processes stay as they are. */
static bool
was_hit(uint32_t i)
{
	return up->block_hit[i / 8] >> i % 8 & 1;
}

bool
breakpoints_plant(struct fuzz_up *shared, uintptr_t base, struct err *err)
{
	struct sigaction trap = {
	    .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	/* Go's counters have registered themselves. */
	if (!file || coverage_is_there())
		return true;
	up = shared;
	blocks.base = base;
	blocks_find(&blocks);
	up->n_blocks = blocks.n;
	if (blocks.n == 0)
		return true;
	/* Nothing else while a block is made whole: Go's signals must find its own code.
	 */
	sigfillset(&trap.sa_mask);
	if (sigaction(SIGTRAP, &trap, &others) < 0)
		return err_sys(err, "sigaction");
	for (uint32_t i = 0; i < blocks.n; i++) {
		uint8_t *at = &file[blocks_offset(&blocks, blocks.at[i])];
		original[i] = *at;
		if (!was_hit(i))
			*at = BREAKPOINT;
	}
	return true;
}

/* From the block's start to where it leads elsewhere, or the next one begins. */
static void
constants_of(uint32_t i, void (*take)(const uint8_t *bytes, uint32_t n))
{
	const uint8_t *at = file + blocks_offset(&blocks, blocks.at[i]);
	uint32_t end = i + 1 < blocks.n ? blocks.at[i + 1] : blocks.at[i];
	struct insn insn = {0};

	for (uint32_t pc = blocks.at[i], n; pc < end && pc - blocks.at[i] < BLOCK_BYTES;
	     pc += n, at += n) {
		n = insn_decode(at, end - pc, &insn);
		if (n == 0 || insn.kind != INSN_PLAIN)
			return;
		if (insn.constant > 0)
			take(at + n - insn.constant, insn.constant);
	}
}

void
breakpoints_constants(void (*take)(const uint8_t *bytes, uint32_t n))
{
	uint32_t n = n_fresh < FRESH ? n_fresh : FRESH;

	for (uint32_t i = 0; i < n; i++)
		constants_of(fresh[i], take);
	n_fresh = 0;
}
