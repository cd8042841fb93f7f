//! `memcpy`, `memmove`, `memset` and `memcmp` for a Cortex-M, in 166 bytes of flash.
//!
//! Compilers call them by these names, whatever the language. Those that come with Rust take 1.4 KB. These copy and fill four
//! words at a time where they may, and are no slower; they are linked in place of the others, which are weak. A product
//! that is linked with a C library has that library's. All instructions are of Armv6-M, so that they run on every
//! Cortex-M; elsewhere, and with `--cfg=compilers_memory_functions`, this crate is empty.
#![no_std]
#![allow(unsafe_code, reason = "functions that compilers call by name, in assembly")]

#[cfg(all(target_arch = "arm", not(compilers_memory_functions)))]
core::arch::global_asm!(include_str!("armv6m.s"), options(raw));
