//! What TLS takes on Linux: programs of `benches/footprint`, stripped.

use std::{fs, path::Path};

use crate::tool::{self, Failure};

/// The name of each program, and what its row says.
const PROGRAMS: &[(&str, &str)] = &[(
    "tls_client",
    "TLS 1.3 client with ring, verifier and interface table",
)];

/// The section of the document.
pub(super) fn section(root: &Path) -> Result<String, Failure> {
    let target = root.join("target/linux-footprint");
    let mut build = tool::cargo();
    build.current_dir(root).env("CARGO_TARGET_DIR", &target);
    build.args(["build", "--quiet", "--release", "--locked", "--manifest-path"]);
    tool::run(build.arg("benches/footprint/Cargo.toml"))?;
    let size =
        |name: &str| -> Result<u64, Failure> { Ok(fs::metadata(target.join("release").join(name))?.len()) };
    let empty = size("empty")?;
    let mut text = format!(
        "\n## {}-linux\n\n\
        Stripped programs of `benches/footprint`, for size and with link-time optimisation. What the standard library takes, \
        {empty} bytes with files and sockets, is not counted.\n\n\
        | what | file (bytes) |\n|---|--:|\n",
        std::env::consts::ARCH
    );
    for (name, about) in PROGRAMS {
        text.push_str(&format!("| {about} | {} |\n", size(name)?.saturating_sub(empty)));
    }
    Ok(text)
}
