/* Stopping when the user says so: the first Ctrl-C asks, the second insists. */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <stdatomic.h>

/* From here on SIGINT, SIGTERM and SIGHUP set the flag instead of killing. A second one ends the process
 * at once. Signals that were ignored, as under nohup, stay so. */
void stop_on_signals(void);

/* The signal that has come, or 0. */
extern atomic_int stop_signal;

/* What to write to stderr if the process is ended at once, to leave a clean screen; NULL for nothing. It must
 * live until the next call. */
void stop_writes(const char *sequence);

/* A file to remove if the process is ended at once; NULL for none. path must live until the next call. */
void stop_removes(const char *path);

#endif
