//! From bytes to an image whose maker is known.

use iotsec_core::crypto::{CryptoError, DIGEST_LEN, Digest, KeyType, Verify, WIDE_DIGEST_LEN, WideDigest};
use subtle::ConstantTimeEq;

use super::{
    Dependency, Flags, ImageBytes, McubootError, Version,
    claims::Claims,
    header::{HEADER_LEN, Header},
    key,
    seal::{Algorithm, Hash, Seal},
};

/// The hashes that images may use.
pub struct Hashes<'h> {
    /// Most images.
    pub sha256: &'h mut dyn Digest,
    /// Images made with `imgtool --pure` or `--sha 512`; without it they are refused.
    pub sha512: Option<&'h mut dyn WideDigest>,
}

/// An image whose shape was checked, and nothing else.
///
/// It says nothing about itself until it is verified:
///
/// ```compile_fail,E0599
/// # fn f(image: iotsec_update::mcuboot::Image) {
/// image.version();
/// # }
/// ```
#[derive(Debug)]
pub struct Image {
    header: Header,
    seal: Seal,
}

impl Image {
    /// Reads the header and the unprotected area at the start of `bytes`. Bytes after the image are not
    /// looked at: a slot holds what it held before.
    ///
    /// # Errors
    /// [`McubootError`] of form.
    pub fn read(bytes: &mut dyn ImageBytes) -> Result<Self, McubootError> {
        let mut header = [0; HEADER_LEN];
        if bytes.size() < 32 {
            return Err(McubootError::Size);
        }
        bytes.read(0, &mut header)?;
        let header = Header::parse(header, bytes.size())?;
        let seal = Seal::read(bytes, header.unprotected)?;
        Ok(Self { header, seal })
    }

    /// Hashes the image and checks its signature with the key of `keys` that it names. One pass over the
    /// bytes: what the protected area says is taken from the very bytes that were hashed.
    ///
    /// A signature over the bytes (`imgtool --pure`) needs them [mapped](ImageBytes::mapped), as it does in
    /// MCUboot.
    ///
    /// # Errors
    /// [`McubootError`].
    pub fn verify(
        self,
        bytes: &mut dyn ImageBytes,
        keys: &[&dyn Verify],
        hashes: &mut Hashes<'_>,
    ) -> Result<Verified, McubootError> {
        let Self { header, seal } = self;
        let (index, key) = key::find(keys, &seal.key, seal.hash, hashes)?;

        let mut running = hashes.begin(seal.hash)?;
        let claims = absorb(bytes, &header, &mut running)?;
        let mut digest = [0; WIDE_DIGEST_LEN];
        let digest_len = running.finish(&mut digest);
        let computed = digest.get(..digest_len).unwrap_or(&[]);
        if !bool::from(computed.ct_eq(seal.digest.get())) {
            return Err(McubootError::Hash);
        }

        signed_by(key, &header, &seal, computed, bytes)?;
        Ok(Verified {
            header,
            claims,
            digest,
            digest_len,
            key: index,
            end: seal.end,
        })
    }

    /// What [`verify`](Self::verify) found, found again without hashing the payload: the signature is checked over
    /// the digest that the image names, and the protected area is read where it lies. The digest of the result is
    /// the one that was signed, not one that was computed.
    pub(super) fn look_again(
        self,
        bytes: &mut dyn ImageBytes,
        keys: &[&dyn Verify],
        hashes: &mut Hashes<'_>,
    ) -> Result<Verified, McubootError> {
        let Self { header, seal } = self;
        let (index, key) = key::find(keys, &seal.key, seal.hash, hashes)?;
        let signed = seal.digest.get();
        signed_by(key, &header, &seal, signed, bytes)?;
        let mut digest = [0; WIDE_DIGEST_LEN];
        for (to, from) in digest.iter_mut().zip(signed) {
            *to = *from;
        }
        Ok(Verified {
            claims: protected(bytes, &header, header.protected, None)?,
            header,
            digest,
            digest_len: signed.len(),
            key: index,
            end: seal.end,
        })
    }

    /// Where it ends.
    pub(super) const fn end(&self) -> u32 {
        self.seal.end
    }
}

iotsec_core::claim! {
    provisions: ["5.3-9", "5.7-1"],
    claims: "An MCUboot image of which a bit was changed or a byte is missing is refused",
    code: [Image::verify],
    tests: [
        "iotsec-update::mcuboot::images::no_bit_of_an_image_can_be_changed",
        "iotsec-update::mcuboot::images::no_prefix_of_an_image_is_an_image",
    ],
}

/// An image that a trusted key signed, byte for byte. Whether it is for this device is for
/// [`admit`](Self::admit) to say.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    header: Header,
    pub(super) claims: Claims,
    digest: [u8; WIDE_DIGEST_LEN],
    digest_len: usize,
    key: usize,
    end: u32,
}

impl Verified {
    /// Its version.
    pub const fn version(&self) -> Version {
        self.header.version
    }
    /// Where it has to run.
    pub const fn flags(&self) -> Flags {
        self.header.flags
    }
    /// Where the payload lies, counted from the start of the image.
    pub const fn payload(&self) -> core::ops::Range<u32> {
        self.header.payload..self.header.protected
    }
    /// Bytes of the whole image, up to the end of its last entry.
    pub const fn size(&self) -> u32 {
        self.end
    }
    /// [`digest`](Self::digest), with zeros behind it where it is short.
    pub(super) const fn wide_digest(&self) -> &[u8; WIDE_DIGEST_LEN] {
        &self.digest
    }
    /// The hash of what is signed, 32 or 64 bytes: what identifies the image.
    pub fn digest(&self) -> &[u8] {
        self.digest.get(..self.digest_len).unwrap_or(&[])
    }
    /// Which of the trusted keys signed.
    pub const fn key(&self) -> usize {
        self.key
    }
    /// The security counter, if it has one.
    pub const fn security_counter(&self) -> Option<u32> {
        self.claims.security_counter
    }
    /// The vendor it is for, if it says.
    pub const fn vendor(&self) -> Option<&[u8; 16]> {
        self.claims.vendor.as_ref()
    }
    /// The class of device it is for, if it says.
    pub const fn class(&self) -> Option<&[u8; 16]> {
        self.claims.class.as_ref()
    }
    /// The images it depends on.
    pub fn dependencies(&self) -> &[Dependency] {
        self.claims.dependencies()
    }
}

impl Hashes<'_> {
    pub(super) fn of<'o>(
        &mut self,
        hash: Hash,
        parts: &[&[u8]],
        out: &'o mut [u8; WIDE_DIGEST_LEN],
    ) -> Result<&'o [u8], McubootError> {
        let mut running = self.begin(hash)?;
        for part in parts {
            running.update(part);
        }
        let len = running.finish(out);
        Ok(out.get(..len).unwrap_or(&[]))
    }

    fn begin(&mut self, hash: Hash) -> Result<Running<'_>, McubootError> {
        match (hash, self.sha512.as_deref_mut()) {
            (Hash::Sha256, _) => {
                self.sha256.reset();
                Ok(Running::Sha256(self.sha256))
            }
            (Hash::Sha512, Some(wide)) => {
                wide.reset();
                Ok(Running::Sha512(wide))
            }
            (Hash::Sha512, None) => Err(McubootError::HashKind),
        }
    }
}

enum Running<'h> {
    Sha256(&'h mut dyn Digest),
    Sha512(&'h mut dyn WideDigest),
}

impl Running<'_> {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    /// Fills the front of `out` and says how much of it.
    fn finish(self, out: &mut [u8; WIDE_DIGEST_LEN]) -> usize {
        match self {
            Self::Sha256(hash) => {
                let digest = hash.finish();
                for (to, from) in out.iter_mut().zip(digest) {
                    *to = from;
                }
                DIGEST_LEN
            }
            Self::Sha512(hash) => {
                *out = hash.finish();
                WIDE_DIGEST_LEN
            }
        }
    }
}

/// Checks the signature over the image whose hash is `digest`.
// Out of line: the boot loader asks twice.
#[inline(never)]
fn signed_by(
    key: &dyn Verify,
    header: &Header,
    seal: &Seal,
    digest: &[u8],
    bytes: &dyn ImageBytes,
) -> Result<(), McubootError> {
    let genuine = match (seal.algorithm, key.key_type()) {
        (Algorithm::Ed25519, KeyType::Ed25519) if seal.pure => {
            let end = usize::try_from(header.unprotected).map_err(|_| McubootError::Size)?;
            let whole = bytes.mapped().ok_or(McubootError::NotMapped)?;
            let signed = whole.get(..end).ok_or(McubootError::Size)?;
            key.verify(signed, seal.signature.get())
        }
        (_, _) if seal.pure => return Err(McubootError::HashKind),
        (Algorithm::Ed25519, KeyType::Ed25519) => key.verify(digest, seal.signature.get()),
        (Algorithm::Ecdsa, KeyType::P256) => {
            let raw = key::raw_signature(seal.signature.get())?;
            // The signature is over the bytes, which ECDSA hashes with SHA-256 and no other.
            let prehash: &[u8; DIGEST_LEN] = digest.try_into().map_err(|_| McubootError::HashKind)?;
            key.verify_prehash(prehash, &raw)
        }
        _ => Err(CryptoError::Signature),
    };
    genuine.map_err(|_| McubootError::Signature)
}

/// Hashes what is signed, and reads the protected area as it goes by.
fn absorb(
    bytes: &mut dyn ImageBytes,
    header: &Header,
    running: &mut Running<'_>,
) -> Result<Claims, McubootError> {
    running.update(&header.bytes);
    let mut at = 32_u32;
    while at < header.protected {
        let mut block = [0; 256];
        let len = header.protected.saturating_sub(at).min(256);
        let place = usize::try_from(len).ok().and_then(|len| block.get_mut(..len));
        let place = place.ok_or(McubootError::Size)?;
        bytes.read(at, place)?;
        running.update(place);
        at = at.saturating_add(len);
    }
    protected(bytes, header, at, Some(running))
}

/// Reads the protected area, which begins at `at`, and hashes it if asked to.
#[inline(never)]
fn protected(
    bytes: &mut dyn ImageBytes,
    header: &Header,
    mut at: u32,
    mut running: Option<&mut Running<'_>>,
) -> Result<Claims, McubootError> {
    let len = header.unprotected.saturating_sub(header.protected);
    Claims::read(len, &mut |out| {
        bytes.read(at, out)?;
        if let Some(running) = &mut running {
            running.update(out);
        }
        let len = u32::try_from(out.len()).map_err(|_| McubootError::Size)?;
        at = at.checked_add(len).ok_or(McubootError::Size)?;
        Ok(())
    })
}
