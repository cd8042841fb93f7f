//! Guides, followed as a new user follows them: what a page says to type is typed, in order, in an empty folder.

use std::{env, fs, path::Path, process::Command};

use crate::tool::{self, Failure};

/// A page, and what must be said at its end.
const GUIDES: [(&str, &str); 3] = [
    ("first-device", "release 2 runs"),
    ("updates", "9.suit: "),
    ("conformance", "open"),
];
/// What the reader does before the tools are there, which is done here already.
const BEFORE: &str = "```sh clone\n";

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if args.len() > 1 {
        return Err("takes the name of one guide, or nothing".into());
    }
    tool::run(
        tool::cargo()
            .current_dir(root)
            .args(["build", "--quiet", "--package", "iotsec-cli"]),
    )?;
    let chosen = GUIDES
        .iter()
        .filter(|(name, _)| args.first().is_none_or(|only| only == name));
    for (name, end) in chosen {
        follow(root, name, end)?;
    }
    Ok(())
}

fn follow(root: &Path, name: &str, end: &str) -> Result<(), Failure> {
    let guide = fs::read_to_string(root.join(format!("docs/guides/{name}.md")))?;
    let script = script(&guide);
    let commands = script.lines().count();
    if commands == 0 {
        return Err(format!("docs/guides/{name}.md has nothing to type").into());
    }
    let folder = root.join("target/guides").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    // In place of a clone.
    std::os::unix::fs::symlink(root, folder.join("iotsec"))?;
    let mut paths = vec![root.join("target/debug")];
    paths.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let mut shell = Command::new("sh");
    shell
        .current_dir(&folder)
        .env("PATH", env::join_paths(paths)?)
        .env("CARGO_TARGET_DIR", root.join("target/guides/target"))
        // What is built runs for a moment: to optimise it would take most of the time.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .args(["-e", "-c", &script]);
    let printed = tool::text(&mut shell)?;
    if !printed.contains(end) {
        return Err(format!("docs/guides/{name}.md did not come to {end:?}:\n{printed}").into());
    }
    println!("{name}: {commands} lines typed, and {end:?} was said");
    Ok(())
}

/// What there is to type: all blocks of the language `sh`, but for the clone.
fn script(guide: &str) -> String {
    let guide = guide.replace(BEFORE, "```\n");
    let blocks = guide.split("```sh\n").skip(1);
    blocks
        .filter_map(|block| Some(block.split_once("```")?.0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_what_stands_in_its_blocks() {
        let guide = "a\n```sh clone\ngit\n```\n```sh\none\n```\nb\n```toml\nno\n```\n```sh\ntwo\n```\n";
        assert_eq!(script(guide), "one\ntwo\n");
    }
}
