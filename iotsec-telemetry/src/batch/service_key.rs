//! Batches to a public key: the device holds nothing that opens what it sent.

use iotsec_core::{
    crypto::{AgreementKey, KeyAgreement, hpke::Hpke},
    secret::ct_eq,
};
use rand_core::TryCryptoRng;

use super::{DOMAIN, OpenedBatch, SealTo, SizeClass, sealed};
use crate::error::{BatchError, DecodeError};

/// Bytes that name a service's key.
pub const KEY_ID_LEN: usize = 8;
/// Version and name of the key, which are authenticated and in the open.
const HEAD_LEN: usize = 1 + KEY_ID_LEN;
const VERSION: u8 = 1;

/// The public key of a service, and the suite to seal to it with (HPKE, RFC 9180, base mode).
///
/// Where a [`BatchKey`](super::BatchKey) is shared, this is not: whoever takes a device apart reads nothing that it
/// sent before, and all devices of a product may have the same. But anybody can seal to it. Who sent a batch is known
/// from the authenticated connection that it came through, and from nothing in it.
///
/// ```
/// use iotsec_core::{crypto::{KeyAgreement, Sha256, X25519Key, hpke}, hal::Millis, secret::Secret};
/// use iotsec_telemetry::{
///     batch::{ServiceKey, ServiceSecret, SizeClass, Sizes}, consent::Consents, detect::BOOT_LOOP, queue::Queue,
///     registry,
/// };
/// # use iotsec_testkit::SimRng;
/// # let mut rng = SimRng::new(1);
///
/// registry!(static PRODUCT = [BOOT_LOOP]);
/// let registry = PRODUCT.hashed(&mut Sha256::new());
/// let (consents, mut queue) = (Consents::off(), Queue::<8>::new(registry, 1, 2));
/// queue.record(&consents, &BOOT_LOOP, &[3.into()], Millis(0)).unwrap();
///
/// let (suite, id) = (hpke::X25519_CHACHA20_POLY1305, *b"2026-key");
/// let private = X25519Key::from_scalar(&Secret::from_bytes([7; 32]));
///
/// // The device knows the public half.
/// let key = ServiceKey::new(suite, private.public_key(), id);
/// let (mut scratch, mut out) = ([0; 256], [0; 256]);
/// let sizes = Sizes::up_to(SizeClass::B256);
/// let sealed = queue.batch(&consents, &key, sizes, &mut rng, &mut scratch, &mut out)?.unwrap();
/// assert_eq!(sealed.bytes().len(), 128);
///
/// // The service.
/// let mut plain = [0; 256];
/// let batch = ServiceSecret::new(suite, &private, id).open(sealed.bytes(), &mut plain)?.read(&registry)?;
/// assert_eq!(batch.events().count(), 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct ServiceKey<'k, K> {
    suite: Hpke<'k, K>,
    public: &'k [u8],
    id: [u8; KEY_ID_LEN],
}

impl<'k, K: AgreementKey> ServiceKey<'k, K> {
    /// A public key of the suite's curve, and the name by which the service finds the private half.
    pub const fn new(suite: Hpke<'k, K>, public: &'k [u8], id: [u8; KEY_ID_LEN]) -> Self {
        Self { suite, public, id }
    }
}

impl<K> sealed::Sealed for ServiceKey<'_, K> {}

impl<K: AgreementKey> SealTo for ServiceKey<'_, K> {
    fn plain_len(&self, class: SizeClass) -> usize {
        class
            .sealed_len()
            .saturating_sub(HEAD_LEN)
            .saturating_sub(Hpke::<'_, K>::OVERHEAD)
    }

    fn seal_padded<R: TryCryptoRng + ?Sized>(
        &self,
        domain: &[u8],
        rng: &mut R,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<(), BatchError> {
        let (head, message) = out
            .split_first_chunk_mut::<HEAD_LEN>()
            .ok_or(BatchError::Buffer)?;
        *head = self::head(&self.id);
        self.suite
            .seal(self.public, domain, head.as_slice(), plain, rng, message)?;
        Ok(())
    }
}

iotsec_core::claim! {
    provisions: ["5.8-1"],
    claims: "A batch to the public key of a service is opened by its private half alone",
    code: [ServiceKey::seal_padded],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::batch::tests::service::a_batch_to_a_public_key_has_exactly_its_size_class_and_comes_back",
        "iotsec-telemetry::iotsec_telemetry::batch::tests::service::no_flipped_bit_no_other_key_and_no_other_length_opens",
    ],
}

impl<K> core::fmt::Debug for ServiceKey<'_, K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ServiceKey(..)")
    }
}

/// The private half of a [`ServiceKey`], at the service.
pub struct ServiceSecret<'k, K> {
    suite: Hpke<'k, K>,
    key: &'k dyn KeyAgreement,
    id: [u8; KEY_ID_LEN],
}

impl<'k, K: AgreementKey> ServiceSecret<'k, K> {
    /// A private key, in memory or behind a driver, by its name.
    pub const fn new(suite: Hpke<'k, K>, key: &'k dyn KeyAgreement, id: [u8; KEY_ID_LEN]) -> Self {
        Self { suite, key, id }
    }

    /// Decrypts a batch into `out`, which is as long as the message or longer.
    ///
    /// # Errors
    /// [`DecodeError`] for anything but what was sealed to this key as a batch.
    pub fn open<'o>(&self, sealed: &[u8], out: &'o mut [u8]) -> Result<OpenedBatch<'o>, DecodeError> {
        OpenedBatch::parse(self.open_as(DOMAIN, sealed, out)?)
    }

    /// Decrypts a message of `domain`, padding included.
    pub(crate) fn open_as<'o>(
        &self,
        domain: &[u8],
        sealed: &[u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], DecodeError> {
        SizeClass::of_len(sealed.len()).ok_or(DecodeError::SizeClass)?;
        let (head, message) = sealed
            .split_first_chunk::<HEAD_LEN>()
            .ok_or(DecodeError::SizeClass)?;
        if head.first() != Some(&VERSION) {
            return Err(DecodeError::Version);
        }
        if !ct_eq(head, &self::head(&self.id)) {
            return Err(DecodeError::Recipient);
        }
        Ok(self.suite.open(self.key, domain, head, message, out)?)
    }
}

impl<K> core::fmt::Debug for ServiceSecret<'_, K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ServiceSecret(..)")
    }
}

/// The name of the key that a message is sealed to, for a service that has several.
///
/// ```
/// assert_eq!(iotsec_telemetry::batch::key_id(b"\x012026-key..."), Some(b"2026-key"));
/// ```
pub fn key_id(sealed: &[u8]) -> Option<&[u8; KEY_ID_LEN]> {
    match sealed.split_first() {
        Some((&VERSION, rest)) => rest.first_chunk(),
        _ => None,
    }
}

fn head(id: &[u8; KEY_ID_LEN]) -> [u8; HEAD_LEN] {
    let mut head = [VERSION; HEAD_LEN];
    for (to, from) in head.iter_mut().skip(1).zip(id) {
        *to = *from;
    }
    head
}
