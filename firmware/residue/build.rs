//! Puts the memory map where the linker script of cortex-m-rt or riscv-rt finds it.

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let target = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let folder = if target == "riscv32" {
        "memory/riscv32"
    } else {
        "memory"
    };
    println!("cargo::rustc-link-search={root}/../{folder}");
    println!("cargo::rerun-if-changed=../memory");
}
