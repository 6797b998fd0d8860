/* One sentence for the caller: what went wrong, where, and which bound. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <rmsprop.h>

/* Writes the sentence, cut to fit, if error is not NULL, and returns status. */
__attribute__((format(printf, 3, 4))) rms_status fail(rms_error *error, rms_status status, const char *format, ...);

/* Clears the sentence and returns RMS_OK. */
rms_status succeed(rms_error *error);

/* Appends to a NUL-terminated list of names, with ", " between them. */
void append_name(char *list, size_t size, const char *name);

#endif
