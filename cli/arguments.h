/* What the user asked for, and the one table of options that parsing and help are made from. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include <lab/race.h>

#define ARGUMENTS_SETTINGS_MAX 32
#define ARGUMENTS_SECTIONS_MAX 16
#define ARGUMENTS_OPERANDS_MAX 32

/* One --set key=value, still in the user's words: the library judges them. */
struct setting {
    char *key;
    const char *value;
};

struct arguments {
    const struct verb *verb;
    const char *subject; /* the first operand, or NULL */
    const char *operands[ARGUMENTS_OPERANDS_MAX];
    size_t operand_count;
    bool help;

    uint64_t seed;
    bool seed_given;
    size_t seeds; /* 0: what the protocol says */
    double rates[LAB_GRID_MAX];
    size_t rate_count;      /* 0: the grid of the protocol */
    const char *optimizers; /* names with commas between; NULL: all */
    const char *states;     /* likewise; NULL: full state alone */
    const char *out;
    bool out_given;
    const char *function; /* an expression, a file and one of its columns, not yet judged; NULL: none */
    const char *data;
    const char *target;
    unsigned searched; /* LAB_SEARCH_... */
    size_t trials;     /* 0: as many as the grid has rates */
    bool resume;
    bool animate;
    int threads; /* 0: as many as there are processors */
    bool quick;
    bool json;
    bool quiet;

    double gradient[2];
    size_t steps; /* 1 unless given */
    bool steps_given;
    struct setting settings[ARGUMENTS_SETTINGS_MAX];
    size_t setting_count;

    const char *preset; /* a name, not yet looked up; NULL: none */
    bool presets;       /* the list of them is asked for */
    rms_rule rule;      /* RMSProp unless given */
    bool rule_given;
    bool checkpoint; /* what is measured is saving and loading */
    size_t count;    /* 0: what the verb chooses */
    size_t tensors;  /* 0: one */
    rms_isa isa;
    rms_dtype dtype;
    bool dtype_given;
    rms_master master;
    bool master_given;
    rms_state_format state;
    bool state_given;
    const char *sections[ARGUMENTS_SECTIONS_MAX]; /* names with commas between, not yet looked up */
    size_t sections_count;
};

/* The options, in the order in which help shows them. */
enum option_id {
    OPTION_LR,
    OPTION_OPTIMIZERS,
    OPTION_STATES,
    OPTION_TUNE,
    OPTION_TRIALS,
    OPTION_FUNCTION,
    OPTION_DATA,
    OPTION_TARGET,
    OPTION_SEED,
    OPTION_SEEDS,
    OPTION_OUT,
    OPTION_RESUME,
    OPTION_ANIMATE,
    OPTION_RULE,
    OPTION_PRESET,
    OPTION_PRESETS,
    OPTION_COUNT_OF_PARAMETERS,
    OPTION_DTYPE,
    OPTION_MASTER,
    OPTION_STATE,
    OPTION_TENSORS,
    OPTION_SECTION,
    OPTION_ISA,
    OPTION_GRADIENT,
    OPTION_STEPS,
    OPTION_STEPS_OF_RUNS,
    OPTION_SET,
    OPTION_CHECKPOINT,
    OPTION_PEERS,
    OPTION_THREADS,
    OPTION_QUICK,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_HELP,
    OPTION_ID_COUNT
};
#define TAKES(option) (UINT64_C(1) << (option))

struct verb {
    const char *name;
    const char *operand; /* as help writes it: "[PROBLEM]"; NULL when there is none */
    size_t operands_max; /* how many may be given; 0 stands for one where there is an operand */
    const char *summary; /* one line */
    const char *detail;  /* what more there is to say, in lines of at most 80 columns */
    const char *example;
    uint64_t options; /* TAKES(...) | ... */
    int (*run)(const struct arguments *arguments);
};

/* Reads argv[1] on; argv[0] is the verb. Returns false after a sentence on stderr. The keys of settings
 * are allocated: arguments_free releases them, in either case. */
bool arguments_parse(struct arguments *arguments, const struct verb *verb, int argc, char **argv);
void arguments_free(struct arguments *arguments);

/* Prints the options of a verb, one or two lines each, to stdout. */
void arguments_print_options(const struct verb *verb);

#endif
