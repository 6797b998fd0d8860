/* Stopping when the user says so: the first Ctrl-C asks, the second insists. */
#include "stop.h"

#include "verbs.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

atomic_int stop_signal;

static _Atomic(const char *) to_remove;
static _Atomic(const char *) to_write;

static void on_signal(int signal_number)
{
    if (stop_signal != 0) {
        const char *path = atomic_load(&to_remove);
        if (path)
            (void)unlink(path);
        const char *sequence = atomic_load(&to_write);
        if (sequence && write(STDERR_FILENO, sequence, strlen(sequence)) < 0)
            _exit(STATUS_SIGNALLED + signal_number);
        _exit(STATUS_SIGNALLED + signal_number);
    }
    stop_signal = signal_number;
}

void stop_on_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; ++i) {
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            (void)sigaction(signals[i], &action, NULL);
    }
}

void stop_writes(const char *sequence)
{
    atomic_store(&to_write, sequence);
}

void stop_removes(const char *path)
{
    atomic_store(&to_remove, path);
}
