//! The files of a repository in memory, so that neither side is measured with a file system.

use std::{collections::HashMap, fs, sync::Arc};

use futures_util::stream;
use tough::{Bytes, Transport, TransportError, TransportErrorKind, TransportStream, async_trait};
use url::Url;

use super::{CHUNK, device::Result, repository::Repository};

/// Hands files out in pieces of the size that the installation gets.
#[derive(Clone, Debug)]
pub(crate) struct Memory(Arc<HashMap<Url, Bytes>>);

impl Memory {
    pub(crate) fn of(repository: &Repository) -> Result<Self> {
        let mut files = HashMap::new();
        for part in ["metadata", "targets"] {
            for entry in fs::read_dir(repository.folder().join(part))? {
                let path = entry?.path();
                let url = Url::from_file_path(&path).map_err(|()| "the file has no URL")?;
                files.insert(url, fs::read(&path)?.into());
            }
        }
        Ok(Self(Arc::new(files)))
    }
}

#[async_trait]
impl Transport for Memory {
    async fn fetch(&self, url: Url) -> std::result::Result<TransportStream, TransportError> {
        let Some(file) = self.0.get(&url).cloned() else {
            return Err(TransportError::new(TransportErrorKind::FileNotFound, url));
        };
        let pieces = (0..file.len())
            .step_by(CHUNK)
            .map(move |at| Ok(file.slice(at..file.len().min(at + CHUNK))));
        Ok(Box::pin(stream::iter(pieces)))
    }
}
