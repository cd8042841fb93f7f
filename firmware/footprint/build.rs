//! Puts the memory map of the target where the linker script of cortex-m-rt finds it.

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let target = std::env::var("TARGET").unwrap_or_default();
    let board = if target.starts_with("thumbv6m") {
        "microbit"
    } else {
        "mps2"
    };
    println!("cargo::rustc-link-search={root}/../memory");
    println!("cargo::rustc-link-search={root}/../memory/{board}");
    println!("cargo::rerun-if-changed=../memory");
}
