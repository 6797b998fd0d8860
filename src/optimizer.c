/* The object: create, groups, step, free. Every call that can fail first does all that can fail, then changes the
 * object. */
#include "optimizer.h"

#include "memory.h"
#include "message.h"
#include "object.h"
#include "options.h"
#include "rows.h"

#include <string.h>

struct entry *entry_at(const rms_optimizer *optimizer, size_t index)
{
    return (struct entry *)optimizer->tensors[index];
}

static size_t pointer_bytes(size_t capacity)
{
    return capacity * sizeof(void *);
}

static size_t larger_capacity(size_t capacity)
{
    return capacity > 0 ? 2 * capacity : 8;
}

static rms_status out_of_memory(rms_error *error, size_t bytes)
{
    return fail(error, RMS_ERROR_MEMORY, "out of memory: %zu bytes were refused (nothing has changed)", bytes);
}

void *object_allocate(rms_optimizer *optimizer, size_t bytes)
{
    void *memory = memory_allocate(&optimizer->allocator, bytes);
    if (!memory)
        out_of_memory(&optimizer->error, bytes);
    return memory;
}

void *object_with_room(rms_optimizer *optimizer, void *pointers, size_t count, size_t *capacity)
{
    if (count < *capacity)
        return pointers;
    const size_t larger = larger_capacity(*capacity);
    void *copy = object_allocate(optimizer, pointer_bytes(larger));
    if (!copy)
        return NULL;
    if (count > 0)
        memcpy(copy, pointers, pointer_bytes(count));
    memory_release(&optimizer->allocator, pointers, pointer_bytes(*capacity));
    *capacity = larger;
    return copy;
}

/* Appends a group with these options; callbacks are the object's, so its copy of their addresses goes. */
static rms_status append_group(rms_optimizer *optimizer, const rms_options *options)
{
    struct group **groups =
        object_with_room(optimizer, optimizer->groups, optimizer->group_count, &optimizer->group_capacity);
    if (!groups)
        return RMS_ERROR_MEMORY;
    optimizer->groups = groups;
    struct group *group = object_allocate(optimizer, sizeof *group);
    if (!group)
        return RMS_ERROR_MEMORY;
    *group = (struct group){.options = *options};
    group->options.allocator = NULL;
    group->options.parallel = optimizer->parallel.parallel_for ? &optimizer->parallel : NULL;
    optimizer->groups[optimizer->group_count++] = group;
    return succeed(&optimizer->error);
}

rms_status rms_create(rms_optimizer **optimizer, const rms_options *options, rms_error *error)
{
    if (!optimizer)
        return fail(error, RMS_ERROR_ARGUMENT, "optimizer: NULL (expected where to store the new object)");
    *optimizer = NULL;
    rms_options full;
    rms_status status = options_admit(&full, options, error);
    if (status == RMS_OK)
        status = kernels_choose(full.isa, &full.isa, error);
    if (status != RMS_OK)
        return status;

    const rms_allocator allocator = memory_allocator(full.allocator);
    rms_optimizer *created = memory_allocate(&allocator, sizeof *created);
    if (!created)
        return out_of_memory(error, sizeof *created);
    memset(created, 0, sizeof *created);
    created->allocator = allocator;
    atomic_init(&created->started, 0);
    atomic_flag_clear(&created->starting);
    created->kernels = kernels_for(full.isa);
    if (full.parallel)
        created->parallel = *full.parallel;
    status = append_group(created, &full);
    if (status != RMS_OK) {
        if (error)
            *error = created->error;
        rms_free(created);
        return status;
    }
    *optimizer = created;
    return succeed(error);
}

void rms_free(rms_optimizer *optimizer)
{
    if (!optimizer)
        return;
    const rms_allocator allocator = optimizer->allocator;
    for (size_t i = 0; i < optimizer->tensor_count; ++i)
        memory_release(&allocator, entry_at(optimizer, i), entry_at(optimizer, i)->bytes);
    for (size_t i = 0; i < optimizer->group_count; ++i)
        memory_release(&allocator, optimizer->groups[i], sizeof(struct group));
    memory_release(&allocator, optimizer->sums, optimizer->sum_capacity * sizeof *optimizer->sums);
    memory_release(&allocator, optimizer->row_memory, optimizer->row_bytes);
    memory_release(&allocator, optimizer->tensors, pointer_bytes(optimizer->tensor_capacity));
    memory_release(&allocator, optimizer->groups, pointer_bytes(optimizer->group_capacity));
    memory_release(&allocator, optimizer, sizeof *optimizer);
}

const char *rms_message(const rms_optimizer *optimizer)
{
    return optimizer ? optimizer->error.message : "";
}

rms_isa rms_chosen_isa(const rms_optimizer *optimizer)
{
    return optimizer ? optimizer->groups[0]->options.isa : RMS_ISA_AUTO;
}

static rms_status check_whole(rms_optimizer *optimizer, const char *verb)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    if (optimizer->broken)
        return fail(&optimizer->error, RMS_ERROR_ARGUMENT,
                    "cannot %s: loading a checkpoint failed half-way; load one that succeeds, or call rms_reset", verb);
    return RMS_OK;
}

rms_status rms_add_group(rms_optimizer *optimizer, size_t *group)
{
    rms_status status = check_whole(optimizer, "add a group");
    if (status != RMS_OK)
        return status;
    if (!group)
        return fail(&optimizer->error, RMS_ERROR_ARGUMENT, "group: NULL (expected where to store its number)");
    status = append_group(optimizer, &optimizer->groups[0]->options);
    if (status == RMS_OK)
        *group = optimizer->group_count - 1;
    return status;
}

rms_status object_check_group(rms_optimizer *optimizer, size_t group)
{
    if (group >= optimizer->group_count)
        return fail(&optimizer->error, RMS_ERROR_RANGE, "group %zu does not exist: there are %zu, numbered from 0",
                    group, optimizer->group_count);
    return RMS_OK;
}

/* Whether every tensor of a group would keep the same slots with other options. */
static bool keeps_state(const rms_optimizer *optimizer, size_t group, const rms_options *changed)
{
    for (size_t i = 0; i < optimizer->tensor_count; ++i) {
        const struct entry *entry = entry_at(optimizer, i);
        const rms_dtype dtype = entry->tensor.dtype;
        if (entry->group == group && (options_slots(changed, dtype) != options_slots(entry->tensor.options, dtype) ||
                                      changed->state_format != entry->tensor.options->state_format))
            return false;
    }
    return true;
}

/* Whether this change may be made to a living group. */
static rms_status check_change(rms_optimizer *optimizer, size_t group, const char *key, const rms_options *changed)
{
    const struct group *target = optimizer->groups[group];
    rms_error *error = &optimizer->error;
    if (changed->isa != target->options.isa)
        return fail(error, RMS_ERROR_ARGUMENT, "isa: chosen when the optimizer was created (%s), and fixed since",
                    rms_isa_name(target->options.isa));
    if (group != 0 && !option_rows[option_of_key(key)].per_group)
        return fail(error, RMS_ERROR_ARGUMENT, "%s belongs to the whole step: set it for group 0, not %zu", key, group);
    if (!keeps_state(optimizer, group, changed))
        return fail(error, RMS_ERROR_ARGUMENT,
                    "%s: this value would change which state is kept, and group %zu has tensors already; set it before "
                    "they are added",
                    key, group);
    if (changed->zero_grad && !target->options.zero_grad && group == 0) {
        const rms_status status = object_check_gradients_apart(optimizer);
        if (status != RMS_OK)
            return status;
    }
    if (target->tensor_count > 0 && changed->momentum > 0 &&
        (changed->lr_in_momentum != target->options.lr_in_momentum ||
         changed->momentum_average != target->options.momentum_average))
        return fail(error, RMS_ERROR_ARGUMENT,
                    "%s: this value would change the unit of the momentum that group %zu has gathered; set it before "
                    "tensors are added",
                    key, group);
    return RMS_OK;
}

rms_status rms_set(rms_optimizer *optimizer, size_t group, const char *key, double value)
{
    rms_status status = check_whole(optimizer, "set an option");
    if (status == RMS_OK)
        status = object_check_group(optimizer, group);
    if (status != RMS_OK)
        return status;
    rms_options changed = optimizer->groups[group]->options;
    status = rms_options_set(&changed, key, value, &optimizer->error);
    if (status == RMS_OK)
        status = rms_options_check(&changed, &optimizer->error);
    if (status == RMS_OK)
        status = check_change(optimizer, group, key, &changed);
    if (status != RMS_OK)
        return status;
    object_start_if_needed(optimizer);
    optimizer->groups[group]->options = changed;
    for (size_t i = 1; group == 0 && i < optimizer->group_count; ++i)
        options_copy_step(&optimizer->groups[i]->options, &changed);
    return succeed(&optimizer->error);
}

rms_status rms_get(rms_optimizer *optimizer, size_t group, const char *key, double *value)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    const rms_status status = object_check_group(optimizer, group);
    if (status != RMS_OK)
        return status;
    return rms_options_get(&optimizer->groups[group]->options, key, value, &optimizer->error);
}

rms_status object_check_tensor(rms_optimizer *optimizer, size_t tensor)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    if (tensor >= optimizer->tensor_count)
        return fail(&optimizer->error, RMS_ERROR_RANGE, "tensor %zu does not exist: there are %zu, numbered from 0",
                    tensor, optimizer->tensor_count);
    return RMS_OK;
}

rms_status object_check_ready(rms_optimizer *optimizer, const char *verb)
{
    const rms_status status = check_whole(optimizer, verb);
    if (status == RMS_OK && optimizer->averages_in)
        return fail(&optimizer->error, RMS_ERROR_ARGUMENT,
                    "cannot %s while the averages are in the parameters' place; call rms_swap_averages once more first",
                    verb);
    return status;
}

rms_status rms_step(rms_optimizer *optimizer, rms_report *report)
{
    return rms_step_rows(optimizer, NULL, 0, report);
}

/* Tensors whose gradients can only come in rows have them now. */
static rms_status check_gradient(rms_optimizer *optimizer, size_t index)
{
    const struct tensor *tensor = optimizer->tensors[index];
    if (tensor->count > 0 && !tensor->grad && !tensor->rows)
        return fail(&optimizer->error, RMS_ERROR_ARGUMENT,
                    "tensor \"%.80s\" has no gradient: it was added without one, so each step must give it rows",
                    entry_at(optimizer, index)->name);
    return RMS_OK;
}

static rms_status check_gradients(rms_optimizer *optimizer)
{
    rms_status status = RMS_OK;
    for (size_t i = 0; i < optimizer->tensor_count && status == RMS_OK; ++i)
        status = check_gradient(optimizer, i);
    return status;
}

static struct step step_of(const rms_optimizer *optimizer, size_t first, size_t count)
{
    return (struct step){
        .kernels = optimizer->kernels,
        .options = &optimizer->groups[0]->options,
        .tensors = count > 0 ? optimizer->tensors + first : NULL,
        .tensor_count = count,
        .sums = optimizer->sums,
    };
}

static rms_status step_tensors(rms_optimizer *optimizer, rms_report *report)
{
    const struct step step = step_of(optimizer, 0, optimizer->tensor_count);
    const struct step_result result = step_run(&step, report != NULL);
    optimizer->steps += !result.skipped;
    if (report)
        *report = step_report(&result, optimizer->steps);
    if (!result.skipped)
        return succeed(&optimizer->error);
    return step_skipped(&result, entry_at(optimizer, result.bad_tensor)->name, &optimizer->error);
}

rms_status rms_step_rows(rms_optimizer *optimizer, const rms_rows *rows, size_t rows_count, rms_report *report)
{
    rms_status status = object_check_ready(optimizer, "step");
    if (status == RMS_OK)
        object_start_if_needed(optimizer); /* whole tensors: no rows stand in for them yet */
    if (status == RMS_OK)
        status = rows_bind(optimizer, rows, rows_count);
    if (status != RMS_OK)
        return status;
    status = check_gradients(optimizer);
    if (status == RMS_OK)
        status = step_tensors(optimizer, report);
    rows_release(optimizer, rows, rows_count);
    return status;
}

rms_status rms_step_tensor(rms_optimizer *optimizer, size_t tensor, rms_report *report)
{
    rms_status status = object_check_ready(optimizer, "step a tensor");
    if (status == RMS_OK)
        status = object_check_tensor(optimizer, tensor);
    if (status == RMS_OK)
        status = check_gradient(optimizer, tensor);
    if (status != RMS_OK)
        return status;
    const struct step step = step_of(optimizer, tensor, 1);
    if (step.options->clip_norm > 0)
        return fail(&optimizer->error, RMS_ERROR_ARGUMENT,
                    "clip_norm = %.9g needs the gradients of all tensors: call rms_step, or set it to 0",
                    step.options->clip_norm);
    object_start_if_needed(optimizer);
    const struct step_result result = step_run(&step, report != NULL);
    const struct entry *entry = entry_at(optimizer, tensor);
    if (report)
        *report = step_report(&result, entry->tensor.steps);
    return result.skipped ? step_skipped(&result, entry->name, &optimizer->error) : succeed(&optimizer->error);
}

size_t optimizer_group_count(const rms_optimizer *optimizer)
{
    return optimizer->group_count;
}

const rms_options *optimizer_options(const rms_optimizer *optimizer, size_t group)
{
    return &optimizer->groups[group]->options;
}

rms_status optimizer_check_restore(const rms_optimizer *optimizer, size_t group, const rms_options *restored,
                                   rms_error *error)
{
    const rms_options *own = &optimizer->groups[group]->options;
    if (restored->rule != own->rule)
        return fail(error, RMS_ERROR_FORMAT, "group %zu: the rule is %s, here it is %s", group,
                    rms_rule_name(restored->rule), rms_rule_name(own->rule));
    if (!keeps_state(optimizer, group, restored))
        return fail(error, RMS_ERROR_FORMAT,
                    "group %zu: its options keep other state than those here (momentum, centered, amsgrad, master, "
                    "state_format and average_decay decide that)",
                    group);
    if (own->momentum > 0 &&
        (restored->lr_in_momentum != own->lr_in_momentum || restored->momentum_average != own->momentum_average))
        return fail(error, RMS_ERROR_FORMAT,
                    "group %zu: its momentum has another form than here (lr_in_momentum and momentum_average decide "
                    "that)",
                    group);
    return RMS_OK;
}

void optimizer_restore(rms_optimizer *optimizer, size_t group, const rms_options *restored)
{
    rms_options *own = &optimizer->groups[group]->options;
    const rms_options place = *own;
    *own = *restored;
    own->isa = place.isa;
    own->threads = place.threads;
    own->nonfinite = place.nonfinite;
    own->zero_grad = place.zero_grad;
    own->allocator = place.allocator;
    own->parallel = place.parallel;
}

void optimizer_fill_slot(rms_optimizer *optimizer, size_t tensor, size_t slot, double value)
{
    const struct tensor *filled = optimizer->tensors[tensor];
    object_start_if_needed(optimizer); /* a later start would undo it */
    tensor_fill_slot(optimizer->kernels, filled, slot, 0, filled->count, value);
}

void optimizer_read_slot(const rms_optimizer *optimizer, size_t tensor, size_t slot, size_t begin, size_t count,
                         float *numbers)
{
    tensor_read_slot(optimizer->kernels, optimizer->tensors[tensor], slot, begin, count, numbers);
}

void optimizer_write_slot(const rms_optimizer *optimizer, size_t tensor, size_t slot, size_t begin, size_t count,
                          const float *numbers)
{
    tensor_write_slot(optimizer->kernels, optimizer->tensors[tensor], slot, begin, count, numbers, NULL);
}

uint64_t optimizer_steps(const rms_optimizer *optimizer)
{
    return optimizer->steps;
}

void optimizer_set_steps(rms_optimizer *optimizer, uint64_t steps)
{
    optimizer->steps = steps;
}

bool optimizer_broken(const rms_optimizer *optimizer)
{
    return optimizer->broken;
}

void optimizer_set_broken(rms_optimizer *optimizer, bool broken)
{
    optimizer->broken = broken;
}

struct workers optimizer_workers(const rms_optimizer *optimizer)
{
    return workers_of(&optimizer->groups[0]->options);
}

rms_error *optimizer_error(rms_optimizer *optimizer)
{
    return &optimizer->error;
}
