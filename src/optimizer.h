/* What checkpoints need of the object beyond the public interface. */
#ifndef OPTIMIZER_H
#define OPTIMIZER_H

#include "prefix.h"

#include <rmsprop.h>

size_t optimizer_group_count(const rms_optimizer *optimizer);

/* A group's options; those of the step are in every group the same. */
const rms_options *optimizer_options(const rms_optimizer *optimizer, size_t group);

/* Whether a group's options may become these, which are admitted: the same rule, the same state in the same unit;
 * a sentence otherwise. Where the step runs (isa, threads, nonfinite, zero_grad, allocator, parallel) is not looked at. */
rms_status optimizer_check_restore(const rms_optimizer *optimizer, size_t group, const rms_options *restored,
                                   rms_error *error);

/* Takes them over, but for where the step runs. */
void optimizer_restore(rms_optimizer *optimizer, size_t group, const rms_options *restored);

/* Sets a kept slot of the rule to one value. */
void optimizer_fill_slot(rms_optimizer *optimizer, size_t tensor, size_t slot, double value);

/* Numbers of a slot that is kept in fewer bits than a float, from an element on that is a multiple of RMS_STATE_BLOCK; what
 * is written is rounded to nearest. The object's state has been started. */
void optimizer_read_slot(const rms_optimizer *optimizer, size_t tensor, size_t slot, size_t begin, size_t count,
                         float *numbers);
void optimizer_write_slot(const rms_optimizer *optimizer, size_t tensor, size_t slot, size_t begin, size_t count,
                          const float *numbers);

/* The object's own count of steps. */
uint64_t optimizer_steps(const rms_optimizer *optimizer);
void optimizer_set_steps(rms_optimizer *optimizer, uint64_t steps);

/* While an object is broken (a load failed between its first write and its last), all but load, reset and free is
 * refused. */
bool optimizer_broken(const rms_optimizer *optimizer);
void optimizer_set_broken(rms_optimizer *optimizer, bool broken);

/* Its thread settings, for work outside of a step. */
struct workers optimizer_workers(const rms_optimizer *optimizer);

/* Where its sentence goes. */
rms_error *optimizer_error(rms_optimizer *optimizer);

#endif
