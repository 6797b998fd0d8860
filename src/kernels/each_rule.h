/* What the loops of kernels.inc and common.inc share: the rules in the precision REAL, which the stub has named, and
 * macros that hand an element's kept slots to a rule. */
#ifndef KERNELS_EACH_RULE_H
#define KERNELS_EACH_RULE_H

#include "kernels/kernels.h"
#include "rules/adadelta.h"
#include "rules/adagrad.h"
#include "rules/adam.h"
#include "rules/adamax.h"
#include "rules/lion.h"
#include "rules/nadam.h"
#include "rules/radam.h"
#include "rules/rmsprop.h"
#include "rules/rprop.h"
#include "rules/sgd.h"

/* Whether a variant keeps a slot: the first ones always, bit b of the variant stands for optional slot b. */
#define KEPT(index, required, variant) ((index) < (required) || ((variant) >> ((index) - (required)) & 1))

/* An element's slots are read into locals and written back, so that the rule is handed either the address
 * of a local or a constant null pointer: both are known when the kernel is compiled. */
#define READ(index, required, variant) real value##index = KEPT(index, required, variant) ? slot##index[i] : 0;
#define WRITE(index, required, variant)                                                                                \
    if (KEPT(index, required, variant))                                                                                \
        slot##index[i] = value##index;
#define FORGET(index, required, variant) (void)value##index;
#define FORGET_ARRAY(index, required, variant) (void)slot##index;
#define EACH_SLOT(DO, required, variant) DO(0, required, variant) DO(1, required, variant) DO(2, required, variant)

#define HAND(index, required, variant) (KEPT(index, required, variant) ? &value##index : NULL)
#define HAND_1(required, variant) HAND(0, required, variant)
#define HAND_2(required, variant) HAND_1(required, variant), HAND(1, required, variant)
#define HAND_3(required, variant) HAND_2(required, variant), HAND(2, required, variant)

#define EACH_VARIANT_0(DO, name, slot_count, required) DO(name, slot_count, required, 0)
#define EACH_VARIANT_1(DO, name, slot_count, required)                                                                 \
    EACH_VARIANT_0(DO, name, slot_count, required) DO(name, slot_count, required, 1)
#define EACH_VARIANT_2(DO, name, slot_count, required)                                                                 \
    EACH_VARIANT_1(DO, name, slot_count, required)                                                                     \
    DO(name, slot_count, required, 2) DO(name, slot_count, required, 3)

/* Bytes may be looked at as the coefficients of any rule; the attribute is only heeded where a type is defined. */
#define DEFINE_BYTES(name)                                                                                             \
    struct __attribute__((may_alias)) name##_in_bytes {                                                                \
        struct name##_coefficients coefficients;                                                                       \
    };
#define RULE(CONSTANT, name, ...) DEFINE_BYTES(name)
#include "rules.def"
#undef RULE

/* The coefficients are copied, so that the compiler sees that no store to an array changes them; by assignment, because
 * memcpy would move them in large pieces, which the CPU cannot forward from the stores that have just written them. */
#define COPY_COEFFICIENTS(name)                                                                                        \
    const struct name##_in_bytes *const in_bytes = (const void *)coefficients->bytes;                                  \
    const struct name##_coefficients c = in_bytes->coefficients;

#endif
