//! Python with packages of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::tool::{self, Failure};

/// A virtual environment.
pub(crate) struct Venv {
    python: PathBuf,
}

impl Venv {
    /// The one in `folder`, made anew unless exactly these packages were installed there.
    pub(crate) fn new(folder: &Path, packages: &[&str]) -> Result<Self, Failure> {
        let python = folder.join("bin/python");
        // Written last, so that an installation that was broken off is not taken for a whole one.
        let installed = folder.join("installed");
        let wanted = packages.join("\n");
        if fs::read_to_string(&installed).ok().as_ref() != Some(&wanted) {
            let mut make = Command::new("python3");
            tool::run(make.args(["-m", "venv", "--clear"]).arg(folder))
                .map_err(|error| format!("{error}: apt-get install python3-venv"))?;
            let mut install = Command::new(&python);
            install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            tool::run(install.args(packages))
                .map_err(|error| format!("{error}: needs PyPI, or a mirror of it that pip is told of"))?;
            fs::write(&installed, wanted)?;
        }
        Ok(Self { python })
    }

    /// One of the scripts in `xtask/interop`.
    pub(crate) fn script(&self, root: &Path, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg("-B").arg(root.join("xtask/interop").join(name));
        command
    }

    /// Its interpreter. Programs of the packages are beside it.
    pub(crate) fn python(&self) -> &Path {
        &self.python
    }

    /// Any script. Programs of the packages are found by it.
    pub(crate) fn run(&self, script: &Path) -> Command {
        let mut command = Command::new(&self.python);
        command.arg("-B").arg(script);
        let own = self.python.parent().map(Path::to_owned).unwrap_or_default();
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(own).chain(std::env::split_paths(&inherited));
        if let Ok(paths) = std::env::join_paths(paths) {
            command.env("PATH", paths);
        }
        command
    }
}
