/* The object: create, add, step, read, free. Every call that can fail first does all that can fail, then
 * changes the object. */
#include "kernels/kernels.h"
#include "memory.h"
#include "message.h"
#include "options.h"
#include "step.h"

#include <inttypes.h>
#include <string.h>

/* One block of memory per tensor: this, then the kept slots, each aligned, then the name. */
struct entry {
    struct tensor tensor;
    size_t group;
    size_t bytes;
    uint64_t name_hash;
    char *name;
};

struct group {
    rms_options options;
    size_t tensor_count;
};

struct rms_optimizer {
    rms_allocator allocator;
    rms_parallel parallel;
    const struct kernels *kernels;
    uint64_t steps;
    struct group **groups; /* blocks that stay where they are: tensors point at their options */
    size_t group_count;
    size_t group_capacity;
    struct tensor **tensors; /* each the beginning of an entry */
    size_t tensor_count;
    size_t tensor_capacity;
    rms_error error;
};

static struct entry *entry_at(const rms_optimizer *optimizer, size_t index)
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

/* An array of pointers with room for one more: itself, or a copy of twice the size that replaces it. NULL,
 * and nothing changed, when memory is short. */
static void *with_room(const rms_allocator *allocator, void *pointers, size_t count, size_t *capacity)
{
    if (count < *capacity)
        return pointers;
    const size_t larger = larger_capacity(*capacity);
    void *copy = memory_allocate(allocator, pointer_bytes(larger));
    if (!copy)
        return NULL;
    if (count > 0)
        memcpy(copy, pointers, pointer_bytes(count));
    memory_release(allocator, pointers, pointer_bytes(*capacity));
    *capacity = larger;
    return copy;
}

static rms_status out_of_memory(rms_error *error, size_t bytes)
{
    return fail(error, RMS_ERROR_MEMORY, "out of memory: %zu bytes were refused (nothing has changed)", bytes);
}

/* Appends a group with these options; callbacks are the object's, so its copy of their addresses goes. */
static rms_status append_group(rms_optimizer *optimizer, const rms_options *options)
{
    const rms_allocator *allocator = &optimizer->allocator;
    struct group **groups = with_room(allocator, optimizer->groups, optimizer->group_count, &optimizer->group_capacity);
    if (!groups)
        return out_of_memory(&optimizer->error, pointer_bytes(larger_capacity(optimizer->group_capacity)));
    optimizer->groups = groups;
    struct group *group = memory_allocate(allocator, sizeof *group);
    if (!group)
        return out_of_memory(&optimizer->error, sizeof *group);
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

rms_status rms_add_group(rms_optimizer *optimizer, size_t *group)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    if (!group)
        return fail(&optimizer->error, RMS_ERROR_ARGUMENT, "group: NULL (expected where to store its number)");
    const rms_status status = append_group(optimizer, &optimizer->groups[0]->options);
    if (status == RMS_OK)
        *group = optimizer->group_count - 1;
    return status;
}

static rms_status check_group(rms_optimizer *optimizer, size_t group)
{
    if (group >= optimizer->group_count)
        return fail(&optimizer->error, RMS_ERROR_RANGE, "group %zu does not exist: there are %zu, numbered from 0",
                    group, optimizer->group_count);
    return RMS_OK;
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
    if (target->tensor_count > 0 && options_slots(changed) != options_slots(&target->options))
        return fail(error, RMS_ERROR_ARGUMENT,
                    "%s: this value would change which state is kept, and group %zu has tensors already; set it before "
                    "they are added",
                    key, group);
    if (target->tensor_count > 0 && changed->momentum > 0 && changed->lr_in_momentum != target->options.lr_in_momentum)
        return fail(error, RMS_ERROR_ARGUMENT,
                    "%s: this value would change the unit of the momentum that group %zu has gathered; set it before "
                    "tensors are added",
                    key, group);
    return RMS_OK;
}

rms_status rms_set(rms_optimizer *optimizer, size_t group, const char *key, double value)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    rms_status status = check_group(optimizer, group);
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
    optimizer->groups[group]->options = changed;
    for (size_t i = 1; group == 0 && i < optimizer->group_count; ++i)
        options_copy_step(&optimizer->groups[i]->options, &changed);
    return succeed(&optimizer->error);
}

rms_status rms_get(rms_optimizer *optimizer, size_t group, const char *key, double *value)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    const rms_status status = check_group(optimizer, group);
    if (status != RMS_OK)
        return status;
    return rms_options_get(&optimizer->groups[group]->options, key, value, &optimizer->error);
}

/* FNV-1a: names are compared in full only where it agrees. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (; *name != '\0'; ++name)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3U;
    return hash;
}

static bool find_name(const rms_optimizer *optimizer, const char *name, size_t *tensor)
{
    const uint64_t hash = hash_name(name);
    for (size_t i = 0; i < optimizer->tensor_count; ++i)
        if (entry_at(optimizer, i)->name_hash == hash && strcmp(entry_at(optimizer, i)->name, name) == 0) {
            *tensor = i;
            return true;
        }
    return false;
}

/* Parameters and gradients of a tensor against each other and against all tensors but number self. */
static rms_status check_ranges(rms_optimizer *optimizer, size_t self, const char *name, size_t count, const void *param,
                               const void *grad)
{
    const size_t bytes = count * sizeof(float);
    rms_error *error = &optimizer->error;
    if (count > 0 && (!param || !grad))
        return fail(error, RMS_ERROR_ARGUMENT, "tensor \"%.80s\": %s is NULL, but its count is %zu", name,
                    param ? "grad" : "param", count);
    if (((uintptr_t)param | (uintptr_t)grad) % sizeof(float) != 0)
        return fail(error, RMS_ERROR_ARGUMENT, "tensor \"%.80s\": %s is not aligned to %zu bytes, as float must be",
                    name, (uintptr_t)param % sizeof(float) != 0 ? "param" : "grad", sizeof(float));
    if (memory_overlaps(param, bytes, grad, bytes))
        return fail(error, RMS_ERROR_ARGUMENT, "tensor \"%.80s\": param and grad overlap", name);
    for (size_t i = 0; i < optimizer->tensor_count; ++i) {
        const struct entry *other = entry_at(optimizer, i);
        const size_t other_bytes = other->tensor.count * sizeof(float);
        if (memory_overlaps(param, bytes, other, other->bytes) || memory_overlaps(grad, bytes, other, other->bytes))
            return fail(error, RMS_ERROR_ARGUMENT, "tensor \"%.80s\": param or grad lies in the state of \"%.80s\"",
                        name, other->name);
        if (i == self)
            continue;
        if (memory_overlaps(param, bytes, other->tensor.param, other_bytes))
            return fail(error, RMS_ERROR_DUPLICATE, "tensor \"%.80s\": its parameters overlap those of \"%.80s\"", name,
                        other->name);
        if (memory_overlaps(param, bytes, other->tensor.grad, other_bytes) ||
            memory_overlaps(grad, bytes, other->tensor.param, other_bytes))
            return fail(error, RMS_ERROR_ARGUMENT,
                        "tensor \"%.80s\": parameters and gradients overlap those of \"%.80s\"", name, other->name);
    }
    return RMS_OK;
}

static rms_status check_tensor(rms_optimizer *optimizer, const rms_tensor *tensor)
{
    rms_error *error = &optimizer->error;
    if (!tensor)
        return fail(error, RMS_ERROR_ARGUMENT, "tensor: NULL");
    if (!tensor->name || tensor->name[0] == '\0')
        return fail(error, RMS_ERROR_ARGUMENT, "tensor: name is %s (expected a name, unique in this optimizer)",
                    tensor->name ? "empty" : "NULL");
    if (!rms_dtype_name(tensor->dtype))
        return fail(error, RMS_ERROR_UNSUPPORTED, "tensor \"%.80s\": dtype %d is unknown; choose from f32",
                    tensor->name, (int)tensor->dtype);
    for (size_t i = 0; i < sizeof tensor->reserved / sizeof *tensor->reserved; ++i)
        if (tensor->reserved[i] != 0)
            return fail(error, RMS_ERROR_UNSUPPORTED, "tensor \"%.80s\": reserved[%zu] must be 0 in version %s",
                        tensor->name, i, rms_version());
    if (tensor->count > PTRDIFF_MAX / sizeof(float))
        return fail(error, RMS_ERROR_RANGE,
                    "tensor \"%.80s\": count %zu is above %zu, the most floats that memory can hold", tensor->name,
                    tensor->count, PTRDIFF_MAX / sizeof(float));
    size_t taken;
    if (find_name(optimizer, tensor->name, &taken))
        return fail(error, RMS_ERROR_DUPLICATE, "tensor \"%.80s\": the name is taken by tensor %zu", tensor->name,
                    taken);
    const rms_status status = check_group(optimizer, tensor->group);
    if (status != RMS_OK)
        return status;
    return check_ranges(optimizer, SIZE_MAX, tensor->name, tensor->count, tensor->param, tensor->grad);
}

#define ENTRY_BYTES ((sizeof(struct entry) + STATE_ALIGNMENT - 1) / STATE_ALIGNMENT * STATE_ALIGNMENT)

/* Size of a tensor's block; 0 if it overflows. */
static size_t block_bytes(const rms_options *options, const rms_tensor *tensor)
{
    const size_t state = rms_state_bytes(options, tensor->count);
    const size_t name = strlen(tensor->name) + 1;
    return state > PTRDIFF_MAX - ENTRY_BYTES - name ? 0 : ENTRY_BYTES + state + name;
}

static void start_slots(struct entry *entry)
{
    struct tensor *tensor = &entry->tensor;
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
        if (!tensor->slots[slot])
            continue;
        const float start = options_slot_start(tensor->options, slot);
        for (size_t i = 0; i < tensor->count; ++i)
            tensor->slots[slot][i] = start;
    }
    tensor->steps = 0;
}

/* Lays out a fresh block. */
static void fill_entry(struct entry *entry, const rms_tensor *tensor, const rms_options *options, size_t bytes)
{
    *entry = (struct entry){
        .tensor = {.count = tensor->count,
                   .param = tensor->param,
                   .grad = tensor->grad,
                   .options = options,
                   .variant = options_variant(options)},
        .group = tensor->group,
        .bytes = bytes,
        .name_hash = hash_name(tensor->name),
    };
    char *next = (char *)entry + ENTRY_BYTES;
    const unsigned kept = options_slots(options);
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot)
        if (tensor->count > 0 && kept >> slot & 1) {
            entry->tensor.slots[slot] = (float *)(void *)next;
            next += slot_bytes(tensor->count);
        }
    entry->name = memcpy(next, tensor->name, strlen(tensor->name) + 1);
    start_slots(entry);
}

rms_status rms_add(rms_optimizer *optimizer, const rms_tensor *tensor)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    const rms_status status = check_tensor(optimizer, tensor);
    if (status != RMS_OK)
        return status;
    struct group *group = optimizer->groups[tensor->group];
    const size_t bytes = block_bytes(&group->options, tensor);
    if (bytes == 0)
        return fail(&optimizer->error, RMS_ERROR_RANGE,
                    "tensor \"%.80s\": the state of %zu elements exceeds all memory", tensor->name, tensor->count);
    const rms_allocator *allocator = &optimizer->allocator;
    struct tensor **tensors =
        with_room(allocator, optimizer->tensors, optimizer->tensor_count, &optimizer->tensor_capacity);
    if (!tensors)
        return out_of_memory(&optimizer->error, pointer_bytes(larger_capacity(optimizer->tensor_capacity)));
    optimizer->tensors = tensors;
    struct entry *entry = memory_allocate(allocator, bytes);
    if (!entry)
        return out_of_memory(&optimizer->error, bytes);
    fill_entry(entry, tensor, &group->options, bytes);
    optimizer->tensors[optimizer->tensor_count++] = &entry->tensor;
    ++group->tensor_count;
    return succeed(&optimizer->error);
}

/* Whether the optimizer has such a tensor. */
static rms_status check_index(rms_optimizer *optimizer, size_t tensor)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    if (tensor >= optimizer->tensor_count)
        return fail(&optimizer->error, RMS_ERROR_RANGE, "tensor %zu does not exist: there are %zu, numbered from 0",
                    tensor, optimizer->tensor_count);
    return RMS_OK;
}

/* The same, and whether there is where to store what is asked of it. */
static rms_status check_query(rms_optimizer *optimizer, size_t tensor, const void *out, const char *name)
{
    if (optimizer && !out)
        return fail(&optimizer->error, RMS_ERROR_ARGUMENT, "%s: NULL", name);
    return check_index(optimizer, tensor);
}

rms_status rms_rebind(rms_optimizer *optimizer, size_t tensor, void *param, const void *grad)
{
    rms_status status = check_index(optimizer, tensor);
    if (status != RMS_OK)
        return status;
    struct entry *entry = entry_at(optimizer, tensor);
    status = check_ranges(optimizer, tensor, entry->name, entry->tensor.count, param, grad);
    if (status != RMS_OK)
        return status;
    entry->tensor.param = param;
    entry->tensor.grad = grad;
    return succeed(&optimizer->error);
}

rms_status rms_step(rms_optimizer *optimizer, rms_report *report)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    const struct step step = {
        .kernels = optimizer->kernels,
        .options = &optimizer->groups[0]->options,
        .tensors = optimizer->tensors,
        .tensor_count = optimizer->tensor_count,
    };
    const struct step_result result = step_run(&step, report != NULL);
    optimizer->steps += !result.skipped;
    if (report)
        *report = step_report(&result, optimizer->steps);
    if (!result.skipped)
        return succeed(&optimizer->error);
    return step_skipped(&step, &result, entry_at(optimizer, result.bad_tensor)->name, &optimizer->error);
}

rms_status rms_reset(rms_optimizer *optimizer)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    for (size_t i = 0; i < optimizer->tensor_count; ++i)
        start_slots(entry_at(optimizer, i));
    optimizer->steps = 0;
    return succeed(&optimizer->error);
}

size_t rms_tensor_count(const rms_optimizer *optimizer)
{
    return optimizer ? optimizer->tensor_count : 0;
}

rms_status rms_find(rms_optimizer *optimizer, const char *name, size_t *tensor)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    if (!name || !tensor)
        return fail(&optimizer->error, RMS_ERROR_ARGUMENT, "%s: NULL", name ? "tensor" : "name");
    if (!find_name(optimizer, name, tensor))
        return fail(&optimizer->error, RMS_ERROR_NAME, "no tensor is named \"%.80s\"; there are %zu", name,
                    optimizer->tensor_count);
    return succeed(&optimizer->error);
}

rms_status rms_tensor_at(rms_optimizer *optimizer, size_t tensor, rms_tensor *out)
{
    const rms_status status = check_query(optimizer, tensor, out, "out");
    if (status != RMS_OK)
        return status;
    const struct entry *entry = entry_at(optimizer, tensor);
    *out = (rms_tensor){
        .name = entry->name,
        .count = entry->tensor.count,
        .param = entry->tensor.param,
        .grad = entry->tensor.grad,
        .group = entry->group,
    };
    return succeed(&optimizer->error);
}

void *rms_state(rms_optimizer *optimizer, size_t tensor, const char *slot)
{
    if (!optimizer || !slot || tensor >= optimizer->tensor_count)
        return NULL;
    const struct tensor *owner = &entry_at(optimizer, tensor)->tensor;
    const struct rule *rule = rule_of(owner->options->rule);
    for (size_t i = 0; i < rule->slot_count; ++i)
        if (strcmp(rule->slots[i].name, slot) == 0)
            return owner->slots[i];
    return NULL;
}

rms_status rms_get_steps(rms_optimizer *optimizer, size_t tensor, uint64_t *steps)
{
    const rms_status status = check_query(optimizer, tensor, steps, "steps");
    if (status != RMS_OK)
        return status;
    *steps = entry_at(optimizer, tensor)->tensor.steps;
    return succeed(&optimizer->error);
}

rms_status rms_set_steps(rms_optimizer *optimizer, size_t tensor, uint64_t steps)
{
    const rms_status status = check_index(optimizer, tensor);
    if (status != RMS_OK)
        return status;
    if (steps > RMS_STEPS_MAX)
        return fail(&optimizer->error, RMS_ERROR_RANGE, "steps %" PRIu64 " is out of bounds: expected 0 to %" PRIu64,
                    steps, RMS_STEPS_MAX);
    entry_at(optimizer, tensor)->tensor.steps = steps;
    return succeed(&optimizer->error);
}

rms_status rms_effective_lr(rms_optimizer *optimizer, size_t tensor, float *out)
{
    const rms_status status = check_query(optimizer, tensor, out, "out");
    if (status != RMS_OK)
        return status;
    struct entry *entry = entry_at(optimizer, tensor);
    struct tensor *asked = &entry->tensor;
    if ((uintptr_t)out % sizeof *out != 0 || memory_overlaps(out, asked->count * sizeof *out, entry, entry->bytes))
        return fail(&optimizer->error, RMS_ERROR_ARGUMENT, "out is not aligned, or lies in the optimizer's own state");
    step_coefficients(asked, asked->steps, 1.0);
    optimizer->kernels->rate[asked->options->rule][asked->variant](&asked->coefficients, asked->count, asked->slots[0],
                                                                   asked->slots[1], asked->slots[2], out);
    return succeed(&optimizer->error);
}
