//! Names the board that the target stands for.

#[path = "src/map.rs"]
#[allow(dead_code, reason = "this looks for a name alone")]
mod map;

fn main() {
    let target = std::env::var("TARGET").unwrap_or_default();
    println!("cargo::rerun-if-changed=src/map.rs");
    println!("cargo::rustc-env=BOARD_TARGET={target}");
    let names: Vec<_> = map::BOARDS
        .iter()
        .map(|board| format!("{:?}", board.name))
        .collect();
    println!("cargo::rustc-check-cfg=cfg(board, values({}))", names.join(", "));
    match map::of_target(&target) {
        Some(map) => println!("cargo::rustc-cfg=board={:?}", map.name),
        None => println!("cargo::error=no board has a core of {target}"),
    }
}
