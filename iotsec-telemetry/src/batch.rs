//! Batches: CBOR against the registry, sealed and padded.
//!
//! ```text
//! sealed     = COSE_Encrypt0_Tagged      ; RFC 9052 §5.2, ChaCha20-Poly1305, exactly one size class long
//! plaintext  = batch, *0                 ; CBOR sequence, RFC 8742: padding is integers 0
//! batch      = [1, registry: bstr .size 16, purpose: 0..2, boot: uint, started: uint / null, losses, [* segment]]
//! segment    = [boots-ago: uint, sequence: uint, uptime: uint, events: bstr]
//! ```
//!
//! Every batch has a key and a nonce of its own, derived from what is in it and from fresh randomness
//! (`FORMAT.md`, "Sealing"): a reboot, flash that was rolled back, or even an entropy source that repeats
//! itself cannot make two different batches share them.

use iotsec_core::{
    cbor::{CborError, Writer},
    cose::Encrypt0,
    crypto::{Aead, CryptoError, Kdf, NONCE_LEN},
    secret::Secret,
};
use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::{
    error::BatchError,
    loss::Losses,
    queue::Receipt,
    registry::{Purpose, REGISTRY_HASH_LEN},
    segment::{self, Entry},
    stream::{Numbers, Stream},
};

mod open;
#[cfg(feature = "hpke")]
mod service_key;
mod size_class;

pub use open::{Batch, Event, Events, Held, OpenedBatch};
#[cfg(feature = "hpke")]
pub use service_key::{KEY_ID_LEN, ServiceKey, ServiceSecret, key_id};
pub use size_class::{SizeClass, Sizes};

/// Bytes of the longest sealed batch.
pub const MAX_LEN: usize = SizeClass::B2048.sealed_len();

const VERSION: u64 = 1;
/// The external additional data of every batch, and the salt of the key that makes salts.
pub(crate) const DOMAIN: &[u8] = b"iotsec/telemetry/batch/v1";
/// Bytes of the key identifier, which carries the salt.
const SALT_LEN: usize = 8;

/// The telemetry key of a device, and the algorithms to use it with.
///
/// The same 32 bytes on the device and at its service, for batches and [deletion requests](crate::deletion); nothing
/// else may be sealed under them.
pub struct BatchKey<'k> {
    key: &'k Secret<32>,
    aead: &'k dyn Aead,
    kdf: &'k dyn Kdf,
}

impl<'k> BatchKey<'k> {
    /// Binds a key to its algorithms. `aead` must have a COSE number: ChaCha20-Poly1305.
    pub const fn new(key: &'k Secret<32>, aead: &'k dyn Aead, kdf: &'k dyn Kdf) -> Self {
        Self { key, aead, kdf }
    }

    /// The key of the one message of `domain` that has this salt.
    fn of_message(&self, domain: &[u8], salt: &[u8; SALT_LEN]) -> Result<Secret<32>, CryptoError> {
        let mut key = Secret::zero();
        self.kdf
            .hkdf(salt, self.key.expose(), &[domain, b"/key"], key.expose_mut())?;
        Ok(key)
    }

    /// Salt and nonce: a keyed hash of fresh randomness and the plaintext, so that they repeat only
    /// together with both.
    fn salt<R: TryCryptoRng + ?Sized>(
        &self,
        domain: &[u8],
        rng: &mut R,
        plain: &[u8],
    ) -> Result<([u8; SALT_LEN], [u8; NONCE_LEN]), CryptoError> {
        let fresh = Secret::<32>::random(rng)?;
        let mut key = Secret::<32>::zero();
        self.kdf
            .hkdf(domain, self.key.expose(), &[domain, b"/salt"], key.expose_mut())?;
        let hash = self.kdf.hmac(key.expose(), &[fresh.expose(), plain])?;
        let (mut salt, mut nonce) = ([0; SALT_LEN], [0; NONCE_LEN]);
        for (to, from) in salt.iter_mut().chain(&mut nonce).zip(hash) {
            *to = from;
        }
        Ok((salt, nonce))
    }
}

impl core::fmt::Debug for BatchKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("BatchKey(..)")
    }
}

/// A batch that is ready to be sent.
#[derive(Debug)]
pub struct SealedBatch<'a> {
    bytes: &'a [u8],
    events: usize,
    receipt: Receipt,
}

impl<'a> SealedBatch<'a> {
    pub(crate) const fn new(bytes: &'a [u8], events: usize, receipt: Receipt) -> Self {
        Self {
            bytes,
            events,
            receipt,
        }
    }

    /// What to send.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many events are in it.
    pub const fn events(&self) -> usize {
        self.events
    }

    /// Keeps the receipt for [`Queue::ack`](crate::queue::Queue::ack), once the bytes are sent.
    pub fn into_receipt(self) -> Receipt {
        self.receipt
    }
}

/// What a batch says besides its events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) registry: &'a [u8; REGISTRY_HASH_LEN],
    pub(crate) purpose: Purpose,
    /// The boot that sends.
    pub(crate) boot: u32,
    /// Unix time at which it began.
    pub(crate) started: Option<u32>,
    pub(crate) lost: Losses,
}

/// What a stream adds to the numbers of the boot that sends.
#[derive(Clone, Copy)]
struct Sender {
    /// The number of that boot on the wire.
    boot: u32,
    /// When its numbers of seconds began.
    started: Option<u32>,
}

/// Writes the batch without its padding.
fn write<N: Numbers, I>(
    writer: &mut Writer<'_>,
    stream: &Stream<N>,
    sender: Sender,
    header: &Header<'_>,
    entries: I,
) -> Result<(), CborError>
where
    I: Iterator<Item = Entry> + Clone,
{
    writer.array(7)?.uint(VERSION)?.bytes(header.registry)?;
    writer
        .uint(header.purpose.number().into())?
        .uint(sender.boot.into())?;
    match sender.started {
        Some(started) => writer.uint(started.into())?,
        None => writer.null()?,
    };
    let classes = header.purpose.classes();
    header.lost.write(writer, stream, classes, header.boot)?;
    segment::write(writer, stream, header.boot, entries)
}

/// Writes as many of `available` events as fit into `plain`, where `events` gives the so and so many most urgent.
/// Returns how many they are and the bytes used. Where not even one fits, the times of losses make room.
pub(crate) fn fill<N: Numbers, I>(
    plain: &mut [u8],
    stream: &Stream<N>,
    header: &Header<'_>,
    available: usize,
    events: impl Fn(usize) -> I,
) -> Result<(usize, usize), BatchError>
where
    I: Iterator<Item = Entry> + Clone,
{
    let shift = stream.shift(header.boot)?;
    let sender = Sender {
        boot: stream.boot(header.boot)?,
        started: header
            .started
            .and_then(|started| started.checked_sub(shift.uptime)),
    };
    let counts_alone = Header {
        lost: header.lost.without_times(),
        ..*header
    };
    for header in [header, &counts_alone] {
        let mut attempt = |chosen| {
            let mut writer = Writer::new(plain);
            write(&mut writer, stream, sender, header, events(chosen)).ok()?;
            Some((chosen, writer.len()))
        };
        if let Some(all) = attempt(available) {
            return Ok(all);
        }
        let (mut fits, mut too_many) = (0usize, available);
        while too_many.saturating_sub(fits) > 1 {
            let middle = fits.midpoint(too_many);
            if attempt(middle).is_some() {
                fits = middle;
            } else {
                too_many = middle;
            }
        }
        if fits > 0 {
            return attempt(fits).ok_or(BatchError::Buffer);
        }
    }
    Err(BatchError::Buffer)
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::BatchKey<'_> {}
}

/// What messages are sealed to: a [`BatchKey`] that device and service share or, with the feature `hpke`, the
/// service's public key.
pub trait SealTo: sealed::Sealed {
    /// Bytes of plaintext in a message of this size, padding included.
    fn plain_len(&self, class: SizeClass) -> usize;

    /// Seals `plain`, which is padded, as a message of `domain` that fills `out`.
    ///
    /// # Errors
    /// [`BatchError`].
    #[doc(hidden)]
    fn seal_padded<R: TryCryptoRng + ?Sized>(
        &self,
        domain: &[u8],
        rng: &mut R,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<(), BatchError>;

    /// Pads the first `len` bytes of `plain`, seals them as a message of `domain`, and wipes `plain`.
    ///
    /// # Errors
    /// [`BatchError`].
    #[doc(hidden)]
    fn seal_message<'o, R: TryCryptoRng + ?Sized>(
        &self,
        domain: &[u8],
        sizes: Sizes,
        rng: &mut R,
        plain: &mut [u8],
        len: usize,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], BatchError> {
        let mut pad_and_seal = || {
            let class = sizes.find(|class| self.plain_len(class) >= len);
            let class = class.ok_or(BatchError::Buffer)?;
            let out = out.get_mut(..class.sealed_len()).ok_or(BatchError::Buffer)?;
            let plain = plain.get_mut(..self.plain_len(class)).ok_or(BatchError::Buffer)?;
            plain.get_mut(len..).ok_or(BatchError::Buffer)?.fill(0);
            self.seal_padded(domain, rng, plain, out)?;
            Ok(class)
        };
        let class: Result<SizeClass, BatchError> = pad_and_seal();
        plain.zeroize();
        out.get(..class?.sealed_len()).ok_or(BatchError::Buffer)
    }
}

impl SealTo for BatchKey<'_> {
    fn plain_len(&self, class: SizeClass) -> usize {
        class.plain_len()
    }

    fn seal_padded<R: TryCryptoRng + ?Sized>(
        &self,
        domain: &[u8],
        rng: &mut R,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<(), BatchError> {
        let (salt, nonce) = self.salt(domain, rng, plain)?;
        let key = self.of_message(domain, &salt)?;
        Encrypt0::seal(self.aead, &key, &nonce, &salt, domain, plain, out)?;
        Ok(())
    }
}

iotsec_core::claim! {
    provisions: ["5.8-1"],
    claims: "A batch is encrypted under a key that device and service share, has the length of its class, and with a changed bit opens nowhere",
    code: [BatchKey::seal_padded],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::batch::tests::every_flipped_bit_of_a_sealed_batch_is_refused",
        "iotsec-telemetry::iotsec_telemetry::batch::tests::a_message_has_exactly_the_length_of_its_class",
    ],
}

#[cfg(test)]
pub(crate) mod tests;
