# iotsec_esp_target(VARIABLE CHIP): the Rust target of a chip. For Xtensa there is none in the Rust of the Rust project.
# SPDX-License-Identifier: MIT OR Apache-2.0

function(iotsec_esp_target variable chip)
    # The C3 and the C2 have no atomic instructions.
    if(chip MATCHES "^esp32(c2|c3)$")
        set(target riscv32imc-unknown-none-elf)
    elseif(chip MATCHES "^esp32(c5|c6|c61|h2)$")
        set(target riscv32imac-unknown-none-elf)
    else()
        message(FATAL_ERROR "iotsec: no Rust target is known for ${chip}")
    endif()
    set(${variable} ${target} PARENT_SCOPE)
endfunction()
