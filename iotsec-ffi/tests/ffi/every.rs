//! Every function of the header, called until it has succeeded once. Under Miri, which sees every byte that is read and
//! every reference that is alive, this is the way through the Rust side of the whole interface; [`crate::null`] is its
//! refusals.
//!
//! SAFETY of every call: pointers are to live values that only the interface touches during the call, as large as the
//! length beside them says.

mod detect;
mod device;
mod identity;
mod key;
mod login;
mod pairing;
mod plain;
mod store;
mod telemetry;
mod trust;
mod update;

use std::collections::BTreeSet;

use crate::header::functions;

/// Tests of this module, and how the functions begin that each has to call.
const PARTS: [(&str, &[&str]); 11] = [
    ("key", &["key"]),
    ("detect", &["about", "detector", "guard", "retry"]),
    ("device", &["device", "setup", "security"]),
    ("identity", &["identity"]),
    ("login", &["login", "password"]),
    ("pairing", &["pairing"]),
    (
        "plain",
        &[
            "abi",
            "attest",
            "certificate",
            "document",
            "ed25519",
            "erased",
            "input",
            "json",
            "root_key",
            "status",
            "surface",
            "unlock",
            "wifi",
        ],
    ),
    ("store", &["store"]),
    ("telemetry", &["telemetry"]),
    ("trust", &["trust"]),
    ("update", &["boot", "integrity", "planner", "slot", "update"]),
];

/// The functions that have succeeded.
#[derive(Default)]
struct Succeeded(BTreeSet<&'static str>);

impl Succeeded {
    /// Fails unless every function of the header that belongs to this part was among them, and lists them. Miri is too
    /// slow to read the header: who runs it compares the lists.
    fn all_of(self, part: &str) {
        println!();
        for name in &self.0 {
            println!("succeeded: {name}");
        }
        if cfg!(miri) {
            return;
        }
        let missing: Vec<String> = functions()
            .into_keys()
            .filter(|name| part_of(name) == [part] && !self.0.contains(name.as_str()))
            .collect();
        assert!(missing.is_empty(), "never succeeded: {missing:?}");
    }
}

/// Calls a function that must succeed.
macro_rules! ok {
    ($succeeded:ident, $name:ident($($argument:expr),* $(,)?)) => {{
        // SAFETY: see the top.
        #[allow(unused_unsafe, reason = "not every function is unsafe")]
        let status = unsafe { $name($($argument),*) };
        assert_eq!(status, iotsec_ffi::status::IOTSEC_OK, stringify!($name));
        $succeeded.0.insert(stringify!($name));
    }};
}
use ok;

/// Calls a step until it says that it is done.
macro_rules! done {
    ($succeeded:ident, $name:ident($object:expr)) => {{
        let mut done = 0;
        for step in 0.. {
            assert!(step < 200, "{} has no end", stringify!($name));
            $crate::every::ok!($succeeded, $name($object, &raw mut done));
            if done == 1 {
                break;
            }
        }
    }};
}
use done;

fn part_of(name: &str) -> Vec<&'static str> {
    let rest = name.strip_prefix("iotsec_").unwrap();
    let begins = |prefix: &&str| {
        rest.strip_prefix(*prefix)
            .is_some_and(|rest| rest.starts_with('_'))
    };
    let parts = PARTS.iter().filter(|(_, prefixes)| prefixes.iter().any(begins));
    parts.map(|(part, _)| *part).collect()
}

#[test]
fn every_function_belongs_to_one_part() {
    let all = functions();
    assert!(all.len() > 100, "{}", all.len());
    for name in all.keys() {
        assert_eq!(part_of(name).len(), 1, "{name}: name its part in PARTS");
    }
}
