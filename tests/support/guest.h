/* For the tests that run guests: a VM from a few instructions, what came out of it, and failures that explain
 * themselves. */
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include "expect.h"
#include "feature.h"

/*
 * GUEST(name, ".code16", "mov $1, %al\n hlt\n") assembles a guest into the test. Its bytes are [name,
 * name_end). Write addresses relative to the guest's own labels: code may run anywhere.
 */
#define GUEST(name, mode, text)                                                                              \
    __asm__(".pushsection .rodata\n" mode "\n" #name ":\n" text "\n" #name "_end:\n.code64\n.popsection\n"); \
    extern const uint8_t name[], name##_end[]

#define CODE64_BASE  0x10000
#define STACK64_TOP  0x90000
#define TABLES64     0x1000 /* PML4; PDPT, PD and a PT for the first 2 MiB follow, a page each */
#define GUEST_MEMORY (16 * MiB)

/* A VM without a platform (HLT ends it) in which `code` starts in real mode at 0x7C00. Freed by free_vm(). */
struct vm *vm_from_code(const uint8_t *code, const uint8_t *end);

/* With a platform and several vCPUs, which all start in real mode at 0x7C00, vCPU n with n in EBX. (On a real
 * machine the first CPU wakes the others: Intel SDM 3A §9.4.) */
struct vm *vm_with_vcpus(unsigned count, const uint8_t *code, const uint8_t *end);

/* The first in long mode: `code` at CODE64_BASE, all RAM identity-mapped in 4 KiB pages up to 2 MiB and 2 MiB
 * pages above. */
struct vm *vm_from_code64(const uint8_t *code, const uint8_t *end);

/* A VM as `terrarium run ARGS...` makes it (with its platform), except that stdin and stdout are not its own.
 */
struct vm *vm_from_options(int argc, const char **argv);

void free_vm(struct vm *vm);

/* Run until the VM stops. Returns the exit status; a VM that runs for a minute (TERRARIUM_GUEST_SECONDS;
 * times TIMEOUT_SCALE) fails the test. */
int run_vm(struct vm *vm);

/* run_vm() and see that it ended by HLT. */
void run_until_halt(struct vm *vm);

/* What the guest wrote to the console or port 0xE9, as a string. */
const char *guest_output(void);

struct kvm_regs guest_regs(struct vm *vm);
struct kvm_sregs guest_sregs(struct vm *vm);
void set_guest_sregs(struct vm *vm, const struct kvm_sregs *sregs);

/* What a test device at port `port` saw: "w2 41ff" for a 2-byte write; reads return `answer`. */
void record_port(struct vm *vm, uint16_t port, uint64_t size, uint64_t answer);
void record_mmio(struct vm *vm, uint64_t gpa, uint64_t size, uint64_t answer);
const char *recorded(void);

/* Collect what is written to stderr until end_stderr() returns it (as a string that stays until the next
 * call). */
void begin_stderr(void);
const char *end_stderr(void);

#endif
