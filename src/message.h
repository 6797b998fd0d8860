/* One sentence for the caller: what went wrong, where, and which bound. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "prefix.h"

#include <rmsprop.h>

/* Writes the sentence, cut to fit, if error is not NULL. */
__attribute__((format(printf, 2, 3))) void say(rms_error *error, const char *format, ...);

/* Says the sentence that follows and has the value of status; a macro, so that analysers see that what comes
 * out is no success. */
#define fail(error, status, ...) (say((error), __VA_ARGS__), (status))

/* Clears the sentence and returns RMS_OK. */
rms_status succeed(rms_error *error);

/* Appends to a NUL-terminated list of names, with ", " between them. */
void append_name(char *list, size_t size, const char *name);

#endif
