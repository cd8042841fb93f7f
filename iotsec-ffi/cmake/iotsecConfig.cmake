# find_package(iotsec) for an installed iotsec. Makes the targets
#   iotsec::shared   libiotsec.so
#   iotsec::static   libiotsec.a, with the system's libraries that it needs
#   iotsec::iotsec   the shared one where there is one, or the static one
# SPDX-License-Identifier: MIT OR Apache-2.0

# This file is <prefix>/share/iotsec/cmake/iotsecConfig.cmake.
get_filename_component(_iotsec_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

find_path(IOTSEC_INCLUDE_DIR iotsec.h PATHS "${_iotsec_prefix}/include" NO_DEFAULT_PATH)
find_library(IOTSEC_SHARED_LIBRARY NAMES libiotsec.so
    PATHS "${_iotsec_prefix}" PATH_SUFFIXES lib lib64 "lib/${CMAKE_LIBRARY_ARCHITECTURE}" NO_DEFAULT_PATH)
find_library(IOTSEC_STATIC_LIBRARY NAMES libiotsec.a
    PATHS "${_iotsec_prefix}" PATH_SUFFIXES lib lib64 "lib/${CMAKE_LIBRARY_ARCHITECTURE}" NO_DEFAULT_PATH)
mark_as_advanced(IOTSEC_INCLUDE_DIR IOTSEC_SHARED_LIBRARY IOTSEC_STATIC_LIBRARY)

if(NOT IOTSEC_INCLUDE_DIR OR (NOT IOTSEC_SHARED_LIBRARY AND NOT IOTSEC_STATIC_LIBRARY))
    set(iotsec_FOUND FALSE)
    set(iotsec_NOT_FOUND_MESSAGE "iotsec.h or libiotsec is missing below ${_iotsec_prefix}")
    return()
endif()

if(IOTSEC_SHARED_LIBRARY AND NOT TARGET iotsec::shared)
    add_library(iotsec::shared SHARED IMPORTED)
    set_target_properties(iotsec::shared PROPERTIES
        IMPORTED_LOCATION "${IOTSEC_SHARED_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${IOTSEC_INCLUDE_DIR}")
endif()
if(IOTSEC_STATIC_LIBRARY AND NOT TARGET iotsec::static)
    add_library(iotsec::static STATIC IMPORTED)
    set_target_properties(iotsec::static PROPERTIES
        IMPORTED_LOCATION "${IOTSEC_STATIC_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${IOTSEC_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES "pthread;m;${CMAKE_DL_LIBS}")
endif()
if(NOT TARGET iotsec::iotsec)
    add_library(iotsec::iotsec INTERFACE IMPORTED)
    if(TARGET iotsec::shared)
        set_target_properties(iotsec::iotsec PROPERTIES INTERFACE_LINK_LIBRARIES iotsec::shared)
    else()
        set_target_properties(iotsec::iotsec PROPERTIES INTERFACE_LINK_LIBRARIES iotsec::static)
    endif()
endif()
unset(_iotsec_prefix)
