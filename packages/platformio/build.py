"""Builds the static library of iotsec with cargo for the processor that the project is compiled for, and links it.

PlatformIO runs this for `build.extraScript` of library.json. The crates are looked for two folders up, where this
folder lies in the repository, or in `custom_iotsec_root` of the environment in platformio.ini.

SPDX-License-Identifier: MIT OR Apache-2.0
"""

import os
import subprocess

Import("env")  # noqa: F821

# The Rust target of `-mcpu`; with hard float, what follows it.
CORES = {
    "cortex-m0": ("thumbv6m-none-eabi", ""),
    "cortex-m0plus": ("thumbv6m-none-eabi", ""),
    "cortex-m3": ("thumbv7m-none-eabi", ""),
    "cortex-m4": ("thumbv7em-none-eabi", "hf"),
    "cortex-m7": ("thumbv7em-none-eabi", "hf"),
    "cortex-m33": ("thumbv8m.main-none-eabi", "hf"),
}
RISCV = {
    "rv32imc": "riscv32imc-unknown-none-elf",
    "rv32imac": "riscv32imac-unknown-none-elf",
}


def rust_target(flags):
    options = {}
    for flag in flags:
        name, _, value = str(flag).partition("=")
        options[name] = value
    if options.get("-march") in RISCV:
        return RISCV[options["-march"]]
    core = options.get("-mcpu", "").partition("+")[0]
    if core not in CORES:
        raise SystemExit(f"iotsec: no Rust target is known for {core or 'this processor'}")
    target, hard = CORES[core]
    return target + (hard if options.get("-mfloat-abi") == "hard" else "")


def option(name, default):
    return env.GetProjectOption(name, default)  # noqa: F821


root = os.path.realpath(option("custom_iotsec_root", os.path.join(os.getcwd(), "..", "..")))
target = rust_target(env.get("CCFLAGS", []))  # noqa: F821
into = os.path.realpath(option("custom_iotsec_target_dir", os.path.join(root, "target")))
# RUSTFLAGS from outside would replace those of mcu.toml.
environment = {name: value for name, value in os.environ.items() if name not in ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS")}
subprocess.run(
    ["cargo", "--config", "iotsec-ffi/mcu.toml", "rustc", "--quiet", "--release", "--locked", "-p", "iotsec-ffi"]
    + ["--crate-type", "staticlib", "--features", "panic-handler", "--target", target, "--target-dir", into],
    cwd=root,
    env=environment,
    check=True,
)

for one in (env, DefaultEnvironment()):  # noqa: F821
    one.Append(
        CPPPATH=[os.path.join(root, "iotsec-ffi", "include")],
        LIBPATH=[os.path.join(into, target, "release")],
        LIBS=["iotsec_ffi"],
    )
