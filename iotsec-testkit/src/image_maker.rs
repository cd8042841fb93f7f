//! MCUboot images as `imgtool` signs them.

use iotsec_core::crypto::{CryptoError, SIGNATURE_LEN, Sha256, Sign};

/// Makes images of the format of MCUboot, with SHA-256 and an Ed25519 signature over it.
///
/// For tests that need many images, or wrong ones; `imgtool` makes those that count. What it says is written as it is
/// told, whether it makes sense or not.
///
/// ```
/// use iotsec_core::{crypto::Ed25519SigningKey, secret::Secret};
/// use iotsec_testkit::ImageMaker;
///
/// let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
/// let image = ImageMaker::new((1, 2, 3)).security_counter(7).sign(&key, b"firmware")?;
/// assert_eq!(image[..4], 0x96F3_B83D_u32.to_le_bytes());
/// assert_eq!(&image[32..40], b"firmware");
/// # Ok::<(), iotsec_core::crypto::CryptoError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageMaker {
    version: (u8, u8, u16),
    header: u16,
    /// Flags and address.
    place: (u32, u32),
    entries: Vec<u8>,
}

const ROM_FIXED: u32 = 0x100;

impl ImageMaker {
    /// Images of this version, with a header of 32 bytes and nothing else.
    #[must_use]
    pub fn new(version: (u8, u8, u16)) -> Self {
        Self {
            version,
            header: 32,
            place: (0, 0),
            entries: Vec::new(),
        }
    }

    /// With so many bytes of header and padding (`--header-size`).
    #[must_use]
    pub const fn header(mut self, bytes: u16) -> Self {
        self.header = bytes;
        self
    }

    /// Linked for this address (`--rom-fixed`).
    #[must_use]
    pub const fn rom_fixed(mut self, address: u32) -> Self {
        self.place = (ROM_FIXED, address);
        self
    }

    /// With a security counter (`--security-counter`).
    #[must_use]
    pub fn security_counter(self, counter: u32) -> Self {
        self.entry(0x50, &counter.to_le_bytes())
    }

    /// With a vendor id (`--vid`).
    #[must_use]
    pub fn vendor(self, id: [u8; 16]) -> Self {
        self.entry(0x74, &id)
    }

    /// With a class id (`--cid`).
    #[must_use]
    pub fn class(self, id: [u8; 16]) -> Self {
        self.entry(0x75, &id)
    }

    /// With one more entry in the protected area.
    ///
    /// # Panics
    /// For more than 65,535 bytes.
    #[must_use]
    pub fn entry(mut self, kind: u16, value: &[u8]) -> Self {
        push(&mut self.entries, kind, value);
        self
    }

    /// The image of `payload`, signed.
    ///
    /// # Errors
    /// Those of the key.
    ///
    /// # Panics
    /// For a payload of 4 GiB.
    pub fn sign(&self, key: &dyn Sign, payload: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut image = self.unsigned(payload);
        let digest = Sha256::of(&[&image]);
        let mut signature = [0; SIGNATURE_LEN];
        key.sign(&digest, &mut signature)?;
        let mut entries = Vec::new();
        push(&mut entries, 0x10, &digest);
        push(&mut entries, 0x01, &key_hash(key.public_key()));
        push(&mut entries, 0x24, &signature);
        area(&mut image, 0x6907, &entries);
        Ok(image)
    }

    /// What is signed.
    fn unsigned(&self, payload: &[u8]) -> Vec<u8> {
        let protected = match self.entries.len() {
            0 => 0,
            len => len + 4,
        };
        let ((flags, address), (major, minor, revision)) = (self.place, self.version);
        let mut image = Vec::new();
        image.extend(0x96F3_B83D_u32.to_le_bytes());
        image.extend(address.to_le_bytes());
        image.extend(self.header.to_le_bytes());
        image.extend(short(protected).to_le_bytes());
        image.extend(u32::try_from(payload.len()).expect("a payload").to_le_bytes());
        image.extend(flags.to_le_bytes());
        image.extend([major, minor]);
        image.extend(revision.to_le_bytes());
        image.resize(usize::from(self.header), 0);
        image.extend(payload);
        if protected > 0 {
            area(&mut image, 0x6908, &self.entries);
        }
        image
    }
}

/// The name of an Ed25519 key: SHA-256 of its SubjectPublicKeyInfo (RFC 8410).
fn key_hash(key: &[u8]) -> [u8; 32] {
    const PREFIX: [u8; 12] = [
        0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    Sha256::of(&[&PREFIX, key])
}

fn area(image: &mut Vec<u8>, magic: u16, entries: &[u8]) {
    image.extend(magic.to_le_bytes());
    image.extend(short(entries.len() + 4).to_le_bytes());
    image.extend(entries);
}

fn push(entries: &mut Vec<u8>, kind: u16, value: &[u8]) {
    entries.extend(kind.to_le_bytes());
    entries.extend(short(value.len()).to_le_bytes());
    entries.extend(value);
}

fn short(len: usize) -> u16 {
    u16::try_from(len).expect("lengths of 16 bits")
}
