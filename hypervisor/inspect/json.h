/* JSON (RFC 8259): strings out, and a reader that pulls one value after the other from text that may be
 * anything. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Write bytes as a JSON string, quotes included. Every byte is a character of its own (Latin-1); nothing in
 * it can end an HTML script element. */
void json_put(FILE *out, const void *bytes, size_t size);

/*
 * The reader. After an error every call does nothing and returns false or zero; `error` says what was
 * expected, `at` is where. It recurses nowhere, so no nesting is too deep for it.
 *
 *     for (json_begin(j, '{'); json_key(j, key, sizeof key);)
 *         if (strcmp(key, "ts") == 0)
 *             ts = json_number(j);
 *         else
 *             json_skip(j);
 */
struct json {
    const char *start, *at, *end;
    bool first;        /* no comma is due */
    const char *error; /* NULL: none */
};

struct json json_text(const void *text, size_t size);

/* Enter an object '{' or an array '['. */
void json_begin(struct json *j, char bracket);

/* In an object: read the next key and its colon; a key that does not fit is cut. False: the object has ended.
 */
bool json_key(struct json *j, char *key, size_t size);

/* In an array: whether there is another item. False: the array has ended. */
bool json_item(struct json *j);

/* Read a value. A string that does not fit is cut; Returns its length; it may hold zero bytes, and ends with
 * one more. */
size_t json_string(struct json *j, char *to, size_t size);
double json_number(struct json *j);
void json_skip(struct json *j);

/* The kind of the next value: '{' '[' '"' 't' 'f' 'n' '-' (a number), 0: none. */
char json_peek(struct json *j);

/* After the last value: whether nothing but blanks is left and there was no error. */
bool json_done(struct json *j);

#endif
