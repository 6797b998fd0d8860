/* `bench --checkpoint`. */
#ifndef CLI_BENCH_CHECKPOINT_H
#define CLI_BENCH_CHECKPOINT_H

#include "arguments.h"

int bench_checkpoint_verb(const struct arguments *arguments);

#endif
