/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/fuzz/trap.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/fuzz/coverage.h"

enum {
	STACK_BYTES = 128 << 10,
	MODULES = 64,
	LOOK_MS = 20,
	/* Of threads of the plugin's that hang instead of ours, and signals that never
	 * come: the campaign kills. */
	STATUS_TRAPPED = 99,
};

static struct fuzz_up *up;
static pthread_t runner;
static struct module {
	uintptr_t start, end, base;
	char name[FUZZ_MODULE_BYTES];
	bool is_plugin;
} module[MODULES];
static unsigned n_modules;
static const char *plugin_path;

static _Atomic uint64_t running_since; /* 0: nothing runs */
__thread sigjmp_buf trap_back;
static __thread volatile sig_atomic_t is_reading;
static volatile sig_atomic_t is_trapped;

/* Stacks. */

static int
add_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	const char *path = info->dlpi_name, *slash = strrchr(path, '/');
	struct module *m = &module[n_modules];

	if (n_modules == MODULES)
		return 1;
	*m = (struct module){.start = UINTPTR_MAX, .base = info->dlpi_addr};
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uintptr_t from = info->dlpi_addr + h->p_vaddr;
		if (h->p_type != PT_LOAD || !(h->p_flags & PF_X))
			continue;
		m->start = from < m->start ? from : m->start;
		m->end = from + h->p_memsz > m->end ? from + h->p_memsz : m->end;
	}
	snprintf(m->name, sizeof(m->name), "%s",
	    !*path  ? "mews-fuzz-worker"
	    : slash ? slash + 1
		    : path);
	m->is_plugin = plugin_path && strcmp(path, plugin_path) == 0;
	n_modules++;
	return 0;
}

void
trap_set_module(const char *path)
{
	plugin_path = path;
	n_modules = 0;
	dl_iterate_phdr(add_module, NULL);
}

static void
describe(struct fuzz_frame *f, uintptr_t pc)
{
	Dl_info info;

	memset(f, 0, sizeof(*f));
	f->offset = pc;
	for (unsigned i = 0; i < n_modules; i++) {
		if (pc < module[i].start || pc >= module[i].end)
			continue;
		f->offset = pc - module[i].base;
		f->is_plugin = module[i].is_plugin;
		memcpy(f->module, module[i].name, sizeof(f->module));
		break;
	}
	if (f->module[0] && dladdr((void *)pc, &info) && info.dli_sname)
		snprintf(f->symbol, sizeof(f->symbol), "%s", info.dli_sname);
}

/* pc is where it happened, 0: in the caller. Frames above it are the handler's. */
static void
record_stack(uintptr_t pc)
{
	void *at[FUZZ_FRAMES + 8];
	struct fuzz_trap *t = &up->trap;
	int n, from = 0;

	/* The fault itself first: unwinding may not get there. */
	if (pc)
		describe(&t->frame[t->n_frames++], pc);
	n = backtrace(at, FUZZ_FRAMES + 8);
	for (int i = 0; pc && i < n; i++)
		if ((uintptr_t)at[i] == pc)
			from = i + 1;
	/* Without the place itself the unwinder was lost: what it has is of the handler.
	 */
	if (pc && from == 0)
		return;
	for (int i = from; i < n && t->n_frames < FUZZ_FRAMES; i++)
		describe(&t->frame[t->n_frames++], (uintptr_t)at[i] - 1);
}

static void
begin(enum fuzz_trap_kind kind, int signal_number, int code, uint64_t address)
{
	coverage_counts = false;
	up->trap.n_frames = 0;
	up->trap.signal = signal_number;
	up->trap.code = code;
	up->trap.address = address;
	up->trap.message[0] = '\0';
	up->trap.kind = kind;
}

void
trap_raise(enum fuzz_trap_kind kind, const char *fmt, ...)
{
	va_list ap;

	begin(kind, 0, 0, 0);
	va_start(ap, fmt);
	vsnprintf(up->trap.message, sizeof(up->trap.message), fmt, ap);
	va_end(ap);
	record_stack(0);
	_exit(STATUS_TRAPPED);
}

static void
on_fault(int number, siginfo_t *info, void *context)
{
	const ucontext_t *c = context;
	struct sigaction plain = {.sa_handler = SIG_DFL};

	if (is_reading && (number == SIGSEGV || number == SIGBUS)) {
		is_reading = 0;
		siglongjmp(trap_back, 1);
	}
	sigaction(number, &plain, NULL);
	/* A second fault, while the first was being looked at, ends it plainly. */
	if (is_trapped)
		return;
	is_trapped = 1;
	begin(FUZZ_TRAP_SIGNAL, number, info->si_code, (uintptr_t)info->si_addr);
	record_stack((uintptr_t)c->uc_mcontext.gregs[REG_RIP]);
	/* What was sent does not come again by itself. */
	if (info->si_code <= 0)
		raise(number);
}

static void
on_hang(int number, siginfo_t *info, void *context)
{
	const ucontext_t *c = context;

	if (!running_since || is_trapped)
		return;
	is_trapped = 1;
	begin(FUZZ_TRAP_HANG, 0, 0, 0);
	snprintf(up->trap.message, sizeof(up->trap.message), "a call did not return");
	record_stack((uintptr_t)c->uc_mcontext.gregs[REG_RIP]);
	_exit(STATUS_TRAPPED);
}

bool
trap_init(struct fuzz_up *shared, struct err *err)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
	/* NODEFER: a fault while reading is left by a jump. */
	struct sigaction fault = {
	    .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	struct sigaction hang = {
	    .sa_sigaction = on_hang, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	stack_t stack = {.ss_size = STACK_BYTES};
	void *once[1];

	up = shared;
	runner = pthread_self();
	stack.ss_sp = malloc(STACK_BYTES);
	if (!stack.ss_sp)
		return err_nomem(err);
	if (sigaltstack(&stack, NULL) < 0)
		return err_sys(err, "sigaltstack");
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (sigaction(faults[i], &fault, NULL) < 0)
			return err_sys(err, "sigaction");
	if (sigaction(SIGUSR2, &hang, NULL) < 0)
		return err_sys(err, "sigaction");
	/* Its library is loaded with the first call. */
	backtrace(once, 1);
	return true;
}

void
trap_running(bool running)
{
	running_since = running ? clock_mono_ns() : 0;
}

void
trap_reading(bool reading)
{
	is_reading = reading;
}

void
trap_watch(const uint32_t *hang_ms)
{
	const struct timespec pause = {0, LOOK_MS * 1000000};
	uint64_t seen = UINT64_MAX, since = 0;

	for (;;) {
		nanosleep(&pause, NULL);
		/* Before the first case the runner's thread may not even have come to
		 * trap_init, which sets what is looked at here. */
		if (running_since == 0) {
			seen = UINT64_MAX;
			continue;
		}
		uint64_t now = clock_mono_ns(), count = up->executions;
		if (count != seen) {
			seen = count;
			since = now;
		} else if (now - since >= *hang_ms * 1000000ull) {
			pthread_kill(runner, SIGUSR2);
			since = now;
		}
	}
}
