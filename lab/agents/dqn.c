/* Moves into a ring, batches out of it. */
#include "agents/dqn.h"

#include "instance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Streams of the seed. */
#define ACTION_STREAM (UINT64_C(3) << 40)
#define CHANCE_STREAM (UINT64_C(4) << 40)
#define REPLAY_STREAM (UINT64_C(5) << 40)

/* Moves, the oldest of which is overwritten by the newest. */
struct memory {
    size_t size, filled, next;
    float *observations, *outcomes; /* size rows each */
    float *rewards;
    uint8_t *actions, *terminated;
};

/* What was drawn from it. */
struct batch {
    size_t size;
    float *observations, *outcomes; /* size rows each */
    uint32_t *moves;                /* places in memory */
    float *deltas;
};

struct lab_task {
    struct lab_dqn_definition definition;
    struct lab_world world;
    struct lab_mlp net, target;
    rms_tensor tensors[LAB_MLP_TENSORS_MAX];
    size_t tensor_count;
    struct memory memory;
    struct batch batch;
    size_t renewed_every; /* updates */
    double explored;      /* environment steps until actions are as seldom random as they get */
    double discount;
};

double lab_huber(double error, double *derivative)
{
    const double size = fabs(error);
    *derivative = size <= 1.0 ? error : error > 0.0 ? 1.0 : -1.0;
    return size <= 1.0 ? 0.5 * error * error : size - 0.5;
}

/* ---------------------------------------------------------------------------------------------------
 * Playing
 * ------------------------------------------------------------------------------------------------- */

static void remember(struct lab_task *task, size_t copy, const float *observation)
{
    const struct lab_environments *const batch = task->world.batch;
    const size_t width = batch->kind->observation_count;
    struct memory *const memory = &task->memory;
    const size_t i = memory->next;
    memcpy(memory->observations + i * width, observation, width * sizeof *observation);
    memcpy(memory->outcomes + i * width, lab_environments_outcome(batch, copy), width * sizeof *observation);
    memory->actions[i] = task->world.actions[copy];
    memory->rewards[i] = (float)(task->definition.reward_factor * (double)batch->rewards[copy]);
    memory->terminated[i] = batch->terminated[copy];
    memory->next = (i + 1) % memory->size;
    memory->filled += memory->filled < memory->size;
}

/* The share of actions that are random: 1 to begin with, falling along a line. */
static double randomness(const struct lab_task *task, size_t step)
{
    const double done = (double)step * (double)task->world.steps_per_update;
    const double least = task->definition.least_random;
    return done < task->explored ? 1.0 - (1.0 - least) * (done / task->explored) : least;
}

/* One move of all copies; moves are counted from 0, those before the first update included. */
static void play(struct lab_task *task, uint64_t move, double random)
{
    const struct lab_environments *const batch = task->world.batch;
    const size_t actions = batch->kind->action_count, width = batch->kind->observation_count;
    const float *const values = lab_mlp_forward(&task->net, batch->observations, batch->copies);
    for (size_t copy = 0; copy < batch->copies; ++copy) {
        const uint64_t index = move * batch->copies + copy;
        const bool explores = lab_random_uniform(task->world.seed, CHANCE_STREAM, index) < random;
        const size_t action = explores ? (size_t)lab_random_below(task->world.seed, ACTION_STREAM, index, actions)
                                       : lab_index_of_largest(values + copy * actions, actions);
        task->world.actions[copy] = (uint8_t)action;
    }
    /* The batch's rows are not needed before the next draw. */
    float *const before = task->batch.observations;
    memcpy(before, batch->observations, batch->copies * width * sizeof *before);
    lab_world_move(&task->world);
    for (size_t copy = 0; copy < batch->copies; ++copy)
        remember(task, copy, before + copy * width);
}

/* ---------------------------------------------------------------------------------------------------
 * Learning
 * ------------------------------------------------------------------------------------------------- */

static void renew_target(struct lab_task *task)
{
    for (size_t l = 0; l < task->net.layer_count; ++l) {
        const struct lab_mlp_layer *const from = &task->net.layers[l];
        const struct lab_mlp_layer *const to = &task->target.layers[l];
        memcpy(to->weights, from->weights, from->inputs * from->outputs * sizeof *to->weights);
        memcpy(to->bias, from->bias, from->outputs * sizeof *to->bias);
    }
}

static void draw_batch(struct lab_task *task, size_t step)
{
    const size_t width = task->world.batch->kind->observation_count;
    const struct memory *const memory = &task->memory;
    const struct batch *const batch = &task->batch;
    for (size_t b = 0; b < batch->size; ++b) {
        const uint64_t index = (uint64_t)step * batch->size + b;
        const size_t i = (size_t)lab_random_below(task->world.seed, REPLAY_STREAM, index, memory->filled);
        batch->moves[b] = (uint32_t)i;
        memcpy(batch->observations + b * width, memory->observations + i * width, width * sizeof(float));
        memcpy(batch->outcomes + b * width, memory->outcomes + i * width, width * sizeof(float));
    }
}

/* The mean of Huber's loss of what the action taken is said to be worth, less its reward and the discounted worth of
 * the best that could follow, as the target sees it. */
static double set_deltas(struct lab_task *task, const float *values, const float *beyond)
{
    const size_t actions = task->world.batch->kind->action_count;
    const struct batch *const batch = &task->batch;
    double loss = 0.0;
    memset(batch->deltas, 0, batch->size * actions * sizeof *batch->deltas);
    for (size_t b = 0; b < batch->size; ++b) {
        const size_t i = batch->moves[b];
        const float *const next = beyond + b * actions;
        const double best = (double)next[lab_index_of_largest(next, actions)];
        const double wanted =
            (double)task->memory.rewards[i] + (task->memory.terminated[i] ? 0.0 : task->discount * best);
        double derivative;
        loss += lab_huber((double)values[b * actions + task->memory.actions[i]] - wanted, &derivative);
        batch->deltas[b * actions + task->memory.actions[i]] = (float)(derivative / (double)batch->size);
    }
    return loss / (double)batch->size;
}

bool lab_dqn_changes(const struct lab_task *task, size_t step)
{
    return (step > 0 && step % task->renewed_every == 0) || lab_world_changes(&task->world, step);
}

double lab_dqn_gradient(struct lab_task *task, size_t step)
{
    lab_world_begin_update(&task->world, step);
    if (step % task->renewed_every == 0)
        renew_target(task);
    play(task, task->definition.first_moves / task->world.batch->copies + step, randomness(task, step));
    draw_batch(task, step);
    const float *const beyond = lab_mlp_forward(&task->target, task->batch.outcomes, task->batch.size);
    const float *const values = lab_mlp_forward(&task->net, task->batch.observations, task->batch.size);
    const double loss = set_deltas(task, values, beyond);
    lab_mlp_backward(&task->net, task->batch.observations, task->batch.size, task->batch.deltas);
    return loss;
}

struct lab_score lab_dqn_score(struct lab_task *task)
{
    const double recent = lab_world_recent_return(&task->world);
    return (struct lab_score){
        .training = recent, .validation = recent, .test = lab_world_examine(&task->world, &task->net)};
}

/* ---------------------------------------------------------------------------------------------------
 * Life
 * ------------------------------------------------------------------------------------------------- */

static bool allocate(struct lab_task *task, size_t size, size_t rows)
{
    const struct lab_environment *const kind = task->definition.world.kind;
    struct memory *const memory = &task->memory;
    struct batch *const batch = &task->batch;
    memory->size = task->definition.memory;
    memory->observations = calloc(memory->size, kind->observation_count * sizeof *memory->observations);
    memory->outcomes = calloc(memory->size, kind->observation_count * sizeof *memory->outcomes);
    memory->rewards = calloc(memory->size, sizeof *memory->rewards);
    memory->actions = calloc(memory->size, sizeof *memory->actions);
    memory->terminated = calloc(memory->size, sizeof *memory->terminated);
    batch->size = size;
    batch->observations = calloc(rows, kind->observation_count * sizeof *batch->observations);
    batch->outcomes = calloc(rows, kind->observation_count * sizeof *batch->outcomes);
    batch->moves = calloc(rows, sizeof *batch->moves);
    batch->deltas = calloc(rows, kind->action_count * sizeof *batch->deltas);
    return memory->observations && memory->outcomes && memory->rewards && memory->actions && memory->terminated &&
           batch->observations && batch->outcomes && batch->moves && batch->deltas;
}

static bool create_nets(struct lab_task *task, const struct lab_instance *instance, size_t rows)
{
    const struct lab_environment *const kind = task->definition.world.kind;
    const size_t units = (size_t)lab_instance_setting(instance, "units");
    const size_t sizes[] = {kind->observation_count, units, units, kind->action_count};
    return lab_mlp_create(&task->net, sizes, 3, rows) && lab_mlp_create(&task->target, sizes, 3, rows);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void begin(struct lab_task *task)
{
    lab_mlp_initialize(&task->net, task->world.seed);
    renew_target(task);
    task->tensor_count = lab_mlp_tensors(&task->net, task->tensors);
    for (uint64_t move = 0; move < task->definition.first_moves / task->world.batch->copies; ++move)
        play(task, move, 1.0);
}

struct lab_task *lab_dqn_create(const struct lab_instance *instance, const struct lab_dqn_definition *definition,
                                uint64_t seed)
{
    struct lab_task *const task = calloc(1, sizeof *task);
    if (!task)
        return NULL;
    const size_t size = (size_t)lab_instance_setting(instance, "batch");
    const size_t copies = (size_t)lab_instance_setting(instance, "copies");
    const size_t rows = larger(larger(size, copies), definition->world.exam_episodes);
    task->definition = *definition;
    task->renewed_every = (size_t)lab_instance_setting(instance, "sync");
    task->explored = lab_instance_setting(instance, "explore");
    task->discount = lab_instance_setting(instance, "discount");
    if (!allocate(task, size, rows) || !create_nets(task, instance, rows) ||
        !lab_world_create(&task->world, instance, &definition->world, 1, seed)) {
        lab_dqn_destroy(task);
        return NULL;
    }
    begin(task);
    return task;
}

void lab_dqn_destroy(struct lab_task *task)
{
    if (!task)
        return;
    lab_world_free(&task->world);
    lab_mlp_free(&task->net);
    lab_mlp_free(&task->target);
    free(task->memory.observations);
    free(task->memory.outcomes);
    free(task->memory.rewards);
    free(task->memory.actions);
    free(task->memory.terminated);
    free(task->batch.observations);
    free(task->batch.outcomes);
    free(task->batch.moves);
    free(task->batch.deltas);
    free(task);
}

size_t lab_dqn_tensors(const struct lab_task *task, const rms_tensor **tensors)
{
    *tensors = task->tensors;
    return task->tensor_count;
}

const struct lab_mlp *lab_dqn_net(const struct lab_task *task)
{
    return &task->net;
}

const struct lab_mlp *lab_dqn_target(const struct lab_task *task)
{
    return &task->target;
}
