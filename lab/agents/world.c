/* Moving through a world, and keeping count of what comes of it. */
#include "agents/world.h"

#include "instance.h"

#include <math.h>
#include <stdlib.h>

/* Streams of the seed; the environments have those from 2^62 on, the nets the first few. */
#define PHYSICS_STREAM (UINT64_C(1) << 40)
#define EXAM_STREAM (UINT64_C(2) << 40)

/* A setting that some problems do not have. */
static double setting_or_0(const struct lab_instance *instance, const char *key)
{
    const double value = lab_instance_setting(instance, key);
    return isnan(value) ? 0.0 : value;
}

static bool allocate(struct lab_world *world, const struct lab_world_definition *definition, size_t copies)
{
    world->batch = lab_environments_create(definition->kind, copies, world->seed, NULL);
    world->exam = lab_environments_create(definition->kind, definition->exam_episodes, world->seed, NULL);
    world->actions = calloc(copies, sizeof *world->actions);
    world->exam_actions = calloc(definition->exam_episodes, sizeof *world->exam_actions);
    world->examined = calloc(definition->exam_episodes, sizeof *world->examined);
    return world->batch && world->exam && world->actions && world->exam_actions && world->examined;
}

bool lab_world_create(struct lab_world *world, const struct lab_instance *instance,
                      const struct lab_world_definition *definition, size_t moves_per_update, uint64_t seed)
{
    const size_t copies = (size_t)lab_instance_setting(instance, "copies");
    *world = (struct lab_world){
        .seed = seed,
        .steps_per_update = copies * moves_per_update,
        .inverted_every = setting_or_0(instance, "invert"),
        .changed_every = setting_or_0(instance, "change"),
    };
    if (!allocate(world, definition, copies)) {
        lab_world_free(world);
        return false;
    }
    if (definition->exam_steps > 0)
        world->exam->steps_max = definition->exam_steps;
    for (size_t i = 0; i < LAB_RECENT; ++i)
        world->recent[i] = definition->least_return;
    return true;
}

void lab_world_free(struct lab_world *world)
{
    lab_environments_destroy(world->batch);
    lab_environments_destroy(world->exam);
    free(world->actions);
    free(world->exam_actions);
    free(world->examined);
    *world = (struct lab_world){0};
}

/* ---------------------------------------------------------------------------------------------------
 * Changes
 * ------------------------------------------------------------------------------------------------- */

/* How many times something that comes every so many environment steps has come before this update. */
static uint64_t changes_before(const struct lab_world *world, double every, size_t update)
{
    return every > 0.0 ? (uint64_t)((double)update * (double)world->steps_per_update / every) : 0;
}

bool lab_world_changes(const struct lab_world *world, size_t update)
{
    return update > 0 && (changes_before(world, world->inverted_every, update) !=
                              changes_before(world, world->inverted_every, update - 1) ||
                          changes_before(world, world->changed_every, update) !=
                              changes_before(world, world->changed_every, update - 1));
}

/* Between 1 / largest and largest, as likely below 1 as above it; 1 to begin with. */
static double physical_factor(const struct lab_world *world, uint64_t change, uint64_t number, double largest)
{
    if (change == 0)
        return 1.0;
    const double exponent = 2.0 * lab_random_uniform(world->seed, PHYSICS_STREAM + number, change) - 1.0;
    return lab_exp(exponent * lab_log(largest));
}

void lab_world_begin_update(struct lab_world *world, size_t update)
{
    if (!lab_world_changes(world, update))
        return;
    const uint64_t change = changes_before(world, world->changed_every, update);
    struct lab_physics physics = world->batch->kind->physics;
    physics.inverted = changes_before(world, world->inverted_every, update) % 2 == 1;
    physics.force *= physical_factor(world, change, 0, 2.0);
    physics.length *= physical_factor(world, change, 1, 4.0);
    lab_environments_set_physics(world->batch, &physics);
    lab_environments_set_physics(world->exam, &physics);
}

/* ---------------------------------------------------------------------------------------------------
 * Episodes
 * ------------------------------------------------------------------------------------------------- */

void lab_world_move(struct lab_world *world)
{
    struct lab_environments *const batch = world->batch;
    lab_environments_step(batch, world->actions);
    for (size_t copy = 0; copy < batch->copies; ++copy)
        if (lab_environments_ended(batch, copy))
            world->recent[world->finished++ % LAB_RECENT] = batch->episode_returns[copy];
}

double lab_world_recent_return(const struct lab_world *world)
{
    double sum = 0.0;
    for (size_t i = 0; i < LAB_RECENT; ++i)
        sum += world->recent[i];
    return sum / LAB_RECENT;
}

static void choose_best(struct lab_world *world, struct lab_mlp *net)
{
    const struct lab_environments *const exam = world->exam;
    const size_t width = net->layers[net->layer_count - 1].outputs;
    const float *values = lab_mlp_forward(net, exam->observations, exam->copies);
    for (size_t copy = 0; copy < exam->copies; ++copy, values += width)
        world->exam_actions[copy] = (uint8_t)lab_index_of_largest(values, exam->kind->action_count);
}

double lab_world_examine(struct lab_world *world, struct lab_mlp *net)
{
    struct lab_environments *const exam = world->exam;
    lab_environments_reset(exam, lab_random_bits(world->seed, EXAM_STREAM, 0));
    for (size_t copy = 0; copy < exam->copies; ++copy)
        world->examined[copy] = 0;

    double sum = 0.0;
    for (size_t left = exam->copies; left > 0;) {
        choose_best(world, net);
        lab_environments_step(exam, world->exam_actions);
        for (size_t copy = 0; copy < exam->copies; ++copy)
            if (!world->examined[copy] && lab_environments_ended(exam, copy)) {
                world->examined[copy] = 1;
                sum += exam->episode_returns[copy];
                --left;
            }
    }
    return sum / (double)exam->copies;
}
