/* Functions of a few numbers, to be minimized: what the problems that are one have in common. */
#ifndef LAB_SURFACE_H
#define LAB_SURFACE_H

#include "problem.h"

#define LAB_SURFACE_NUMBERS_MAX 64

/* The function at a point, and its gradient unless that is NULL. */
typedef double lab_surface(const struct lab_instance *instance, const double *point, double *gradient);

/* A task of `count` numbers in f32 (at most LAB_SURFACE_NUMBERS_MAX), in one tensor, from which the function is computed
 * in double. They start at `start`, each moved by a uniform draw of at most `spread`; each gradient is the exact one and
 * a normal draw of deviation `noise`, by seed and step. These two are the first settings of such a problem. */
struct lab_task *lab_surface_create(const struct lab_instance *instance, lab_surface *surface, const double *start,
                                    size_t count, uint64_t seed);

void lab_surface_destroy(struct lab_task *task);
size_t lab_surface_tensors(const struct lab_task *task, const rms_tensor **tensors);
double lab_surface_gradient(struct lab_task *task, size_t step);

/* The function, without noise, for all three: there are no data that could be held out. As f32 holds only so many points,
 * it is rounded to 40 bits of what it was at the start, or is now if that is more; where the minimum is known, 0, less than
 * 1e-12 is told as 1e-12. */
#define LAB_SURFACE_LEAST 1e-12
struct lab_score lab_surface_score(struct lab_task *task);
struct lab_score lab_surface_score_above_minimum(struct lab_task *task);

/* The first settings. */
#define LAB_SURFACE_SETTINGS(usual_spread)                                                                             \
    {"noise", "standard deviation of what is added to each gradient", 0.0, 0.0, 1e6, false},                           \
    {                                                                                                                  \
        "spread", "how far the start is moved, at most, by the seed", usual_spread, 0.0, 1e6, false                    \
    }

/* create and value of a problem with two numbers and a `surface` of its own. */
#define LAB_SURFACE_FUNCTIONS(start_x, start_y)                                                                        \
    static struct lab_task *create(const struct lab_instance *instance, uint64_t seed)                                 \
    {                                                                                                                  \
        static const double start[2] = {start_x, start_y};                                                             \
        return lab_surface_create(instance, surface, start, 2, seed);                                                  \
    }                                                                                                                  \
    static double value(const struct lab_instance *instance, double x, double y)                                       \
    {                                                                                                                  \
        const double point[2] = {x, y};                                                                                \
        return surface(instance, point, NULL);                                                                         \
    }

/* The members that all have alike. */
#define LAB_SURFACE_MEMBERS(quantity)                                                                                  \
    .struct_size = sizeof(struct lab_problem), .training = {quantity, "", 1, false},                                   \
    .validation = {quantity, "", 1, false}, .test = {quantity, "", 1, false}, .create = create,                        \
    .destroy = lab_surface_destroy, .tensors = lab_surface_tensors, .gradient = lab_surface_gradient, .value = value
#define LAB_SURFACE_MEMBERS_ABOVE_MINIMUM                                                                              \
    LAB_SURFACE_MEMBERS("loss above the minimum"), .score = lab_surface_score_above_minimum

#endif
