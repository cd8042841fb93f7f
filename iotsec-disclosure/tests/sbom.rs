//! A bill of materials has what is linked, says what only made it, and the least elements that others ask for.

use iotsec_disclosure::{
    DisclosureError, Firmware,
    sbom::{self, Graph},
};
use iotsec_product::Product;
use serde_json::{Value, json};

const LOCK: &str = include_str!("../../examples/products/lock/iotsec.toml");
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// An application that links `linked` and, through it, `deep`; a macro and a build script use others; `other` is there for
/// another member of the workspace.
fn metadata() -> Value {
    let package = |name: &str, source: Value, kind: &str| {
        json!({
            "name": name, "version": "1.0.0", "id": name, "source": source, "license": "MIT/Apache-2.0",
            "authors": ["A. Author <a@example.org>"], "repository": format!("https://example.org/{name}"),
            "targets": [{ "kind": [kind] }],
        })
    };
    let dependency =
        |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind, "target": null }] });
    let node =
        |name: &str, features: Value, deps: Value| json!({ "id": name, "features": features, "deps": deps });
    json!({
        "packages": [
            package("app", Value::Null, "bin"),
            package("linked", json!(CRATES_IO), "lib"),
            package("deep", json!("git+https://example.org/deep?branch=main#0123abcd"), "lib"),
            package("derive", json!(CRATES_IO), "proc-macro"),
            package("syntax", json!(CRATES_IO), "lib"),
            package("generator", json!("sparse+https://registry.example.org/index/"), "lib"),
            package("tested", json!(CRATES_IO), "lib"),
            package("other", json!(CRATES_IO), "lib"),
        ],
        "workspace_members": ["app"],
        "resolve": { "root": "app", "nodes": [
            node("app", json!([]), json!([
                dependency("linked", Value::Null),
                dependency("derive", Value::Null),
                dependency("generator", json!("build")),
                dependency("tested", json!("dev")),
                dependency("other", Value::Null),
            ])),
            node("linked", json!(["fast", "std"]), json!([dependency("deep", Value::Null)])),
            node("deep", json!([]), json!([])),
            node("derive", json!([]), json!([dependency("syntax", Value::Null)])),
            node("syntax", json!([]), json!([])),
            node("generator", json!([]), json!([])),
            node("tested", json!([]), json!([])),
            node("other", json!([]), json!([])),
        ]},
    })
}

fn lock() -> String {
    let digest = "ab".repeat(32);
    ["linked", "derive", "syntax", "tested", "other"]
        .map(|name| (name, CRATES_IO))
        .into_iter()
        .chain([("generator", "sparse+https://registry.example.org/index/")])
        .map(|(name, source)| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \"{source}\"\nchecksum = \"{digest}\"\n")
        })
        .collect()
}

const LINKED: &str = "app v1.0.0 (/src/app)\t\nlinked v1.0.0\tfast\ndeep v1.0.0 (https://example.org/deep?branch=main#0123abcd)\t\n";
const ALL: &str = "app v1.0.0 (/src/app)\t\nlinked v1.0.0\tfast\ndeep v1.0.0 (https://example.org/deep#0123abcd)\t\nderive v1.0.0 (proc-macro)\t\nsyntax v1.0.0\t\ngenerator v1.0.0 (registry `private`)\t\nlinked v1.0.0\tfast (*)\n";

fn graph() -> Graph {
    let graph = Graph::parse(&metadata().to_string(), None).unwrap();
    graph.linked(LINKED, ALL).unwrap().locked(&lock()).unwrap()
}

fn bill(manifest: &str, graph: &Graph, image: &[u8]) -> Value {
    let product = Product::parse(manifest.as_bytes()).unwrap();
    let firmware = Firmware::of("lock.bin", image);
    let build = sbom::Build {
        firmware: &firmware,
        target: Some("thumbv8m.main-none-eabi"),
        now: "2026-12-01".parse().unwrap(),
        version: 1,
    };
    sbom::document(&product, graph, &build).unwrap()
}

fn component<'a>(bom: &'a Value, name: &str) -> &'a Value {
    let all = bom["components"].as_array().unwrap();
    all.iter()
        .find(|one| one["name"] == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn what_is_linked_is_told_from_what_only_built_it() {
    let upper = Graph::parse(&metadata().to_string(), None).unwrap();
    assert_eq!(upper.count(), (4, 3));
    let graph = graph();
    assert_eq!(graph.count(), (3, 3));
    let bom = bill(LOCK, &graph, b"an image");
    let scope = |name: &str| component(&bom, name)["scope"].clone();
    for (name, wanted) in [
        ("app", "required"),
        ("linked", "required"),
        ("deep", "required"),
        ("derive", "excluded"),
        ("syntax", "excluded"),
        ("generator", "excluded"),
    ] {
        assert_eq!(scope(name), wanted, "{name}");
    }
    let names: Vec<&Value> = bom["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert!(
        !names.contains(&&json!("tested")) && !names.contains(&&json!("other")),
        "{names:?}"
    );
    // The features that were linked, and not those of all members together.
    let features: Vec<&Value> = component(&bom, "linked")["properties"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["name"] == "iotsec:cargo:feature")
        .map(|one| &one["value"])
        .collect();
    assert_eq!(features, [&json!("fast")]);
    let purl = |name: &str| component(&bom, name)["purl"].clone();
    assert_eq!(purl("linked"), "pkg:cargo/linked@1.0.0");
    assert_eq!(
        purl("deep"),
        "pkg:cargo/deep@1.0.0?vcs_url=git%2Bhttps%3A%2F%2Fexample.org%2Fdeep%400123abcd"
    );
    assert_eq!(
        purl("generator"),
        "pkg:cargo/generator@1.0.0?repository_url=https%3A%2F%2Fregistry.example.org%2Findex%2F"
    );
    assert_eq!(purl("app"), Value::Null);
    let supplier = |name: &str| component(&bom, name)["supplier"]["name"].clone();
    assert_eq!(
        (supplier("app"), supplier("linked")),
        (json!("Example Locks Limited"), json!("A. Author"))
    );
    assert_eq!(component(&bom, "linked")["hashes"][0]["content"], "ab".repeat(32));
    assert_eq!(
        component(&bom, "linked")["licenses"][0]["expression"],
        "MIT OR Apache-2.0"
    );
}

/// NTIA, The Minimum Elements For a Software Bill of Materials (2021), and what BSI TR-03183-2 adds for the image.
#[test]
fn every_component_has_the_least_elements() {
    let bom = bill(LOCK, &graph(), b"an image");
    assert_eq!(bom["metadata"]["timestamp"], "2026-12-01T00:00:00Z");
    assert_eq!(
        bom["metadata"]["manufacturer"]["url"][0],
        "https://locks.example.com/lock-1"
    );
    let whose: Vec<&str> = bom["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["ref"].as_str().unwrap())
        .collect();
    let known = bom["compositions"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["dependencies"].as_array().unwrap());
    assert_eq!(known.count(), whose.len());
    let components = bom["components"]
        .as_array()
        .unwrap()
        .iter()
        .chain([&bom["metadata"]["component"]]);
    for one in components {
        for element in [
            "/name",
            "/version",
            "/bom-ref",
            "/supplier/name",
            "/supplier/url/0",
        ] {
            let value = one.pointer(element).and_then(Value::as_str);
            assert!(value.is_some_and(|value| !value.is_empty()), "{element}: {one:#}");
        }
        assert!(whose.contains(&one["bom-ref"].as_str().unwrap()), "{one:#}");
    }
    let image = &bom["metadata"]["component"];
    assert_eq!(image["type"], "firmware");
    assert_eq!(image["hashes"][0]["alg"], "SHA-256");
    assert_eq!(image["hashes"][1]["content"].as_str().unwrap().len(), 128);
    let properties = image["properties"].to_string();
    for name in ["filename", "executable", "archive", "structured"] {
        assert!(properties.contains(&format!("bsi:component:{name}")), "{name}");
    }
}

#[test]
fn parts_that_are_no_crates_are_there_with_their_origin() {
    let origin = "\n[component.origin]\nsupplier = \"Chip Maker\"\npage = \"https://chips.example.com\"\nversion = \"2.1\"\n\
                  licence = \"BSD-3-Clause\"\npurl = \"pkg:generic/chips/radio@2.1\"\n";
    let radio = format!(
        "\n[[component]]\nid = \"radio\"\ndescription = \"Firmware of the radio\"\n{origin}needs = [\"application\"]\n\n[[update]]"
    );
    let manifest = LOCK.replacen("\n[[update]]", &radio, 1);
    let bom = bill(&manifest, &graph(), b"an image");
    let radio = component(&bom, "radio");
    assert_eq!(
        (&radio["version"], &radio["supplier"]["name"]),
        (&json!("2.1"), &json!("Chip Maker"))
    );
    assert_eq!(radio["purl"], "pkg:generic/chips/radio@2.1");
    let needs = bom["dependencies"].as_array().unwrap();
    let needs = needs.iter().find(|one| one["ref"] == "component:radio").unwrap();
    assert_eq!(needs["dependsOn"], json!(["component:application"]));
    assert_eq!(component(&bom, "application")["version"], "1.4.0");

    let lost = manifest.replace("needs = [\"application\"]", "needs = [\"kernel\"]");
    let findings = Product::parse(lost.as_bytes()).unwrap_err();
    assert_eq!(
        (findings[0].rule, findings[0].at.as_str()),
        ("reference", "component[2].origin.needs")
    );
}

#[test]
fn the_same_image_gives_the_same_document_and_another_one_another_serial_number() {
    let graph = graph();
    let bom = bill(LOCK, &graph, b"an image");
    assert_eq!(bom, bill(LOCK, &graph, b"an image"));
    assert_ne!(
        bom["serialNumber"],
        bill(LOCK, &graph, b"another image")["serialNumber"]
    );
}

#[test]
fn what_cargo_did_not_write_is_refused() {
    let parse =
        |metadata: &Value, package| Graph::parse(&metadata.to_string(), package).map(|graph| graph.count());
    assert!(matches!(
        parse(&json!([]), None),
        Err(DisclosureError::Metadata(_))
    ));
    let mut bare = metadata();
    bare["resolve"] = Value::Null;
    assert!(matches!(parse(&bare, None), Err(DisclosureError::Metadata(_))));
    let mut rootless = metadata();
    rootless["resolve"]["root"] = Value::Null;
    let refused = parse(&rootless, None).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the root of the workspace is no package; there are: app"
    );
    assert_eq!(parse(&rootless, Some("app")), Ok((4, 3)));
    assert_eq!(
        parse(&rootless, Some("linked")).unwrap_err().to_string(),
        "linked is no package of the workspace; there are: app"
    );
    // A graph with a circle ends.
    let mut circle = metadata();
    circle["resolve"]["nodes"][2]["deps"] = json!([{ "pkg": "linked", "dep_kinds": [{ "kind": null }] }]);
    assert_eq!(parse(&circle, None), Ok((4, 3)));

    let graph = || Graph::parse(&metadata().to_string(), None).unwrap();
    let without = lock().replacen("checksum", "other", 1);
    assert_eq!(
        graph().locked(&without).unwrap_err(),
        DisclosureError::Lock("has no checksum of linked 1.0.0".into())
    );
    assert!(matches!(
        graph().locked("package = 1"),
        Err(DisclosureError::Lock(_))
    ));
    assert!(matches!(
        graph().linked("error: no such package", ALL),
        Err(DisclosureError::Metadata(_))
    ));
    assert!(matches!(
        graph().linked("", ALL),
        Err(DisclosureError::Metadata(_))
    ));
}
