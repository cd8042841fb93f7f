//! The main job on microcontrollers, `firmware/app`, and the verifier of certificates, `firmware/certificate`, on a
//! Cortex-M4 and as ARMv6-M code, in QEMU.

use std::path::Path;

use crate::{
    image::{self, THUMBV6M, THUMBV7EM, THUMBV7EM_HF},
    qemu::{self, Board},
    tool::{self, Failure},
};

const RUNS: [(&str, Board); 3] = [
    (THUMBV7EM_HF, Board::MPS2_AN386),
    (THUMBV7EM, Board::MPS2_AN386),
    (THUMBV6M, Board::MPS2_AN385),
];

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if !args.is_empty() {
        return Err("takes no argument".into());
    }
    qemu::need()?;
    for (target, board) in RUNS {
        println!("== {target} on {} ({})", board.machine, board.core);
        for package in ["app", "certificate"] {
            tool::run(&mut image::build(root, package, target)?)?;
            print!("{}", qemu::run(&image::path(root, target, package), board)?);
        }
    }
    Ok(())
}
