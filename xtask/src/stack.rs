//! How deep the stack of an image can become: no run of it goes deeper, whatever the input.
//!
//! For Armv7-M. Code for Armv6-M takes the size of a large frame from a constant in memory, which is not followed.
//!
//! Frames are read from the machine code, and calls from it too. A call through a pointer may reach every function whose
//! address the image holds, but for those of [`CALLED_BY`]. What leads to a panic is left out: the handler is the product's
//! own. Text is formatted for it alone, and a path that formats any besides is an error.

mod thumb;

use std::collections::{BTreeMap, BTreeSet};

use self::thumb::{Effect, decode};
use crate::{
    elf::{self, Function},
    tool::Failure,
};

/// What alignment of the stack may add to a frame.
const ALIGNMENT: u32 = 8;
/// From here on a program is at its end.
const ENDS: [&str; 2] = ["4core9panicking", "rust_begin_unwind"];
/// Formatting, in either way of mangling.
const FORMATS: [&str; 4] = ["4core3fmt", "core..fmt", "5Debug3fmt", "7Display3fmt"];
/// Who calls through a pointer of one type only, and what all names of that type have in them.
const CALLED_BY: [(&str, &str); 2] = [
    ("10rustcrypto3mac", "Iterator"),
    ("tally..Vote", "crypto..Verify$"),
];

/// With the first three, AES in bit slices takes bits of sixteen apart; the last is the offset in a page of 4 KiB. A function
/// may happen to begin there.
const MASKS: [u32; 4] = [0x5555, 0x3333, 0x0f0f, 0x0fff];

/// What one function does.
#[derive(Default)]
struct Node {
    /// The linker folds functions with the same code into one, which then has the names of all.
    names: Vec<String>,
    frame: u32,
    calls: BTreeSet<u32>,
    is_indirect: bool,
}

struct Graph {
    nodes: BTreeMap<u32, Node>,
    /// Functions that can be called through a pointer.
    taken: BTreeSet<u32>,
}

/// Bytes of stack that a call of the function whose mangled name contains `root` takes at most.
///
/// # Errors
/// A loop of calls, named; a frame of unknown size; an image that is not one.
pub(crate) fn bound(file: &[u8], root: &str) -> Result<u32, Failure> {
    let graph = Graph::read(file)?;
    let mut roots = graph.nodes.iter().filter(|(_, node)| node.is(&[root]));
    let (address, _) = roots
        .next()
        .ok_or_else(|| format!("no function is called {root}"))?;
    graph.depth(*address, &mut BTreeMap::new(), &mut Vec::new())
}

impl Graph {
    fn read(file: &[u8]) -> Result<Self, Failure> {
        let functions = elf::functions(file)?;
        let mut taken = elf::words(file)?;
        let code = elf::code(file)?;
        let mut nodes: BTreeMap<u32, Node> = BTreeMap::new();
        for function in &functions {
            if let Some(folded) = nodes.get_mut(&function.address) {
                folded.names.push(function.name.clone());
                continue;
            }
            let (node, named) = node(function, &code)?;
            taken.extend(named);
            nodes.insert(function.address, node);
        }
        // The lowest bit says Thumb.
        let taken = taken
            .into_iter()
            .filter(|word| word & 1 == 1)
            .map(|word| word & !1);
        let is_called = |address: &u32| nodes.get(address).is_some_and(|node| !node.formats());
        let taken = taken.filter(is_called).collect();
        Ok(Self { nodes, taken })
    }

    fn depth(
        &self,
        address: u32,
        known: &mut BTreeMap<u32, u32>,
        path: &mut Vec<u32>,
    ) -> Result<u32, Failure> {
        if let Some(depth) = known.get(&address) {
            return Ok(*depth);
        }
        let Some(node) = self.nodes.get(&address) else {
            return Err(format!("a jump to {address:#x}, where no function begins").into());
        };
        if node.is(&ENDS) {
            return Ok(0);
        }
        if node.formats() {
            return Err(format!("text is formatted: {}", self.names(path)).into());
        }
        if let Some(at) = path.iter().position(|one| *one == address) {
            let names = self.names(path.get(at..).unwrap_or_default());
            return Err(format!("a loop of calls: {names}").into());
        }
        path.push(address);
        let mut deepest = 0;
        let only = CALLED_BY.iter().find(|(caller, _)| node.is(&[caller]));
        let may_reach = |callee: &&u32| {
            let of_type = |callee: &Node| only.is_none_or(|(_, part)| callee.is(&[part]));
            node.is_indirect && self.nodes.get(callee).is_some_and(of_type)
        };
        for callee in node.calls.iter().chain(self.taken.iter().filter(may_reach)) {
            deepest = deepest.max(self.depth(*callee, known, path)?);
        }
        path.pop();
        let depth = node.frame + deepest;
        known.insert(address, depth);
        Ok(depth)
    }

    fn names(&self, path: &[u32]) -> String {
        let names = path.iter().filter_map(|one| self.nodes.get(one));
        let names: Vec<&str> = names
            .filter_map(|node| node.names.first())
            .map(String::as_str)
            .collect();
        names.join(" -> ")
    }
}

impl Node {
    /// One of its names has one of `parts` in it.
    fn is(&self, parts: &[&str]) -> bool {
        self.names.iter().any(|name| has(name, parts))
    }

    /// It is there for nothing but formatting.
    fn formats(&self) -> bool {
        self.names.iter().all(|name| has(name, &FORMATS))
    }
}

fn has(name: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| name.contains(part))
}

/// The node of a function, and the addresses of others that it has in registers.
fn node(function: &Function, code: &elf::Code<'_>) -> Result<(Node, BTreeSet<u32>), Failure> {
    let Function { name, address, len } = function;
    let mut node = Node {
        names: vec![name.clone()],
        ..Node::default()
    };
    // What a register was loaded with, until it is known whether another half comes.
    let (mut halves, mut named) = ([None; 16], BTreeSet::new());
    let (mut at, end) = (*address, address + len);
    while at < end {
        let Some(first) = code.half(at) else {
            at += 2;
            continue;
        };
        let (effect, step) = decode(first, code.half(at + 2).unwrap_or_default(), at);
        match effect {
            Effect::None => {}
            Effect::Grows(bytes) => node.frame += bytes,
            Effect::Restored => node.frame += ALIGNMENT,
            Effect::Unbounded => return Err(format!("{name} takes stack by a register at {at:#x}").into()),
            Effect::To(target) if target > *address && target < end => {}
            Effect::To(target) => {
                node.calls.insert(target);
            }
            Effect::Indirect => node.is_indirect = true,
            Effect::Low(register, half) => {
                // It may be all that an address needs.
                named.extend(halves[usize::from(register)].replace(u32::from(half)));
            }
            Effect::High(register, half) => {
                // The lower half of a constant such as 0x33333333 is not an address by itself.
                let low = halves[usize::from(register)].take().unwrap_or_default();
                named.insert(u32::from(half) << 16 | low);
            }
        }
        at += step;
    }
    named.extend(halves.into_iter().flatten());
    named.retain(|constant| !MASKS.contains(constant));
    Ok((node, named))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: &[(u32, &str, u32, &[u32], bool)], taken: &[u32]) -> Graph {
        let nodes = nodes.iter().map(|(address, name, frame, calls, is_indirect)| {
            let node = Node {
                names: vec![(*name).to_owned()],
                frame: *frame,
                calls: calls.iter().copied().collect(),
                is_indirect: *is_indirect,
            };
            (*address, node)
        });
        Graph {
            nodes: nodes.collect(),
            taken: taken.iter().copied().collect(),
        }
    }

    fn depth(graph: &Graph) -> Result<u32, String> {
        let depth = graph.depth(1, &mut BTreeMap::new(), &mut Vec::new());
        depth.map_err(|error| error.to_string())
    }

    #[test]
    fn the_deepest_path_counts_and_panics_do_not() {
        let nodes = [
            (1, "root", 8, &[2, 3, 4][..], false),
            (2, "shallow", 16, &[], false),
            (3, "deep", 8, &[2], false),
            (4, "_ZN4core9panicking5panic17h0E", 4096, &[], false),
        ];
        assert_eq!(depth(&graph(&nodes, &[])), Ok(32));
    }

    #[test]
    fn a_pointer_may_lead_to_whatever_has_an_address() {
        let nodes = [
            (1, "root", 8, &[][..], true),
            (2, "direct", 100, &[], false),
            (3, "in a table", 24, &[], false),
        ];
        assert_eq!(depth(&graph(&nodes, &[3])), Ok(32));
    }

    #[test]
    fn loops_formatting_and_jumps_to_nowhere_are_errors() {
        let nodes = [(1, "a", 8, &[2][..], false), (2, "b", 8, &[1], false)];
        assert_eq!(
            depth(&graph(&nodes, &[])),
            Err("a loop of calls: a -> b".to_owned())
        );
        let nodes = [
            (1, "a", 8, &[2][..], false),
            (2, "_ZN4core3fmt5write17h0E", 8, &[], false),
        ];
        assert_eq!(depth(&graph(&nodes, &[])), Err("text is formatted: a".to_owned()));
        assert!(depth(&graph(&[(1, "a", 8, &[9], false)], &[])).is_err());
    }
}
