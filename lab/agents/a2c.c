/* Rollouts, their advantages, and the gradient of the policy. */
#include "agents/a2c.h"

#include "instance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ACTION_STREAM (UINT64_C(3) << 40) /* of the seed */

struct lab_task {
    struct lab_a2c_definition definition;
    struct lab_world world;
    struct lab_mlp net;
    rms_tensor tensors[LAB_MLP_TENSORS_MAX];
    size_t tensor_count;
    struct lab_rollout rollout;
    float *observations; /* horizon x copies rows */
    float *truncated;    /* copies rows: what moves led to where the time was up */
    uint8_t *actions;    /* horizon x copies */
    float *deltas;       /* horizon x copies rows of outputs */
    double discount, lambda, entropy;
};

/* ---------------------------------------------------------------------------------------------------
 * The method
 * ------------------------------------------------------------------------------------------------- */

void lab_rollout_advantages(const struct lab_rollout *rollout, double discount, double lambda)
{
    const size_t copies = rollout->copies;
    for (size_t copy = 0; copy < copies; ++copy) {
        double advantage = 0.0;
        for (size_t t = rollout->horizon; t-- > 0;) {
            const size_t i = t * copies + copy;
            double next = (double)rollout->values[i + copies];
            if (rollout->ends[i] != LAB_GOES_ON) {
                next = rollout->ends[i] == LAB_TRUNCATED ? (double)rollout->outcomes[i] : 0.0;
                advantage = 0.0;
            }
            const double surprise = (double)rollout->rewards[i] + discount * next - (double)rollout->values[i];
            advantage = surprise + discount * lambda * advantage;
            rollout->advantages[i] = (float)advantage;
        }
    }
}

/* p = exp(z) / sum exp(z); returns the log of the sum, of which log p = z - that. The largest z is taken off first. */
static double softmax(const float *z, size_t count, double *p)
{
    double largest = (double)z[0], sum = 0.0;
    for (size_t j = 1; j < count; ++j)
        largest = (double)z[j] > largest ? (double)z[j] : largest;
    for (size_t j = 0; j < count; ++j) {
        p[j] = lab_exp((double)z[j] - largest);
        sum += p[j];
    }
    for (size_t j = 0; j < count; ++j)
        p[j] /= sum;
    return largest + lab_log(sum);
}

/* By z_j: advantage (p_j - [j is the action]) and, of the entropy -sum p log p, -p_j (log p_j + H). */
double lab_a2c_loss(const struct lab_a2c_sample *sample, const float *outputs, double *derivatives)
{
    const size_t count = sample->actions;
    double p[LAB_ACTIONS_MAX];
    const double log_sum = softmax(outputs, count, p);
    double entropy = 0.0;
    for (size_t j = 0; j < count; ++j)
        entropy -= p[j] * ((double)outputs[j] - log_sum);
    for (size_t j = 0; j < count; ++j) {
        const double taken = j == sample->action ? 1.0 : 0.0;
        const double log_p = (double)outputs[j] - log_sum;
        derivatives[j] = sample->advantage * (p[j] - taken) + sample->entropy_weight * p[j] * (log_p + entropy);
    }
    const double error = (double)outputs[count] - sample->wanted;
    derivatives[count] = sample->value_weight * error;
    return -sample->advantage * ((double)outputs[sample->action] - log_sum) - sample->entropy_weight * entropy +
           sample->value_weight * 0.5 * error * error;
}

/* ---------------------------------------------------------------------------------------------------
 * A rollout
 * ------------------------------------------------------------------------------------------------- */

/* Draws an action by the policy; a policy that is no number any more takes the last one. */
static uint8_t draw(const float *logits, size_t count, double uniform)
{
    double p[LAB_ACTIONS_MAX];
    softmax(logits, count, p);
    size_t action = 0;
    for (; action + 1 < count && !(uniform < p[action]); ++action)
        uniform -= p[action];
    return (uint8_t)action;
}

static void act(struct lab_task *task, size_t step, size_t t)
{
    const struct lab_environments *const batch = task->world.batch;
    const size_t copies = batch->copies, actions = batch->kind->action_count, width = batch->kind->observation_count;
    float *const rows = task->observations + t * copies * width;
    memcpy(rows, batch->observations, copies * width * sizeof *rows);
    const float *const outputs = lab_mlp_forward_rows(&task->net, rows, t * copies, copies);
    for (size_t copy = 0; copy < copies; ++copy) {
        const size_t i = t * copies + copy;
        const float *const z = outputs + copy * (actions + 1);
        const uint64_t index = (uint64_t)step * task->rollout.horizon * copies + i;
        task->rollout.values[i] = z[actions];
        task->actions[i] = draw(z, actions, lab_random_uniform(task->world.seed, ACTION_STREAM, index));
    }
    memcpy(task->world.actions, task->actions + t * copies, copies);
}

/* The values of what the last move led to where the time was up. */
static void look_beyond(struct lab_task *task, size_t t)
{
    const struct lab_environments *const batch = task->world.batch;
    const size_t copies = batch->copies, actions = batch->kind->action_count, width = batch->kind->observation_count;
    const uint8_t *const ends = task->rollout.ends + t * copies;
    size_t count = 0;
    for (size_t copy = 0; copy < copies; ++copy)
        if (ends[copy] == LAB_TRUNCATED)
            memcpy(task->truncated + width * count++, lab_environments_outcome(batch, copy),
                   width * sizeof *task->truncated);
    if (count == 0)
        return;
    const float *values =
        lab_mlp_forward_rows(&task->net, task->truncated, task->rollout.horizon * copies, count) + actions;
    for (size_t copy = 0; copy < copies; ++copy)
        if (ends[copy] == LAB_TRUNCATED) {
            task->rollout.outcomes[t * copies + copy] = *values;
            values += actions + 1;
        }
}

static void observe_end(struct lab_task *task, size_t t)
{
    const struct lab_environments *const batch = task->world.batch;
    for (size_t copy = 0; copy < batch->copies; ++copy) {
        const size_t i = t * batch->copies + copy;
        task->rollout.rewards[i] = (float)(task->definition.reward_factor * (double)batch->rewards[copy]);
        task->rollout.ends[i] = batch->terminated[copy]  ? LAB_TERMINATED
                                : batch->truncated[copy] ? LAB_TRUNCATED
                                                         : LAB_GOES_ON;
    }
    look_beyond(task, t);
}

static void roll_out(struct lab_task *task, size_t step)
{
    const struct lab_environments *const batch = task->world.batch;
    const size_t horizon = task->rollout.horizon, copies = batch->copies, actions = batch->kind->action_count;
    for (size_t t = 0; t < horizon; ++t) {
        act(task, step, t);
        lab_world_move(&task->world);
        observe_end(task, t);
    }
    const float *const outputs = lab_mlp_forward_rows(&task->net, batch->observations, horizon * copies, copies);
    for (size_t copy = 0; copy < copies; ++copy)
        task->rollout.values[horizon * copies + copy] = outputs[copy * (actions + 1) + actions];
    lab_rollout_advantages(&task->rollout, task->discount, task->lambda);
}

/* ---------------------------------------------------------------------------------------------------
 * An update
 * ------------------------------------------------------------------------------------------------- */

double lab_a2c_gradient(struct lab_task *task, size_t step)
{
    lab_world_begin_update(&task->world, step);
    roll_out(task, step);

    const struct lab_mlp_layer *const top = &task->net.layers[task->net.layer_count - 1];
    const size_t count = task->rollout.horizon * task->rollout.copies;
    double loss = 0.0;
    for (size_t i = 0; i < count; ++i) {
        const double advantage = (double)task->rollout.advantages[i];
        const struct lab_a2c_sample sample = {
            .actions = top->outputs - 1,
            .action = task->actions[i],
            .advantage = advantage,
            .wanted = advantage + (double)task->rollout.values[i],
            .entropy_weight = task->entropy,
            .value_weight = task->definition.value_weight,
        };
        double derivatives[LAB_ACTIONS_MAX + 1];
        loss += lab_a2c_loss(&sample, top->activation + i * top->outputs, derivatives);
        for (size_t j = 0; j < top->outputs; ++j)
            task->deltas[i * top->outputs + j] = (float)(derivatives[j] / (double)count);
    }
    lab_mlp_backward(&task->net, task->observations, count, task->deltas);
    return loss / (double)count;
}

struct lab_score lab_a2c_score(struct lab_task *task)
{
    const double recent = lab_world_recent_return(&task->world);
    return (struct lab_score){
        .training = recent, .validation = recent, .test = lab_world_examine(&task->world, &task->net)};
}

bool lab_a2c_changes(const struct lab_task *task, size_t step)
{
    return lab_world_changes(&task->world, step);
}

/* ---------------------------------------------------------------------------------------------------
 * Life
 * ------------------------------------------------------------------------------------------------- */

static bool allocate(struct lab_task *task, size_t copies, size_t horizon)
{
    const struct lab_environment *const kind = task->definition.world.kind;
    const size_t moves = copies * horizon;
    struct lab_rollout *const rollout = &task->rollout;
    *rollout = (struct lab_rollout){.copies = copies, .horizon = horizon};
    rollout->rewards = calloc(moves, sizeof *rollout->rewards);
    rollout->ends = calloc(moves, sizeof *rollout->ends);
    rollout->values = calloc(moves + copies, sizeof *rollout->values);
    rollout->outcomes = calloc(moves, sizeof *rollout->outcomes);
    rollout->advantages = calloc(moves, sizeof *rollout->advantages);
    task->observations = calloc(moves, kind->observation_count * sizeof *task->observations);
    task->truncated = calloc(copies, kind->observation_count * sizeof *task->truncated);
    task->actions = calloc(moves, sizeof *task->actions);
    task->deltas = calloc(moves, (kind->action_count + 1) * sizeof *task->deltas);
    return rollout->rewards && rollout->ends && rollout->values && rollout->outcomes && rollout->advantages &&
           task->observations && task->truncated && task->actions && task->deltas;
}

/* A net of hidden layers of as many units, which holds a rollout, what follows it, and the exam. */
static bool create_net(struct lab_task *task, const struct lab_instance *instance)
{
    const struct lab_world_definition *const world = &task->definition.world;
    const struct lab_environment *const kind = world->kind;
    const size_t units = (size_t)lab_instance_setting(instance, "units");
    const size_t layers = task->definition.hidden_layers;
    const size_t rows = (task->rollout.horizon + 1) * task->rollout.copies;
    size_t sizes[LAB_MLP_LAYERS_MAX + 1] = {kind->observation_count};
    for (size_t l = 1; l <= layers; ++l)
        sizes[l] = units;
    sizes[layers + 1] = kind->action_count + 1;
    return lab_mlp_create(&task->net, sizes, layers + 1, rows > world->exam_episodes ? rows : world->exam_episodes);
}

/* Small logits make a policy that does everything alike, so that no seed begins with a prejudice. */
static void initialize(struct lab_task *task)
{
    lab_mlp_initialize(&task->net, task->world.seed);
    const struct lab_mlp_layer *const top = &task->net.layers[task->net.layer_count - 1];
    for (size_t i = 0; i < top->inputs; ++i)
        for (size_t j = 0; j + 1 < top->outputs; ++j)
            top->weights[i * top->outputs + j] *= (float)task->definition.policy_gain;
    task->tensor_count = lab_mlp_tensors(&task->net, task->tensors);
}

struct lab_task *lab_a2c_create(const struct lab_instance *instance, const struct lab_a2c_definition *definition,
                                uint64_t seed)
{
    const size_t copies = (size_t)lab_instance_setting(instance, "copies");
    const size_t horizon = (size_t)lab_instance_setting(instance, "horizon");
    struct lab_task *const task = calloc(1, sizeof *task);
    if (!task)
        return NULL;
    task->definition = *definition;
    task->discount = lab_instance_setting(instance, "discount");
    task->lambda = lab_instance_setting(instance, "lambda");
    task->entropy = lab_instance_setting(instance, "entropy");
    if (!allocate(task, copies, horizon) || !create_net(task, instance) ||
        !lab_world_create(&task->world, instance, &definition->world, horizon, seed)) {
        lab_a2c_destroy(task);
        return NULL;
    }
    initialize(task);
    return task;
}

void lab_a2c_destroy(struct lab_task *task)
{
    if (!task)
        return;
    lab_world_free(&task->world);
    lab_mlp_free(&task->net);
    free(task->rollout.rewards);
    free(task->rollout.ends);
    free(task->rollout.values);
    free(task->rollout.outcomes);
    free(task->rollout.advantages);
    free(task->observations);
    free(task->truncated);
    free(task->actions);
    free(task->deltas);
    free(task);
}

size_t lab_a2c_tensors(const struct lab_task *task, const rms_tensor **tensors)
{
    *tensors = task->tensors;
    return task->tensor_count;
}
