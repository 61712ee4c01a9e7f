/* Random numbers: from the CPU if it has a source, stirred with the time-stamp counter in any case. */
#include "cpu.h"
#include "random.h"
#include "string.h"

static bool has_rdrand(void)
{
    return cpuid(1, 0).ecx & 1u << 30;
}

static uint64_t hardware_random(void)
{
    uint64_t value = 0;

    if (has_rdrand())
        __asm__ volatile("rdrand %0" : "=r"(value));
    return value;
}

/* One step of SplitMix64: every input bit changes about half of the output's. */
static uint64_t stir(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

void random_fill(void *to, size_t n)
{
    static uint64_t state;

    for (size_t done = 0; done < n; done += sizeof(uint64_t)) {
        state += 0x9e3779b97f4a7c15;
        uint64_t value = stir(__atomic_load_n(&state, __ATOMIC_RELAXED) ^ read_tsc()) ^ hardware_random();
        memcpy((char *)to + done, &value, MIN(n - done, sizeof(value)));
    }
}
