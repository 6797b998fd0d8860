/* The claims: a file and a line each. */
#ifndef LAB_CLAIMS_ALL_H
#define LAB_CLAIMS_ALL_H

#include "claims.h"

extern const struct lab_claim lab_claim_balance;
extern const struct lab_claim lab_claim_memory;
extern const struct lab_claim lab_claim_together;
extern const struct lab_claim lab_claim_adagrad;
extern const struct lab_claim lab_claim_flat;
extern const struct lab_claim lab_claim_stuck;
extern const struct lab_claim lab_claim_momentum;
extern const struct lab_claim lab_claim_scale_jump;
extern const struct lab_claim lab_claim_td_momentum;
extern const struct lab_claim lab_claim_reset;
extern const struct lab_claim lab_claim_epsilon;

#endif
