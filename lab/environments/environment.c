/* What all environments have in common: memory, controls, the ends of episodes, random actions. */
#include "environment.h"

#include "random.h"
#include "states.h"

#include <stdlib.h>
#include <string.h>

const struct lab_environment *const lab_environment_kinds[] = {
    &lab_environment_catch,
    &lab_environment_cartpole,
    &lab_environment_acrobot,
    &lab_environment_breakout,
};
const size_t lab_environment_kind_count = sizeof lab_environment_kinds / sizeof lab_environment_kinds[0];

const struct lab_environment *lab_environment_find(const char *name)
{
    for (size_t i = 0; i < lab_environment_kind_count; ++i)
        if (strcmp(lab_environment_kinds[i]->name, name) == 0)
            return lab_environment_kinds[i];
    return NULL;
}

/* ---- Memory: one block, in which each array begins on a cache line of its own. */

enum { LINE = 64 };

/* Hands out bytes for each copy from the block at *next; where there is no block yet, *next counts what it must hold. */
struct carver {
    unsigned char *block;
    size_t next;
};

static void *carve(struct carver *carver, size_t bytes, size_t copies)
{
    const size_t begin = carver->next;
    carver->next += (bytes * copies + LINE - 1) / LINE * LINE;
    return carver->block ? carver->block + begin : NULL;
}

static void carve_all(struct lab_environments *batch, struct carver *carver)
{
    const size_t row = batch->kind->observation_count * sizeof *batch->observations;
    const size_t copies = batch->copies;
    batch->observations = carve(carver, row, copies);
    batch->final_observations = carve(carver, row, copies);
    batch->rewards = carve(carver, sizeof *batch->rewards, copies);
    batch->terminated = carve(carver, sizeof *batch->terminated, copies);
    batch->truncated = carve(carver, sizeof *batch->truncated, copies);
    batch->episode_returns = carve(carver, sizeof *batch->episode_returns, copies);
    batch->episode_lengths = carve(carver, sizeof *batch->episode_lengths, copies);
    batch->state = carve(carver, batch->kind->state_size, copies);
    batch->scratch = carve(carver, batch->kind->scratch_size, copies);
    batch->episodes = carve(carver, sizeof *batch->episodes, copies);
    batch->steps = carve(carver, sizeof *batch->steps, copies);
    batch->returns = carve(carver, sizeof *batch->returns, copies);
    batch->last_actions = carve(carver, sizeof *batch->last_actions, copies);
}

struct lab_environments *lab_environments_create(const struct lab_environment *kind, size_t copies, uint64_t seed,
                                                 const struct lab_physics *physics)
{
    struct lab_environments *const batch = calloc(1, sizeof *batch);
    if (!batch)
        return NULL;
    *batch = (struct lab_environments){.kind = kind, .copies = 1, .steps_max = kind->steps_max};
    struct carver carver = {NULL, 0};
    carve_all(batch, &carver); /* with its rounding up, one copy takes no less than each of many */
    if (copies > 0 && copies <= SIZE_MAX / 2 / carver.next) {
        batch->copies = copies;
        carver.next = 0;
        carve_all(batch, &carver);
        carver.block = aligned_alloc(LINE, carver.next);
    }
    if (!carver.block) {
        free(batch);
        return NULL;
    }
    batch->block = carver.block;
    carver.next = 0;
    carve_all(batch, &carver);
    lab_environments_set_physics(batch, physics ? physics : &kind->physics);
    lab_environments_reset(batch, seed);
    return batch;
}

void lab_environments_destroy(struct lab_environments *batch)
{
    if (batch)
        free(batch->block);
    free(batch);
}

/* ---- Episodes */

static void begin_episode(struct lab_environments *batch, size_t copy)
{
    batch->steps[copy] = 0;
    batch->returns[copy] = 0.0;
    batch->last_actions[copy] = batch->kind->idle;
    batch->kind->begin(batch, copy);
}

void lab_environments_reset(struct lab_environments *batch, uint64_t seed)
{
    const size_t copies = batch->copies;
    batch->seed = seed;
    batch->moves = 0;
    memset(batch->final_observations, 0, copies * batch->kind->observation_count * sizeof *batch->final_observations);
    memset(batch->rewards, 0, copies * sizeof *batch->rewards);
    memset(batch->terminated, 0, copies * sizeof *batch->terminated);
    memset(batch->truncated, 0, copies * sizeof *batch->truncated);
    memset(batch->episode_returns, 0, copies * sizeof *batch->episode_returns);
    memset(batch->episode_lengths, 0, copies * sizeof *batch->episode_lengths);
    memset(batch->episodes, 0, copies * sizeof *batch->episodes);
    memset(batch->state, 0, copies * batch->kind->state_size);
    for (size_t copy = 0; copy < copies; ++copy)
        begin_episode(batch, copy);
    batch->kind->observe(batch, 0, copies, batch->observations);
}

void lab_environments_set_physics(struct lab_environments *batch, const struct lab_physics *physics)
{
    batch->physics = *physics;
}

/* The actions that are carried out, in last_actions: inverted where controls are, and now and then the last one again. */
static void choose_actions(struct lab_environments *batch, const uint8_t *restrict actions)
{
    uint8_t *restrict const last = batch->last_actions;
    const double sticky = batch->physics.sticky;
    for (size_t copy = 0; copy < batch->copies; ++copy) {
        const bool repeats =
            sticky > 0.0 && lab_random_uniform(batch->seed, lab_environment_sticky_stream(copy), batch->moves) < sticky;
        if (!repeats)
            last[copy] = batch->physics.inverted ? batch->kind->opposite[actions[copy]] : actions[copy];
    }
}

static void count_step(struct lab_environments *batch)
{
    const float *restrict const rewards = batch->rewards;
    uint32_t *restrict const steps = batch->steps;
    double *restrict const returns = batch->returns;
    uint8_t *restrict const truncated = batch->truncated;
    const uint32_t limit =
        batch->steps_max > 0 && batch->steps_max < UINT32_MAX ? (uint32_t)batch->steps_max : UINT32_MAX;
    for (size_t copy = 0; copy < batch->copies; ++copy) {
        ++steps[copy];
        returns[copy] += (double)rewards[copy];
        truncated[copy] = steps[copy] >= limit;
    }
}

static void end_episode(struct lab_environments *batch, size_t copy)
{
    const size_t numbers = batch->kind->observation_count;
    float *const seen = batch->observations + copy * numbers;
    memcpy(batch->final_observations + copy * numbers, seen, numbers * sizeof *seen);
    batch->episode_returns[copy] = batch->returns[copy];
    batch->episode_lengths[copy] = batch->steps[copy];
    ++batch->episodes[copy];
    begin_episode(batch, copy);
    batch->kind->observe(batch, copy, 1, seen);
}

void lab_environments_step(struct lab_environments *batch, const uint8_t *actions)
{
    choose_actions(batch, actions);
    batch->kind->advance(batch, batch->last_actions);
    ++batch->moves;
    count_step(batch);
    batch->kind->observe(batch, 0, batch->copies, batch->observations);
    for (size_t copy = 0; copy < batch->copies; ++copy)
        if (lab_environments_ended(batch, copy))
            end_episode(batch, copy);
}

/* ---- Random actions: 16 bits each, eight from one block of the cipher. */

void lab_environments_random_actions(const struct lab_environments *batch, uint64_t seed, uint64_t step,
                                     uint8_t *actions)
{
    enum { WORDS = 4, EACH = 2 * WORDS };
    const uint32_t choices = (uint32_t)batch->kind->action_count;
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (size_t first = 0; first < batch->copies; first += EACH) {
        const uint64_t stream = LAB_RANDOM_ACTION_STREAMS + first / EACH;
        const uint32_t counter[WORDS] = {(uint32_t)step, (uint32_t)(step >> 32), (uint32_t)stream,
                                         (uint32_t)(stream >> 32)};
        uint32_t words[WORDS];
        lab_philox(counter, key, words);
        for (size_t i = 0; i < EACH && first + i < batch->copies; ++i)
            actions[first + i] = (uint8_t)((words[i / 2] >> 16 * (i % 2) & 0xffff) * choices >> 16);
    }
}
