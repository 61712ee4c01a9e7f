/* The least of ACPI by which Linux finds its CPUs, the I/O APIC and virtio-mmio devices, for tests that boot
 * it. */
#ifndef ACPI_H
#define ACPI_H

#include "feature.h"

/* Write the tables below 1 MiB and set vm->rsdp. Called while features attach, after all devices. Returns 0
 * or -errno. */
int acpi_write_tables(struct vm *vm);

#endif
