/* JSON (RFC 8259) that we write ourselves. */
#ifndef JSON_H
#define JSON_H

#include <stdio.h>

/* Write bytes as a JSON string, quotes included. Every byte is a character of its own (Latin-1); nothing in
 * it can end an HTML script element. */
void json_put(FILE *out, const void *bytes, size_t size);

#endif
