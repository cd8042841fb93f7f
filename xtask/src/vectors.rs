//! SUIT test vectors, answered from an index.

use std::path::Path;

use iotsec_testkit::suit_vectors;

use crate::tool::Failure;

pub(crate) fn run(_: &Path, args: &[&str]) -> Result<(), Failure> {
    let [index] = args else {
        return Err("takes the path of an index, such as vectors/suit/index.json".into());
    };
    let lines = suit_vectors::answer(Path::new(index))?;
    for line in &lines {
        println!("{line}");
    }
    let wrong = lines.iter().filter(|line| line.difference.is_some()).count();
    println!("{} answered, {wrong} wrong", lines.len());
    if wrong == 0 && !lines.is_empty() {
        Ok(())
    } else {
        Err(format!("{index} is not answered as it says").into())
    }
}
