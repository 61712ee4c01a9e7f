/* `terrarium report`: what its page gets of a trace. */
#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

/*
 * Read a trace as `terrarium run --trace` writes it, and write what the page's script (report.js) shows, as
 * JSON that may stand in a script element: an object with
 * - events: one array, four numbers for each: its kind and track (places among the texts), when it began (in
 *   10 ns since the one before), how long it took (in 10 ns);
 * - texts: of kinds "exit\tout uart16550\tio\tuart16550\tuart_write", category, name, reason, device,
 * function; of tracks "1\t0", process and thread;
 * - others: what has no length: [when, "text"] for console text, the event as it was for anything else;
 * - totals: what the trace has under otherData.
 * Memory is needed for the texts, the others and one event. Returns NULL, or what is wrong with the trace, in
 * a buffer of its own.
 */
const char *report_read(FILE *trace, FILE *page);

#endif
