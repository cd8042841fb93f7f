//! Puts the memory map where the linker script of cortex-m-rt finds it.

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo::rustc-link-search={root}/../memory");
    println!("cargo::rerun-if-changed=../memory");
}
