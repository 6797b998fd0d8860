/* Loading: the whole file is checked first, data and all; only then is anything written. */
#include "checkpoint.h"
#include "checksum.h"
#include "message.h"
#include "optimizer.h"
#include "options.h"
#include "workers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_BYTES = 262144, /* what stays in the cache between the system's copy and its checksum */
    BYTES_PER_WORKER = 1 << 20
};

/* Where the data of an entry belong. */
struct job {
    const struct stored *stored;
    void *target; /* NULL: nowhere, they are only checked */
    bool encoded; /* floats, to be kept in fewer bits: in this slot */
    bool squares;
    size_t tensor;
    size_t slot;
};

/* State that the file does not have, because the tensor has never stepped. */
struct start {
    size_t tensor;
    size_t group;
    size_t slot;
};

struct load {
    rms_optimizer *optimizer;
    const struct rms_checkpoint *checkpoint;
    struct job *jobs; /* one for each entry of the file */
    struct start *starts;
    size_t start_count;
    uint64_t *steps; /* of each tensor */
    struct restored {
        rms_options options;
        const struct file_tensor *tensor; /* the first that stands for the group; NULL: none */
    } * groups;
    size_t group_count;
    char *buffers; /* CHUNK_BYTES for each worker */
    rms_error *error;
};

static const char *path_of(const struct load *load)
{
    return load->checkpoint->path;
}

/* ---- groups ---------------------------------------------------------------------------------------- */

/* The group takes over the options of its tensors, which must be the same. */
static rms_status match_group(struct load *load, size_t group, const struct file_tensor *tensor)
{
    struct restored *restored = &load->groups[group];
    if (!restored->tensor)
        restored->tensor = tensor;
    if (restored->tensor->group == tensor->group)
        return RMS_OK;
    return fail(
        load->error, RMS_ERROR_FORMAT,
        "%.160s: tensors \"%.80s\" and \"%.80s\" are of one group here, but of two there, with options of their own",
        path_of(load), restored->tensor->name, tensor->name);
}

static bool file_group_has_tensors(const struct rms_checkpoint *checkpoint, size_t group)
{
    for (size_t i = 0; i < checkpoint->tensor_count; ++i)
        if (checkpoint->tensors[i].group == group)
            return true;
    return false;
}

/* The library's own files say everything. A group without tensors is known by its number alone. */
static rms_status restore_native(struct load *load, size_t group)
{
    const struct rms_checkpoint *checkpoint = load->checkpoint;
    struct restored *restored = &load->groups[group];
    if (restored->tensor)
        restored->options = checkpoint->groups[restored->tensor->group].options;
    else if (group < checkpoint->group_count && !file_group_has_tensors(checkpoint, group))
        restored->options = checkpoint->groups[group].options;
    options_copy_step(&restored->options, &checkpoint->groups[0].options);
    return RMS_OK;
}

/* PyTorch's say some things; the rest stays as it is. */
static rms_status restore_pytorch(struct load *load, size_t group)
{
    struct restored *restored = &load->groups[group];
    if (!restored->tensor)
        return RMS_OK;
    const struct file_group *found = &load->checkpoint->groups[restored->tensor->group];
    rms_error reason;
    rms_status status = RMS_OK;
    for (size_t i = 0; status == RMS_OK && i < found->setting_count; ++i)
        status = rms_options_set(&restored->options, found->settings[i].key, found->settings[i].value, &reason);
    if (status == RMS_OK)
        status = rms_options_check(&restored->options, &reason);
    return status == RMS_OK ? RMS_OK
                            : fail(load->error, RMS_ERROR_FORMAT, "%.160s: options of \"%.80s\": %.200s", path_of(load),
                                   restored->tensor->name, reason.message);
}

static rms_status match_options(struct load *load)
{
    const bool pytorch = load->checkpoint->layout == RMS_LAYOUT_PYTORCH;
    rms_status status = RMS_OK;
    for (size_t i = 0; status == RMS_OK && i < load->group_count; ++i) {
        status = pytorch ? restore_pytorch(load, i) : restore_native(load, i);
        rms_error reason;
        if (status == RMS_OK &&
            optimizer_check_restore(load->optimizer, i, &load->groups[i].options, &reason) != RMS_OK)
            status = fail(load->error, RMS_ERROR_FORMAT, "%.160s: group %zu: %.250s", path_of(load), i, reason.message);
    }
    return status;
}

/* ---- tensors --------------------------------------------------------------------------------------- */

static void add_job(struct load *load, const struct stored *stored, void *target)
{
    if (stored)
        load->jobs[stored - load->checkpoint->header.entries].target = target;
}

/* PyTorch's layout has floats, however they are kept here. */
static void add_slot(struct load *load, size_t index, const rms_tensor *tensor, size_t slot,
                     const struct stored *stored)
{
    const rms_options *options = optimizer_options(load->optimizer, tensor->group);
    const enum slot_coding coding = options_slot_coding(options, tensor->dtype, slot);
    add_job(load, stored, rms_state(load->optimizer, index, rms_slot_name(options->rule, slot)));
    if (load->checkpoint->layout != RMS_LAYOUT_PYTORCH || slot >= RMS_RULE_SLOTS || coding == CODED_F32 ||
        coding == CODED_F64)
        return;
    struct job *job = &load->jobs[stored - load->checkpoint->header.entries];
    job->encoded = true;
    job->squares = coding == CODED_SQUARES;
    job->tensor = index;
    job->slot = slot;
}

static rms_status check_shape(const struct load *load, const rms_tensor *tensor, const struct file_tensor *found)
{
    if (!found)
        return fail(load->error, RMS_ERROR_FORMAT, "%.160s: is of another model: it has no tensor \"%.100s\"",
                    path_of(load), tensor->name);
    if (!found->has_shape || (found->count == tensor->count && found->dtype == tensor->dtype))
        return RMS_OK;
    return fail(load->error, RMS_ERROR_FORMAT,
                "%.160s: is of another model: tensor \"%.100s\" has %zu elements of %s there, and %zu of %s here",
                path_of(load), tensor->name, found->count, rms_dtype_name(found->dtype), tensor->count,
                rms_dtype_name(tensor->dtype));
}

static rms_status check_slots(const struct load *load, const rms_tensor *tensor, unsigned kept, unsigned found)
{
    const unsigned differing = kept ^ found;
    size_t slot = 0;
    if (differing == 0)
        return RMS_OK;
    while (!(differing >> slot & 1))
        ++slot;
    return fail(load->error, RMS_ERROR_FORMAT, "%.160s: tensor \"%.100s\" %s slot \"%.40s\" there, and %s it here",
                path_of(load), tensor->name, found >> slot & 1 ? "has a" : "has no",
                rms_slot_name(load->groups[tensor->group].options.rule, slot),
                kept >> slot & 1 ? "keeps" : "does not keep");
}

static rms_status check_format(const struct load *load, const rms_tensor *tensor, const struct file_tensor *found)
{
    const rms_state_format here = optimizer_options(load->optimizer, tensor->group)->state_format;
    const rms_state_format there = load->checkpoint->groups[found->group].options.state_format;
    if (here == there || load->checkpoint->layout == RMS_LAYOUT_PYTORCH)
        return RMS_OK;
    return fail(load->error, RMS_ERROR_FORMAT,
                "%.160s: tensor \"%.100s\": state_format is %s there, and %s here (a file of layout pytorch holds full "
                "state and is loaded into any)",
                path_of(load), tensor->name, rms_state_format_name(there), rms_state_format_name(here));
}

/* A tensor of a PyTorch file that has never stepped has no state there; it starts as it would here. What is not
 * the rule's (masters, averages) needs no start: it is what the parameters are. */
static void add_start(struct load *load, size_t index, const rms_tensor *tensor, size_t slot)
{
    if (slot < RMS_RULE_SLOTS && tensor->count > 0)
        load->starts[load->start_count++] = (struct start){index, tensor->group, slot};
}

static rms_status match_tensor(struct load *load, size_t index)
{
    rms_tensor tensor;
    rms_status status = rms_tensor_at(load->optimizer, index, &tensor);
    if (status != RMS_OK)
        return status;
    const struct file_tensor *found = checkpoint_find(load->checkpoint, tensor.name);
    status = check_shape(load, &tensor, found);
    if (status == RMS_OK)
        status = match_group(load, tensor.group, found);
    if (status == RMS_OK)
        status = check_format(load, &tensor, found);
    if (status != RMS_OK)
        return status;
    const rms_options *options = optimizer_options(load->optimizer, tensor.group);
    const unsigned kept = options_slots(options, tensor.dtype);
    const bool fresh = load->checkpoint->layout == RMS_LAYOUT_PYTORCH && found->slots == 0 && found->steps == 0;
    status = fresh ? RMS_OK : check_slots(load, &tensor, kept, found->slots);
    add_job(load, found->param, tensor.param);
    load->steps[index] = found->steps;
    for (size_t slot = 0; status == RMS_OK && slot < RMS_SLOTS_MAX; ++slot) {
        if (!(kept >> slot & 1))
            continue;
        if (fresh)
            add_start(load, index, &tensor, slot);
        else
            add_slot(load, index, &tensor, slot, found->slot[slot]);
    }
    return status;
}

static rms_status check_rule(const struct load *load)
{
    const rms_rule here = optimizer_options(load->optimizer, 0)->rule, there = load->checkpoint->rule;
    if (here == there)
        return RMS_OK;
    return fail(load->error, RMS_ERROR_FORMAT, "%.160s: is of %s, and this optimizer is %s", path_of(load),
                rms_rule_name(there), rms_rule_name(here));
}

/* Every tensor here is one there; with as many, every tensor there is one here. */
static rms_status match(struct load *load)
{
    const size_t here = rms_tensor_count(load->optimizer), there = load->checkpoint->tensor_count;
    rms_status status = check_rule(load);
    for (size_t i = 0; status == RMS_OK && i < here; ++i)
        status = match_tensor(load, i);
    size_t unused;
    for (size_t i = 0; status == RMS_OK && here != there && i < there; ++i)
        if (rms_find(load->optimizer, load->checkpoint->tensors[i].name, &unused) != RMS_OK)
            status = fail(load->error, RMS_ERROR_FORMAT,
                          "%.160s: is of another model: this optimizer has no tensor \"%.100s\"", path_of(load),
                          load->checkpoint->tensors[i].name);
    return status == RMS_OK ? match_options(load) : status;
}

/* ---- data ------------------------------------------------------------------------------------------ */

/* One reading of the whole file, by as many workers as are worth it. */
struct pass {
    const struct load *load;
    bool writes; /* into the targets; otherwise the data are only checked */
    atomic_size_t next;
    atomic_flag failed; /* set by the first worker that fails, which alone says why */
    atomic_bool stop;
    rms_status status;
};

/* Numbers that are to be kept in fewer bits: a chunk holds whole blocks of them, or the last. */
static rms_status encode_chunk(const struct pass *pass, const struct job *job, uint64_t done, const float *numbers,
                               size_t count, rms_error *error)
{
    const size_t first = (size_t)(done / sizeof *numbers);
    for (size_t i = 0; job->squares && i < count; ++i)
        if (numbers[i] < 0)
            return fail(error, RMS_ERROR_FORMAT,
                        "%.160s: number %zu of \"%.100s\" is %g: 8-bit squares cannot be negative", path_of(pass->load),
                        first + i, job->stored->name, (double)numbers[i]);
    if (pass->writes)
        optimizer_write_slot(pass->load->optimizer, job->tensor, job->slot, first, count, numbers);
    return RMS_OK;
}

static rms_status run_job(const struct pass *pass, const struct job *job, char *buffer, rms_error *error)
{
    const struct rms_checkpoint *checkpoint = pass->load->checkpoint;
    const uint64_t bytes = job->stored->bytes;
    char *target = pass->writes && !job->encoded ? job->target : NULL;
    struct checksum checksum;
    checksum_start(&checksum);
    for (uint64_t done = 0; done < bytes;) {
        const size_t count = bytes - done < CHUNK_BYTES ? (size_t)(bytes - done) : CHUNK_BYTES;
        char *chunk = target ? target + done : buffer;
        rms_status status = source_read(&checkpoint->source, chunk, count, job->stored->begin + done, error);
        if (status == RMS_OK && job->encoded)
            status = encode_chunk(pass, job, done, (const void *)chunk, count / sizeof(float), error);
        if (status != RMS_OK)
            return status;
        checksum_add(&checksum, chunk, count);
        done += count;
    }
    return checkpoint_agrees(checkpoint, job->stored, checksum_end(&checksum))
               ? RMS_OK
               : checkpoint_damaged(checkpoint, job->stored, error);
}

static void work(void *context, size_t worker)
{
    struct pass *pass = context;
    const size_t count = pass->load->checkpoint->header.count;
    for (size_t i; !atomic_load(&pass->stop) && (i = atomic_fetch_add(&pass->next, 1)) < count;) {
        const struct job *job = &pass->load->jobs[i];
        if (pass->writes && !job->target)
            continue;
        rms_error error;
        const rms_status status = run_job(pass, job, pass->load->buffers + worker * CHUNK_BYTES, &error);
        if (status != RMS_OK && !atomic_flag_test_and_set(&pass->failed)) {
            pass->status = status;
            *pass->load->error = error;
            atomic_store(&pass->stop, true);
        }
    }
}

static rms_status run_pass(const struct load *load, bool writes, const struct workers *workers, size_t parts)
{
    struct pass pass = {.load = load, .writes = writes, .status = RMS_OK};
    atomic_init(&pass.next, 0);
    atomic_init(&pass.stop, false);
    atomic_flag_clear(&pass.failed);
    workers_run(workers, parts, work, &pass);
    return pass.status;
}

static void write_rest(const struct load *load)
{
    for (size_t i = 0; i < load->start_count; ++i) {
        const struct start *start = &load->starts[i];
        optimizer_fill_slot(load->optimizer, start->tensor, start->slot,
                            options_slot_start(&load->groups[start->group].options, start->slot));
    }
    for (size_t i = 0; i < rms_tensor_count(load->optimizer); ++i)
        (void)rms_set_steps(load->optimizer, i, load->steps[i]);
    for (size_t i = 0; i < load->group_count; ++i)
        optimizer_restore(load->optimizer, i, &load->groups[i].options);
    optimizer_set_steps(load->optimizer, load->checkpoint->steps);
}

/* How many threads: not more than there are entries, nor than there is work for. */
static size_t count_parts(const struct load *load, const struct workers *workers)
{
    const size_t most = load->checkpoint->header.count;
    const uint64_t worthwhile = load->checkpoint->source.bytes / BYTES_PER_WORKER;
    size_t parts = workers->threads > 1 ? (size_t)workers->threads : 1;
    parts = parts < most ? parts : most;
    parts = parts < worthwhile ? parts : (size_t)worthwhile;
    return parts > 0 ? parts : 1;
}

static int by_place(const void *left, const void *right)
{
    const uint64_t a = ((const struct job *)left)->stored->begin, b = ((const struct job *)right)->stored->begin;
    return (a > b) - (a < b);
}

static rms_status transfer(struct load *load)
{
    const struct workers workers = optimizer_workers(load->optimizer);
    const size_t parts = count_parts(load, &workers);
    load->buffers = malloc(parts * CHUNK_BYTES);
    if (!load->buffers)
        return fail(load->error, RMS_ERROR_MEMORY, "%.160s: out of memory for reading it", path_of(load));
    qsort(load->jobs, load->checkpoint->header.count, sizeof *load->jobs, by_place);
    rms_status status = run_pass(load, false, &workers, parts);
    if (status == RMS_OK) {
        status = run_pass(load, true, &workers, parts);
        if (status == RMS_OK) {
            write_rest(load);
        } else {
            rms_error reason = *load->error;
            optimizer_set_broken(load->optimizer, true);
            status =
                fail(load->error, status,
                     "%.300s; it was whole a moment ago, and parts of it have been loaded: load again, or rms_reset",
                     reason.message);
        }
    }
    return status;
}

/* ---- the call -------------------------------------------------------------------------------------- */

static rms_status prepare(struct load *load)
{
    const struct safetensors *header = &load->checkpoint->header;
    const size_t tensors = rms_tensor_count(load->optimizer);
    load->group_count = optimizer_group_count(load->optimizer);
    load->jobs = calloc(header->count + 1, sizeof *load->jobs);
    load->starts = calloc(tensors * RMS_SLOTS_MAX + 1, sizeof *load->starts);
    load->steps = calloc(tensors + 1, sizeof *load->steps);
    load->groups = calloc(load->group_count + 1, sizeof *load->groups);
    if (!load->jobs || !load->starts || !load->steps || !load->groups)
        return fail(load->error, RMS_ERROR_MEMORY, "%.160s: out of memory for loading it", path_of(load));
    for (size_t i = 0; i < header->count; ++i)
        load->jobs[i].stored = &header->entries[i];
    for (size_t i = 0; i < load->group_count; ++i)
        load->groups[i].options = *optimizer_options(load->optimizer, i);
    return RMS_OK;
}

static rms_status load_checkpoint(rms_optimizer *optimizer, const struct rms_checkpoint *checkpoint, rms_error *error)
{
    struct load load = {.optimizer = optimizer, .checkpoint = checkpoint, .error = error};
    rms_status status = prepare(&load);
    if (status == RMS_OK)
        status = match(&load);
    if (status == RMS_OK)
        status = transfer(&load);
    free(load.buffers);
    free(load.jobs);
    free(load.starts);
    free(load.steps);
    free(load.groups);
    return status;
}

rms_status rms_load(rms_optimizer *optimizer, const char *path)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    rms_error *out = optimizer_error(optimizer);
    if (rms_averages_in(optimizer))
        return fail(out, RMS_ERROR_ARGUMENT,
                    "cannot load: the averages are in place of the parameters (rms_swap_averages takes them out)");
    struct rms_checkpoint checkpoint;
    rms_error error = {.message = ""}; /* copied at the end: reading the object clears its own */
    rms_status status = checkpoint_open(&checkpoint, path, &error);
    if (status == RMS_OK) {
        const bool was_broken = optimizer_broken(optimizer);
        optimizer_set_broken(optimizer, false);
        status = load_checkpoint(optimizer, &checkpoint, &error);
        if (status != RMS_OK && was_broken)
            optimizer_set_broken(optimizer, true);
        checkpoint_close(&checkpoint);
    }
    *out = error;
    return status == RMS_OK ? succeed(out) : status;
}
