/* What the user asked for: one table of options, from which getopt_long's is made, and help. */
#include "arguments.h"

#include "output.h"
#include "race_words.h"
#include "text.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 4096
#define STEPS_MAX 1000000
#define COUNT_MAX 100000000000.0
#define TENSORS_MAX 100000.0
#define SEED_MAX (SIZE_MAX / 2) /* INT64_MAX where a size has 64 bits: JSON's integers hold no more */

/* Reads one option's value; false after a sentence. */
typedef bool option_reader(struct arguments *arguments, const char *text);

/* A whole number between bounds. */
static bool read_whole(const char *option, const char *text, size_t minimum, size_t maximum, size_t *value)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0') {
        complain("--%s: \"%s\" is not a whole number (expected %zu to %zu)", option, text, minimum, maximum);
        return false;
    }
    if (errno == ERANGE || number < minimum || number > maximum) {
        complain("--%s: %s is out of bounds (expected %zu to %zu)", option, text, minimum, maximum);
        return false;
    }
    *value = (size_t)number;
    return true;
}

static bool read_seed(struct arguments *arguments, const char *text)
{
    size_t seed = 0;
    arguments->seed_given = read_whole("seed", text, 0, SEED_MAX, &seed);
    arguments->seed = seed;
    return arguments->seed_given;
}

static bool read_seeds(struct arguments *arguments, const char *text)
{
    return read_whole("seeds", text, 1, LAB_SEEDS_MAX, &arguments->seeds);
}

static bool read_threads(struct arguments *arguments, const char *text)
{
    size_t threads = 0;
    const bool valid = read_whole("threads", text, 0, THREADS_MAX, &threads);
    arguments->threads = (int)threads;
    return valid;
}

static bool read_trials(struct arguments *arguments, const char *text)
{
    return read_whole("trials", text, 1, LAB_GRID_MAX, &arguments->trials);
}

static bool read_steps(struct arguments *arguments, const char *text)
{
    arguments->steps_given = true;
    return read_whole("steps", text, 1, STEPS_MAX, &arguments->steps);
}

/* 100, 1k, 30M, 1G, 2.5M. most is what is said of the largest, as well. */
static bool read_large(const char *option, const char *text, double maximum, const char *most, size_t *value)
{
    static const char suffixes[] = "kMG";
    char *end = NULL;
    double number = strtod(text, &end);
    const char *suffix = *end != '\0' ? strchr(suffixes, *end) : NULL;
    if (*text < '0' || *text > '9' || (*end != '\0' && (!suffix || end[1] != '\0'))) {
        complain("--%s: \"%s\" is not a count (expected a number with k, M or G, as in --%s 30k)", option, text,
                 option);
        return false;
    }
    for (const char *power = suffixes; suffix && power <= suffix; ++power)
        number *= 1000;
    if (!(number >= 1 && number <= maximum) || number != floor(number)) {
        complain("--%s: %s is out of bounds (expected a whole number from 1 to %s)", option, text, most);
        return false;
    }
    *value = (size_t)number;
    return true;
}

static bool read_count(struct arguments *arguments, const char *text)
{
    return read_large("count", text, COUNT_MAX, "100G", &arguments->count);
}

static bool read_tensors(struct arguments *arguments, const char *text)
{
    return read_large("tensors", text, TENSORS_MAX, "100k", &arguments->tensors);
}

static bool read_sections(struct arguments *arguments, const char *text)
{
    if (arguments->sections_count == ARGUMENTS_SECTIONS_MAX) {
        complain("--section: given more than %d times (expected at most %d, or names with commas between)",
                 ARGUMENTS_SECTIONS_MAX, ARGUMENTS_SECTIONS_MAX);
        return false;
    }
    arguments->sections[arguments->sections_count++] = text;
    return true;
}

/* One number of a list with commas between; *rest is what follows it, NULL after the last. */
static bool read_listed(const char *option, const char *expected, const char *text, double *value, const char **rest)
{
    const size_t length = strcspn(text, ",");
    char *end = NULL;
    *value = strtod(text, &end);
    if (end != text + length || length == 0) {
        complain("--%s: \"%.*s\" is not a number (expected %s)", option, (int)length, text, expected);
        return false;
    }
    *rest = text[length] == ',' ? text + length + 1 : NULL;
    return true;
}

static bool insert_rate(struct arguments *arguments, double rate)
{
    size_t place = arguments->rate_count;
    while (place > 0 && arguments->rates[place - 1] >= rate)
        --place;
    if (place < arguments->rate_count && !(arguments->rates[place] > rate)) {
        complain("--lr: %g is there twice (expected different rates)", rate);
        return false;
    }
    memmove(&arguments->rates[place + 1], &arguments->rates[place],
            (arguments->rate_count - place) * sizeof arguments->rates[0]);
    arguments->rates[place] = rate;
    ++arguments->rate_count;
    return true;
}

static bool read_rates(struct arguments *arguments, const char *text)
{
    arguments->rate_count = 0;
    while (text) {
        const char *word = text;
        double rate = 0;
        if (!read_listed("lr", "one or more positive numbers, as in --lr 0.001,0.01", text, &rate, &text))
            return false;
        if (!(rate > 0) || isinf(rate)) {
            complain("--lr: %.*s is not a positive number that a double holds (expected one or more, as in --lr "
                     "0.001,0.01)",
                     (int)strcspn(word, ","), word);
            return false;
        }
        if (arguments->rate_count == LAB_GRID_MAX) {
            complain("--lr: more than %d rates (expected at most %d)", LAB_GRID_MAX, LAB_GRID_MAX);
            return false;
        }
        if (!insert_rate(arguments, rate))
            return false;
    }
    return true;
}

static bool read_gradient(struct arguments *arguments, const char *text)
{
    static const char expected[] = "two numbers, as in --gradient 10,0.1";
    for (size_t i = 0; i < 2; ++i) {
        if (!text) {
            complain("--gradient: only one number (expected %s)", expected);
            return false;
        }
        const char *word = text;
        if (!read_listed("gradient", expected, text, &arguments->gradient[i], &text))
            return false;
        if (!isfinite((float)arguments->gradient[i])) {
            complain("--gradient: %.*s is not finite as a float (expected %s)", (int)strcspn(word, ","), word,
                     expected);
            return false;
        }
    }
    if (text)
        complain("--gradient: more than two numbers (expected %s)", expected);
    return !text;
}

static bool read_optimizers(struct arguments *arguments, const char *text)
{
    arguments->optimizers = text;
    return true;
}

static bool read_states(struct arguments *arguments, const char *text)
{
    arguments->states = text;
    return true;
}

static bool read_tune(struct arguments *arguments, const char *text)
{
    arguments->searched = 0;
    while (text) {
        const size_t length = strcspn(text, ",");
        size_t i = 0;
        while (i < RACE_SEARCHED_COUNT &&
               !(strlen(race_searched[i].name) == length && memcmp(race_searched[i].name, text, length) == 0))
            ++i;
        if (i == RACE_SEARCHED_COUNT) {
            complain("--tune: \"%.*s\" is unknown (expected some of epsilon, rho, momentum)", (int)length, text);
            return false;
        }
        arguments->searched |= race_searched[i].flag;
        text = text[length] == ',' ? text + length + 1 : NULL;
    }
    return true;
}

/* Words that the command shows again: in a heading, in JSON. */
static bool read_words(const char *option, const char *expected, const char *text, const char **words)
{
    const bool printable = text_is_printable(text);
    if (*text == '\0')
        complain("--%s: it is empty (expected %s)", option, expected);
    else if (!printable)
        complain("--%s: it is not UTF-8 or holds control characters (expected %s)", option, expected);
    *words = text;
    return *text != '\0' && printable;
}

static bool read_function(struct arguments *arguments, const char *text)
{
    return read_words("function", "an expression of x and y, as in --function 'x^2 + 10*y^2'", text,
                      &arguments->function);
}

static bool read_data(struct arguments *arguments, const char *text)
{
    return read_words("data", "a file, as in --data points.csv", text, &arguments->data);
}

static bool read_target(struct arguments *arguments, const char *text)
{
    return read_words("target", "a column of the file of --data, as in --target price", text, &arguments->target);
}

static bool read_out(struct arguments *arguments, const char *text)
{
    const bool printable = text_is_printable(text);
    if (*text == '\0')
        complain("--out: the name is empty (expected a folder, as in --out results)");
    else if (!printable) /* neither JSON nor a terminal could show it as it is */
        complain("--out: the name is not UTF-8 or holds control characters (expected a folder, as in --out results)");
    arguments->out = text;
    arguments->out_given = true;
    return *text != '\0' && printable;
}

static bool read_setting(struct arguments *arguments, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) {
        complain("--set: \"%s\" is not of the form key=value (expected one as in --set rho=0.9)", text);
        return false;
    }
    if (arguments->setting_count == ARGUMENTS_SETTINGS_MAX) {
        complain("--set: given more than %d times (expected at most %d)", ARGUMENTS_SETTINGS_MAX,
                 ARGUMENTS_SETTINGS_MAX);
        return false;
    }
    char *key = strndup(text, (size_t)(equals - text));
    if (!key) {
        complain("--set: out of memory");
        return false;
    }
    arguments->settings[arguments->setting_count++] = (struct setting){.key = key, .value = equals + 1};
    return true;
}

static bool read_rule(struct arguments *arguments, const char *text)
{
    arguments->rule_given = rms_rule_from_name(text, &arguments->rule);
    if (arguments->rule_given)
        return true;
    struct text names = {0};
    for (int rule = 0; rule < RMS_RULE_COUNT; ++rule)
        text_append(&names, "%s%s", rule > 0 ? ", " : "", rms_rule_name((rms_rule)rule));
    complain("--rule: no rule is called \"%s\" (expected one of %s)", text, names.failed ? "the list" : names.text);
    text_free(&names);
    return false;
}

static bool read_preset(struct arguments *arguments, const char *text)
{
    arguments->preset = text;
    return true;
}

static bool read_isa(struct arguments *arguments, const char *text)
{
    if (rms_isa_from_name(text, &arguments->isa))
        return true;
    struct text names = {0};
    for (int isa = 0; rms_isa_name((rms_isa)isa); ++isa)
        if (rms_isa_supported((rms_isa)isa))
            text_append(&names, "%s%s", isa > 0 ? ", " : "", rms_isa_name((rms_isa)isa));
    complain("--isa: no instruction set is called \"%s\" (expected one of %s)", text,
             names.failed ? "the list" : names.text);
    text_free(&names);
    return false;
}

static bool read_dtype(struct arguments *arguments, const char *text)
{
    const bool known = rms_dtype_from_name(text, &arguments->dtype);
    arguments->dtype_given = known;
    if (!known)
        complain("--dtype: no number format is called \"%s\" (expected one of f32, f64, f16, bf16)", text);
    return known;
}

static bool read_master(struct arguments *arguments, const char *text)
{
    const bool known = rms_master_from_name(text, &arguments->master);
    arguments->master_given = known;
    if (!known)
        complain("--master: \"%s\" is unknown (expected one of f32, remainder, none)", text);
    return known;
}

static bool read_state(struct arguments *arguments, const char *text)
{
    arguments->state_given = rms_state_format_from_name(text, &arguments->state);
    if (!arguments->state_given)
        complain("--state: \"%s\" is unknown (expected one of full, 16-bit, 8-bit)", text);
    return arguments->state_given;
}

/* Only the script knows where they are. */
static bool refuse_peers(struct arguments *arguments, const char *text)
{
    (void)arguments;
    (void)text;
    complain("--peers belongs to ./run: ./run bench --peers");
    return false;
}

static bool set_presets(struct arguments *arguments, const char *text)
{
    (void)text;
    return arguments->presets = true;
}

static bool set_checkpoint(struct arguments *arguments, const char *text)
{
    (void)text;
    return arguments->checkpoint = true;
}

static bool set_quick(struct arguments *arguments, const char *text)
{
    (void)text;
    return arguments->quick = true;
}

static bool set_json(struct arguments *arguments, const char *text)
{
    (void)text;
    return arguments->json = true;
}

static bool set_quiet(struct arguments *arguments, const char *text)
{
    (void)text;
    return arguments->quiet = true;
}

static bool set_resume(struct arguments *arguments, const char *text)
{
    (void)text;
    return arguments->resume = true;
}

static bool set_animate(struct arguments *arguments, const char *text)
{
    (void)text;
    return arguments->animate = true;
}

static bool set_help(struct arguments *arguments, const char *text)
{
    (void)text;
    return arguments->help = true;
}

static const struct option_row {
    const char *name;
    const char *value; /* what help calls its value; NULL when it takes none */
    option_reader *read;
    const char *meaning;
} table[OPTION_ID_COUNT] = {
    [OPTION_LR] = {"lr", "X,Y,...", read_rates, "the learning rates that everyone is tuned over"},
    [OPTION_OPTIMIZERS] = {"optimizers", "A,B,...", read_optimizers,
                           "who takes part: rules, presets (default: four rules)"},
    [OPTION_STATES] = {"states", "A,B,...", read_states, "each optimizer once with state in full, 16-bit, 8-bit"},
    [OPTION_TUNE] = {"tune", "A,B,...", read_tune, "search these as well: epsilon, rho, momentum"},
    [OPTION_TRIALS] = {"trials", "N", read_trials, "trials of --tune (default: as many as --lr has rates)"},
    [OPTION_FUNCTION] = {"function", "EXPR", read_function, "adds a problem: a function, as in 'x^2 + 10*y^2'"},
    [OPTION_DATA] = {"data", "FILE", read_data, "adds a problem: a table of your own, CSV or IDX"},
    [OPTION_TARGET] = {"target", "COLUMN", read_target, "which column of it is learnt (default: the last)"},
    [OPTION_SEED] = {"seed", "N", read_seed, "where all randomness comes from (default: 1)"},
    [OPTION_SEEDS] = {"seeds", "N", read_seeds, "fresh seeds the figures rest on (default: 10, quick 5)"},
    [OPTION_OUT] = {"out", "DIR", read_out, "folder for pictures (and for JSON)"},
    [OPTION_RESUME] = {"resume", NULL, set_resume, "go on where an interrupted race has ended"},
    [OPTION_ANIMATE] = {"animate", NULL, set_animate, "a GIF of the paths, of problems with two parameters"},
    [OPTION_RULE] = {"rule", "NAME", read_rule, "the update rule"},
    [OPTION_PRESET] = {"preset", "NAME", read_preset, "a framework's or a paper's RMSProp (list --presets)"},
    [OPTION_PRESETS] = {"presets", NULL, set_presets, "only the presets, with their values and sources"},
    [OPTION_COUNT_OF_PARAMETERS] = {"count", "N", read_count, "how many parameters: 100, 1k, 30M, 1G"},
    [OPTION_DTYPE] = {"dtype", "NAME", read_dtype, "number format of parameters and gradients (default: f32)"},
    [OPTION_MASTER] = {"master", "NAME", read_master, "what 16-bit parameters keep: f32, remainder, none"},
    [OPTION_STATE] = {"state", "NAME", read_state, "how the rule's state is kept: full, 16-bit, 8-bit"},
    [OPTION_TENSORS] = {"tensors", "N", read_tensors, "so many tensors of --count parameters each"},
    [OPTION_SECTION] = {"section", "A,B,...", read_sections, "only these parts of the whole; may be repeated"},
    [OPTION_ISA] = {"isa", "NAME", read_isa, "the instruction set (default: the best)"},
    [OPTION_GRADIENT] = {"gradient", "X,Y", read_gradient, "the two parameters' gradients (default: 10,0.1)"},
    [OPTION_STEPS] = {"steps", "N", read_steps, "how many steps (default: 1)"},
    [OPTION_STEPS_OF_RUNS] = {"steps", "N", read_steps, "how long a run is (default: the problem's)"},
    [OPTION_SET] = {"set", "KEY=VALUE", read_setting, "an option of the rule; may be repeated"},
    [OPTION_CHECKPOINT] = {"checkpoint", NULL, set_checkpoint, "save and load in this folder, instead of steps"},
    [OPTION_PEERS] = {"peers", NULL, refuse_peers, "other libraries, by ./run bench --peers only"},
    [OPTION_THREADS] = {"threads", "N", read_threads, "threads (default: one for each processor)"},
    [OPTION_QUICK] = {"quick", NULL, set_quick, "short and rough: figures are only indicative"},
    [OPTION_JSON] = {"json", NULL, set_json, "one JSON document on stdout instead of text"},
    [OPTION_QUIET] = {"quiet", NULL, set_quiet, "no progress on stderr"},
    [OPTION_HELP] = {"help", NULL, set_help, "this help"},
};

/* getopt_long's value for an option: above all characters, which are short options. */
#define LONG_VALUE 256

static void fill_long_options(struct option long_options[OPTION_ID_COUNT + 1], uint64_t taken)
{
    size_t count = 0;
    for (int id = 0; id < OPTION_ID_COUNT; ++id)
        if (taken & TAKES(id))
            long_options[count++] = (struct option){.name = table[id].name,
                                                    .has_arg = table[id].value ? required_argument : no_argument,
                                                    .val = LONG_VALUE + id};
    long_options[count] = (struct option){0};
}

/* The option of this verb that was most likely meant; NULL if none is near. */
static const char *nearest_option(uint64_t taken, const char *word)
{
    const char *nearest = NULL;
    size_t distance = 3;
    for (int id = 0; id < OPTION_ID_COUNT; ++id) {
        const size_t other = taken & TAKES(id) ? text_distance(word, table[id].name) : SIZE_MAX;
        if (other < distance) {
            distance = other;
            nearest = table[id].name;
        }
    }
    return nearest;
}

static void complain_of_unknown(const struct verb *verb, uint64_t taken, const char *word)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);

    struct text prefixed = {0};
    size_t prefixed_count = 0;
    for (int id = 0; id < OPTION_ID_COUNT; ++id)
        if ((taken & TAKES(id)) && *name && strncmp(table[id].name, name, strlen(name)) == 0)
            text_append(&prefixed, "%s--%s", prefixed_count++ > 0 ? ", " : "", table[id].name);

    const char *nearest = nearest_option(taken, name);
    if (prefixed_count > 1 && !prefixed.failed)
        complain("%s: \"%s\" could be one of %s", verb->name, word, prefixed.text);
    else if (nearest)
        complain("%s: no option is called \"%s\"; did you mean --%s?", verb->name, word, nearest);
    else
        complain("%s: no option is called \"%s\" (rmsprop help %s lists them)", verb->name, word, verb->name);
    text_free(&prefixed);
}

/* getopt_long tells what went wrong in three variables, which change with the kind of trouble. */
static void complain_of_option(const struct verb *verb, uint64_t taken, int result, char **argv)
{
    const int id = optopt - LONG_VALUE;
    if (result == ':' && id >= 0)
        complain("--%s: its value is missing (expected --%s %s)", table[id].name, table[id].name, table[id].value);
    else if (id >= 0)
        complain("--%s: it takes no value", table[id].name);
    else if (optopt != 0)
        complain("%s: no option is called \"-%c\" (rmsprop help %s lists them)", verb->name,
                 optopt > 0 && optopt < 0x80 ? optopt : '?', verb->name); /* one byte of a character is none */
    else
        complain_of_unknown(verb, taken, argv[optind - 1]);
}

static bool parse_options(struct arguments *arguments, int argc, char **argv)
{
    const uint64_t taken = arguments->verb->options | TAKES(OPTION_HELP);
    struct option long_options[OPTION_ID_COUNT + 1];
    fill_long_options(long_options, taken);

    opterr = 0;
    for (;;) {
        const int result = getopt_long(argc, argv, ":h", long_options, NULL);
        if (result == -1)
            return true;
        if (result == '?' || result == ':') {
            complain_of_option(arguments->verb, taken, result, argv);
            return false;
        }
        const int id = result == 'h' ? OPTION_HELP : result - LONG_VALUE;
        if (!table[id].read(arguments, optarg))
            return false;
    }
}

bool arguments_parse(struct arguments *arguments, const struct verb *verb, int argc, char **argv)
{
    *arguments = (struct arguments){
        .verb = verb,
        .out = "out",
        .gradient = {10, 0.1},
        .steps = 1,
        .rule = RMS_RMSPROP,
    };
    if (!parse_options(arguments, argc, argv))
        return false;

    const size_t allowed = !verb->operand ? 0 : verb->operands_max > 0 ? verb->operands_max : 1;
    for (; optind < argc; ++optind) {
        if (arguments->operand_count == allowed) {
            complain("%s: \"%s\" is one argument too many (rmsprop help %s shows what it takes)", verb->name,
                     argv[optind], verb->name);
            return false;
        }
        arguments->operands[arguments->operand_count++] = argv[optind];
    }
    arguments->subject = arguments->operands[0];
    return true;
}

void arguments_free(struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->setting_count; ++i)
        free(arguments->settings[i].key);
    arguments->setting_count = 0;
}

void arguments_print_options(const struct verb *verb)
{
    for (int id = 0; id < OPTION_ID_COUNT; ++id) {
        if (!((verb->options | TAKES(OPTION_HELP)) & TAKES(id)))
            continue;
        char usage[64];
        (void)snprintf(usage, sizeof usage, "  --%s %s", table[id].name, table[id].value ? table[id].value : "");
        print_padded(usage, 24);
        (void)printf("%s\n", table[id].meaning);
    }
}
