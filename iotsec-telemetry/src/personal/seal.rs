use iotsec_core::cbor::{self, CborError, Limits, Reader, Writer};
use rand_core::TryCryptoRng;

use super::Sensitive;
use crate::{
    batch::{BatchKey, SealTo, SizeClass, Sizes},
    code,
    consent::{ConsentPurpose, Consented},
    error::{BatchError, DecodeError, SealError},
    registry::{EventDef, FieldKind, HashedRegistry},
    value::{Content, Value},
};

const DOMAIN: &[u8] = b"iotsec/telemetry/value/v1";
const VERSION: u64 = 1;
/// The array, version, hash and code.
const MAX_PLAIN: usize = 28;
const LIMITS: Limits = Limits {
    depth: 2,
    items: 4,
    bytes: 142,
};
const _: () = assert!(SizeClass::B192.plain_len() >= MAX_PLAIN && SizeClass::B192.plain_len() < 143);

impl<T: Into<i64>, P: ConsentPurpose> Sensitive<T, P> {
    /// Seals the value to whoever holds the other half of `key`, for which the owner's live consent is shown: the owner's
    /// telephone, a physician. What carries it there learns that there is a value, and not which; every value is of
    /// one length. It is the only field of `event`, which declares its bounds.
    ///
    /// `out` has 192 bytes; what is returned takes 128, or 192 under a P-256 key, and lives no longer than the consent.
    ///
    /// # Errors
    /// [`SealError::Record`] when `event` is not declared so, is for another purpose, or the value is out of its bounds;
    /// [`SealError::Batch`].
    ///
    /// ```
    /// use iotsec_core::{crypto::*, secret::Secret};
    /// use iotsec_telemetry::{
    ///     batch::BatchKey, consent::{Consented, Health}, error::SealError, personal::Sensitive, registry,
    ///     registry::{Class, EventDef, Field},
    /// };
    /// # use iotsec_testkit::SimRng;
    ///
    /// const PULSE: EventDef = EventDef::new(
    ///     1, "pulse", Class::Health, "Shows the wearer's physician how they are", &[Field::number("rate", "/min", 20, 250)],
    /// );
    /// registry!(static PRODUCT = [PULSE]);
    ///
    /// fn send(heart_rate: Sensitive<u32, Health>, consent: &Consented<'_, Health>, rng: &mut SimRng) -> Result<(), SealError> {
    ///     let registry = PRODUCT.hashed(&mut Sha256::new());
    ///     let physician = Secret::from_bytes([9; 32]);
    ///     let key = BatchKey::new(&physician, &ChaCha20Poly1305, &HkdfSha256);
    ///     let mut out = [0; 192];
    ///     let sealed = heart_rate.seal(&key, &registry, &PULSE, consent, rng, &mut out)?;
    ///     assert_eq!(key.open_value(sealed, &registry).unwrap().raw(), 62);
    ///     Ok(())
    /// }
    /// # use iotsec_telemetry::{consent::*, error::StorageError};
    /// # struct Ram;
    /// # impl ConsentStorage for Ram {
    /// #     fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> { Ok(false) }
    /// #     fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> { Ok(()) }
    /// # }
    /// # let mut consents = Consents::off();
    /// # consents.grant::<Health>(1, None, &mut Ram).unwrap();
    /// # send(Sensitive::new(62), &consents.live().unwrap(), &mut SimRng::new(1)).unwrap();
    /// ```
    pub fn seal<'o, S: SealTo, R: TryCryptoRng + ?Sized>(
        self,
        key: &S,
        registry: &HashedRegistry,
        event: &EventDef,
        consent: &'o Consented<'_, P>,
        rng: &mut R,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], SealError> {
        let _ = consent;
        let value = Value::new(Content::Number(self.0.value.into()), Some(P::PURPOSE));
        let code = code::encode(registry.registry(), event, &[value])?;
        let mut plain = [0; SizeClass::B192.plain_len()];
        let len = write(&mut plain, registry, code).map_err(|_| BatchError::Buffer)?;
        let sizes = Sizes::up_to(SizeClass::B192);
        Ok(key.seal_message(DOMAIN, sizes, rng, &mut plain, len, out)?)
    }
}

iotsec_core::claim! {
    provisions: ["5.8-2"],
    claims: "A sensitive value leaves sealed to its service, under a live consent to its purpose and within its bounds",
    code: [Sensitive::seal],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::batch::tests::service::a_sensitive_value_leaves_sealed_under_its_consent_and_declaration",
    ],
}

/// A value that was sealed on a device.
#[derive(Clone, Copy)]
pub struct OpenedValue {
    event: &'static EventDef,
    raw: i64,
}

impl OpenedValue {
    /// What declares it.
    pub const fn event(&self) -> &'static EventDef {
        self.event
    }

    /// The value.
    pub const fn raw(&self) -> i64 {
        self.raw
    }

    fn parse(plain: &[u8], registry: &HashedRegistry) -> Result<Self, DecodeError> {
        let (value, padding) = cbor::split_first(plain, &LIMITS)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(DecodeError::Padding);
        }
        let mut reader = Reader::new(value, &LIMITS)?;
        reader.array_len(3)?;
        if reader.uint()? != VERSION {
            return Err(DecodeError::Version);
        }
        if reader.array_of()? != registry.hash() {
            return Err(DecodeError::UnknownRegistry);
        }
        let decoded = code::decode(registry.registry(), reader.uint()?).ok_or(DecodeError::Undeclared)?;
        let event = decoded.definition;
        match (event.fields(), decoded.digits.first()) {
            ([field], Some(digit)) => match field.kind() {
                FieldKind::Number { min, .. } => {
                    let raw = min.checked_add_unsigned(*digit);
                    let raw = raw.ok_or(DecodeError::Undeclared)?;
                    Ok(Self { event, raw })
                }
                _ => Err(DecodeError::Undeclared),
            },
            _ => Err(DecodeError::Undeclared),
        }
    }
}

/// Shows nothing of the value.
impl core::fmt::Debug for OpenedValue {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("OpenedValue(..)")
    }
}

impl BatchKey<'_> {
    /// Decrypts a value that a device [sealed](Sensitive::seal), at its recipient.
    ///
    /// # Errors
    /// [`DecodeError`] for anything but what the holder of this key sealed as a value.
    pub fn open_value(&self, sealed: &[u8], registry: &HashedRegistry) -> Result<OpenedValue, DecodeError> {
        let mut plain = [0; SizeClass::B192.plain_len()];
        OpenedValue::parse(self.open_as(DOMAIN, sealed, &mut plain)?, registry)
    }
}

#[cfg(feature = "hpke")]
impl<K: iotsec_core::crypto::AgreementKey> crate::batch::ServiceSecret<'_, K> {
    /// Decrypts a value that a device [sealed](Sensitive::seal), at its recipient.
    ///
    /// # Errors
    /// [`DecodeError`] for anything but what was sealed to this key as a value.
    pub fn open_value(&self, sealed: &[u8], registry: &HashedRegistry) -> Result<OpenedValue, DecodeError> {
        let mut plain = [0; SizeClass::B192.sealed_len()];
        OpenedValue::parse(self.open_as(DOMAIN, sealed, &mut plain)?, registry)
    }
}

fn write(plain: &mut [u8], registry: &HashedRegistry, code: u64) -> Result<usize, CborError> {
    let mut writer = Writer::new(plain);
    writer
        .array(3)?
        .uint(VERSION)?
        .bytes(registry.hash())?
        .uint(code)?;
    Ok(writer.len())
}
