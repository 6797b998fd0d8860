/* In a static library, hidden names are visible to the linker all the same: names that files of the library
 * share get a prefix here, so that the code can keep them short. A test looks for any that is missing. */
#ifndef PREFIX_H
#define PREFIX_H

#define append_name rms_internal_append_name
#define cpu_detect rms_internal_cpu_detect
#define field_get rms_internal_field_get
#define field_set rms_internal_field_set
#define find_nonfinite rms_internal_find_nonfinite
#define gradient_norm_of rms_internal_gradient_norm_of
#define kernels_avx2 rms_internal_kernels_avx2
#define kernels_avx512 rms_internal_kernels_avx512
#define kernels_baseline rms_internal_kernels_baseline
#define kernels_choose rms_internal_kernels_choose
#define kernels_for rms_internal_kernels_for
#define kernels_neon rms_internal_kernels_neon
#define memory_allocate rms_internal_memory_allocate
#define memory_allocator rms_internal_memory_allocator
#define memory_overlaps rms_internal_memory_overlaps
#define memory_release rms_internal_memory_release
#define option_of_key rms_internal_option_of_key
#define option_rows rms_internal_option_rows
#define options_admit rms_internal_options_admit
#define options_check_bounds rms_internal_options_check_bounds
#define options_copy_step rms_internal_options_copy_step
#define options_read rms_internal_options_read
#define options_slot_start rms_internal_options_slot_start
#define options_slots rms_internal_options_slots
#define options_variant rms_internal_options_variant
#define options_write rms_internal_options_write
#define rule_default rms_internal_rule_default
#define rule_of rms_internal_rule_of
#define rule_takes rms_internal_rule_takes
#define say rms_internal_say
#define slot_bytes rms_internal_slot_bytes
#define step_coefficients rms_internal_step_coefficients
#define step_report rms_internal_step_report
#define step_run rms_internal_step_run
#define step_skipped rms_internal_step_skipped
#define succeed rms_internal_succeed
#define workers_edge rms_internal_workers_edge
#define workers_of rms_internal_workers_of
#define workers_parts rms_internal_workers_parts
#define workers_run rms_internal_workers_run

#endif
