/* The least of ACPI (specification 6.4) by which Linux finds its CPUs, the I/O APIC and virtio-mmio devices,
 * for tests that boot it. */
#include <stdio.h>
#include "acpi.h"

#define TABLES_BASE 0xe0000 /* firmware's place: the memory map has it as reserved */
#define TABLES_SIZE 0x4000ul
#define HEADER_SIZE 36

/* A table, or other bytes, that grow at the end. */
struct bytes {
    uint8_t data[4096];
    size_t size;
};

static uint64_t next_gpa; /* of the next table */

static void put(struct bytes *b, const void *data, size_t size)
{
    if (b->size + size <= sizeof b->data)
        memcpy(b->data + b->size, data, size);
    b->size += size;
}

#define PUT(b, ...)                                                                                          \
    do {                                                                                                     \
        const uint8_t bytes[] = {__VA_ARGS__};                                                               \
        put(b, bytes, sizeof bytes);                                                                         \
    } while (0)

static void put32(struct bytes *b, uint32_t value)
{
    put(b, &value, sizeof value);
}

static uint8_t checksum(const uint8_t *bytes, size_t size)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    return (uint8_t)-sum; /* with it, all bytes add up to 0 */
}

/* Begin a table with the header that all have (§5.2.6); its length and checksum come at the end. */
static void begin(struct bytes *b, const char *signature, uint8_t revision)
{
    char header[HEADER_SIZE + 1];

    snprintf(header, sizeof header, "%s....%c.TERRA TESTTEST....TEST....", signature, revision);
    b->size = 0;
    put(b, header, HEADER_SIZE);
}

/* Put a table that is complete into the guest's memory. Returns where, or 0 if it is too large. */
static uint64_t end(struct vm *vm, struct bytes *b)
{
    uint64_t gpa = next_gpa;
    void *at = guest_ptr(vm, gpa, b->size);

    next_gpa += (b->size + 15) & ~15ul;
    if (!at || b->size > sizeof b->data || next_gpa > TABLES_BASE + TABLES_SIZE)
        return 0;
    memcpy(b->data + 4, &(uint32_t){(uint32_t)b->size}, 4);
    b->data[9] = 0;
    b->data[9] = checksum(b->data, b->size);
    memcpy(at, b->data, b->size);
    return gpa;
}

/* ---- AML (§20.2) ---- */

/* Something whose length stands before it, in two bytes (§20.2.4, PkgLength). Returns where that is. */
static size_t package_begin(struct bytes *b)
{
    PUT(b, 0, 0);
    return b->size - 2;
}

static void package_end(struct bytes *b, size_t start)
{
    size_t length = b->size - start;

    b->data[start] = 0x40 | (length & 0xf); /* one byte follows, */
    b->data[start + 1] = (uint8_t)(length >> 4);
}

/* Name(_CRS, ResourceTemplate() { Memory32Fixed(ReadWrite, gpa, size)
 *     Interrupt(ResourceConsumer, Edge, ActiveHigh, Exclusive) { line } }) */
static void put_resources(struct bytes *b, const struct acpi_device *d)
{
    PUT(b, 0x08, '_', 'C', 'R', 'S', 0x11); /* Name, Buffer */
    size_t buffer = package_begin(b);
    PUT(b, 0x0a, 12 + 9 + 2); /* the buffer's size */
    PUT(b, 0x86, 9, 0, 1);    /* §6.4.3.4: 32-bit fixed memory, 9 bytes, writable */
    put32(b, d->gpa);
    put32(b, d->size);
    PUT(b, 0x89, 6, 0, 1 | 2, 1); /* §6.4.3.6: extended interrupt, 6 bytes; consumer, edge; one line */
    put32(b, d->line);
    PUT(b, 0x79, 0); /* §6.4.2.9: the end, no checksum */
    package_end(b, buffer);
}

/* Device(VIOx) { Name(_HID, "LNRO0005") Name(_UID, x) _CRS } */
static void put_device(struct bytes *b, const struct acpi_device *d, uint8_t index)
{
    PUT(b, 0x5b, 0x82);
    size_t device = package_begin(b);
    PUT(b, 'V', 'I', 'O', (uint8_t) "0123456789ABCDEF"[index % 16]);
    PUT(b, 0x08, '_', 'H', 'I', 'D', 0x0d, 'L', 'N', 'R', 'O', '0', '0', '0', '5', 0);
    PUT(b, 0x08, '_', 'U', 'I', 'D', 0x0a, index);
    put_resources(b, d);
    package_end(b, device);
}

static uint64_t write_dsdt(struct vm *vm, const struct acpi_device *devices, unsigned count)
{
    struct bytes b;

    begin(&b, "DSDT", 2);
    PUT(&b, 0x10); /* Scope(\_SB) */
    size_t scope = package_begin(&b);
    PUT(&b, '\\', '_', 'S', 'B', '_');
    for (unsigned i = 0; i < count; i++)
        put_device(&b, &devices[i], (uint8_t)i);
    package_end(&b, scope);
    return end(vm, &b);
}

/* ---- The other tables ---- */

/* §5.2.9. Hardware-reduced: none of the registers of power management exist. */
static uint64_t write_fadt(struct vm *vm, uint64_t dsdt_gpa)
{
    static const uint8_t rest[276 - HEADER_SIZE];
    struct bytes b;

    begin(&b, "FACP", 6);
    put(&b, rest, sizeof rest);
    b.data[109] = 1 << 2 | 1 << 5; /* neither VGA nor a clock in CMOS */
    memcpy(b.data + 112, &(uint32_t){1 << 20 | 1 << 10},
           4);                                         /* hardware-reduced; there is a reset register: */
    memcpy(b.data + 116, &(uint8_t[]){1, 8, 0, 1}, 4); /* a port of 8 bits, */
    b.data[120] = 0x64;                                /* the keyboard controller's, */
    b.data[128] = 0xfe;                                /* takes this value */
    memcpy(b.data + 140, &dsdt_gpa, 8);
    return end(vm, &b);
}

/* §5.2.12: a local APIC for each vCPU, and the I/O APIC with interrupts 0 to 23 at its own pins. */
static uint64_t write_madt(struct vm *vm)
{
    struct bytes b;

    begin(&b, "APIC", 4);
    put32(&b, 0xfee00000);
    put32(&b, 1); /* there are 8259s, too */
    for (unsigned i = 0; i < vm->cpus; i++)
        PUT(&b, 0, 8, (uint8_t)i, (uint8_t)i, 1, 0, 0, 0);
    PUT(&b, 1, 12, 0, 0);
    put32(&b, 0xfec00000);
    put32(&b, 0);
    return end(vm, &b);
}

/* §5.2.5.3: the root, and where it all begins. */
static void write_rsdp(struct vm *vm, uint64_t xsdt_gpa)
{
    uint8_t *rsdp = guest_ptr(vm, TABLES_BASE, HEADER_SIZE);

    memcpy(rsdp, "RSD PTR .TERRA \2....\x24\0\0", 24);
    memset(rsdp + 16, 0, 4); /* no RSDT of 32-bit addresses */
    memcpy(rsdp + 24, &xsdt_gpa, 8);
    memset(rsdp + 32, 0, 4);
    rsdp[8] = 0;
    rsdp[8] = checksum(rsdp, 20);
    rsdp[32] = checksum(rsdp, HEADER_SIZE);
}

int acpi_write_tables(struct vm *vm, const struct acpi_device *devices, unsigned count)
{
    struct bytes xsdt;

    int err = memory_reserve(vm, TABLES_BASE, TABLES_SIZE, "the ACPI tables");
    if (err)
        return err;
    next_gpa = TABLES_BASE + 64;
    uint64_t dsdt_gpa = write_dsdt(vm, devices, count);
    const uint64_t tables[] = {write_fadt(vm, dsdt_gpa), write_madt(vm)};
    begin(&xsdt, "XSDT", 1);
    put(&xsdt, tables, sizeof tables);
    uint64_t xsdt_gpa = end(vm, &xsdt);
    if (!dsdt_gpa || !tables[0] || !tables[1] || !xsdt_gpa)
        return complain(-ENOSPC, "the ACPI tables are too large");
    write_rsdp(vm, xsdt_gpa);
    vm->rsdp = TABLES_BASE;
    return 0;
}
