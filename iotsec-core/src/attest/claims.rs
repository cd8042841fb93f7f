use super::{
    BOOT_SEED, BOOT_SEED_TFM, CERTIFICATION, CLIENT_ID, COMPONENTS, Component, IMPLEMENTATION_ID,
    INSTANCE_ID, LIFECYCLE, Lifecycle, NONCE, PROFILE, SERVICE, error::AttestError, scheme,
};
use crate::{
    cbor::{CborError, Kind, Writer},
    cose::{CoseError, Sign1Builder},
    crypto::{DIGEST_LEN, Digest, Sign},
};

/// A nonce of the verifier, 32, 48 or 64 bytes (RFC 9783 §4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce<'a>(&'a [u8]);

impl<'a> Nonce<'a> {
    /// Takes the verifier's bytes.
    ///
    /// # Errors
    /// [`AttestError::NonceLength`] for another length.
    pub const fn new(bytes: &'a [u8]) -> Result<Self, AttestError> {
        match bytes.len() {
            32 | 48 | 64 => Ok(Self(bytes)),
            _ => Err(AttestError::NonceLength),
        }
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

/// Which device a token is of: 1 ‖ the hash of its public key, a UEID of type RAND (RFC 9783 §4.2.1, RFC 9711 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstanceId([u8; Self::LEN]);

impl InstanceId {
    /// Bytes of an identifier.
    pub const LEN: usize = 1 + DIGEST_LEN;

    /// Of a device key: SHA-256 over its public half as [`KeyType`](crate::crypto::KeyType) states it. RFC 9783 leaves
    /// to the implementation how the hash is made.
    pub fn of(public_key: &[u8], hash: &mut dyn Digest) -> Self {
        hash.reset();
        hash.update(public_key);
        let mut id = [RAND; Self::LEN];
        for (to, from) in id.iter_mut().skip(1).zip(hash.finish()) {
            *to = from;
        }
        Self(id)
    }

    /// As a token or a register of devices has it.
    ///
    /// # Errors
    /// [`AttestError::InstanceId`] unless it begins with 1.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Result<Self, AttestError> {
        match bytes {
            [RAND, ..] => Ok(Self(bytes)),
            _ => Err(AttestError::InstanceId),
        }
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

const RAND: u8 = 1;

/// A random number of this boot, 8 to 32 bytes (RFC 9783 §4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootSeed<'a>(&'a [u8]);

impl<'a> BootSeed<'a> {
    /// Takes the bytes.
    ///
    /// # Errors
    /// [`AttestError::BootSeed`] for another length.
    pub const fn new(bytes: &'a [u8]) -> Result<Self, AttestError> {
        match bytes.len() {
            8..=32 => Ok(Self(bytes)),
            _ => Err(AttestError::BootSeed),
        }
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

/// What a device says about itself.
///
/// ```
/// use iotsec_core::{
///     attest::{Claims, Component, InstanceId, Lifecycle, LifecycleState, Nonce, Token},
///     crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
///     secret::Secret,
/// };
///
/// let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
/// let nonce = [1; 32]; // From the verifier.
/// let components = [Component::image("App", &[2; 32], "1.4.2", &[3; 32])];
/// let claims = Claims {
///     nonce: Nonce::new(&nonce)?,
///     instance_id: InstanceId::of(key.public_key(), &mut Sha256::new()),
///     implementation_id: &[4; 32],
///     client_id: 1,
///     lifecycle: Lifecycle::new(LifecycleState::Secured, 0),
///     components: &components,
///     boot_seed: None,
///     boot_seed_for_tfm: false,
///     certification: None,
///     service: None,
/// };
/// let (mut scratch, mut out) = ([0; 1024], [0; 512]);
/// let token = claims.sign(&key, &mut scratch, &mut out)?;
///
/// let public = Ed25519PublicKey::from_bytes(key.public_key()).unwrap();
/// let evidence = Token::parse(token)?.verify(&public, claims.nonce, &mut Sha256::new(), &mut scratch)?;
/// assert!(evidence.lifecycle().is_trustworthy());
/// assert_eq!(evidence.components().next(), Some(components[0]));
/// # Ok::<(), iotsec_core::attest::AttestError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Claims<'a> {
    /// The verifier's nonce, which shows that the token is not an old one.
    pub nonce: Nonce<'a>,
    /// Which device it is.
    pub instance_id: InstanceId,
    /// Which hardware it is, the same for all of one kind.
    pub implementation_id: &'a [u8; 32],
    /// Who asked for the token on the device: positive from the secure side, zero and below from the other.
    pub client_id: i32,
    /// Where it is in its life, with the state of its debug interface.
    pub lifecycle: Lifecycle,
    /// What was measured and started.
    pub components: &'a [Component<'a>],
    /// A random number of this boot, the same in every token until the next.
    pub boot_seed: Option<BootSeed<'a>>,
    /// Says the boot seed under key 2397 too, where verifiers from before RFC 9783 look for it; TF-M's does.
    pub boot_seed_for_tfm: bool,
    /// An entry in the database of PSA Certified: 13 digits, `-`, 5 digits.
    pub certification: Option<&'a str>,
    /// Where a verifier is that knows this device, at most 128 bytes.
    pub service: Option<&'a str>,
}

impl Claims<'_> {
    /// Most bytes of the text that names a verification service.
    pub const MAX_SERVICE: usize = 128;

    /// Bytes that any token with `components` components fits in.
    pub const fn max_len(components: usize) -> usize {
        Self::MAX_ENVELOPE.saturating_add(Self::max_payload(components))
    }

    /// Bytes of scratch that [`sign`](Self::sign) needs at most.
    pub const fn max_scratch(components: usize) -> usize {
        Self::max_payload(components)
            .saturating_mul(2)
            .saturating_add(Self::MAX_ENVELOPE)
    }

    /// Tag, array, headers, length of the payload, signature.
    const MAX_ENVELOPE: usize = 1 + 1 + 4 + 1 + 3 + 2 + 64;

    const fn max_payload(components: usize) -> usize {
        // Map; each key with its value, in the order of the keys.
        const FIXED: usize = 1
            + (1 + 2 + 64)
            + (3 + 2 + InstanceId::LEN)
            + (3 + 2 + super::PROFILE_ED25519.len())
            + (3 + 2 + 32)
            + (3 + 5)
            + (3 + 3)
            + (3 + 2 + 32)
            + (3 + 2 + 32)
            + (3 + 1 + 19)
            + (3 + 1)
            + (3 + 2 + Claims::MAX_SERVICE);
        FIXED.saturating_add(Component::MAX_LEN.saturating_mul(components))
    }

    /// Writes and signs the token.
    ///
    /// `scratch` holds the claims twice and 76 bytes more, [`max_scratch`](Self::max_scratch) at most; `out` holds the
    /// token, [`max_len`](Self::max_len) at most.
    ///
    /// # Errors
    /// [`AttestError::Component`], [`AttestError::Reference`], [`AttestError::KeyType`]; [`AttestError::Cose`] for
    /// a buffer that is too small, or when the key fails.
    pub fn sign<'o>(
        &self,
        key: &dyn Sign,
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], AttestError> {
        let (algorithm, profile) = scheme(key.key_type())?;
        let len = match self.write(profile, scratch) {
            Err(AttestError::Cose(CoseError::Encoding(CborError {
                kind: Kind::BufferFull,
                ..
            }))) => return Err(CoseError::Scratch.into()),
            other => other?,
        };
        let (payload, scratch) = scratch.split_at_mut_checked(len).ok_or(CoseError::Scratch)?;
        let builder = Sign1Builder::new().algorithm(algorithm);
        Ok(builder.sign(key, payload, b"", scratch, out)?)
    }

    fn write(&self, profile: &str, out: &mut [u8]) -> Result<usize, AttestError> {
        self.check()?;
        let seed_for_tfm = self.boot_seed.filter(|_| self.boot_seed_for_tfm);
        let optional = [
            self.boot_seed.is_some(),
            seed_for_tfm.is_some(),
            self.certification.is_some(),
            self.service.is_some(),
        ];
        let entries = optional
            .iter()
            .fold(7u64, |n, present| n.saturating_add(u64::from(*present)));
        let mut writer = Writer::new(out);
        writer.map(entries)?;
        writer.int(NONCE.into())?.bytes(self.nonce.0)?;
        writer.int(INSTANCE_ID.into())?.bytes(&self.instance_id.0)?;
        writer.int(PROFILE.into())?.text(profile)?;
        if let Some(seed) = self.boot_seed {
            writer.int(BOOT_SEED.into())?.bytes(seed.0)?;
        }
        writer.int(CLIENT_ID.into())?.int(self.client_id.into())?;
        writer
            .int(LIFECYCLE.into())?
            .uint(self.lifecycle.number().into())?;
        writer
            .int(IMPLEMENTATION_ID.into())?
            .bytes(self.implementation_id)?;
        if let Some(seed) = seed_for_tfm {
            writer.int(BOOT_SEED_TFM.into())?.bytes(seed.0)?;
        }
        if let Some(text) = self.certification {
            writer.int(CERTIFICATION.into())?.text(text)?;
        }
        let count = u64::try_from(self.components.len()).unwrap_or(u64::MAX);
        writer.int(COMPONENTS.into())?.array(count)?;
        for component in self.components {
            component.write(&mut writer)?;
        }
        if let Some(text) = self.service {
            writer.int(SERVICE.into())?.text(text)?;
        }
        Ok(writer.len())
    }

    fn check(&self) -> Result<(), AttestError> {
        if !(1..=Component::MAX_COUNT).contains(&self.components.len()) {
            return Err(AttestError::Component);
        }
        check_references(self.certification, self.service)
    }
}

crate::claim! {
    provisions: ["5.1-2A", "5.1-3"],
    claims: "A device proves to a machine who it is and what it runs by a signature over the nonce that the machine chose",
    code: [Claims::sign],
    tests: [
        "iotsec-core::iotsec_core::attest::tests::what_is_claimed_is_what_is_read_with_both_keys",
        "iotsec-core::iotsec_core::attest::tests::a_token_for_another_nonce_key_or_profile_is_refused",
    ],
}

pub(super) fn check_references(
    certification: Option<&str>,
    service: Option<&str>,
) -> Result<(), AttestError> {
    let is_reference = |text: &str| {
        text.len() == 19
            && text.bytes().enumerate().all(|(at, byte)| match at {
                13 => byte == b'-',
                _ => byte.is_ascii_digit(),
            })
    };
    let is_service = |text: &str| (1..=Claims::MAX_SERVICE).contains(&text.len());
    if certification.is_none_or(is_reference) && service.is_none_or(is_service) {
        Ok(())
    } else {
        Err(AttestError::Reference)
    }
}
