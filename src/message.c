/* Error sentences. */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void say(rms_error *error, const char *format, ...)
{
    if (!error)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
}

rms_status succeed(rms_error *error)
{
    if (error)
        error->message[0] = '\0';
    return RMS_OK;
}

void append_name(char *list, size_t size, const char *name)
{
    const size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}
