//! A signed repository of The Update Framework with one target, in a folder that goes when this does.

use std::{
    env, fs,
    num::NonZeroU64,
    path::{Path, PathBuf},
    process,
};

use iotsec::core::{
    crypto::{Ed25519SigningKey, SIGNATURE_LEN, Sign},
    secret::Secret,
};
use serde_json::json;
use tough::{
    IntoVec, RepositoryLoader, TargetName, Transport,
    editor::RepositoryEditor,
    key_source::{KeySource, LocalKeySource},
    schema::{Role, Root, Signature, Signed, key::Key},
};
use url::Url;

use super::device::Result;

const TARGET: &str = "image.bin";
const EXPIRES: &str = "2100-01-01T00:00:00Z";
const SEED: [u8; 32] = [9; 32];
/// What comes before the seed in a PKCS #8 document (RFC 8410 §7).
const PKCS8: [u8; 16] = [
    0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

pub(crate) struct Repository {
    folder: PathBuf,
    root: Vec<u8>,
    name: TargetName,
}

impl Repository {
    /// One key for all roles, as small as a repository can be.
    pub(crate) async fn write(image: &[u8]) -> Result<Self> {
        let folder = env::temp_dir().join(format!("iotsec-peers-{}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        let repository = Self {
            root: root()?,
            name: TargetName::new(TARGET)?,
            folder,
        };
        for part in ["metadata", "targets"] {
            fs::create_dir_all(repository.part(part))?;
        }
        let (key, root) = (repository.part("key"), repository.part("root.json"));
        fs::write(&key, [PKCS8.as_slice(), &SEED].concat())?;
        fs::write(&root, &repository.root)?;
        let target = repository.part("targets").join(TARGET);
        fs::write(&target, image)?;

        let mut editor = RepositoryEditor::new(&root).await?;
        let one = NonZeroU64::MIN;
        editor
            .targets_version(one)?
            .targets_expires(EXPIRES.parse()?)?
            .snapshot_version(one)
            .snapshot_expires(EXPIRES.parse()?)
            .timestamp_version(one)
            .timestamp_expires(EXPIRES.parse()?)
            .add_target_path(&target)
            .await?;
        let keys: [Box<dyn KeySource>; 1] = [Box::new(LocalKeySource { path: key })];
        editor
            .sign(&keys)
            .await?
            .write(repository.part("metadata"))
            .await?;
        Ok(repository)
    }

    /// Reads and verifies root, timestamp, snapshot and targets.
    pub(crate) async fn load<T>(&self, transport: T) -> Result<tough::Repository>
    where
        T: Transport + Send + Sync + 'static,
    {
        let url = |part| Url::from_directory_path(self.part(part)).map_err(|()| "the folder has no URL");
        let loader = RepositoryLoader::new(&self.root, url("metadata")?, url("targets")?);
        Ok(loader.transport(transport).load().await?)
    }

    /// Reads and verifies the target.
    pub(crate) async fn read(&self, loaded: &tough::Repository) -> Result<Vec<u8>> {
        let target = loaded.read_target(&self.name).await?;
        Ok(target.ok_or("no such target")?.into_vec().await?)
    }

    /// Where files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn part(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// `root.json`, which the editor of `tough` starts from and does not write.
fn root() -> Result<Vec<u8>> {
    let maker = Ed25519SigningKey::from_seed(&Secret::from_bytes(SEED));
    let public: String = maker
        .public_key()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let key = json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": public } });
    let id = serde_json::from_value::<Key>(key.clone())?.key_id()?;
    let name = serde_json::to_value(&id)?;
    let name = name.as_str().ok_or("a key has no name")?;
    let role = json!({ "keyids": [name], "threshold": 1 });
    let root: Root = serde_json::from_value(json!({
        "_type": "root",
        "spec_version": "1.0.0",
        "consistent_snapshot": false,
        "version": 1,
        "expires": EXPIRES,
        "keys": { name: key },
        "roles": { "root": role, "timestamp": role, "snapshot": role, "targets": role },
    }))?;
    let mut signature = [0; SIGNATURE_LEN];
    maker.sign(&root.canonical_form()?, &mut signature)?;
    let signed = Signed {
        signed: root,
        signatures: vec![Signature {
            keyid: id,
            sig: signature.to_vec().into(),
        }],
    };
    Ok(serde_json::to_vec(&signed)?)
}
