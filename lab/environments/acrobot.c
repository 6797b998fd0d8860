/* Acrobot-v1 as in Gymnasium 1.4.0: two links hang from a fixed joint, and the one between them can be turned. Equations
 * are those of Sutton and Barto, "Reinforcement learning: an introduction", 1998, section 11.3, by Runge and Kutta's method
 * of order 4 in steps of 0.2 s.
 *
 * Reward -1 for every step but the one that ends the episode, when the tip swings above a link's length over the joint; 500
 * steps truncate it. It begins with all four numbers uniform in [-0.1, 0.1), rounded to float. */
#include "states.h"

#define PI 0x1.921fb54442d18p+1

static const double gravity = 9.8;
static const double mass = 1.0;    /* of each link */
static const double inertia = 1.0; /* of each link */
static const double time_step = 0.2;
static const double speed_bounds[2] = {4 * PI, 9 * PI};

struct motion {
    double angle[2];
    double speed[2];
};

/* What the batch's physics say. */
struct links {
    double length;
    double center; /* of mass, from the joint before it */
    double torque;
};

static void begin(struct lab_environments *batch, size_t copy)
{
    for (size_t number = 0; number < LAB_MOTION_NUMBERS; ++number)
        lab_motion(batch, number)[copy] = (double)(float)lab_environment_start(batch, copy, number, 0.1);
}

static struct motion load(const struct lab_environments *batch, size_t copy)
{
    return (struct motion){{lab_motion(batch, 0)[copy], lab_motion(batch, 1)[copy]},
                           {lab_motion(batch, 2)[copy], lab_motion(batch, 3)[copy]}};
}

static void store(struct lab_environments *batch, size_t copy, const struct motion *s)
{
    for (size_t link = 0; link < 2; ++link) {
        lab_motion(batch, link)[copy] = s->angle[link];
        lab_motion(batch, 2 + link)[copy] = s->speed[link];
    }
}

/* Speeds and accelerations: the derivative of the motion by time. Terms are in Gymnasium's order. */
static struct motion derivative(const struct links *links, const struct motion *s)
{
    const double l = links->length, lc = links->center;
    const double sine = lab_sin(s->angle[1]), cosine = lab_cos(s->angle[1]);
    const double *const speed = s->speed;
    const double d1 = mass * (lc * lc) + mass * (l * l + lc * lc + 2 * l * lc * cosine) + inertia + inertia;
    const double d2 = mass * (lc * lc + l * lc * cosine) + inertia;
    const double phi2 = mass * lc * gravity * lab_cos(s->angle[0] + s->angle[1] - PI / 2);
    const double phi1 = -mass * l * lc * (speed[1] * speed[1]) * sine - 2 * mass * l * lc * speed[1] * speed[0] * sine +
                        (mass * lc + mass * l) * gravity * lab_cos(s->angle[0] - PI / 2) + phi2;
    const double second = (links->torque + d2 / d1 * phi1 - mass * l * lc * (speed[0] * speed[0]) * sine - phi2) /
                          (mass * (lc * lc) + inertia - d2 * d2 / d1);
    return (struct motion){{speed[0], speed[1]}, {-(d2 * second + phi1) / d1, second}};
}

/* s + h k */
static struct motion ahead(const struct motion *s, double h, const struct motion *k)
{
    return (struct motion){{s->angle[0] + h * k->angle[0], s->angle[1] + h * k->angle[1]},
                           {s->speed[0] + h * k->speed[0], s->speed[1] + h * k->speed[1]}};
}

static struct motion integrate(const struct links *links, const struct motion *s)
{
    const struct motion k1 = derivative(links, s);
    const struct motion at_k1 = ahead(s, time_step / 2, &k1);
    const struct motion k2 = derivative(links, &at_k1);
    const struct motion at_k2 = ahead(s, time_step / 2, &k2);
    const struct motion k3 = derivative(links, &at_k2);
    const struct motion at_k3 = ahead(s, time_step, &k3);
    const struct motion k4 = derivative(links, &at_k3);
    struct motion sum;
    for (size_t link = 0; link < 2; ++link) {
        sum.angle[link] = k1.angle[link] + 2 * k2.angle[link] + 2 * k3.angle[link] + k4.angle[link];
        sum.speed[link] = k1.speed[link] + 2 * k2.speed[link] + 2 * k3.speed[link] + k4.speed[link];
    }
    return ahead(s, time_step / 6, &sum);
}

/* Into [-pi, pi], by whole turns one after the other: from bounded speeds there are few. */
static double wrapped(double angle)
{
    while (angle > PI)
        angle -= 2 * PI;
    while (angle < -PI)
        angle += 2 * PI;
    return angle;
}

static double bounded(double speed, double bound)
{
    return speed < -bound ? -bound : speed > bound ? bound : speed;
}

static void advance(struct lab_environments *batch, const uint8_t *actions)
{
    struct links links = {.length = batch->physics.length, .center = 0.5 * batch->physics.length};
    for (size_t copy = 0; copy < batch->copies; ++copy) {
        links.torque = batch->physics.force * (double)(actions[copy] - 1);
        const struct motion before = load(batch, copy);
        struct motion s = integrate(&links, &before);
        for (size_t link = 0; link < 2; ++link) {
            s.angle[link] = wrapped(s.angle[link]);
            s.speed[link] = bounded(s.speed[link], speed_bounds[link]);
        }
        store(batch, copy, &s);
        const bool above = -lab_cos(s.angle[0]) - lab_cos(s.angle[1] + s.angle[0]) > 1.0;
        batch->terminated[copy] = above;
        batch->rewards[copy] = above ? 0.0F : -1.0F;
    }
}

static void observe(const struct lab_environments *batch, size_t first, size_t count, float *observations)
{
    enum { NUMBERS = 6 };
    for (size_t i = 0; i < count; ++i) {
        const struct motion s = load(batch, first + i);
        float *const seen = observations + i * NUMBERS;
        for (size_t link = 0; link < 2; ++link) {
            seen[2 * link] = (float)lab_cos(s.angle[link]);
            seen[2 * link + 1] = (float)lab_sin(s.angle[link]);
            seen[4 + link] = (float)s.speed[link];
        }
    }
}

const struct lab_environment lab_environment_acrobot = {
    .name = "acrobot",
    .observation_count = 6,
    .action_count = 3, /* torque -1, 0, 1 */
    .steps_max = 500,
    .least_return = -500.0,
    .state_size = LAB_MOTION_NUMBERS * sizeof(double),
    .physics = {.force = 1.0, .length = 1.0},
    .opposite = {2, 1, 0},
    .idle = 1,
    .begin = begin,
    .advance = advance,
    .observe = observe,
};
