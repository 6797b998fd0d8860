/* The rmsprop command: the table of verbs, help and version. */
#include "output.h"
#include "text.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>

#define RACE_OPTIONS                                                                                                   \
    (TAKES(OPTION_LR) | TAKES(OPTION_OPTIMIZERS) | TAKES(OPTION_STATES) | TAKES(OPTION_TUNE) | TAKES(OPTION_TRIALS) |  \
     TAKES(OPTION_FUNCTION) | TAKES(OPTION_DATA) | TAKES(OPTION_TARGET) | TAKES(OPTION_STEPS_OF_RUNS) |                \
     TAKES(OPTION_SEED) | TAKES(OPTION_SEEDS) | TAKES(OPTION_OUT) | TAKES(OPTION_RESUME) | TAKES(OPTION_ANIMATE) |     \
     TAKES(OPTION_THREADS) | TAKES(OPTION_QUICK) | TAKES(OPTION_JSON) | TAKES(OPTION_QUIET))

static const struct verb verbs[] = {
    {
        .name = "race",
        .operand = "[PROBLEM[:KEY=VALUE,...]]...",
        .operands_max = ARGUMENTS_OPERANDS_MAX,
        .summary = "optimizers on problems: tables, pictures and JSON",
        .detail = "Every optimizer gets the same learning rates to try, the same seeds and the same\n"
                  "batches. The rate with the best validation score is then run on fresh seeds, and\n"
                  "so is the default rate. `rmsprop list problems` shows the problems, and\n"
                  "`rmsprop list PROBLEM` the settings of one. The problem is \"digits\" unless\n"
                  "others are named or added; a path, ./mine.so, is one of your own.\n"
                  "Several are raced on one after another, and a performance profile sums them up.\n"
                  "\n"
                  "Pictures and a JSON document are written to the folder of --out. Ctrl-C drops\n"
                  "the runs under way at their next score and reports what is finished; a second\n"
                  "one ends at once. With --resume, an interrupted race goes on.\n",
        .example = "rmsprop race digits --optimizers rmsprop,adam --lr 0.001,0.003,0.01",
        .options = RACE_OPTIONS,
        .run = race_verb,
    },
    {
        .name = "claims",
        .operand = "[NAME]...",
        .operands_max = ARGUMENTS_OPERANDS_MAX,
        .summary = "what is said of RMSProp, each with an experiment and a verdict",
        .detail = "Each claim is an experiment with checks that were fixed before the run, and\n"
                  "a verdict that follows from them: holds, does not hold, mixed. Seven are about\n"
                  "RMSProp, the others are open questions. All are tested unless some are named:\n"
                  "balance, memory, together, adagrad, flat, stuck, momentum, scale-jump,\n"
                  "td-momentum, reset, epsilon.\n"
                  "\n"
                  "A page, claims.html, with JSON and pictures is written to the folder of --out.\n"
                  "Ctrl-C keeps the claims that are finished.\n",
        .example = "rmsprop claims memory flat --quick",
        .options = TAKES(OPTION_SEED) | TAKES(OPTION_OUT) | TAKES(OPTION_THREADS) | TAKES(OPTION_QUICK) |
                   TAKES(OPTION_JSON) | TAKES(OPTION_QUIET),
        .run = claims_verb,
    },
    {
        .name = "explain",
        .summary = "one step of a rule, in symbols and in numbers",
        .detail = "Two parameters, one with a large and one with a small gradient: do both move\n"
                  "by nearly the same amount, and why? All numbers come from the library. The\n"
                  "rule is RMSProp unless --rule or --preset names another; --set changes its\n"
                  "options, which `rmsprop list RULE` tells.\n",
        .example = "rmsprop explain --preset keras --set momentum=0.9 --steps 10",
        .options = TAKES(OPTION_RULE) | TAKES(OPTION_PRESET) | TAKES(OPTION_GRADIENT) | TAKES(OPTION_STEPS) |
                   TAKES(OPTION_SET) | TAKES(OPTION_JSON),
        .run = explain_verb,
    },
    {
        .name = "inspect",
        .operand = "FILE",
        .summary = "a checkpoint: options, state, effective learning rates",
        .detail = "Reads a checkpoint that rms_save wrote, or the state of a PyTorch optimizer in\n"
                  "safetensors, checks every checksum, and shows for each tensor how its\n"
                  "effective learning rates are spread. Three kinds of parameter are counted: dead\n"
                  "ones, which a gradient of the usual size no longer changes; exploding ones,\n"
                  "above 10000 in magnitude; and those that are NaN or infinite. With --out, a\n"
                  "picture as well.\n",
        .example = "rmsprop inspect run.safetensors --out pictures",
        .options = TAKES(OPTION_OUT) | TAKES(OPTION_JSON),
        .run = inspect_verb,
    },
    {
        .name = "bench",
        .summary = "speed of a step, against the limits of this machine",
        .detail = "First what this machine can do, then steps next to it in the same rounds:\n"
                  "limits, sizes, rules, dtypes, state, tensors, threads, growth, checks; and\n"
                  "environments, the worlds of reinforcement learning. --section chooses among\n"
                  "them; --count is then their largest model. JSON and a picture are written to\n"
                  "the folder of --out. Ctrl-C keeps what is finished.\n"
                  "\n"
                  "Without --section, any of --rule, --count, --threads, --isa, --dtype, --master,\n"
                  "--state and --tensors measures the case that they choose, and nothing else. With\n"
                  "--checkpoint, saving and loading next to bare writing and reading of as many\n"
                  "bytes, in a file of this folder that is deleted again.\n"
                  "\n"
                  "./run bench --peers [--help] compares with PyTorch, optax, Keras and others; it\n"
                  "belongs to ./run, which installs them.\n",
        .example = "rmsprop bench --rule rmsprop --count 30M --threads 2",
        .options = TAKES(OPTION_RULE) | TAKES(OPTION_COUNT_OF_PARAMETERS) | TAKES(OPTION_THREADS) |
                   TAKES(OPTION_DTYPE) | TAKES(OPTION_MASTER) | TAKES(OPTION_STATE) | TAKES(OPTION_TENSORS) |
                   TAKES(OPTION_SECTION) | TAKES(OPTION_OUT) | TAKES(OPTION_ISA) | TAKES(OPTION_CHECKPOINT) |
                   TAKES(OPTION_PEERS) | TAKES(OPTION_QUICK) | TAKES(OPTION_JSON) | TAKES(OPTION_QUIET),
        .run = bench_verb,
    },
    {
        .name = "list",
        .operand = "[rules|presets|problems|isas|RULE|PRESET]",
        .summary = "rules and their options, presets, problems, instruction sets",
        .detail = "Everything, or the part that is named; the name of a rule shows its options with\n"
                  "their bounds and defaults. Presets are what frameworks and papers call RMSProp.\n",
        .example = "rmsprop list --presets",
        .options = TAKES(OPTION_PRESETS) | TAKES(OPTION_JSON),
        .run = list_verb,
    },
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; ++i)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static void complain_of_verb(const char *name)
{
    const char *nearest = NULL;
    size_t distance = 3;
    struct text names = {0};
    for (size_t i = 0; i < VERB_COUNT; ++i) {
        const size_t other = text_distance(name, verbs[i].name);
        if (other < distance) {
            distance = other;
            nearest = verbs[i].name;
        }
        text_append(&names, "%s%s", i > 0 ? ", " : "", verbs[i].name);
    }
    if (nearest)
        complain("no verb is called \"%s\"; did you mean %s?", name, nearest);
    else
        complain("no verb is called \"%s\" (expected one of %s)", name, names.failed ? "the list" : names.text);
    text_free(&names);
}

static int print_overview(void)
{
    (void)printf("rmsprop %s: RMSProp and the optimizers around it\n\n", rms_version());
    (void)printf("%susage%s  rmsprop VERB [options]\n\n", bold(), plain());
    for (size_t i = 0; i < VERB_COUNT; ++i)
        (void)printf("  %-12s%s\n", verbs[i].name, verbs[i].summary);
    (void)printf("\n  %-12s%s\n", "help VERB", "what a verb does and the options it takes");
    (void)printf("  %-12s%s\n", "--version", "the version, and nothing else");
    return STATUS_OK;
}

static int print_help(const struct verb *verb)
{
    (void)printf("%srmsprop %s%s: %s\n\n", bold(), verb->name, plain(), verb->summary);
    (void)printf("%susage%s  rmsprop %s%s%s [options]\n\n", bold(), plain(), verb->name, verb->operand ? " " : "",
                 verb->operand ? verb->operand : "");
    (void)printf("%s\n", verb->detail);
    arguments_print_options(verb);
    (void)printf("\nexample: %s\n", verb->example);
    return STATUS_OK;
}

static int help_verb(int argc, char **argv)
{
    if (argc == 1)
        return print_overview();
    if (argc > 2) {
        complain("help: \"%s\" is one argument too many (expected one verb)", argv[2]);
        return STATUS_USAGE;
    }
    const struct verb *verb = verb_find(argv[1]);
    if (verb)
        return print_help(verb);
    complain_of_verb(argv[1]);
    return STATUS_USAGE;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    struct arguments arguments;
    int status = STATUS_USAGE;
    if (arguments_parse(&arguments, verb, argc, argv))
        status = arguments.help ? print_help(verb) : verb->run(&arguments);
    arguments_free(&arguments);
    return status;
}

/* argv[0] is the first word after the command's name. */
static int run_words(int argc, char **argv)
{
    if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
        return print_overview();
    if (strcmp(argv[0], "--version") == 0) {
        (void)printf("rmsprop %s\n", rms_version());
        return STATUS_OK;
    }
    if (strcmp(argv[0], "help") == 0)
        return help_verb(argc, argv);
    if (argv[0][0] == '-') {
        complain("\"%s\" comes before a verb (expected rmsprop VERB [options])", argv[0]);
        return STATUS_USAGE;
    }
    const struct verb *verb = verb_find(argv[0]);
    if (verb)
        return run_verb(verb, argc, argv);
    complain_of_verb(argv[0]);
    return STATUS_USAGE;
}

int main(int argc, char **argv)
{
    if (!output_begin())
        return STATUS_FAILED;
    const int status = run_words(argc > 0 ? argc - 1 : 0, argv + 1);
    return output_end() || status != STATUS_OK ? status : STATUS_FAILED;
}
