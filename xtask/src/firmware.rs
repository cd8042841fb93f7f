//! The main job on microcontrollers, `firmware/app`, and the verifier of certificates, `firmware/certificate`, on a
//! Cortex-M4 and as ARMv6-M code, in QEMU; the programs of the sample products, each with its own memory map; then a
//! boot loader and an application, with power cuts.

use std::path::Path;

use crate::{
    image::{self, THUMBV6M, THUMBV7EM, THUMBV7EM_HF, THUMBV8M},
    life::{self, Plan},
    qemu::{self, Board},
    tool::{self, Failure},
};

const RUNS: [(&str, Board); 3] = [
    (THUMBV7EM_HF, Board::MPS2_AN386),
    (THUMBV7EM, Board::MPS2_AN386),
    (THUMBV6M, Board::MPS2_AN385),
];

/// `examples/products`, by the packages of their programs.
const PRODUCTS: [(&str, &str, Board); 2] = [
    ("lock", THUMBV8M, Board::MPS2_AN505),
    ("sensor", THUMBV7EM_HF, Board::MPS2_AN386),
];

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let plan = plan(args)?;
    qemu::need()?;
    qemu::need_riscv()?;
    if plan.board.is_some() {
        return life::run(root, &plan);
    }
    for (target, board) in RUNS {
        println!("== {target} on {} ({})", board.machine, board.core);
        for package in ["app", "certificate"] {
            tool::run(&mut image::build(root, package, target)?)?;
            print!("{}", qemu::run(&image::path(root, target, package), board)?);
        }
    }
    for (package, target, board) in PRODUCTS {
        println!("== {package} on {} ({})", board.machine, board.core);
        tool::run(&mut image::build(root, package, target)?)?;
        print!("{}", qemu::run(&image::path(root, target, package), board)?);
    }
    life::run(root, &plan)
}

fn plan<'a>(args: &[&'a str]) -> Result<Plan<'a>, Failure> {
    let mut plan = Plan {
        cuts: 34,
        seed: 1,
        board: None,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let value = args.next().ok_or_else(|| format!("{arg} takes a value"))?;
        match *arg {
            "--cuts" => plan.cuts = value.parse()?,
            "--seed" => plan.seed = value.parse()?,
            "--board" => plan.board = Some(value),
            _ => return Err("takes --cuts N (on each board), --seed N, --board NAME".into()),
        }
    }
    Ok(plan)
}
