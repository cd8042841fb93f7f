//! Evidence for the sample products: their programs are built, read and judged, with the tests of the SDK run once.

mod in_c;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::tool::{self, Failure};

/// A folder of `examples/products`.
struct Sample {
    name: &'static str,
    /// Where cargo builds it, and with what words.
    folder: &'static str,
    build: &'static [&'static str],
    target: Option<&'static str>,
    /// The ELF file, from the root.
    elf: &'static str,
}

impl Sample {
    fn file(&self) -> String {
        format!("{}.elf", self.name)
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        name: "camera",
        folder: "",
        // As the tests are built, so that what it depends on is not built twice.
        build: &["--example", "camera"],
        target: None,
        elf: "target/debug/examples/camera",
    },
    Sample {
        name: "lock",
        folder: "firmware",
        build: &["--release", "--package", "lock"],
        target: Some("thumbv8m.main-none-eabi"),
        elf: "firmware/target/thumbv8m.main-none-eabi/release/lock",
    },
    Sample {
        name: "sensor",
        folder: "firmware",
        build: &["--release", "--package", "sensor"],
        target: Some("thumbv7em-none-eabihf"),
        elf: "firmware/target/thumbv7em-none-eabihf/release/sensor",
    },
];

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if !args.is_empty() {
        return Err("takes nothing".into());
    }
    let folder = root.join("target/evidence");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for sample in SAMPLES {
        build(root, sample)?;
        // Where building tests writes no other of the same name.
        fs::copy(root.join(sample.elf), folder.join(sample.file()))?;
    }
    tool::run(
        tool::cargo()
            .current_dir(root)
            .args(["build", "--package", "iotsec-cli"]),
    )?;
    let maker = Maker { root, folder };
    maker.tool(&["key", "new", "sdk"])?;
    maker.tool(&["key", "new", "maker"])?;
    let sdk = [
        "evidence",
        "component",
        "--tests",
        &text(root),
        "--key",
        "sdk",
        "--out",
        "sdk.record",
    ];
    print!("{}", maker.tool(&sdk)?);
    for sample in SAMPLES {
        maker.judge(sample)?;
    }
    maker.control()?;
    in_c::check(&maker)
}

fn build(root: &Path, sample: &Sample) -> Result<(), Failure> {
    let mut cargo = tool::cargo();
    cargo
        // Line tables, which tests have, do not name what was inlined.
        .env("CARGO_PROFILE_DEV_DEBUG", "limited")
        .current_dir(root.join(sample.folder))
        .arg("build")
        .args(sample.build);
    if let Some(target) = sample.target {
        tool::need_target(target)?;
        cargo.args(["--target", target]);
    }
    tool::run(&mut cargo)
}

/// Who makes the samples, at a desk of his own.
struct Maker<'r> {
    root: &'r Path,
    folder: PathBuf,
}

impl Maker<'_> {
    /// Runs `iotsec`, which must find nothing wrong.
    fn tool(&self, args: &[&str]) -> Result<String, Failure> {
        tool::text(self.command().args(args))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.root.join("target/debug/iotsec"));
        command.current_dir(&self.folder);
        command
    }

    /// Documents, forms, a record and reports of a sample.
    fn judge(&self, sample: &Sample) -> Result<(), Failure> {
        let (name, manifest) = (sample.name, self.manifest(sample));
        let record = format!("{name}.record");
        println!("--- {name}");
        self.tool(&["doctor", "--manifest", &manifest])?;
        self.tool(&[
            "disclose",
            "--manifest",
            &manifest,
            "--out",
            &format!("{name}/documents"),
        ])?;
        self.tool(&[
            "evidence",
            "ixit",
            "--manifest",
            &manifest,
            "--out",
            &format!("{name}/ixit.md"),
        ])?;
        self.tool(&self.measuring(sample, &sample.file(), &record).each())?;
        for edition in ["v2", "v3"] {
            let reports = format!("{name}/{edition}");
            let report = [
                "evidence",
                "report",
                "--record",
                &record,
                "--key",
                "maker.pub",
                "--component-key",
                "sdk.pub",
                "--out",
                &reports,
            ];
            let said = self.tool(&[&report[..], &["--edition", edition]].concat())?;
            print!(
                "{}",
                said.lines()
                    .next()
                    .map(|line| format!("{line}\n"))
                    .unwrap_or_default()
            );
        }
        Ok(())
    }

    /// The firmware of one product does not show what another needs.
    fn control(&self) -> Result<(), Failure> {
        let [camera, _, sensor] = SAMPLES else {
            return Err("there are three samples".into());
        };
        let words = self.measuring(camera, &sensor.file(), "control.record");
        let output = tool::output(self.command().args(words.each()).arg("--json"))?;
        let value: Value = serde_json::from_slice(&output.stdout)?;
        let findings = value["findings"]
            .as_array()
            .ok_or("the control has no findings")?;
        let missing = findings
            .iter()
            .filter(|finding| finding["rule"] == "evidence.not-linked")
            .count();
        if output.status.code() != Some(1) || missing == 0 {
            return Err(format!("a firmware without the camera's code passes for it:\n{value:#}").into());
        }
        println!(
            "--- the sensor's firmware under the camera's manifest: refused, {missing} provisions lack their code"
        );
        Ok(())
    }

    fn measuring(&self, sample: &Sample, elf: &str, record: &str) -> Words {
        let manifest = self.manifest(sample);
        let root = text(self.root);
        Words(
            [
                ["evidence", "run"],
                ["--manifest", &manifest],
                ["--firmware", elf],
                ["--component", "sdk.record"],
                ["--component-key", "sdk.pub"],
                ["--tests", &root],
                ["--key", "maker"],
                ["--out", record],
            ]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        )
    }

    fn manifest(&self, sample: &Sample) -> String {
        text(
            &self
                .root
                .join("examples/products")
                .join(sample.name)
                .join("iotsec.toml"),
        )
    }
}

/// A command line.
struct Words(Vec<String>);

impl Words {
    fn each(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
