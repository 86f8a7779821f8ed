/* SPDX-License-Identifier: Apache-2.0 */
/* The handler runs in the middle of anything: it calls nothing that takes a lock or
 * memory. Unwinding takes neither, for it finds objects by _dl_find_object; what it may
 * do is fault, and then what was written so far is the note. */
#include "worker/crash.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "proto/crash_note.h"

enum {
	STACK_BYTES = 64 << 10,
	/* Frames of the handler itself, above the place where it happened. */
	HANDLER_FRAMES = 8,
	/* How far up the stack return addresses are looked for. */
	SCAN_WORDS = 512,
};

static struct crash_note *note;
static _Atomic int crashing_thread; /* 0: none */
static int first_signal;

/* Stacks. */

struct walk {
	uint64_t pc;
	unsigned n;
	bool found;
};

/* Mapped objects begin with their headers. */
static bool
is_code(uint64_t start, uint64_t base, uint64_t address)
{
	const ElfW(Ehdr) *e = (const void *)(uintptr_t)start;
	const ElfW(Phdr) *h = (const void *)(uintptr_t)(start + e->e_phoff);

	for (int i = 0; i < e->e_phnum; i++)
		if (h[i].p_type == PT_LOAD && (h[i].p_flags & PF_X) &&
		    address - base - h[i].p_vaddr < h[i].p_memsz)
			return true;
	return false;
}

/* The object that address lies in; it is told of in the note, where there is room. */
static bool
learn_module(uint64_t address, bool only_code)
{
	struct dl_find_object o;

	if (_dl_find_object((void *)(uintptr_t)address, &o) != 0)
		return false;
	uint64_t start = (uintptr_t)o.dlfo_map_start, end = (uintptr_t)o.dlfo_map_end;
	if (only_code && !is_code(start, o.dlfo_link_map->l_addr, address))
		return false;
	for (uint32_t i = 0; i < note->n_modules; i++)
		if (note->module[i].start == start)
			return true;
	struct crash_module *m = &note->module[note->n_modules];
	size_t n = strlen(o.dlfo_link_map->l_name);
	/* A path that is too long would be another, cut. */
	if (note->n_modules == CRASH_MODULES || n >= sizeof(m->path))
		return true;
	m->base = o.dlfo_link_map->l_addr;
	m->start = start;
	m->end = end;
	memcpy(m->path, o.dlfo_link_map->l_name, n);
	note->n_modules++;
	return true;
}

static void
add_frame(uint64_t address)
{
	note->frame[note->n_frames] = address;
	/* In this order: should what follows fault, this one is there. */
	atomic_signal_fence(memory_order_seq_cst);
	note->n_frames++;
	learn_module(address, false);
}

static _Unwind_Reason_Code
on_frame(struct _Unwind_Context *c, void *arg)
{
	struct walk *w = arg;
	uint64_t pc = _Unwind_GetIP(c);

	if (!w->found) {
		w->found = pc == w->pc;
		return w->found || ++w->n < HANDLER_FRAMES ? _URC_NO_REASON
							   : _URC_END_OF_STACK;
	}
	if (pc == 0 || note->n_frames == CRASH_FRAMES)
		return _URC_END_OF_STACK;
	add_frame(pc);
	return _URC_NO_REASON;
}

/* Whatever looks like a return address. */
static void
scan(uint64_t sp)
{
	const uint64_t *word = (const uint64_t *)(uintptr_t)(sp & ~7ull);

	note->is_guess = 1;
	for (unsigned i = 0; i < SCAN_WORDS && note->n_frames < CRASH_FRAMES; i++)
		if (learn_module(word[i], true))
			add_frame(word[i]);
}

static void
write_note(int number, const siginfo_t *info, const mcontext_t *m)
{
	const uint64_t reg[] = {
#define CRASH_REGISTER_VALUE(name, where) (uint64_t) m->where,
	    CRASH_REGISTERS(CRASH_REGISTER_VALUE)
#undef CRASH_REGISTER_VALUE
	};
	struct walk walk = {.pc = reg[0]};

	note->code = info->si_code;
	note->address = (uintptr_t)info->si_addr;
	note->thread = (int32_t)syscall(SYS_gettid);
	memcpy(note->reg, reg, sizeof(reg));
	note->signal = (uint32_t)number;
	add_frame(reg[0]);
	atomic_signal_fence(memory_order_seq_cst);
	_Unwind_Backtrace(on_frame, &walk);
	/* Where there is no code, or code that says nothing of its frames. */
	if (note->n_frames == 1)
		scan(reg[1]);
}

/* Ends the process by the signal, as if nobody had caught it. */
static void
let_it_end(int number)
{
	const struct sigaction plain = {.sa_handler = SIG_DFL};

	sigaction(number, &plain, NULL);
	raise(number);
}

/* Looking at the first fault led to another: unwinding does where no code is. What was
 * first is what counts. */
static void
give_up_looking(void)
{
	if (!note->is_guess && note->n_frames == 1)
		scan(note->reg[1]);
	let_it_end(first_signal);
}

static void
on_crash(int number, siginfo_t *info, void *context)
{
	const ucontext_t *c = context;
	const struct sigaction plain = {.sa_handler = SIG_DFL};
	int error = errno, self = (int)syscall(SYS_gettid), none = 0;

	if (!atomic_compare_exchange_strong(&crashing_thread, &none, self)) {
		if (none == self)
			give_up_looking();
		/* Another thread is at it, and will end this one too. */
		for (;;)
			pause();
	}
	first_signal = number;
	write_note(number, info, &c->uc_mcontext);
	/* A fault of the processor's comes again by itself, now to end the process, and
	 * the kernel logs it as it would have; what was sent is sent once more. */
	if (info->si_code <= 0 || number == SIGTRAP || number == SIGABRT)
		let_it_end(number);
	sigaction(number, &plain, NULL);
	errno = error;
}

bool
crash_watch(const struct ring_map *up, struct err *err)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
	/* NODEFER: a second fault comes to the handler, not to nobody. */
	const struct sigaction crash = {
	    .sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	note = crash_note_own(up);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (sigaction(signals[i], &crash, NULL) < 0)
			return err_sys(err, "sigaction");
	return true;
}

bool
crash_watch_stack(struct err *err)
{
	static _Alignas(16) char memory[STACK_BYTES];
	const stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};

	return sigaltstack(&stack, NULL) == 0 || err_sys(err, "sigaltstack");
}
