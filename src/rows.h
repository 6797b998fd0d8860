/* Gradients that come as rows: checking and sorting them for the length of a step. */
#ifndef ROWS_H
#define ROWS_H

#include "prefix.h"

#include <rmsprop.h>

/* Checks all rows, sorts them, and hands each tensor its own; on failure nothing has changed. */
rms_status rows_bind(rms_optimizer *optimizer, const rms_rows *rows, size_t rows_count);

/* Takes them away again. */
void rows_release(rms_optimizer *optimizer, const rms_rows *rows, size_t rows_count);

#endif
