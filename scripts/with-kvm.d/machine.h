/* The process of the fallback machine, QEMU, as the relay sees it. */
#ifndef WITH_KVM_MACHINE_H
#define WITH_KVM_MACHINE_H

#include "protocol.h"

/* The exit status for failures of with-kvm itself, as timeout(1) and env(1) have it. */
#define MACHINE_FAILED 125

/*
 * Start QEMU with the arguments `qemu` and its output in the file log_path. Sets ports[] to our ends of its
 * virtio-serial ports, which do not block. Returns 0, or -1 with errno set.
 */
int machine_start(char **qemu, const char *log_path, int ports[PORT_COUNT]);

/* End the machine at once, as if its power failed. */
void machine_stop(void);

/* Tell on standard error that the machine did `what`, with the end of what it wrote on its console. */
void machine_explain(const char *log_path, const char *what);

#endif
