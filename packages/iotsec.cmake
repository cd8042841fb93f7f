# iotsec_library(NAME TARGET) makes the imported target NAME: the static library without an operating system, built by
# cargo for the Rust target TARGET. Used by the CMake example for Cortex-M, the Zephyr module and the ESP-IDF component.
# SPDX-License-Identifier: MIT OR Apache-2.0

set(IOTSEC_ROOT "${CMAKE_CURRENT_LIST_DIR}/.." CACHE INTERNAL "The folder of iotsec")
set(IOTSEC_TARGET_DIR "${CMAKE_BINARY_DIR}/iotsec" CACHE PATH "Where cargo builds iotsec")

function(iotsec_library name target)
    find_program(CARGO cargo HINTS "$ENV{HOME}/.cargo/bin" REQUIRED)
    set(archive "${IOTSEC_TARGET_DIR}/${target}/release/libiotsec_ffi.a")
    # Cargo knows whether there is anything to do, so it is asked at every build. RUSTFLAGS from outside would replace
    # those of mcu.toml.
    add_custom_target(${name}_cargo
        COMMAND "${CMAKE_COMMAND}" -E env --unset=RUSTFLAGS --unset=CARGO_ENCODED_RUSTFLAGS
            "${CARGO}" --config iotsec-ffi/mcu.toml rustc --quiet --release --locked -p iotsec-ffi --crate-type staticlib
            --features panic-handler --target ${target} --target-dir "${IOTSEC_TARGET_DIR}"
        WORKING_DIRECTORY "${IOTSEC_ROOT}"
        BYPRODUCTS "${archive}"
        COMMENT "iotsec for ${target}"
        VERBATIM)
    add_library(${name} STATIC IMPORTED GLOBAL)
    set_target_properties(${name} PROPERTIES IMPORTED_LOCATION "${archive}")
    # The folder is named for those who link the target; the library itself comes out of cargo.
    set_property(TARGET ${name} PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${IOTSEC_ROOT}/iotsec-ffi/include")
    add_dependencies(${name} ${name}_cargo)
endfunction()
