//! What others build iotsec with: CMake, Zephyr, ESP-IDF, PlatformIO, Yocto. Each is built as far as its tools come from
//! package registries, and its manifests are read by the tools that read them there.

mod recipe;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    c,
    image::THUMBV7EM_HF,
    interop::venv::Venv,
    qemu::{self, Board},
    tool::{self, Failure},
};

const PASSED: &str = "all passed\n";
/// Readers of manifests and Kconfig, and SCons, which PlatformIO builds with.
const TOOLS: [&str; 5] = [
    "kconfiglib==14.1.0",
    "pykwalify==1.8.0",
    "platformio==6.2.0",
    "SCons==4.11.1",
    "PyYAML==6.0.4",
];
/// Those of Espressif. Their Kconfig takes the place of the other one, so they have a place of their own.
const ESPRESSIF: [&str; 2] = ["idf-component-manager==3.1.2", "esp-idf-kconfig==3.14.0"];
const YOCTO: [&str; 1] = ["oelint-adv==9.11.2"];

/// A package, how far it goes here, and the check.
struct Package {
    /// As an argument.
    name: &'static str,
    title: &'static str,
    done: &'static str,
    not_done: &'static str,
    check: fn(&Place) -> Result<(), Failure>,
}

const PACKAGES: [Package; 6] = [
    Package {
        name: "linux",
        title: "CMake, Linux",
        done: "BUILT and run against the installed library",
        not_done: "",
        check: linux,
    },
    Package {
        name: "cortex-m",
        title: "CMake, Cortex-M",
        done: "BUILT and run in QEMU",
        not_done: "",
        check: cortex_m,
    },
    Package {
        name: "zephyr",
        title: "Zephyr module",
        done: "library BUILT by the module's CMake with stand-ins for Zephyr's functions; module.yml, Kconfig and sample read",
        not_done: "adapters and sample: Zephyr is on no package registry",
        check: zephyr,
    },
    Package {
        name: "esp-idf",
        title: "ESP-IDF component",
        done: "library BUILT by the component's CMake with a stand-in for ESP-IDF's function; manifest packed, Kconfig read",
        not_done: "adapters and example: ESP-IDF is on no package registry",
        check: esp_idf,
    },
    Package {
        name: "platformio",
        title: "PlatformIO library",
        done: "library and firmware BUILT by its script under SCons, run in QEMU; manifest read",
        not_done: "a project under `pio run`: its platforms are on a registry of their own",
        check: platformio,
    },
    Package {
        name: "yocto",
        title: "Yocto recipe",
        done: "read by oelint-adv; licences and crates compared",
        not_done: "under BitBake: OpenEmbedded is on no package registry",
        check: yocto,
    },
];

struct Place {
    root: PathBuf,
    work: PathBuf,
}

/// Checks all or the named ones, or writes the crates of the recipe.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if args == ["--write"] {
        return recipe::write(root);
    }
    if let Some(unknown) = args
        .iter()
        .find(|name| PACKAGES.iter().all(|package| package.name != **name))
    {
        let names = PACKAGES.map(|package| package.name).join(", ");
        return Err(format!("{unknown}: takes --write, or some of {names}").into());
    }
    let wanted = || {
        PACKAGES
            .iter()
            .filter(|package| args.is_empty() || args.contains(&package.name))
    };
    need()?;
    let place = Place {
        root: root.to_owned(),
        work: root.join("target/packages"),
    };
    let run = place.work.join("run");
    if run.exists() {
        fs::remove_dir_all(&run)?;
    }
    fs::create_dir_all(&run)?;
    for package in wanted() {
        (package.check)(&place).map_err(|error| format!("{}: {error}", package.title))?;
        println!("-- {}: {}", package.title, package.done);
    }
    for package in wanted().filter(|package| !package.not_done.is_empty()) {
        println!("{}: NOT BUILT here: {}", package.title, package.not_done);
    }
    Ok(())
}

fn need() -> Result<(), Failure> {
    tool::need("cmake", "apt-get install cmake")?;
    tool::need(
        "arm-none-eabi-gcc",
        "apt-get install --no-install-recommends gcc-arm-none-eabi libnewlib-arm-none-eabi",
    )?;
    tool::need_target(THUMBV7EM_HF)?;
    tool::need_target("riscv32imac-unknown-none-elf")?;
    qemu::need()
}

impl Place {
    fn run(&self, name: &str) -> PathBuf {
        self.work.join("run").join(name)
    }

    /// Python with the tools that all but Espressif use.
    fn python(&self) -> Result<Venv, Failure> {
        Venv::new(&self.work.join("venv"), &TOOLS)
    }

    /// Configures and builds `source`, with cargo's results where other tasks have theirs.
    fn cmake(&self, source: &str, name: &str, options: &[String]) -> Result<PathBuf, Failure> {
        let build = self.run(name);
        let mut configure = Command::new("cmake");
        configure
            .arg("-S")
            .arg(self.root.join(source))
            .arg("-B")
            .arg(&build);
        configure.arg(format!("-DROOT={}", self.root.display()));
        configure.arg(format!(
            "-DIOTSEC_TARGET_DIR={}",
            self.root.join("target").display()
        ));
        tool::text(
            configure
                .args(["-DCMAKE_BUILD_TYPE=MinSizeRel", "--no-warn-unused-cli"])
                .args(options),
        )?;
        tool::text(Command::new("cmake").arg("--build").arg(&build))?;
        Ok(build)
    }
}

fn linux(place: &Place) -> Result<(), Failure> {
    let prefix = place.run("prefix");
    c::package::install(&place.root, &prefix)?;
    let build = place.cmake(
        "packages/cmake/linux",
        "linux",
        &[format!("-DCMAKE_PREFIX_PATH={}", prefix.display())],
    )?;
    c::package::passes(&build.join("firmware"), &prefix)
}

fn cortex_m(place: &Place) -> Result<(), Failure> {
    let file = place.root.join("packages/cmake/cortex-m/cortex-m4f.cmake");
    let build = place.cmake(
        "packages/cmake/cortex-m",
        "cortex-m",
        &[format!("-DCMAKE_TOOLCHAIN_FILE={}", file.display())],
    )?;
    in_qemu(&build.join("firmware.elf"))
}

fn zephyr(place: &Place) -> Result<(), Failure> {
    let mut targets = Command::new("cmake");
    targets.arg(format!("-DROOT={}", place.root.display()));
    tool::text(
        targets
            .arg("-P")
            .arg(place.root.join("xtask/packages/targets.cmake")),
    )?;
    place.cmake("xtask/packages/zephyr", "zephyr", &[])?;
    let lint = place.root.join("xtask/packages/lint.py");
    print!("{}", tool::text(place.python()?.run(&lint).arg(&place.root))?);
    Ok(())
}

fn esp_idf(place: &Place) -> Result<(), Failure> {
    place.cmake("xtask/packages/esp-idf", "esp-idf", &[])?;
    let python = Venv::new(&place.work.join("venv-espressif"), &ESPRESSIF)?;
    let source = place.root.join("packages/esp-idf/iotsec");
    let mut kconfig = Command::new(python.python());
    // It writes beside the file what it would rather have.
    let copy = place.run("Kconfig");
    fs::copy(source.join("Kconfig"), &copy)?;
    tool::text(kconfig.args(["-m", "kconfcheck"]).arg(&copy))?;
    let mut pack = Command::new(python.python().with_file_name("compote"));
    pack.current_dir(&source)
        .env("IDF_TOOLS_PATH", place.run("espressif"));
    pack.args([
        "--warnings-as-errors",
        "component",
        "pack",
        "--name",
        "iotsec",
        "--dest-dir",
    ]);
    tool::text(pack.arg(place.run("component")))?;
    println!("packages/esp-idf/iotsec: {}", ESPRESSIF.join(", "));
    Ok(())
}

fn platformio(place: &Place) -> Result<(), Failure> {
    let python = place.python()?;
    let out = place.run("platformio");
    let mut scons = Command::new(python.python());
    scons.args(["-B", "-m", "SCons", "-Q", "-s", "-f"]);
    scons.arg(place.root.join("xtask/packages/SConstruct"));
    scons.arg(format!("root={}", place.root.display()));
    fs::create_dir_all(&out)?;
    tool::text(scons.current_dir(&out).arg(format!("out={}", out.display())))?;
    in_qemu(&out.join("firmware.elf"))
}

fn yocto(place: &Place) -> Result<(), Failure> {
    recipe::check(&place.root)?;
    let python = Venv::new(&place.work.join("venv-yocto"), &YOCTO)?;
    let mut lint = Command::new(python.python().with_file_name("oelint-adv"));
    lint.args(["--quiet", "--hide", "info", "--release", "wrynose"]);
    // Whether the home page answers is no matter of the recipe.
    lint.args(["--suppress", "oelint.vars.homepageping"]);
    tool::run(lint.arg(place.root.join(recipe::RECIPE)))?;
    println!("{}: {}", recipe::RECIPE, YOCTO.join(", "));
    Ok(())
}

fn in_qemu(program: &Path) -> Result<(), Failure> {
    let printed = qemu::run(program, Board::MPS2_AN386)?;
    if printed.ends_with(PASSED) {
        Ok(())
    } else {
        Err(format!("{}:\n{printed}", program.display()).into())
    }
}
