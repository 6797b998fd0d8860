/* The object's tensors: adding them, rebinding them, and finding them. Names are compared in full only where their
 * hash agrees. */
#include "memory.h"
#include "message.h"
#include "norm.h"
#include "object.h"
#include "options.h"
#include "work.h"

#include <inttypes.h>
#include <string.h>

static bool find_name(const rms_optimizer *optimizer, const char *name, size_t *tensor)
{
    const uint64_t hash = stream_of(name);
    for (size_t i = 0; i < optimizer->tensor_count; ++i)
        if (optimizer->tensors[i]->stream == hash && strcmp(entry_at(optimizer, i)->name, name) == 0) {
            *tensor = i;
            return true;
        }
    return false;
}

/* A tensor's memory, against its own kind and against all tensors but number self. */
struct place {
    const char *name;
    size_t count;
    size_t size; /* of a number */
    const void *param;
    const void *grad;
    bool zero_grad;
};

static rms_status check_alone(const struct place *place, rms_error *error)
{
    const size_t bytes = place->count * place->size;
    if (place->count > 0 && !place->param)
        return fail(error, RMS_ERROR_ARGUMENT, "tensor \"%.80s\": param is NULL, but its count is %zu", place->name,
                    place->count);
    if (((uintptr_t)place->param | (uintptr_t)place->grad) % place->size != 0)
        return fail(error, RMS_ERROR_ARGUMENT, "tensor \"%.80s\": %s is not aligned to %zu bytes, as its dtype must be",
                    place->name, (uintptr_t)place->param % place->size != 0 ? "param" : "grad", place->size);
    if (place->grad && memory_overlaps(place->param, bytes, place->grad, bytes))
        return fail(error, RMS_ERROR_ARGUMENT, "tensor \"%.80s\": param and grad overlap", place->name);
    return RMS_OK;
}

static rms_status check_apart(const struct place *place, const struct entry *other, bool itself, rms_error *error)
{
    const size_t bytes = place->count * place->size;
    const size_t grad_bytes = place->grad ? bytes : 0;
    const struct tensor *tensor = &other->tensor;
    const size_t other_bytes = tensor->count * rms_dtype_size(tensor->dtype);
    const size_t other_grad_bytes = tensor->grad ? other_bytes : 0;
    if (memory_overlaps(place->param, bytes, other, other->bytes) ||
        memory_overlaps(place->grad, grad_bytes, other, other->bytes))
        return fail(error, RMS_ERROR_ARGUMENT, "tensor \"%.80s\": param or grad lies in the state of \"%.80s\"",
                    place->name, other->name);
    if (itself)
        return RMS_OK;
    if (memory_overlaps(place->param, bytes, tensor->param, other_bytes))
        return fail(error, RMS_ERROR_DUPLICATE, "tensor \"%.80s\": its parameters overlap those of \"%.80s\"",
                    place->name, other->name);
    if (place->zero_grad && memory_overlaps(place->grad, grad_bytes, tensor->grad, other_grad_bytes))
        return fail(error, RMS_ERROR_ARGUMENT,
                    "tensor \"%.80s\": its gradients overlap those of \"%.80s\", which zero_grad would clear for both",
                    place->name, other->name);
    if (memory_overlaps(place->param, bytes, tensor->grad, other_grad_bytes) ||
        memory_overlaps(place->grad, grad_bytes, tensor->param, other_bytes))
        return fail(error, RMS_ERROR_ARGUMENT, "tensor \"%.80s\": parameters and gradients overlap those of \"%.80s\"",
                    place->name, other->name);
    return RMS_OK;
}

static bool zeroes_gradients(const rms_optimizer *optimizer)
{
    return optimizer->groups[0]->options.zero_grad;
}

static rms_status check_place(rms_optimizer *optimizer, size_t self, const struct place *place)
{
    rms_status status = check_alone(place, &optimizer->error);
    for (size_t i = 0; i < optimizer->tensor_count && status == RMS_OK; ++i)
        status = check_apart(place, entry_at(optimizer, i), i == self, &optimizer->error);
    return status;
}

/* What the dtype decides. */
static rms_status check_numbers(rms_optimizer *optimizer, const rms_tensor *tensor)
{
    rms_error *error = &optimizer->error;
    rms_error reason;
    const rms_status status = options_check_dtype(&optimizer->groups[tensor->group]->options, tensor->dtype, &reason);
    if (status != RMS_OK)
        return fail(error, status, "tensor \"%.80s\": %.400s", tensor->name, reason.message);
    const size_t size = rms_dtype_size(tensor->dtype);
    if (tensor->count > PTRDIFF_MAX / size)
        return fail(error, RMS_ERROR_RANGE,
                    "tensor \"%.80s\": count %zu is above %zu, the most %s numbers that memory can hold", tensor->name,
                    tensor->count, PTRDIFF_MAX / size, rms_dtype_name(tensor->dtype));
    const struct place place = {.name = tensor->name,
                                .count = tensor->count,
                                .size = size,
                                .param = tensor->param,
                                .grad = tensor->grad,
                                .zero_grad = zeroes_gradients(optimizer)};
    return check_place(optimizer, SIZE_MAX, &place);
}

static rms_status check_tensor(rms_optimizer *optimizer, const rms_tensor *tensor)
{
    rms_error *error = &optimizer->error;
    if (!tensor)
        return fail(error, RMS_ERROR_ARGUMENT, "tensor: NULL");
    if (!tensor->name || tensor->name[0] == '\0')
        return fail(error, RMS_ERROR_ARGUMENT, "tensor: name is %s (expected a name, unique in this optimizer)",
                    tensor->name ? "empty" : "NULL");
    for (size_t i = 0; i < sizeof tensor->reserved / sizeof *tensor->reserved; ++i)
        if (tensor->reserved[i] != 0)
            return fail(error, RMS_ERROR_UNSUPPORTED, "tensor \"%.80s\": reserved[%zu] must be 0 in version %s",
                        tensor->name, i, rms_version());
    size_t taken;
    if (find_name(optimizer, tensor->name, &taken))
        return fail(error, RMS_ERROR_DUPLICATE, "tensor \"%.80s\": the name is taken by tensor %zu", tensor->name,
                    taken);
    const rms_status status = object_check_group(optimizer, tensor->group);
    return status == RMS_OK ? check_numbers(optimizer, tensor) : status;
}

#define ENTRY_BYTES ((sizeof(struct entry) + STATE_ALIGNMENT - 1) / STATE_ALIGNMENT * STATE_ALIGNMENT)

/* Size of a tensor's block; 0 if it overflows. */
static size_t block_bytes(const rms_options *options, const rms_tensor *tensor)
{
    const size_t state = rms_state_bytes(options, tensor->dtype, tensor->count);
    const size_t name = strlen(tensor->name) + 1;
    return state > PTRDIFF_MAX - ENTRY_BYTES - name ? 0 : ENTRY_BYTES + state + name;
}

static void start_range(const void *context, const struct tensor *tensor, size_t begin, size_t end)
{
    tensor_start(context, tensor, begin, end);
}

/* Workers that share the object may all come here first: one starts the state, the others wait for it. */
void object_start(rms_optimizer *optimizer, const struct workers *workers)
{
    while (atomic_flag_test_and_set_explicit(&optimizer->starting, memory_order_acquire))
        ;
    const size_t started = atomic_load_explicit(&optimizer->started, memory_order_relaxed);
    const struct work work = {.tensors = optimizer->tensors + started,
                              .tensor_count = optimizer->tensor_count - started,
                              .edge = work_page_edge,
                              .run = start_range,
                              .context = optimizer->kernels};
    if (work.tensor_count > 0)
        work_run(&work, workers);
    atomic_store_explicit(&optimizer->started, optimizer->tensor_count, memory_order_release);
    atomic_flag_clear_explicit(&optimizer->starting, memory_order_release);
}

void object_start_if_needed(rms_optimizer *optimizer)
{
    if (object_has_started(optimizer))
        return;
    const struct workers workers = workers_of(&optimizer->groups[0]->options);
    object_start(optimizer, &workers);
}

static size_t chunk_count(const rms_optimizer *optimizer)
{
    if (optimizer->tensor_count == 0)
        return 0;
    const struct tensor *last = optimizer->tensors[optimizer->tensor_count - 1];
    return last->first_chunk + norm_chunks(last->count);
}

/* Room for the norm's sums with one more tensor. */
static rms_status reserve_sums(rms_optimizer *optimizer, size_t count)
{
    const size_t needed = chunk_count(optimizer) + norm_chunks(count);
    if (needed <= optimizer->sum_capacity)
        return RMS_OK;
    const size_t capacity = needed < 2 * optimizer->sum_capacity ? 2 * optimizer->sum_capacity : needed;
    double *larger = object_allocate(optimizer, capacity * sizeof *larger);
    if (!larger)
        return RMS_ERROR_MEMORY;
    memory_release(&optimizer->allocator, optimizer->sums, optimizer->sum_capacity * sizeof *larger);
    optimizer->sums = larger;
    optimizer->sum_capacity = capacity;
    return RMS_OK;
}

/* Lays out a fresh block. */
static void fill_entry(rms_optimizer *optimizer, struct entry *entry, const rms_tensor *tensor, size_t bytes)
{
    const rms_options *options = &optimizer->groups[tensor->group]->options;
    *entry = (struct entry){
        .tensor = {.count = tensor->count,
                   .param = tensor->param,
                   .grad = tensor->grad,
                   .options = options,
                   .dtype = tensor->dtype,
                   .stream = stream_of(tensor->name),
                   .first_chunk = chunk_count(optimizer)},
        .group = tensor->group,
        .bytes = bytes,
    };
    tensor_describe(&entry->tensor);
    char *next = (char *)entry + ENTRY_BYTES;
    const unsigned kept = options_slots(options, tensor->dtype);
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot)
        if (tensor->count > 0 && kept >> slot & 1) {
            entry->tensor.slots[slot] = next;
            next += slot_aligned(slot_bytes(entry->tensor.codings[slot], tensor->count));
        }
    entry->name = memcpy(next, tensor->name, strlen(tensor->name) + 1);
}

rms_status rms_add(rms_optimizer *optimizer, const rms_tensor *tensor)
{
    rms_status status = object_check_ready(optimizer, "add a tensor");
    if (status == RMS_OK)
        status = check_tensor(optimizer, tensor);
    if (status != RMS_OK)
        return status;
    struct group *group = optimizer->groups[tensor->group];
    const size_t bytes = block_bytes(&group->options, tensor);
    if (bytes == 0)
        return fail(&optimizer->error, RMS_ERROR_RANGE,
                    "tensor \"%.80s\": the state of %zu elements exceeds all memory", tensor->name, tensor->count);
    struct tensor **tensors =
        object_with_room(optimizer, optimizer->tensors, optimizer->tensor_count, &optimizer->tensor_capacity);
    if (!tensors)
        return RMS_ERROR_MEMORY;
    optimizer->tensors = tensors;
    if (reserve_sums(optimizer, tensor->count) != RMS_OK)
        return RMS_ERROR_MEMORY;
    struct entry *entry = object_allocate(optimizer, bytes);
    if (!entry)
        return RMS_ERROR_MEMORY;
    fill_entry(optimizer, entry, tensor, bytes);
    optimizer->tensors[optimizer->tensor_count++] = &entry->tensor;
    ++group->tensor_count;
    return succeed(&optimizer->error);
}

rms_status rms_rebind(rms_optimizer *optimizer, size_t tensor, void *param, const void *grad)
{
    rms_status status = object_check_ready(optimizer, "rebind a tensor");
    if (status == RMS_OK)
        status = object_check_tensor(optimizer, tensor);
    if (status != RMS_OK)
        return status;
    struct entry *entry = entry_at(optimizer, tensor);
    const struct place place = {.name = entry->name,
                                .count = entry->tensor.count,
                                .size = rms_dtype_size(entry->tensor.dtype),
                                .param = param,
                                .grad = grad,
                                .zero_grad = zeroes_gradients(optimizer)};
    status = check_place(optimizer, tensor, &place);
    if (status != RMS_OK)
        return status;
    entry->tensor.param = param;
    entry->tensor.grad = grad;
    return succeed(&optimizer->error);
}

rms_status rms_reset(rms_optimizer *optimizer)
{
    if (!optimizer)
        return RMS_ERROR_ARGUMENT;
    if (optimizer->averages_in)
        return object_check_ready(optimizer, "reset");
    optimizer->broken = false;
    for (size_t i = 0; i < optimizer->tensor_count; ++i)
        optimizer->tensors[i]->steps = 0;
    optimizer->steps = 0;
    atomic_store(&optimizer->started, 0);
    object_start_if_needed(optimizer);
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
    const rms_status status = object_check_query(optimizer, tensor, out, "out");
    if (status != RMS_OK)
        return status;
    const struct entry *entry = entry_at(optimizer, tensor);
    *out = (rms_tensor){
        .name = entry->name,
        .count = entry->tensor.count,
        .param = entry->tensor.param,
        .grad = entry->tensor.grad,
        .group = entry->group,
        .dtype = entry->tensor.dtype,
    };
    return succeed(&optimizer->error);
}

rms_status rms_get_steps(rms_optimizer *optimizer, size_t tensor, uint64_t *steps)
{
    const rms_status status = object_check_query(optimizer, tensor, steps, "steps");
    if (status != RMS_OK)
        return status;
    *steps = entry_at(optimizer, tensor)->tensor.steps;
    return succeed(&optimizer->error);
}

rms_status rms_set_steps(rms_optimizer *optimizer, size_t tensor, uint64_t steps)
{
    rms_status status = object_check_ready(optimizer, "set steps");
    if (status == RMS_OK)
        status = object_check_tensor(optimizer, tensor);
    if (status != RMS_OK)
        return status;
    if (steps > RMS_STEPS_MAX)
        return fail(&optimizer->error, RMS_ERROR_RANGE, "steps %" PRIu64 " is out of bounds: expected 0 to %" PRIu64,
                    steps, RMS_STEPS_MAX);
    object_start_if_needed(optimizer);
    entry_at(optimizer, tensor)->tensor.steps = steps;
    return succeed(&optimizer->error);
}

rms_status object_check_gradients_apart(rms_optimizer *optimizer)
{
    for (size_t i = 0; i < optimizer->tensor_count; ++i) {
        const struct entry *entry = entry_at(optimizer, i);
        const struct place place = {.name = entry->name,
                                    .count = entry->tensor.count,
                                    .size = rms_dtype_size(entry->tensor.dtype),
                                    .param = entry->tensor.param,
                                    .grad = entry->tensor.grad,
                                    .zero_grad = true};
        const rms_status status = check_place(optimizer, i, &place);
        if (status != RMS_OK)
            return status;
    }
    return RMS_OK;
}
