use iotsec_core::crypto::DIGEST_LEN;

use super::AnchorRotation;

const VERSION: u8 = 1;

/// What was proved.
///
/// ```text
/// 1 version, 1 count n, n * 32 SHA-256 of an anchor, 2 length m, big-endian, m certificate
/// ```
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Record {
    proved: [[u8; DIGEST_LEN]; AnchorRotation::MAX_ANCHORS],
    count: usize,
    last: [u8; AnchorRotation::MAX_ANCHOR_LEN],
    last_len: usize,
}

impl Record {
    pub(super) const EMPTY: Self = Self {
        proved: [[0; DIGEST_LEN]; AnchorRotation::MAX_ANCHORS],
        count: 0,
        last: [0; AnchorRotation::MAX_ANCHOR_LEN],
        last_len: 0,
    };
    pub(super) const MAX_LEN: usize =
        2 + AnchorRotation::MAX_ANCHORS * DIGEST_LEN + 2 + AnchorRotation::MAX_ANCHOR_LEN;

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut record = Self::EMPTY;
        let [VERSION, count, rest @ ..] = bytes else {
            return None;
        };
        let mut rest = rest;
        for _ in 0..*count {
            let (digest, after) = rest.split_first_chunk::<DIGEST_LEN>()?;
            // More than there is room for is no record.
            record.proved.get(record.count)?;
            record.add(*digest);
            rest = after;
        }
        let (len, last) = rest.split_first_chunk::<2>()?;
        let is_whole = last.len() == usize::from(u16::from_be_bytes(*len)) && last.len() <= record.last.len();
        // Whatever was proved, one of it was proved last.
        (is_whole && (record.count == 0 || !last.is_empty())).then(|| record.set_last(last))?;
        Some(record)
    }

    pub(super) fn write<'o>(&self, out: &'o mut [u8; Self::MAX_LEN]) -> &'o [u8] {
        let count = u8::try_from(self.count).unwrap_or(u8::MAX);
        let len = u16::try_from(self.last_len).unwrap_or(u16::MAX);
        let digests = self.proved().iter().flatten();
        let bytes = [VERSION, count].into_iter().chain(digests.copied());
        let bytes = bytes.chain(len.to_be_bytes()).chain(self.last().iter().copied());
        let mut written = 0_usize;
        for (place, byte) in out.iter_mut().zip(bytes) {
            *place = byte;
            written = written.saturating_add(1);
        }
        out.get(..written).unwrap_or_default()
    }

    fn proved(&self) -> &[[u8; DIGEST_LEN]] {
        self.proved.get(..self.count).unwrap_or_default()
    }

    pub(super) fn contains(&self, digest: &[u8; DIGEST_LEN]) -> bool {
        self.proved().contains(digest)
    }

    /// Keeps those of which this is true.
    pub(super) fn keep(&mut self, mut is_kept: impl FnMut(&[u8; DIGEST_LEN]) -> bool) {
        let before = self.clone();
        self.count = 0;
        self.proved = Self::EMPTY.proved;
        for digest in before.proved().iter().filter(|digest| is_kept(digest)) {
            self.add(*digest);
        }
    }

    /// Adds one. There is room for all of a bundle, and those of others were left out before.
    pub(super) fn add(&mut self, digest: [u8; DIGEST_LEN]) {
        if let Some(place) = self.proved.get_mut(self.count) {
            *place = digest;
            self.count = self.count.saturating_add(1);
        }
    }

    /// The certificate that was proved last; empty when there is none.
    pub(super) fn last(&self) -> &[u8] {
        self.last.get(..self.last_len).unwrap_or_default()
    }

    pub(super) fn set_last(&mut self, certificate: &[u8]) {
        self.last = Self::EMPTY.last;
        self.last_len = certificate.len().min(self.last.len());
        for (place, byte) in self.last.iter_mut().zip(certificate) {
            *place = *byte;
        }
    }
}

impl core::fmt::Debug for Record {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Record")
            .field("proved", &self.count)
            .field("last_len", &self.last_len)
            .finish()
    }
}
