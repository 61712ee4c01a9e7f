/* The least of ACPI by which Linux finds its CPUs, the I/O APIC and virtio-mmio devices, for tests that boot
 * it. */
#ifndef ACPI_H
#define ACPI_H

#include "feature.h"

/* A virtio-mmio device: its registers, and its line of the I/O APIC. */
struct acpi_device {
    uint32_t gpa, size, line;
};

/* Write the tables below 1 MiB and set vm->rsdp. Call it while features attach, when all devices are known.
 * Returns 0 or -errno after a complain(). */
int acpi_write_tables(struct vm *vm, const struct acpi_device *devices, unsigned count);

#endif
