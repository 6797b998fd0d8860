# Run by CTest: the library exports what its headers declare, and what tests/exported_symbols.txt lists, and
# nothing else, but for checkpoints where it is built without them; stripped, it is small; and its machine code holds nothing that would endanger its bits.
#
#   cmake -DLIBRARY=... -DOBJECTS=a.o|b.o -DINCLUDE=... -DCHECKPOINTS=... -DLIST=... -DNM=... -DSTRIP=... -DOBJDUMP=...
#       -DSCRATCH=... -P symbols.cmake
cmake_minimum_required(VERSION 3.25)
set(largest_size 400000) # bytes

function(names_of text pattern result)
    string(REGEX MATCHALL "${pattern}" found "${text}")
    list(TRANSFORM found REPLACE "${pattern}" "\\1")
    list(SORT found)
    set(${result} "${found}" PARENT_SCOPE)
endfunction()

# expect_same(A WHERE_A B WHERE_B): both lists, or a sentence that names what one of them lacks.
function(expect_same a where_a b where_b)
    set(only_a ${a})
    set(only_b ${b})
    list(REMOVE_ITEM only_a ${b} "")
    list(REMOVE_ITEM only_b ${a} "")
    if(only_a)
        message(SEND_ERROR "${where_a} but not ${where_b}: ${only_a}")
    endif()
    if(only_b)
        message(SEND_ERROR "${where_b} but not ${where_a}: ${only_b}")
    endif()
endfunction()

execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
names_of("${symbols}" "[0-9a-f]+ [A-Za-z] ([A-Za-z0-9_]+)" exported)
set(declaration "RMS_API [^;(]*[ *](rms_[a-z0-9_]+)\\(")
file(READ ${INCLUDE}/rmsprop.h header)
names_of("${header}" "${declaration}" declared)
file(READ ${INCLUDE}/rmsprop_checkpoint.h header)
names_of("${header}" "${declaration}" declared_for_checkpoints)
file(STRINGS ${LIST} listed)
list(SORT listed)

set(all_declared ${declared} ${declared_for_checkpoints})
expect_same("${all_declared}" "declared in the headers" "${listed}" "listed in exported_symbols.txt")
if(NOT CHECKPOINTS)
    list(REMOVE_ITEM listed ${declared_for_checkpoints})
endif()
expect_same("${exported}" "exported by the library" "${listed}" "listed in exported_symbols.txt")

# In a static library the linker sees hidden names, too: all of them carry the prefix.
string(REPLACE "|" ";" objects "${OBJECTS}")
execute_process(COMMAND ${NM} -g --defined-only ${objects} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
names_of("${symbols}" "[0-9a-f]+ [A-Za-z] ([A-Za-z0-9_.]+)" global)
set(foreign ${global})
list(FILTER foreign EXCLUDE REGEX "^rms_")
if(NOT global OR foreign)
    message(SEND_ERROR "these names of the library lack the prefix rms_ (src/prefix.h): ${foreign}")
endif()

execute_process(COMMAND ${STRIP} -o ${SCRATCH} ${LIBRARY} COMMAND_ERROR_IS_FATAL ANY)
file(SIZE ${SCRATCH} size)
if(size GREATER largest_size)
    message(SEND_ERROR "the stripped library has ${size} bytes, more than ${largest_size}")
endif()
# Functions of libm that are not correctly rounded, and instructions that round once where the rules round
# twice: x86's vfmadd and kin, AArch64's fmadd, fmla and kin, and the approximate reciprocals.
execute_process(COMMAND ${NM} -D --undefined-only ${LIBRARY} OUTPUT_VARIABLE needed COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL " (pow|exp|exp2|expm1|log|log2|log1p|fma|cbrt|hypot)f?@" inexact "${needed}")
execute_process(COMMAND ${OBJDUMP} -d --no-show-raw-insn ${LIBRARY} OUTPUT_VARIABLE code COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "\t(vfn?m(add|sub)[a-z0-9]*|fn?m(add|sub|la|ls)|v?r(cp|sqrt)[0-9]*[ps]s|frecp[esx]|frsqrt[es])[ \t]" fused
    "${code}")
if(inexact OR fused)
    list(REMOVE_DUPLICATES fused)
    message(SEND_ERROR "these round differently from what docs/math.md says: ${inexact} ${fused}")
endif()

list(LENGTH exported count)
message(STATUS "${count} symbols exported; ${size} bytes stripped")
