//! Between cargo and rustc, while images are built: the order of functions must not depend on where the sources lie.
//!
//! Cargo makes the metadata of a crate, which is in the names of its symbols, of the absolute path of a package that
//! lies outside the workspace, as the SDK does for `firmware/`. Instances of generic functions are ordered by those names.

use std::{
    env,
    ffi::OsString,
    path::Path,
    process::{Command, ExitCode},
};

/// Names the root of the sources, and says that this program is called in rustc's place.
const ROOT: &str = "IOTSEC_RUSTC_ROOT";

/// Has `cargo` call this program in rustc's place, for the sources at `root`.
pub(crate) fn wrap(cargo: &mut Command, root: &Path) -> std::io::Result<()> {
    cargo.env("RUSTC_WRAPPER", env::current_exe()?).env(ROOT, root);
    Ok(())
}

/// Runs rustc if that is what this program was called for.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let root = env::var_os(ROOT)?;
    let mut args = env::args_os().skip(1);
    let rustc = args.next()?;
    let ours = env::var_os("CARGO_MANIFEST_DIR").is_some_and(|package| Path::new(&package).starts_with(root));
    let args: Vec<_> = args.collect();
    let args = if ours { named(args) } else { args };
    let status = Command::new(rustc).args(args).status();
    let code = status.ok().and_then(|status| status.code());
    Some(
        code.and_then(|code| u8::try_from(code).ok())
            .map_or(ExitCode::FAILURE, ExitCode::from),
    )
}

/// With a metadata of the crate that is the same everywhere. Its name is in the symbols too, and ours are told apart by it.
fn named(args: Vec<OsString>) -> Vec<OsString> {
    let metadata = |arg: OsString| {
        let is_metadata = arg.to_str().is_some_and(|arg| arg.starts_with("metadata="));
        if is_metadata {
            "metadata=iotsec".into()
        } else {
            arg
        }
    };
    args.into_iter().map(metadata).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_metadata_is_replaced() {
        let args = [
            "--crate-name",
            "board",
            "-C",
            "metadata=d9f3",
            "-C",
            "extra-filename=-d9f3",
        ];
        let named = named(args.map(OsString::from).to_vec());
        assert_eq!(named[3], "metadata=iotsec");
        assert_eq!(
            (&named[..3], &named[4..]),
            (&args.map(OsString::from)[..3], &args.map(OsString::from)[4..])
        );
    }
}
