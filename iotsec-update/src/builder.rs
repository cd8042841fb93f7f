//! The encoder, into a slice, for hosts, tests and examples.
//!
//! What it writes is deterministic, lies within the profile that [`admission`](crate::admission)
//! accepts, and matches each component after install as well as in validate.

mod sections;
#[cfg(test)]
mod tests;

use iotsec_core::{
    cbor::Writer,
    cose::Sign1Builder,
    crypto::{DIGEST_LEN, Digest, Sign},
    hal::UnixTime,
};

use sections::Parts;

use crate::{
    digest,
    envelope::Limits,
    error::UpdateError,
    manifest::{ComponentId, SequenceNumber},
    payload::Transport,
    plan::MAX_COMPONENTS,
};

/// Where a component's content comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// Nowhere: the component is there, and is validated.
    Present,
    /// Fetched from a URI.
    Uri(&'a str),
    /// Carried in the envelope under a name that begins with `#`.
    Integrated {
        /// The name, unique in the envelope.
        name: &'a str,
        /// The payload, which must have the component's size, or that of its transport.
        bytes: &'a [u8],
    },
}

/// What a manifest says of one component.
#[derive(Clone, Copy, Debug)]
pub struct ManifestComponent<'a> {
    /// Its name.
    pub id: ComponentId<'a>,
    /// SHA-256 of its content.
    pub digest: [u8; DIGEST_LEN],
    /// Bytes of its content; not zero.
    pub size: u32,
    /// Where the content comes from.
    pub payload: Payload<'a>,
    /// How it is transported, where that is not as it is; its `size` is that of the payload.
    pub transport: Option<Transport<'a>>,
    /// Whether it is started.
    pub invoke: bool,
}

/// A key that signs.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The key, in memory or behind a driver.
    pub key: &'a dyn Sign,
    /// The name under which verifiers know it.
    pub kid: Option<&'a [u8]>,
}

/// Writes a signed envelope.
///
/// ```
/// use iotsec_core::{
///     crypto::{Digest, Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
///     secret::Secret,
/// };
/// use iotsec_update::{
///     ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, Policy, SequenceNumber, Source,
///     TrustAnchor, TrustAnchors,
///     builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
/// };
///
/// let image = b"firmware, version 2";
/// let mut hash = Sha256::default();
/// hash.update(image);
/// let component = ManifestComponent {
///     id: ComponentId::from_encoded(&[0x81, 0x41, 0x00])?,
///     digest: hash.finish(),
///     size: 19,
///     payload: Payload::Uri("https://fw.example/2.bin"),
///     transport: None,
///     invoke: true,
/// };
/// let maker = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
/// let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
/// let envelope = EnvelopeBuilder::new([1; 16], [2; 16], SequenceNumber(2), &[component])
///     .write(&[Signer { key: &maker, kid: Some(b"maker") }], &mut hash, &mut scratch, &mut out)?;
///
/// // On the device:
/// let public = Ed25519PublicKey::from_bytes(maker.public_key())?;
/// let anchors = [TrustAnchor { key: &public, kid: Some(b"maker") }];
/// let places = [DeviceComponent { id: component.id, capacity: 65536, slot: None }];
/// let device = DeviceIdentity { vendor: [1; 16], class: [2; 16], device: None, components: &places };
/// let accepted = Envelope::parse(envelope, &Limits::DEFAULT)?
///     .authenticate(&TrustAnchors::new(&anchors, 1)?, &mut hash)?
///     .admit(&device, &Policy::newer_than(SequenceNumber(1)), &mut hash)?;
/// assert_eq!(accepted.components()[0].source(), Source::Uri("https://fw.example/2.bin"));
/// # Ok::<(), iotsec_update::UpdateError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EnvelopeBuilder<'a> {
    vendor: [u8; 16],
    class: [u8; 16],
    sequence: SequenceNumber,
    components: &'a [ManifestComponent<'a>],
    device: Option<[u8; 16]>,
    use_before: Option<UnixTime>,
    reference_uri: Option<&'a str>,
    description: Option<&'a str>,
    sever_install: bool,
}

impl<'a> EnvelopeBuilder<'a> {
    /// An update of `components` for every device of a vendor's class.
    pub const fn new(
        vendor: [u8; 16],
        class: [u8; 16],
        sequence: SequenceNumber,
        components: &'a [ManifestComponent<'a>],
    ) -> Self {
        Self {
            vendor,
            class,
            sequence,
            components,
            device: None,
            use_before: None,
            reference_uri: None,
            description: None,
            sever_install: false,
        }
    }

    /// For this one device only.
    #[must_use]
    pub const fn device(mut self, device: [u8; 16]) -> Self {
        self.device = Some(device);
        self
    }

    /// Not to be installed at this time or later.
    #[must_use]
    pub const fn use_before(mut self, time: UnixTime) -> Self {
        self.use_before = Some(time);
        self
    }

    /// Where this envelope can be found.
    #[must_use]
    pub const fn reference_uri(mut self, uri: &'a str) -> Self {
        self.reference_uri = Some(uri);
        self
    }

    /// An English description, severed: authentic, and left out of the manifest that devices keep.
    #[must_use]
    pub const fn description(mut self, text: &'a str) -> Self {
        self.description = Some(text);
        self
    }

    /// Takes the install section out of the manifest, so that a device may drop it after installing.
    #[must_use]
    pub const fn sever_install(mut self) -> Self {
        self.sever_install = true;
        self
    }

    /// Writes the envelope, signed by every one of `signers`.
    ///
    /// `scratch` holds the manifest and its severed parts: 128 bytes for each component, its URI, the
    /// description, what is told of its transport and 256 bytes more are enough.
    ///
    /// # Errors
    /// [`UpdateError::Builder`] for components or payloads that the format does not carry, or without
    /// signers; [`UpdateError::Cose`] when a buffer is too small, or a key
    /// fails.
    pub fn write<'o>(
        &self,
        signers: &[Signer<'_>],
        hash: &mut dyn Digest,
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], UpdateError> {
        self.check(signers)?;
        let parts = Parts::write(self, hash, scratch)?;
        let manifest_digest = digest::of(hash, parts.manifest);

        let mut writer = Writer::new(out);
        writer.tag(107)?.map(self.entries())?;
        writer.uint(2)?.embedded(|inner| {
            inner.array(length(signers).saturating_add(1))?;
            let mut signed = [0; DIGEST_MAX];
            let mut digest_writer = Writer::new(&mut signed);
            digest::write(&mut digest_writer, &manifest_digest)?;
            let signed = digest_writer.finish()?;
            inner.bytes(signed)?;
            for signer in signers {
                write_block(inner, signer, signed)?;
            }
            Ok::<(), UpdateError>(())
        })?;
        writer.uint(3)?.raw(parts.manifest)?;
        if self.sever_install {
            writer.uint(20)?.raw(parts.install)?;
        }
        if self.description.is_some() {
            writer.uint(23)?.raw(parts.text)?;
        }
        self.write_payloads(&mut writer)?;
        Ok(writer.finish()?)
    }

    fn entries(&self) -> u64 {
        let integrated = self.integrated().count();
        u64::try_from(integrated)
            .unwrap_or(u64::MAX)
            .saturating_add(2)
            .saturating_add(u64::from(self.sever_install))
            .saturating_add(u64::from(self.description.is_some()))
    }

    fn integrated(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.components
            .iter()
            .filter_map(|component| match component.payload {
                Payload::Integrated { name, bytes } => Some((name, bytes)),
                Payload::Present | Payload::Uri(_) => None,
            })
    }

    /// Writes integrated payloads in the order that deterministic encoding asks for: shorter names
    /// first, then bytewise.
    fn write_payloads(&self, writer: &mut Writer<'_>) -> Result<(), UpdateError> {
        fn rank(name: &str) -> (usize, &str) {
            (name.len(), name)
        }
        let mut last = None;
        for _ in self.integrated() {
            let later = |name: &&str| last.is_none_or(|last| rank(name) > rank(last));
            let names = self.integrated().map(|(name, _)| name).filter(later);
            let next = names.min_by(|a, b| rank(a).cmp(&rank(b)));
            let next = next.ok_or(UpdateError::Builder)?;
            if let Some((name, bytes)) = self.integrated().find(|(name, _)| *name == next) {
                writer.text(name)?.bytes(bytes)?;
            }
            last = Some(next);
        }
        Ok(())
    }

    fn check(&self, signers: &[Signer<'_>]) -> Result<(), UpdateError> {
        let count = self.components.len();
        let mut good = !signers.is_empty()
            && signers.len() <= usize::from(Limits::DEFAULT.blocks)
            && (1..=MAX_COMPONENTS).contains(&count)
            && (self.installs() > 0 || !self.sever_install && self.use_before.is_none());
        let mut rest = self.components;
        while let Some((component, others)) = rest.split_first() {
            good &= component.size > 0 && others.iter().all(|other| other.id != component.id);
            good &= match component.payload {
                Payload::Present => component.transport.is_none(),
                Payload::Uri(uri) => !uri.starts_with('#'),
                Payload::Integrated { name, bytes } => {
                    let size = component
                        .transport
                        .map_or(component.size, |transport| transport.size);
                    name.starts_with('#') && u32::try_from(bytes.len()) == Ok(size)
                }
            };
            rest = others;
        }
        if good { Ok(()) } else { Err(UpdateError::Builder) }
    }

    fn installs(&self) -> usize {
        let installed = |component: &&ManifestComponent<'_>| component.payload != Payload::Present;
        self.components.iter().filter(installed).count()
    }
}

/// The encoding of a SUIT_Digest.
const DIGEST_MAX: usize = DIGEST_LEN + 4;
/// "Signature1", the protected header and a SUIT_Digest.
const SIGN_SCRATCH: usize = 128;
/// A COSE_Sign1 with a key identifier of up to 64 bytes.
const BLOCK_MAX: usize = 192;
fn write_block(writer: &mut Writer<'_>, signer: &Signer<'_>, signed: &[u8]) -> Result<(), UpdateError> {
    let (mut scratch, mut block) = ([0; SIGN_SCRATCH], [0; BLOCK_MAX]);
    let builder = match signer.kid {
        Some(kid) => Sign1Builder::new().kid(kid),
        None => Sign1Builder::new(),
    };
    let block = builder.sign_detached(signer.key, signed, b"", &mut scratch, &mut block)?;
    writer.bytes(block)?;
    Ok(())
}

fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}
