/* Data on stdout, sentences on stderr. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Prepares the standard streams; false, after a sentence, when stdout is closed. */
bool output_begin(void);

/* Writes out what stdout holds back; false, after a sentence, when any of it was lost. */
bool output_end(void);

/* One sentence on stderr, on one line whatever the user's words in it hold. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Terminal styles for stdout: empty strings where there is no terminal or NO_COLOR is set. */
const char *bold(void);
const char *faint(void);
const char *plain(void);

/* A number for JSON, which has no infinity and no NaN: those become null. */
json_t *json_number(double value);

/* Appends a value to an array and takes it. Returns the array, or NULL, with the array released, when
 * either is NULL or memory is short: what holds it will then be NULL too, up to the document. */
json_t *json_append(json_t *array, json_t *value);

/* Writes a document and a newline; numbers have 15 digits. False for NULL, which is what
 * building a document without memory gives, when memory is short now, or when the stream failed. */
bool json_write(const json_t *document, FILE *stream);

/* The same on stdout. Takes the reference; false after a sentence, but for a stdout that failed, of which
 * output_end tells. */
bool print_json(json_t *document);

#endif
