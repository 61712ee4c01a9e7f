/*
 * The floating-point and SSE registers of a program. The kernel itself never uses them. CR4.OSXSAVE stays
 * off, so programs see no AVX and there is nothing more to save.
 */
#include "process.h"
#include "string.h"

#define FCW_DEFAULT   0x37f
#define MXCSR_DEFAULT 0x1f80
#define MXCSR_OFFSET  24 /* in the FXSAVE area (Intel SDM 1 §10.5.1) */

void fpu_save(void *state)
{
    __asm__ volatile("fxsave64 (%0)" : : "r"(state) : "memory");
}

void fpu_load(const void *state)
{
    __asm__ volatile("fxrstor64 (%0)" : : "r"(state) : "memory");
}

void fpu_initial(void *state)
{
    uint16_t fcw = FCW_DEFAULT;
    uint32_t mxcsr = MXCSR_DEFAULT;

    memset(state, 0, FPU_STATE);
    memcpy(state, &fcw, sizeof(fcw));
    memcpy((char *)state + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}
