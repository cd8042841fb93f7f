//! Puts the memory map where the linker script finds it.

#[path = "../board/src/map.rs"]
#[allow(dead_code, reason = "this is for the linker alone")]
mod map;
#[path = "../board/script.rs"]
mod script;

fn main() {
    let map = script::board();
    println!(
        "cargo::rustc-link-search={}",
        script::write(&map, "loader", map.loader)
    );
}
