/* The bench verb: checkpoints, single cases, or the whole picture. */
#include "bench_checkpoint.h"
#include "bench_report.h"
#include "output.h"
#include "verbs.h"

static bool chooses_format(const struct arguments *arguments)
{
    return arguments->rule_given || arguments->isa != RMS_ISA_AUTO || arguments->dtype_given ||
           arguments->master_given || arguments->state_given || arguments->tensors > 0;
}

int bench_verb(const struct arguments *arguments)
{
    if (arguments->checkpoint)
        return bench_checkpoint_verb(arguments);
    if (arguments->sections_count > 0 && chooses_format(arguments)) {
        complain("--section: a section chooses its own cases (expected beside it only --count, --threads, --out, "
                 "--quick, --json, --quiet)");
        return STATUS_USAGE;
    }
    const bool chooses_case = chooses_format(arguments) || arguments->count > 0 || arguments->threads > 0;
    if (arguments->sections_count > 0 || !chooses_case)
        return bench_sections_verb(arguments);
    if (arguments->out_given) {
        complain("--out: a single case writes no files (expected --section beside it, or neither rule nor size)");
        return STATUS_USAGE;
    }
    return bench_cases_verb(arguments);
}
