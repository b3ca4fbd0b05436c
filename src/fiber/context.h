/* context.h - which registers are saved while a fiber is parked, and the switch.
 *
 * Room:     src/fiber, low-level; private to it.
 * Callers:  fiber.c, which inlines it.
 * Knows nothing of: who runs, and why.
 *
 * Three words are kept: stack pointer, resume address, frame pointer. The switch is
 * inline assembly that names every other register as changed, so the compiler itself
 * saves those that it needs over the switch, and only those. Nothing is pushed, so the
 * red zone below the stack pointer stays as it is. It leaves by an indirect jump to the
 * resume address, and no call instruction is without its return: the processor's stack of
 * return addresses stays right for the caller of the park (leaving by `ret` mispredicts
 * each time; figures in tests/bench/README.md).
 *
 * MXCSR and the x87 control word are not kept: nothing in jobq changes a rounding mode or
 * unmasks a floating point exception. A fiber that did would do so for its whole thread, as
 * setlocale would.
 *
 * Other processors, and -DFIBER_UCONTEXT, take ucontext: portable, and a system call a
 * switch. */
#ifndef JOBQ_FIBER_CONTEXT_H
#define JOBQ_FIBER_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

struct fiber_context;
typedef void fiber_entry_fn(struct fiber_context *self);

#if !defined(FIBER_UCONTEXT) && defined(__x86_64__) && !defined(__ILP32__)

struct fiber_context {
    void *sp;
    fiber_entry_fn *pc;
    void *fp;
};

/* Leave the present context in from and go on in to; returns when something switches to
 * from again. A fresh context begins at its entry with itself as the argument: `to` is in
 * the register of the first argument. */
static inline void fiber_context_switch(struct fiber_context *from,
                                        struct fiber_context *to)
{
    __asm__ volatile("movq %%rsp, 0(%%rsi)\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rax, 8(%%rsi)\n\t"
                     "movq %%rbp, 16(%%rsi)\n\t"
                     "movq 0(%%rdi), %%rsp\n\t"
                     "movq 16(%%rdi), %%rbp\n\t"
                     "jmpq *8(%%rdi)\n\t"
                     ".p2align 4\n"
                     "1:\n\t"
                     "endbr64"
                     : "+S"(from), "+D"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13",
                       "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                       "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                       "xmm14", "xmm15", "mm0", "mm1", "mm2", "mm3", "mm4", "mm5", "mm6",
                       "mm7", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)",
                       "st(7)", "cc", "memory");
}

/* stack is its low end. Entry is reached by a jump: the stack holds what a call would
 * have left, a return address (0: debuggers stop there). */
static inline void fiber_context_init(struct fiber_context *context, void *stack,
                                      size_t bytes, fiber_entry_fn *entry)
{
    uintptr_t top = ((uintptr_t)stack + bytes) & ~(uintptr_t)15;
    uint64_t *sp = (uint64_t *)(top - 24);
    sp[0] = 0;
    sp[1] = 0;
    context->sp = sp;
    context->pc = entry;
    context->fp = NULL;
}

/* Where it was left; NULL: not known. */
static inline const void *fiber_context_stack(const struct fiber_context *context)
{
    return context->sp;
}

#elif !defined(FIBER_UCONTEXT) && defined(__aarch64__)

struct fiber_context {
    void *sp;
    fiber_entry_fn *pc;
    void *fp;
};

static inline void fiber_context_switch(struct fiber_context *from,
                                        struct fiber_context *to)
{
    register struct fiber_context *to_x0 __asm__("x0") = to;
    register struct fiber_context *from_x1 __asm__("x1") = from;
    __asm__ volatile("mov x9, sp\n\t"
                     "adr x10, 1f\n\t"
                     "stp x9, x10, [x1]\n\t"
                     "str x29, [x1, #16]\n\t"
                     "ldp x9, x10, [x0]\n\t"
                     "ldr x29, [x0, #16]\n\t"
                     "mov sp, x9\n\t"
                     "mov x30, xzr\n\t"
                     "br x10\n"
                     "1:\n\t"
                     "hint #36" /* bti j */
                     : "+r"(from_x1), "+r"(to_x0)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
                       "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20",
                       "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30",
                       "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",
                       "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19",
                       "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",
                       "v29", "v30", "v31", "cc", "memory");
}

static inline void fiber_context_init(struct fiber_context *context, void *stack,
                                      size_t bytes, fiber_entry_fn *entry)
{
    context->sp = (void *)(((uintptr_t)stack + bytes) & ~(uintptr_t)15);
    context->pc = entry;
    context->fp = NULL;
}

static inline const void *fiber_context_stack(const struct fiber_context *context)
{
    return context->sp;
}

#else

#include <ucontext.h>

struct fiber_context {
    ucontext_t u;
    fiber_entry_fn *pc;
};

static inline void fiber_context_switch(struct fiber_context *from,
                                        struct fiber_context *to)
{
    swapcontext(&from->u, &to->u);
}

/* makecontext passes ints only. */
static inline void fiber_context_start(unsigned high, unsigned low)
{
    struct fiber_context *self =
        (struct fiber_context *)(uintptr_t)((uint64_t)high << 32 | low);
    self->pc(self);
}

static inline void fiber_context_init(struct fiber_context *context, void *stack,
                                      size_t bytes, fiber_entry_fn *entry)
{
    context->pc = entry;
    getcontext(&context->u);
    context->u.uc_stack.ss_sp = stack;
    context->u.uc_stack.ss_size = bytes;
    context->u.uc_link = NULL;
    makecontext(&context->u, (void (*)(void))fiber_context_start, 2,
                (unsigned)((uint64_t)(uintptr_t)context >> 32),
                (unsigned)(uintptr_t)context);
}

static inline const void *fiber_context_stack(const struct fiber_context *context)
{
    (void)context;
    return NULL;
}

#endif

#endif
