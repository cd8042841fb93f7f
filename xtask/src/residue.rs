//! The proof that software cryptography leaves nothing of a key in the stack.

use std::path::Path;

use crate::{
    image, qemu,
    size::TARGETS,
    tool::{self, Failure},
};

const PACKAGE: &str = "residue";
/// What nobody wipes. A check that does not see it sees nothing.
const CONTROL: &str = "a-copy-that-nobody-wipes";
/// How many functions are looked at, the control among them.
const FUNCTIONS: usize = 23;

/// What a function left.
#[derive(Debug, PartialEq, Eq)]
struct Left<'a> {
    function: &'a str,
    /// Bytes of the stack that depend on the secret.
    bytes: u32,
    depth: u32,
}

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if !args.is_empty() {
        return Err("takes no argument".into());
    }
    qemu::need()?;
    qemu::need_riscv()?;
    for (target, board) in TARGETS {
        tool::run(&mut image::build(root, PACKAGE, target)?)?;
        let printed = qemu::run(&image::path(root, target, PACKAGE), board)?;
        let found = parse(&printed).ok_or_else(|| format!("{target}: not understood:\n{printed}"))?;
        check(&found).map_err(|error| format!("{target}: {error}"))?;
        let deepest = found.iter().map(|left| left.depth).max().unwrap_or(0);
        println!(
            "{target}: {} functions leave nothing of their secret in up to {deepest} bytes of stack",
            found.len() - 1
        );
    }
    Ok(())
}

/// The name of a function on a line, and what it left on two more.
fn parse(printed: &str) -> Option<Vec<Left<'_>>> {
    let lines: Vec<&str> = printed.lines().collect();
    let (functions, rest) = lines.as_chunks::<3>();
    let functions = functions.iter().map(|[function, left, depth]| {
        Some(Left {
            function,
            bytes: left.strip_prefix("left ")?.parse().ok()?,
            depth: depth.strip_prefix("depth ")?.parse().ok()?,
        })
    });
    functions.collect::<Option<_>>().filter(|_| rest.is_empty())
}

fn check(found: &[Left<'_>]) -> Result<(), String> {
    if found.len() != FUNCTIONS {
        return Err(format!("{} functions, not {FUNCTIONS}", found.len()));
    }
    let is_wrong = |left: &&Left<'_>| (left.function == CONTROL) == (left.bytes == 0);
    match found.iter().find(is_wrong) {
        Some(left) if left.function == CONTROL => Err(format!("{CONTROL} is not seen")),
        Some(left) => Err(format!("{left:?}")),
        None if found.iter().any(|left| left.function == CONTROL) => Ok(()),
        None => Err(format!("{CONTROL} was not tried")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_a_failure_and_so_is_a_control_that_is_not_seen() {
        let all = |control: u32, other: u32| {
            let mut printed = format!("{CONTROL}\nleft {control}\ndepth 300\n");
            for number in 1..FUNCTIONS {
                printed.push_str(&format!("f{number}\nleft {other}\ndepth 20\n"));
            }
            printed
        };
        let checked = |printed: &str| check(&parse(printed).unwrap());
        assert!(checked(&all(240, 0)).is_ok());
        assert!(checked(&all(240, 1)).is_err());
        assert!(checked(&all(0, 0)).is_err());
        assert!(checked(&all(240, 0).replace(CONTROL, "f0")).is_err());
        assert!(checked("").is_err());
        assert!(parse("f\nleft 0\n").is_none());
        assert!(parse("f\ndepth 0\nleft 0\n").is_none());
    }
}
