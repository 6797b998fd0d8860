/* lab_exp, lab_log, lab_tanh, lab_sin, lab_cos and lab_pow, which the public header declares. */
#ifndef LAB_ELEMENTARY_H
#define LAB_ELEMENTARY_H

#include <rmsprop_lab.h>

#endif
