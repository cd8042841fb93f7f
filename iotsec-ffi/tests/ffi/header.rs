//! What `iotsec.h` declares.

use std::collections::BTreeMap;

pub(crate) const HEADER: &str = include_str!("../../include/iotsec.h");

/// Function name → number of pointers.
pub(crate) fn functions() -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let mut rest = HEADER;
    while let Some(end) = rest.find(");\n") {
        let declaration = &rest[..end];
        rest = &rest[end + 3..];
        let start = declaration.rfind("\n\n").map_or(0, |at| at + 2);
        let declaration = declaration[start..].rsplit("*/").next().unwrap().trim();
        let Some((head, parameters)) = declaration.split_once('(') else {
            continue;
        };
        let name = head.rsplit([' ', '*']).next().unwrap();
        if name.starts_with("iotsec_") && !declaration.contains('{') {
            let pointers = parameters
                .split(',')
                .filter(|parameter| parameter.contains('*'))
                .count();
            found.insert(name.to_owned(), pointers);
        }
    }
    found
}
