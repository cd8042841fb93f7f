use super::{
    BOOT_SEED, BOOT_SEED_TFM, BootSeed, CERTIFICATION, CLIENT_ID, COMPONENTS, Component, Components,
    IMPLEMENTATION_ID, INSTANCE_ID, InstanceId, LIFECYCLE, Lifecycle, NONCE, Nonce, PROFILE, SERVICE,
    claims::{Claims, check_references},
    error::AttestError,
    scheme,
};
use crate::{
    cbor::{Kind, Limits, Reader},
    cose::Sign1,
    crypto::{Digest, Verify},
};

/// A token of the most components with the longest of everything fits, and as much again for claims that are not known.
const LIMITS: Limits = Limits {
    depth: 5,
    items: 512,
    bytes: 8192,
};

/// A token that was read but not checked. Nothing in it is authentic.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    envelope: Sign1<'a>,
    instance_id: InstanceId,
}

impl<'a> Token<'a> {
    /// Reads one token, tag 18 included.
    ///
    /// # Errors
    /// [`AttestError::Cose`] for anything but a COSE_Sign1 with an attached payload in deterministic CBOR;
    /// [`AttestError::InstanceId`] without an identifier of the right form.
    pub fn parse(input: &'a [u8]) -> Result<Self, AttestError> {
        let envelope = Sign1::parse(input, &LIMITS)?;
        let mut reader = Reader::new(envelope.attached()?, &LIMITS)?;
        let mut instance_id = None;
        for _ in 0..reader.map()? {
            match reader.label() {
                Some(INSTANCE_ID) => instance_id = Some(instance(&mut reader)?),
                Some(_) => {
                    reader.skip()?;
                }
                None => {
                    reader.key()?;
                    reader.skip()?;
                }
            }
        }
        Ok(Self {
            envelope,
            instance_id: instance_id.ok_or(AttestError::InstanceId)?,
        })
    }

    /// Whose token it says it is: by this a verifier finds the key (RFC 9711 appendix F.1.4).
    pub const fn instance_id(&self) -> &InstanceId {
        &self.instance_id
    }

    /// Checks that `key` signed it, that the instance is that of the key, that it answers `nonce`, and every claim.
    ///
    /// `scratch` holds the claims and 76 bytes more.
    ///
    /// # Errors
    /// [`AttestError`], by what is wrong.
    pub fn verify(
        &self,
        key: &dyn Verify,
        nonce: Nonce<'_>,
        hash: &mut dyn Digest,
        scratch: &mut [u8],
    ) -> Result<Evidence<'a>, AttestError> {
        let (_, profile) = scheme(key.key_type())?;
        let verified = self.envelope.verify(key, b"", scratch)?;
        let evidence = Evidence::read(verified.payload(), profile)?;
        if evidence.instance_id != InstanceId::of(key.public_key(), hash) {
            return Err(AttestError::InstanceId);
        }
        if evidence.nonce != nonce {
            return Err(AttestError::Nonce);
        }
        Ok(evidence)
    }
}

/// The claims of a token that its device signed, just now. Only [`Token::verify`] makes one.
///
/// That they are authentic does not make them good: a verifier compares them with what should run.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    nonce: Nonce<'a>,
    instance_id: InstanceId,
    implementation_id: &'a [u8; 32],
    client_id: i32,
    lifecycle: Lifecycle,
    components: Components<'a>,
    boot_seed: Option<BootSeed<'a>>,
    certification: Option<&'a str>,
    service: Option<&'a str>,
}

impl<'a> Evidence<'a> {
    fn read(payload: &'a [u8], profile: &str) -> Result<Self, AttestError> {
        let mut reader = Reader::new(payload, &LIMITS)?;
        let (mut nonce, mut id, mut implementation, mut client) = (None, None, None, None);
        let (mut lifecycle, mut components, mut seed, mut seed_for_tfm) = (None, None, None, None);
        let (mut found_profile, mut certification, mut service) = (None, None, None);
        for _ in 0..reader.map()? {
            match reader.label() {
                Some(NONCE) => nonce = Some(Nonce::new(reader.bytes()?)?),
                Some(INSTANCE_ID) => id = Some(instance(&mut reader)?),
                Some(PROFILE) => found_profile = Some(reader.text()?),
                Some(BOOT_SEED) => seed = Some(BootSeed::new(reader.bytes()?)?),
                Some(CLIENT_ID) => {
                    let out_of_range = reader.error(Kind::Range);
                    client = Some(i32::try_from(reader.int()?).map_err(|_| out_of_range)?);
                }
                Some(LIFECYCLE) => lifecycle = Some(Lifecycle::from_number(reader.uint_as()?)?),
                Some(IMPLEMENTATION_ID) => implementation = Some(reader.array_of()?),
                Some(BOOT_SEED_TFM) => seed_for_tfm = Some(BootSeed::new(reader.bytes()?)?),
                Some(CERTIFICATION) => certification = Some(reader.text()?),
                Some(COMPONENTS) => components = Some(Components::read(&mut reader)?),
                Some(SERVICE) => service = Some(reader.text()?),
                // RFC 9783 §5.1: no error for claims that are not understood.
                Some(_) => {
                    reader.skip()?;
                }
                None => {
                    reader.key()?;
                    reader.skip()?;
                }
            }
        }
        let missing = reader.error(Kind::MissingKey);
        if found_profile.ok_or(missing)? != profile {
            return Err(AttestError::Profile);
        }
        // Two seeds that differ are not of one boot.
        if seed_for_tfm.is_some_and(|other| seed != Some(other)) {
            return Err(AttestError::BootSeed);
        }
        check_references(certification, service)?;
        Ok(Self {
            nonce: nonce.ok_or(missing)?,
            instance_id: id.ok_or(missing)?,
            implementation_id: implementation.ok_or(missing)?,
            client_id: client.ok_or(missing)?,
            lifecycle: lifecycle.ok_or(missing)?,
            components: components.ok_or(missing)?,
            boot_seed: seed,
            certification,
            service,
        })
    }

    /// Which device it is.
    pub const fn instance_id(&self) -> &InstanceId {
        &self.instance_id
    }
    /// Which hardware it is.
    pub const fn implementation_id(&self) -> &'a [u8; 32] {
        self.implementation_id
    }
    /// Who asked for the token on the device: positive from the secure side, zero and below from the other.
    pub const fn client_id(&self) -> i32 {
        self.client_id
    }
    /// Where it is in its life. See [`Lifecycle::is_trustworthy`].
    pub const fn lifecycle(&self) -> Lifecycle {
        self.lifecycle
    }
    /// What was measured and started.
    pub fn components(&self) -> Components<'a> {
        self.components.clone()
    }
    /// The SUIT manifest among them.
    pub fn manifest(&self) -> Option<Component<'a>> {
        self.components()
            .find(|component| component.role == Some(super::component::MANIFEST))
    }
    /// The product manifest among them: of which one the firmware says that it was built.
    pub fn product(&self) -> Option<Component<'a>> {
        self.components()
            .find(|component| component.role == Some(super::component::PRODUCT))
    }
    /// A random number of the device's present boot.
    pub const fn boot_seed(&self) -> Option<BootSeed<'a>> {
        self.boot_seed
    }
    /// An entry in the database of PSA Certified.
    pub const fn certification(&self) -> Option<&'a str> {
        self.certification
    }
    /// Where a verifier is that knows this device: a hint, to be looked up among those that are trusted.
    pub const fn service(&self) -> Option<&'a str> {
        self.service
    }
}

fn instance(reader: &mut Reader<'_>) -> Result<InstanceId, AttestError> {
    InstanceId::from_bytes(*reader.array_of()?)
}

const _: () = assert!(Claims::max_len(Component::MAX_COUNT) <= 8192);
