use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    collect,
    feature::Features,
    workspace::{Package, Target, Workspace},
};

const LIB: &str = "pub mod door;\n#[cfg(feature = \"net\")]\npub mod net;\nmod shared;\n";
const DOOR: &str = r#"
use core::fmt;
use crate::shared::{Bolt, inner as slide};

pub struct Door<T>(T);

impl<T> Door<T> {
    pub fn open(&self) {}
}

impl<T> fmt::Display for Door<T> {
    fn fmt(&self) {}
}

pub fn knock() {}

CLAIM
"#;
const SHARED: &str = r"
pub struct Bolt;
pub fn inner() {}
mod deep {
    impl super::Bolt {
        pub fn slide() {}
    }
}
#[cfg(test)]
mod tests {
    #[test]
    fn it_slides() {}
}
";
const NET: &str = r#"
pub fn join() {}
claim! { provisions: ["5.9-3"], claims: "It joins", code: [join], tests: ["part::owner::opens"] }
"#;
const OWNER: &str = r"
mod more;
macro_rules! each {
    ($($name:ident)*) => { $(#[test] fn $name() {})* };
}
each! { one two }
other! { three }
#[test]
fn opens() {}
#[test]
#[ignore]
fn sleeps() {}
fn helps() {}
";

/// A package `part` behind the facade, whose module `door` ends with this.
fn with(claim: &str) -> Workspace {
    let files: BTreeMap<PathBuf, String> = [
        ("part/src/lib.rs", LIB.to_owned()),
        ("part/src/door.rs", DOOR.replace("CLAIM", claim)),
        ("part/src/shared.rs", SHARED.to_owned()),
        ("part/src/net.rs", NET.to_owned()),
        ("part/tests/owner/main.rs", OWNER.to_owned()),
        ("part/tests/owner/more.rs", "#[test]\nfn more() {}\n".to_owned()),
    ]
    .into_iter()
    .map(|(path, text)| (path.into(), text))
    .collect();
    let target = |name: &str, is_test, root: &str| Target {
        name: name.to_owned(),
        is_test,
        root: root.into(),
    };
    let part = json!({"name": "part", "features": {"net": [], "std": []}, "dependencies": []});
    let facade = json!({
        "name": "iotsec",
        "features": {"part": ["dep:part"], "net": ["part", "part/net"], "std": ["part?/std"], "full": ["net", "std"]},
        "dependencies": [{"name": "part", "kind": null, "optional": true, "features": []}],
    });
    Workspace {
        packages: vec![Package {
            name: "part".to_owned(),
            targets: vec![
                target("part", false, "part/src/lib.rs"),
                target("owner", true, "part/tests/owner/main.rs"),
            ],
        }],
        features: Features::of(&[part, facade]),
        files: Box::new(move |path: &Path| files.get(path).cloned()),
    }
}

fn provisions() -> Vec<String> {
    ["5.1-3", "5.5-4", "5.9-3"].map(str::to_owned).into()
}

fn claim(code: &str) -> String {
    format!(
        "x::claim! {{ provisions: [\"5.5-4\", \"5.1-3\"], claims: \"It opens\", code: [{code}], \
         tests: [\"part::owner::opens\"] }}"
    )
}

/// What is said of a claim that has one thing changed.
#[track_caller]
fn refusal(from: &str, to: &str) -> String {
    let good = claim("Door::open");
    assert!(good.contains(from), "{from}");
    let wrong = collect(&with(&good.replace(from, to)), &provisions()).unwrap_err();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    wrong.concat()
}

#[test]
fn a_claim_is_found_with_the_full_name_of_its_function_and_its_feature() {
    let claims = collect(&with(&claim("Door::open")), &provisions()).unwrap();
    let expected = json!({
        "provisions": ["5.1-3", "5.5-4"],
        "claims": "It opens",
        "package": "part",
        "code": ["part::door::Door::open"],
        "tool": null,
        "feature": "part",
        "file": "part/src/door.rs",
        "tests": ["part::owner::opens"],
    });
    assert_eq!(claims.first(), Some(&expected));
    // In the order of the catalogue.
    assert_eq!(claims.len(), 2);
    assert_eq!(claims.last().unwrap()["feature"], "net");
}

#[test]
fn functions_are_named_by_the_module_that_defines_them() {
    for (named, full) in [
        ("Door::<u8>::open", "part::door::Door::open"),
        ("Door::fmt", "part::door::Door::fmt"),
        ("knock", "part::door::knock"),
        ("self::knock", "part::door::knock"),
        ("slide", "part::shared::inner"),
        ("super::shared::inner", "part::shared::inner"),
        ("Bolt::slide", "part::shared::Bolt::slide"),
        ("crate::shared::Bolt::slide", "part::shared::Bolt::slide"),
    ] {
        let claims = collect(&with(&claim(named)), &provisions()).unwrap();
        assert_eq!(claims[0]["code"], json!([full]), "{named}");
    }
}

#[test]
fn a_function_that_is_not_there_is_refused_with_file_and_line() {
    let gone = "part/src/door.rs:17: Door::close is not in the source of part";
    assert_eq!(refusal("Door::open", "Door::close"), gone);
    assert!(refusal("Door::open", "Window::open").ends_with("Window::open is not in the source of part"));
    assert!(refusal("Door::open", "Bolt::open").ends_with("Bolt::open is not in the source of part"));
    assert!(refusal("Door::open", "Door").contains("not in the source"));
    let elsewhere = refusal("Door::open", "fmt::write");
    assert!(
        elsewhere.ends_with("comes from core::fmt: claim it in the module that defines it"),
        "{elsewhere}"
    );
    let test = refusal("Door::open", "crate::shared::tests::it_slides");
    assert!(
        test.contains("no feature of the facade brings this code"),
        "{test}"
    );
}

#[test]
fn a_provision_that_the_standard_does_not_have_is_refused() {
    assert!(refusal("5.5-4", "5.5-44").ends_with("5.5-44 is no provision of EN 303 645 V3.1.3"));
}

#[test]
fn a_test_that_does_not_run_is_refused() {
    for (test, why) in [
        ("gone::owner::opens", "there is no package gone"),
        ("part::gone::opens", "part has no target gone"),
        ("part::owner::gone::opens", "there is no module gone"),
        ("part::owner::closes", "has no such test"),
        ("part::owner::helps", "has no such test"),
        ("part::owner::three", "has no such test"),
        ("part::owner::sleeps", "this test is ignored"),
    ] {
        let said = refusal("part::owner::opens", test);
        assert!(said.contains(why), "{test}: {said}");
    }
    for test in [
        "part::owner::two",
        "part::owner::more::more",
        "part::part::shared::tests::it_slides",
    ] {
        let good = claim("knock").replace("part::owner::opens", test);
        assert!(collect(&with(&good), &provisions()).is_ok(), "{test}");
    }
}

#[test]
fn the_same_sentence_twice_is_refused() {
    let twice = [claim("Door::open"), claim("knock")].join("\n");
    let wrong = collect(&with(&twice), &provisions()).unwrap_err();
    assert_eq!(wrong.len(), 1);
    assert!(
        wrong[0].starts_with("part/src/door.rs:18: part/src/door.rs:17 says the same"),
        "{wrong:?}"
    );
}

#[test]
fn what_is_no_claim_or_stands_where_none_is_read_is_refused() {
    assert!(refusal("It opens", "It opens.").contains("without a full stop"));
    assert!(refusal("claims:", "claim:").contains("claims is expected here, not claim"));
    let good = claim("knock");
    for hidden in [
        format!("fn hides() {{ {good} }}"),
        format!("fn hides() {{ {}; }}", good.replace("{", "(").replace("}", ")")),
    ] {
        let wrong = collect(&with(&hidden), &provisions()).unwrap_err();
        assert!(
            wrong[0].contains("door.rs:17: a claim stands in a module"),
            "{wrong:?}"
        );
    }
}

#[test]
fn a_tool_is_a_program_of_its_package() {
    let tool = |name: &str| {
        let claim = claim("knock").replace("code: [knock]", &format!("tool: \"{name}\""));
        collect(&with(&claim), &provisions())
    };
    let claims = tool("part provision").unwrap();
    assert_eq!(
        (&claims[0]["tool"], &claims[0]["code"]),
        (&json!("part provision"), &json!([]))
    );
    assert!(tool("other provision").unwrap_err()[0].contains("part has no program other"));
}

#[test]
fn the_feature_is_the_one_that_brings_the_code() {
    let brings = |condition: &str| {
        let module = format!("#[cfg({condition})]\nmod both {{ pub fn f() {{}} }}\n");
        let claims = collect(&with(&format!("{module}{}", claim("both::f"))), &provisions());
        claims.map(|claims| claims[0]["feature"].clone())
    };
    assert_eq!(brings("unix").unwrap(), "part");
    assert_eq!(brings("feature = \"net\"").unwrap(), "net");
    // It needs the package as well, which is nothing without it.
    assert_eq!(brings("feature = \"std\"").unwrap(), "std");
    let either = brings("any(feature = \"net\", feature = \"std\")").unwrap_err();
    assert!(either[0].contains("one or another feature"), "{either:?}");
    let two = brings("all(feature = \"net\", feature = \"std\")").unwrap_err();
    assert!(two[0].contains(r#"needs ["net", "std"]"#), "{two:?}");
    for never in ["feature = \"gone\"", "test"] {
        let refused = brings(never).unwrap_err();
        assert!(refused[0].contains("no feature of the facade"), "{refused:?}");
    }
}

#[test]
fn what_is_always_there_needs_no_feature_and_what_is_behind_no_facade_is_refused() {
    let features = Features::of(&[
        json!({"name": "iotsec", "features": {"a": []}, "dependencies": []}),
        json!({"name": "tool", "features": {}, "dependencies": []}),
    ]);
    assert_eq!(features.facade("iotsec", &[]), Ok(None));
    assert!(features.facade("tool", &[]).unwrap_err().contains("only a tool"));
}
