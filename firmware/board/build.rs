//! Names the board: the one that the environment asks for, or the one that the target stands for.

#[path = "src/map.rs"]
#[allow(dead_code, reason = "this looks for a name alone")]
mod map;

fn main() {
    let [name, target] = ["BOARD", "TARGET"].map(|name| std::env::var(name).unwrap_or_default());
    println!("cargo::rerun-if-changed=src/map.rs");
    println!("cargo::rerun-if-env-changed=BOARD");
    let names: Vec<_> = map::BOARDS
        .iter()
        .map(|board| format!("{:?}", board.machine))
        .collect();
    println!("cargo::rustc-check-cfg=cfg(board, values({}))", names.join(", "));
    match map::find(&name, &target) {
        Some(map) => {
            println!("cargo::rustc-cfg=board={:?}", map.machine);
            println!("cargo::rustc-env=BOARD={}", map.name);
        }
        None => println!("cargo::error=no board is called {name:?} or has a core of {target}"),
    }
}
