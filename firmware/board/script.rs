//! The linker's memory map of an image, for build scripts.

use std::{env, fs, path::PathBuf};

use crate::map::{self, Map};

/// The board that is built for.
pub(crate) fn board() -> Map {
    println!("cargo::rerun-if-changed=../board/script.rs");
    println!("cargo::rerun-if-changed=../board/src/map.rs");
    println!("cargo::rerun-if-env-changed=BOARD");
    let [name, target] = ["BOARD", "TARGET"].map(|name| env::var(name).unwrap_or_default());
    map::find(&name, &target)
        .unwrap_or_else(|| panic!("no board is called {name:?} or has a core of {target}"))
}

/// Writes the map of an image that lies at `flash`, and returns the folder that it is in.
pub(crate) fn write(map: &Map, image: &str, flash: (u32, u32)) -> String {
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join(image);
    let line =
        |name, (origin, len): (u32, u32)| format!("  {name} : ORIGIN = {origin:#x}, LENGTH = {len:#x}\n");
    let mut text = format!("MEMORY\n{{\n{}{}}}\n", line("FLASH", flash), line("RAM", map.ram));
    // The start-up code of RISC-V asks for more names.
    if map.target.starts_with("riscv") {
        for (region, memory) in [
            ("TEXT", "FLASH"),
            ("RODATA", "FLASH"),
            ("DATA", "RAM"),
            ("BSS", "RAM"),
            ("HEAP", "RAM"),
            ("STACK", "RAM"),
        ] {
            text += &format!("REGION_ALIAS(\"REGION_{region}\", {memory});\n");
        }
        // Tables for unwinding, which nothing does.
        text += "SECTIONS { /DISCARD/ : { *(.eh_frame) } }\nINSERT AFTER .rodata;\n";
    }
    fs::create_dir_all(&folder).expect("a folder of cargo's");
    fs::write(folder.join("memory.x"), text).expect("a file of cargo's");
    // Names of interrupts that share a handler: there are none.
    fs::write(folder.join("device.x"), "").expect("a file of cargo's");
    folder.display().to_string()
}
