//! Puts the memory map of slot A where the linker script finds it.

#[path = "../board/src/map.rs"]
#[allow(dead_code, reason = "this is for the linker alone")]
mod map;
#[path = "../board/script.rs"]
mod script;

fn main() {
    let map = script::board();
    let place = (map.entry(0), map.room(0));
    println!("cargo::rustc-link-search={}", script::write(&map, "parts", place));
}
