/* What is found out about a dead guest: its last state, the exception that killed it, and why nobody handled
 * that. */
#ifndef AUTOPSY_H
#define AUTOPSY_H

#include "symbols.h"
#include "walk.h"

struct autopsy {
    struct vcpu *vcpu;
    unsigned reason;        /* of the exit, KVM_EXIT_xxx */
    struct kvm_regs regs;   /* just before the fatal instruction, */
    struct kvm_sregs sregs; /* unless `note` says otherwise */
    const char *note;       /* how the state was found, where it is not simply what KVM has; may be NULL */
    bool faulted;           /* the fatal instruction raised an exception, which is known: */
    unsigned vector;
    uint64_t error, cr2;
    struct symbols symbols;
};

/* Have the vCPU's registers kept at each exit, where KVM would forget them when the guest dies. */
int reenact_prepare(struct vcpu *vcpu);

/* Fill regs, sregs and note. On the vCPU's own thread. */
void reenact(struct autopsy *a);

/* Run the fatal instruction once more with exception handlers of our own: fills faulted, vector, error, cr2.
 */
void probe_exception(struct autopsy *a);

/* Print the cause in one or a few sentences. */
void diagnose(FILE *out, const struct autopsy *a);

/* Print why the CPU could not deliver exception `vector`. Returns false, and prints nothing, if it could. */
bool diagnose_delivery(FILE *out, const struct autopsy *a, unsigned vector);

/* "ffffffff80102a31 recurse+0x11" */
void print_address(FILE *out, const struct autopsy *a, uint64_t addr);

/* "#PF" */
const char *exception_name(unsigned vector);

#endif
