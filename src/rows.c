/* Rows are sorted by index in memory that the object keeps from step to step: for each set of rows a row_gradient, the
 * order, a second array to merge into, and the beginnings of distinct rows. */
#include "rows.h"

#include "gradient.h"
#include "memory.h"
#include "message.h"
#include "object.h"

#include <inttypes.h>
#include <string.h>

static rms_status check_indices(const rms_rows *rows, size_t row_limit, const char *name, rms_error *error)
{
    if (row_limit == 0 && rows->row_count > 0)
        return fail(error, RMS_ERROR_RANGE, "rows of \"%.80s\": row_count is %zu, but the tensor is empty", name,
                    rows->row_count);
    for (size_t i = 0; i < rows->row_count; ++i)
        if (rows->indices[i] < 0 || (uint64_t)rows->indices[i] >= row_limit)
            return fail(error, RMS_ERROR_RANGE, "rows of \"%.80s\": index %" PRId64 " at %zu is outside 0 to %zu", name,
                        rows->indices[i], i, row_limit - 1);
    return RMS_OK;
}

static rms_status check_values(const rms_rows *rows, const struct entry *entry, rms_error *error)
{
    const size_t size = rms_dtype_size(entry->tensor.dtype);
    const size_t most = PTRDIFF_MAX / size / rows->width;
    if (rows->row_count > most || rows->row_count > PTRDIFF_MAX / sizeof *rows->indices)
        return fail(error, RMS_ERROR_RANGE, "rows of \"%.80s\": row_count %zu is more than memory can hold",
                    entry->name, rows->row_count);
    if (rows->row_count > 0 && (!rows->indices || !rows->values))
        return fail(error, RMS_ERROR_ARGUMENT, "rows of \"%.80s\": %s is NULL, but row_count is %zu", entry->name,
                    rows->indices ? "values" : "indices", rows->row_count);
    if ((uintptr_t)rows->indices % sizeof *rows->indices != 0 || (uintptr_t)rows->values % size != 0)
        return fail(error, RMS_ERROR_ARGUMENT,
                    "rows of \"%.80s\": %s is not aligned to %zu bytes, as its numbers must be", entry->name,
                    (uintptr_t)rows->values % size != 0 ? "values" : "indices",
                    (uintptr_t)rows->values % size != 0 ? size : sizeof *rows->indices);
    return RMS_OK;
}

/* What a step reads may not be what it writes. */
static rms_status check_apart(rms_optimizer *optimizer, const rms_rows *rows, const struct entry *entry)
{
    const size_t values = rows->row_count * rows->width * rms_dtype_size(entry->tensor.dtype);
    const size_t indices = rows->row_count * sizeof *rows->indices;
    for (size_t i = 0; i < optimizer->tensor_count; ++i) {
        const struct entry *other = entry_at(optimizer, i);
        const struct tensor *tensor = &other->tensor;
        const size_t param = tensor->count * rms_dtype_size(tensor->dtype);
        if (memory_overlaps(rows->values, values, tensor->param, param) ||
            memory_overlaps(rows->values, values, other, other->bytes) ||
            memory_overlaps(rows->indices, indices, tensor->param, param) ||
            memory_overlaps(rows->indices, indices, other, other->bytes))
            return fail(&optimizer->error, RMS_ERROR_ARGUMENT,
                        "rows of \"%.80s\": values or indices overlap the parameters or the state of \"%.80s\"",
                        entry->name, other->name);
    }
    return RMS_OK;
}

/* Whether its state is in blocks that have a scale in common. */
static bool keeps_blocks(const struct tensor *tensor)
{
    bool scaled = false;
    for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot)
        scaled = scaled || (tensor->slots[slot] && slot_is_scaled(tensor->codings[slot]));
    return scaled;
}

static rms_status check_rows(rms_optimizer *optimizer, const rms_rows *rows)
{
    rms_error *error = &optimizer->error;
    rms_status status = object_check_tensor(optimizer, rows->tensor);
    if (status != RMS_OK)
        return status;
    const struct entry *entry = entry_at(optimizer, rows->tensor);
    const size_t count = entry->tensor.count;
    if (rows->width == 0 || count % rows->width != 0)
        return fail(error, RMS_ERROR_RANGE, "rows of \"%.80s\": width %zu does not divide its %zu elements",
                    entry->name, rows->width, count);
    if (!rms_rows_mode_name(rows->mode))
        return fail(error, RMS_ERROR_ARGUMENT, "rows of \"%.80s\": mode %d is unknown; choose from lazy, dense",
                    entry->name, (int)rows->mode);
    if (rows->mode == RMS_ROWS_LAZY && keeps_blocks(&entry->tensor) && rows->width % RMS_STATE_BLOCK != 0)
        return fail(
            error, RMS_ERROR_UNSUPPORTED,
            "rows of \"%.80s\": lazy rows of width %zu would share blocks of 8-bit state, which holds %d numbers "
            "in each; choose such a multiple, mode dense, or another state_format",
            entry->name, rows->width, RMS_STATE_BLOCK);
    for (size_t i = 0; i < sizeof rows->reserved / sizeof *rows->reserved; ++i)
        if (rows->reserved[i] != 0)
            return fail(error, RMS_ERROR_UNSUPPORTED, "rows of \"%.80s\": reserved[%zu] must be 0 in version %s",
                        entry->name, i, rms_version());
    status = check_values(rows, entry, error);
    if (status == RMS_OK)
        status = check_apart(optimizer, rows, entry);
    return status == RMS_OK ? check_indices(rows, count / rows->width, entry->name, error) : status;
}

static rms_status check_distinct(rms_optimizer *optimizer, const rms_rows *rows, size_t rows_count)
{
    for (size_t i = 0; i < rows_count; ++i)
        for (size_t j = 0; j < i; ++j)
            if (rows[i].tensor == rows[j].tensor)
                return fail(&optimizer->error, RMS_ERROR_DUPLICATE,
                            "rows %zu and %zu are both for tensor %zu; put them together, repeated indices are summed",
                            j, i, rows[i].tensor);
    return RMS_OK;
}

/* Bytes for all of them; SIZE_MAX if that overflows. As if every tensor had rows: then only more rows than ever before
 * need more memory, however they are shared out. */
static size_t memory_for(const rms_optimizer *optimizer, const rms_rows *rows, size_t rows_count)
{
    size_t bytes = optimizer->tensor_count * (sizeof(struct row_gradient) + sizeof(size_t));
    for (size_t i = 0; i < rows_count; ++i) {
        if (rows[i].row_count > (PTRDIFF_MAX - bytes) / (3 * sizeof(size_t)))
            return SIZE_MAX;
        bytes += 3 * rows[i].row_count * sizeof(size_t);
    }
    return bytes;
}

static rms_status reserve(rms_optimizer *optimizer, size_t bytes)
{
    if (bytes <= optimizer->row_bytes)
        return RMS_OK;
    void *larger = object_allocate(optimizer, bytes);
    if (!larger)
        return RMS_ERROR_MEMORY;
    memory_release(&optimizer->allocator, optimizer->row_memory, optimizer->row_bytes);
    optimizer->row_memory = larger;
    optimizer->row_bytes = bytes;
    return RMS_OK;
}

static void merge(const int64_t *indices, const size_t *from, size_t *to, size_t begin, size_t middle, size_t end)
{
    size_t left = begin;
    size_t right = middle;
    for (size_t i = begin; i < end; ++i) {
        const bool take_left = right == end || (left < middle && indices[from[left]] <= indices[from[right]]);
        to[i] = take_left ? from[left++] : from[right++];
    }
}

/* Merge sort from the bottom up: stable, so that equal indices keep the order in which they were given. Returns
 * whichever of the two arrays holds the result. */
static size_t *sort(const int64_t *indices, size_t count, size_t *order, size_t *spare)
{
    for (size_t i = 0; i < count; ++i)
        order[i] = i;
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * run) {
            const size_t middle = count - begin < run ? count : begin + run;
            const size_t end = count - begin < 2 * run ? count : begin + 2 * run;
            merge(indices, order, spare, begin, middle, end);
        }
        size_t *const sorted = spare;
        spare = order;
        order = sorted;
    }
    return order;
}

/* Sorts one set into memory; returns what is left of it. */
static size_t *prepare(const rms_rows *rows, struct row_gradient *prepared, size_t *memory)
{
    const size_t count = rows->row_count;
    size_t *const order = sort(rows->indices, count, memory, memory + count);
    size_t *const first = memory + 2 * count;
    size_t distinct = 0;
    for (size_t i = 0; i < count; ++i)
        if (i == 0 || rows->indices[order[i]] != rows->indices[order[i - 1]])
            first[distinct++] = i;
    first[distinct] = count;
    *prepared = (struct row_gradient){
        .width = rows->width,
        .indices = rows->indices,
        .values = rows->values,
        .order = order,
        .first = first,
        .distinct = distinct,
        .mode = rows->mode,
    };
    return first + count + 1;
}

rms_status rows_bind(rms_optimizer *optimizer, const rms_rows *rows, size_t rows_count)
{
    if (rows_count == 0)
        return RMS_OK;
    if (!rows)
        return fail(&optimizer->error, RMS_ERROR_ARGUMENT, "rows: NULL, but rows_count is %zu", rows_count);
    if (rows_count > optimizer->tensor_count)
        return fail(&optimizer->error, RMS_ERROR_RANGE, "rows_count %zu is more than the %zu tensors there are",
                    rows_count, optimizer->tensor_count);
    rms_status status = check_distinct(optimizer, rows, rows_count);
    for (size_t i = 0; i < rows_count && status == RMS_OK; ++i)
        status = check_rows(optimizer, &rows[i]);
    const size_t bytes = status == RMS_OK ? memory_for(optimizer, rows, rows_count) : 0;
    if (status == RMS_OK && bytes == SIZE_MAX)
        status = fail(&optimizer->error, RMS_ERROR_RANGE, "rows: sorting them takes more than all memory");
    if (status == RMS_OK)
        status = reserve(optimizer, bytes);
    if (status != RMS_OK)
        return status;
    struct row_gradient *const prepared = optimizer->row_memory;
    size_t *memory = (size_t *)(void *)(prepared + rows_count);
    for (size_t i = 0; i < rows_count; ++i) {
        memory = prepare(&rows[i], &prepared[i], memory);
        optimizer->tensors[rows[i].tensor]->rows = &prepared[i];
    }
    return RMS_OK;
}

void rows_release(rms_optimizer *optimizer, const rms_rows *rows, size_t rows_count)
{
    for (size_t i = 0; i < rows_count; ++i)
        optimizer->tensors[rows[i].tensor]->rows = NULL;
}
