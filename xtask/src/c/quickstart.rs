//! The commands of the guide for C, as a reader would type them.

use std::{fs, path::Path, process::Command};

use crate::tool::{self, Failure};

const GUIDE: &str = "docs/guides/c-quickstart.md";
/// What the programs say at their end.
const PASSED: &str = "all passed";

/// Runs the block called `name`, and wants its last program to have passed.
pub(super) fn run(root: &Path, name: &str, most: usize) -> Result<(), Failure> {
    let guide = fs::read_to_string(root.join(GUIDE))?;
    let block = block(&guide, name).ok_or_else(|| format!("{GUIDE} has no block {name}"))?;
    let commands = block.lines().count();
    if commands > most {
        return Err(format!("{GUIDE} takes {commands} commands for {name}, {most} at most").into());
    }
    let mut shell = Command::new("sh");
    let printed = tool::text(shell.current_dir(root).args(["-e", "-c", block]))?;
    if printed.trim_end().ends_with(PASSED) {
        println!("quickstart: {commands} commands for {name}, {PASSED}");
        Ok(())
    } else {
        Err(format!("{GUIDE}, {name}, ended with:\n{printed}").into())
    }
}

fn block<'g>(guide: &'g str, name: &str) -> Option<&'g str> {
    let (_, from) = guide.split_once(&format!("```sh {name}\n"))?;
    Some(from.split_once("\n```")?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_of_a_name_is_found() {
        let guide = "a\n```sh linux\none\ntwo\n```\n```sh cortex-m\nthree\n```\n";
        assert_eq!(block(guide, "linux"), Some("one\ntwo"));
        assert_eq!(block(guide, "cortex-m"), Some("three"));
        assert_eq!(block(guide, "cortex"), None);
    }
}
