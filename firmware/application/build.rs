//! Puts the memory map of each slot where the linker script of its image finds it.

#[path = "../board/src/map.rs"]
#[allow(dead_code, reason = "this is for the linker alone")]
mod map;
#[path = "../board/script.rs"]
mod script;

fn main() {
    let map = script::board();
    for (slot, image) in ["v1", "v2"].into_iter().enumerate() {
        let place = (map.entry(slot), map.room(slot));
        println!(
            "cargo::rustc-link-arg-bin={image}=-L{}",
            script::write(&map, image, place)
        );
    }
}
