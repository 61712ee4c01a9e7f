/* CLI and STI, which the host's CPU refuses to a program (#GP, for Linux SIGSEGV): they are passed over. */
#include <asm/prctl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "irq_host.h"

static struct sigaction before; /* what else a SIGSEGV means: the sanitizer's report */

static void refused(int signal, siginfo_t *info, void *context)
{
    greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    const unsigned char *at = (const unsigned char *)*rip;

    (void)info;
    if (*at == 0xfa || *at == 0xfb)
        *rip += 1;
    else
        sigaction(signal, &before, NULL); /* the same instruction comes again, and is reported */
}

void irq_host_begin(void *cpu)
{
    const struct sigaction action = {.sa_sigaction = refused, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(SIGSEGV, &action, &before);
    syscall(SYS_arch_prctl, ARCH_SET_GS, cpu);
}
