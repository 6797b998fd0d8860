/* What the terminal can do. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the locale's characters are UTF-8: the first of LC_ALL, LC_CTYPE and LANG that is set decides. */
bool terminal_is_unicode(void);

/* Whether what stands there can be drawn over: it is a terminal, and TERM is not dumb. */
bool terminal_redraws(int descriptor);

/* The same, and NO_COLOR is not set. */
bool terminal_is_colored(int descriptor);

struct terminal_size {
    size_t columns;
    size_t lines;
};

/* 80 by 24 where it cannot be known. */
struct terminal_size terminal_size(int descriptor);

#endif
