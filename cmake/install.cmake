# What `cmake --install` lays down beside the command: the headers, the library, and how other builds find them:
# rmsprop.pc for pkg-config, rmsprop::rmsprop for CMake. The result may be moved as a whole.
include(CMakePackageConfigHelpers)

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/rmsprop)
get_target_property(rmsprop_type rmsprop TYPE)

# OpenMP is the library's own affair when it is shared, and the consumer's to link when it is static.
set(rmsprop_static_openmp OFF)
get_target_property(rmsprop_links rmsprop LINK_LIBRARIES)
if(rmsprop_type STREQUAL "STATIC_LIBRARY" AND "OpenMP::OpenMP_C" IN_LIST rmsprop_links)
    set(rmsprop_static_openmp ON)
endif()

install(FILES include/rmsprop.h include/rmsprop_checkpoint.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(RMSPROP_COMMAND) # for problems of one's own, which the command loads
    install(FILES include/rmsprop_lab.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()
install(TARGETS rmsprop EXPORT rmsprop-targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

# CMake: find_package(rmsprop 0.1 CONFIG), then link rmsprop::rmsprop.
install(EXPORT rmsprop-targets NAMESPACE rmsprop:: DESTINATION ${package_directory})
configure_package_config_file(cmake/rmsprop-config.cmake.in rmsprop-config.cmake
    INSTALL_DESTINATION ${package_directory})
# Before 1.0 a minor version may change the interface.
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(rmsprop_compatibility SameMinorVersion)
else()
    set(rmsprop_compatibility SameMajorVersion)
endif()
write_basic_package_version_file(rmsprop-config-version.cmake COMPATIBILITY ${rmsprop_compatibility})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/rmsprop-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/rmsprop-config-version.cmake
    DESTINATION ${package_directory})

# pkg-config: the prefix is where the .pc file finds itself.
set(pc_directory ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_to_prefix ${pc_to_prefix})
set(pc_libs_private -lm)
if(RMSPROP_HAS_CHECKPOINTS)
    string(PREPEND pc_libs_private "-ljansson ")
endif()
if(rmsprop_static_openmp)
    string(APPEND pc_libs_private " ${OpenMP_C_FLAGS}")
endif()
configure_file(cmake/rmsprop.pc.in rmsprop.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/rmsprop.pc DESTINATION ${pc_directory})
