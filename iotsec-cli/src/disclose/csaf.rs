//! `iotsec disclose csaf`

use std::path::{Path, PathBuf};

use clap::Args;
use iotsec_disclosure::csaf;

use super::{advisories, firmware, gpg, now, pretty, write};
use crate::{Output, Problem, product, time::Time};

#[derive(Args)]
pub(super) struct Csaf {
    /// The product manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// An advisory; given once for each that is published.
    #[arg(long, value_name = "FILE", required = true)]
    advisory: Vec<PathBuf>,
    /// The image of the release that the manifest describes, where an advisory speaks of it.
    #[arg(long, value_name = "FILE")]
    firmware: Option<PathBuf>,
    /// A directory for what is published under the folder of provider-metadata.json: a new one, or an empty one.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// When it is made: a date, or seconds since 1970. Now, if it is not given.
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
    #[command(flatten)]
    signing: gpg::Signing,
}

pub(super) fn run(command: &Csaf) -> Result<Output, Problem> {
    let product = product::read(&command.manifest)?;
    let image = command.firmware.as_deref().map(firmware).transpose()?;
    let now = now(command.time)?.unix().into();
    let signing = command.signing.key()?;
    let key = signing.as_ref().map(|key| csaf::Key {
        fingerprint: key.fingerprint.clone(),
        file: format!("{}.asc", key.fingerprint),
    });
    let metadata = csaf::provider_metadata(&product, key.as_ref(), now).map_err(Problem::document)?;
    let mut files: Vec<(PathBuf, String)> = vec![("provider-metadata.json".into(), pretty(&metadata))];
    if let (Some(signing), Some(key)) = (&signing, &key) {
        files.push((Path::new("openpgp").join(&key.file), signing.public()?));
    }
    let white = Path::new("white");
    let mut entries = Vec::new();
    for advisory in advisories(&command.advisory)? {
        let entry = csaf::Entry::of(&advisory);
        if entries.contains(&entry) {
            return Err(Problem::new(
                "Twice",
                format!("two advisories have the id {}", advisory.id),
                "give each its own",
            ));
        }
        let document = csaf::document(&product, &advisory, image.as_ref(), now).map_err(Problem::document)?;
        let (text, path) = (pretty(&document), white.join(&entry.path));
        let beside = |ending: &str| PathBuf::from(format!("{}.{ending}", path.display()));
        let name = csaf::file_name(&advisory);
        files.push((beside("sha256"), csaf::checksum(&name, text.as_bytes())));
        if let Some(key) = &signing {
            files.push((beside("asc"), key.signature(&text)?));
        }
        files.push((path, text));
        entries.push(entry);
    }
    files.push((white.join("index.txt"), csaf::index(&entries)));
    files.push((white.join("changes.csv"), csaf::changes(&entries)));
    write(&command.out, files)
}
