/* What the terminal can do. */
#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_is_unicode(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; ++i) {
        const char *const locale = getenv(variables[i]);
        if (!locale || !*locale)
            continue;
        const char *const encoding = strchr(locale, '.');
        return encoding && (strncasecmp(encoding, ".utf-8", 6) == 0 || strncasecmp(encoding, ".utf8", 5) == 0);
    }
    return false;
}

bool terminal_redraws(int descriptor)
{
    const char *const terminal = getenv("TERM");
    return isatty(descriptor) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

bool terminal_is_colored(int descriptor)
{
    const char *const no_color = getenv("NO_COLOR");
    return terminal_redraws(descriptor) && !(no_color && *no_color);
}

struct terminal_size terminal_size(int descriptor)
{
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 && size.ws_row > 1)
        return (struct terminal_size){.columns = size.ws_col, .lines = size.ws_row};
    return (struct terminal_size){.columns = 80, .lines = 24};
}
