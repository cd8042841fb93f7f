//! `docs/guides/factory.md`, followed to the letter.

use std::{fs, path::Path, process::Command};

use crate::bench::Bench;

/// The lines to type, up to the section whose product is another.
fn script(guide: &str) -> String {
    let first = guide.split("## Labels that can be printed again").next().unwrap();
    let blocks = first.split("```console\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

/// What the guide says to write into the product manifest.
fn recipients(guide: &str) -> &str {
    let after = guide.split("```toml\n").nth(1).unwrap();
    after.split("```").next().unwrap()
}

#[test]
#[cfg(unix)]
fn who_follows_the_factory_guide_has_labels_device_data_and_a_certificate() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guides/factory.md");
    let guide = fs::read_to_string(guide).unwrap();
    let bench = Bench::new("who_follows_the_factory_guide");
    let sample = include_str!("../../../examples/products/lamp/iotsec.toml");
    fs::create_dir_all(bench.path("examples/products/lamp")).unwrap();
    bench.write("examples/products/lamp/iotsec.toml", sample.as_bytes());

    let own = Path::new(env!("CARGO_BIN_EXE_iotsec")).parent().unwrap();
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(own.to_owned()).chain(std::env::split_paths(&inherited));
    let path = std::env::join_paths(paths).unwrap();
    let shell = |script: &str| {
        let output = Command::new("sh")
            .args(["-e", "-c", script])
            .current_dir(bench.path(""))
            .env("PATH", &path)
            .output()
            .unwrap();
        assert!(output.status.success(), "{script}\n{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let script = script(&guide);
    let (before, after) = script.split_once("iotsec ca init").unwrap();
    shell(before);
    let manifest = String::from_utf8(bench.read("factory/iotsec.toml")).unwrap();
    let heading = "[factory]\n";
    assert!(manifest.contains(heading));
    let manifest = manifest.replace(heading, &format!("{heading}{}", recipients(&guide)));
    bench.write("factory/iotsec.toml", manifest.as_bytes());
    let said = shell(&format!("cd factory\niotsec ca init{after}"));

    assert!(said.contains("holds EN 303 645 5.1-2"), "{said}");
    for name in [
        "labels/L2-000001.label.svg",
        "labels/L2-001000.qr.png",
        "units/L2-001000.unit",
    ] {
        assert!(bench.path("factory").join(name).exists(), "{name}");
    }
    let certificate = fs::read_to_string(bench.path("factory/unit.crt")).unwrap();
    assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    // What the table offers beside the form that was taken.
    for format in ["esp-nvs", "esp-secure-cert", "matter", "store"] {
        assert!(guide.contains(&format!("`{format}`")), "{format}");
    }
}
