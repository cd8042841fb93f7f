# The version of the library beside it, for find_package(iotsec VERSION). While it begins with 0, each second number
# may change the interface.
# SPDX-License-Identifier: MIT OR Apache-2.0
set(PACKAGE_VERSION "0.1.0")

string(REGEX MATCH "^[0-9]+\\.[0-9]+" _iotsec_interface "${PACKAGE_VERSION}")
string(REGEX MATCH "^[0-9]+(\\.[0-9]+)?" _iotsec_wanted "${PACKAGE_FIND_VERSION}")
if(PACKAGE_FIND_VERSION STREQUAL "" OR
        (_iotsec_wanted VERSION_EQUAL _iotsec_interface AND NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION))
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
    if(PACKAGE_VERSION VERSION_EQUAL PACKAGE_FIND_VERSION)
        set(PACKAGE_VERSION_EXACT TRUE)
    endif()
else()
    set(PACKAGE_VERSION_COMPATIBLE FALSE)
endif()
unset(_iotsec_interface)
unset(_iotsec_wanted)
