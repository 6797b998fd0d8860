/* rmsprop_checkpoint: state on disk, as safetensors.
 *
 *     rms_save(optimizer, "run.safetensors");     // now and then
 *     ...
 *     rms_load(optimizer, "run.safetensors");     // in a new process, once the same tensors have been added
 *
 * A file holds parameters, every state slot, step counts, and options with their seed: a run that is saved and
 * loaded goes on with the bits it would have had. Any program that reads safetensors reads it, and a checksum
 * of each tensor and of the header tells damage from data. docs/checkpoints.md gives the layout.
 *
 * Saving is atomic and durable: the file is written beside the old one, forced to the disk, and renamed over
 * it. Whatever happens, kill -9, a full disk or a power cut, what is under the name is the old checkpoint or
 * the new one, whole. Loading checks the whole file, checksums included, before it changes anything.
 *
 * Functions of a build without checkpoints (jansson or xxhash.h was not there) return RMS_ERROR_UNSUPPORTED.
 *
 * SPDX-License-Identifier: MIT */
#ifndef RMSPROP_CHECKPOINT_H
#define RMSPROP_CHECKPOINT_H

#include <rmsprop.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rms_layout {
    RMS_LAYOUT_FULL = 0,   /* "full": everything that resuming needs */
    RMS_LAYOUT_STATE = 1,  /* "state": the same without parameters (master weights are state), for programs that
                              save those themselves */
    RMS_LAYOUT_PYTORCH = 2 /* "pytorch": state, step counts and options as PyTorch names them in the flattened
                              state_dict of an optimizer, "state.NAME.square_avg"; no parameters, f32 and f64 only.
                              State that is kept in 16 or 8 bits is written as the floats that it stands for */
} rms_layout;
RMS_API const char *rms_layout_name(rms_layout layout);
RMS_API bool rms_layout_from_name(const char *name, rms_layout *value);

/* Writes a checkpoint. The last component of path may be a link to a regular file; that file is replaced. The
 * folder must be writable; for the time of the call the new file lies in it as PATH.partial, which a killed
 * process leaves behind and the next call reuses. Whoever saves to the same path meanwhile is refused. The new
 * file has the permissions of the old one, or those that the umask gives.
 *
 * RMS_ERROR_FILE says which call failed and leaves the old file as it was; after the last one, which forces the folder
 * to the disk, the new one is in place already, and the sentence says so. RMS_ERROR_ARGUMENT for NULL, averages
 * that are swapped in, or a tensor's name that is not UTF-8; RMS_ERROR_UNSUPPORTED for an option or dtype that the
 * layout has no word for. Memory beside the state: the header, some hundred bytes a slot. */
RMS_API rms_status rms_save(rms_optimizer *optimizer, const char *path);
RMS_API rms_status rms_save_as(rms_optimizer *optimizer, const char *path, rms_layout layout);

/* Loads a checkpoint of any layout into an optimizer whose tensors have the same names, counts, dtypes, slots and
 * state_format, in any order: parameters where the file has them, state, step counts, and the options of each group; where
 * it runs (isa, threads, nonfinite) and zero_grad stay as they are. Tensors of one group here must be of one group in the
 * file. Of PyTorch's layout the options that the file has are taken over, and the others stay, state_format among them: its
 * floats are rounded to nearest where state is kept in 16 or 8 bits. Reads on the object's threads.
 *
 * Nothing has changed unless RMS_OK: RMS_ERROR_FILE when it cannot be read, RMS_ERROR_FORMAT when it is damaged
 * or belongs to another model; the message says which tensor and what was expected. But for one case: the whole
 * file was right, and a moment later, when it is read once more into place, the disk fails or somebody else writes
 * to it. Then the message ends with "load again, or rms_reset", and until one of the two has succeeded the object
 * refuses whatever else would change or save it: steps, options, groups, tensors, step counts, averages. It can be
 * read, and freed. */
RMS_API rms_status rms_load(rms_optimizer *optimizer, const char *path);

/* ---------------------------------------------------------------------------------------------------
 * Looking into a checkpoint without a model
 * ------------------------------------------------------------------------------------------------- */
typedef struct rms_checkpoint rms_checkpoint;

/* Opens a file and checks its header: layout, bounds, dtypes, holes, overlaps, options; not yet the tensors'
 * checksums. On failure *checkpoint is NULL. error may be NULL. */
RMS_API rms_status rms_checkpoint_open(rms_checkpoint **checkpoint, const char *path, rms_error *error);

/* NULL is allowed. */
RMS_API void rms_checkpoint_close(rms_checkpoint *checkpoint);

/* What the file says of itself. Strings live as long as the checkpoint. */
typedef struct rms_checkpoint_info {
    rms_layout layout;
    const char *version; /* of the library that wrote it; "" in a file of PyTorch's layout by others */
    int format;          /* version of the layout, 1 */
    uint64_t steps;      /* of the object */
    size_t tensor_count;
    size_t group_count;
    uint64_t file_bytes;
    uint64_t reserved[4];
} rms_checkpoint_info;
RMS_API rms_status rms_checkpoint_info_of(const rms_checkpoint *checkpoint, rms_checkpoint_info *info);

/* Tensors come in the order of the object that was saved, in PyTorch's layout in that of their names. */
typedef struct rms_checkpoint_tensor {
    const char *name;
    size_t count; /* 0 as well where a file of PyTorch's layout has nothing of the tensor but options */
    rms_dtype dtype;
    size_t group;   /* in PyTorch's layout: tensors with the same options are of one */
    uint64_t steps; /* 1 where PyTorch does not count them and a slot shows that there were some */
    unsigned slots; /* bit i: slot i is in the file, in the format that its group's options name */
    bool has_param;
    uint64_t reserved[4];
} rms_checkpoint_tensor;
RMS_API rms_status rms_checkpoint_tensor_at(const rms_checkpoint *checkpoint, size_t tensor,
                                            rms_checkpoint_tensor *out);

/* The options of a group, as they were when it was saved; what a file does not say is the default. struct_size as
 * in rms_options_init; RMS_ERROR_UNSUPPORTED if that struct has no place for what the file sets. */
RMS_API rms_status rms_checkpoint_options(const rms_checkpoint *checkpoint, size_t group, rms_options *options,
                                          size_t struct_size);

/* Reads one tensor's parameters (slot "param") or one of its slots into out, of bytes bytes, which must be exactly
 * its size: that of count numbers of its dtype, or rms_slot_bytes with the options of its group. State comes as it is
 * kept: bf16 for 16-bit, codes and scales for 8-bit. An optimizer with those options, a tensor of that count and these
 * bytes in its rms_state has them as numbers by rms_read_state. RMS_ERROR_FORMAT if the checksum is wrong: then out holds
 * what was read. error may be NULL. */
RMS_API rms_status rms_checkpoint_read(rms_checkpoint *checkpoint, size_t tensor, const char *slot, void *out,
                                       size_t bytes, rms_error *error);

#ifdef __cplusplus
}
#endif
#endif
