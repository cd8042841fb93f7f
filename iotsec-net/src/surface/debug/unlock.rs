use iotsec_core::{
    cbor::{Kind, Limits, Reader, Writer},
    cose::Sign1,
    crypto::Verify,
    hal::Millis,
    input::DeviceSerial,
};
use rand_core::TryCryptoRng;

use super::UnlockError;

const CHALLENGE: &str = "iotsec-debug-challenge/1";
const UNLOCK: &str = "iotsec-debug-unlock/1";

/// Bytes of a nonce: nobody guesses it, and no two are ever the same.
pub const UNLOCK_NONCE_LEN: usize = 16;
/// Seconds that a token is good for, at most: a day at the repair shop.
pub const MAX_LIFETIME_S: u32 = 86_400;

/// A COSE_Sign1 with a short header and [`UnlockContent::MAX_LEN`] bytes of content in it, with room for a `kid`.
const MESSAGE_LIMITS: Limits = Limits {
    depth: 4,
    items: 32,
    bytes: 512,
};
/// A map of four entries, none of which is longer than the serial number.
const CONTENT_LIMITS: Limits = Limits {
    depth: 1,
    items: 12,
    bytes: 128,
};

/// What a device wants to see signed before it opens its debug port.
///
/// It lives in memory and is good for one answer: a reboot and a wrong answer end it.
///
/// ```
/// use iotsec_core::{
///     cose::Sign1Builder,
///     crypto::{Ed25519PublicKey, Ed25519SigningKey, Sign},
///     hal::Millis,
///     input::DeviceSerial,
///     secret::Secret,
/// };
/// use iotsec_net::surface::debug::{UnlockChallenge, UnlockContent};
/// # struct Rng(u8);
/// # impl rand_core::TryRng for Rng {
/// #     type Error = core::convert::Infallible;
/// #     fn try_next_u32(&mut self) -> Result<u32, Self::Error> { self.0 += 1; Ok(self.0.into()) }
/// #     fn try_next_u64(&mut self) -> Result<u64, Self::Error> { self.0 += 1; Ok(self.0.into()) }
/// #     fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
/// #         for byte in dst { self.0 += 1; *byte = self.0; } Ok(())
/// #     }
/// # }
/// # impl rand_core::TryCryptoRng for Rng {}
/// # let mut rng = Rng(0);
/// # let maker = Ed25519SigningKey::from_seed(&Secret::from_bytes([9; 32]));
/// # let anchor = Ed25519PublicKey::from_bytes(maker.public_key()).unwrap();
///
/// // On the device, asked for by somebody with a probe.
/// let serial = DeviceSerial::parse(b"L2-000001").unwrap();
/// let challenge = UnlockChallenge::new(serial, &mut rng, Millis::from_secs(60))?;
/// let mut out = [0; UnlockChallenge::MAX_LEN];
/// let question = challenge.write(&mut out)?;
///
/// // At the maker, who knows whom to give it to.
/// let content = UnlockContent::answer(question, 3600)?;
/// let (mut payload, mut scratch, mut token) = ([0; UnlockContent::MAX_LEN], [0; 256], [0; 256]);
/// let payload = content.write(&mut payload)?;
/// let token = Sign1Builder::new().sign(&maker, payload, b"", &mut scratch, &mut token)?;
///
/// // On the device again.
/// let unlocked = challenge.check(token, &anchor, Millis::from_secs(90), &mut scratch)?;
/// assert!(unlocked.is_open(Millis::from_secs(3659)) && !unlocked.is_open(Millis::from_secs(3660)));
/// # Ok::<(), iotsec_net::surface::debug::UnlockError>(())
/// ```
#[derive(Debug)]
pub struct UnlockChallenge<'a> {
    pub(super) serial: DeviceSerial<'a>,
    pub(super) nonce: [u8; UNLOCK_NONCE_LEN],
    pub(super) issued: Millis,
}

/// The right to open the debug port for some time. Only [`UnlockChallenge::check`] makes one.
#[derive(Debug)]
#[must_use]
pub struct Unlocked {
    until: Millis,
}

impl Unlocked {
    /// Whether the port may be open at this uptime. When it may not be any more, close it; a reboot closes it too.
    pub const fn is_open(&self, now: Millis) -> bool {
        now.0 < self.until.0
    }

    /// The uptime at which it has to be closed.
    pub const fn until(&self) -> Millis {
        self.until
    }
}

impl<'a> UnlockChallenge<'a> {
    /// Bytes that any fits in.
    pub const MAX_LEN: usize = 96;

    /// Draws one at uptime `now`.
    ///
    /// # Errors
    /// [`UnlockError::Entropy`].
    pub fn new<R: TryCryptoRng>(
        serial: DeviceSerial<'a>,
        rng: &mut R,
        now: Millis,
    ) -> Result<Self, UnlockError> {
        let mut nonce = [0; UNLOCK_NONCE_LEN];
        rng.try_fill_bytes(&mut nonce).map_err(|_| UnlockError::Entropy)?;
        Ok(Self {
            serial,
            nonce,
            issued: now,
        })
    }

    /// Writes it for the maker. Nothing in it is secret.
    ///
    /// # Errors
    /// [`UnlockError::Encoding`] when `out` is shorter than [`MAX_LEN`](Self::MAX_LEN).
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], UnlockError> {
        let mut writer = Writer::new(out);
        writer.map(3)?.uint(0)?.text(CHALLENGE)?;
        writer.uint(1)?.text(self.serial.as_str())?;
        writer.uint(2)?.bytes(&self.nonce)?;
        Ok(writer.finish()?)
    }

    /// Checks the answer, whatever it is good for one.
    ///
    /// The time that it gives is counted from when the challenge was made, by the uptime of the device: no clock is
    /// needed, and an answer that was kept is worth nothing. `scratch` takes 256 bytes.
    ///
    /// # Errors
    /// [`UnlockError`]; nothing was opened.
    pub fn check(
        self,
        token: &[u8],
        anchor: &dyn Verify,
        now: Millis,
        scratch: &mut [u8],
    ) -> Result<Unlocked, UnlockError> {
        let verified = Sign1::parse(token, &MESSAGE_LIMITS)?.verify(anchor, b"", scratch)?;
        let content = UnlockContent::parse(verified.payload())?;
        if content.serial != self.serial {
            return Err(UnlockError::WrongDevice);
        }
        if content.nonce != self.nonce {
            return Err(UnlockError::WrongNonce);
        }
        let lifetime = Millis::from_secs(content.lifetime_s.into());
        let unlocked = Unlocked {
            until: Millis(self.issued.0.saturating_add(lifetime.0)),
        };
        // A clock that went back is no reason to believe in more time.
        if now.0 < self.issued.0 || !unlocked.is_open(now) {
            return Err(UnlockError::Expired);
        }
        Ok(unlocked)
    }
}

iotsec_core::claim! {
    provisions: ["5.6-4A"],
    claims: "A debug port opens, for a time, to what the maker signed for this device and this challenge, and to nothing else",
    code: [UnlockChallenge::check],
    tests: [
        "iotsec-net::iotsec_net::surface::debug::tests::an_answer_opens_the_port_for_its_time",
        "iotsec-net::iotsec_net::surface::debug::tests::an_answer_for_anything_else_opens_nothing",
        "iotsec-net::iotsec_net::surface::debug::tests::no_flipped_bit_and_no_prefix_opens_anything",
    ],
}

/// What the maker signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnlockContent<'a> {
    /// The one device.
    pub serial: DeviceSerial<'a>,
    /// From its challenge.
    pub nonce: [u8; UNLOCK_NONCE_LEN],
    /// Seconds from the challenge on: 1 to [`MAX_LIFETIME_S`].
    pub lifetime_s: u32,
}

impl<'a> UnlockContent<'a> {
    /// Bytes that any fits in.
    pub const MAX_LEN: usize = 96;

    /// The answer to a challenge as a device writes it.
    ///
    /// # Errors
    /// [`UnlockError::Domain`], [`UnlockError::Encoding`].
    pub fn answer(challenge: &'a [u8], lifetime_s: u32) -> Result<Self, UnlockError> {
        let mut reader = open(challenge, 3, CHALLENGE)?;
        let (serial, nonce) = read(&mut reader)?;
        reader.finish()?;
        Ok(Self {
            serial,
            nonce,
            lifetime_s,
        })
    }

    /// Reads one. It says nothing of who signed it.
    ///
    /// # Errors
    /// [`UnlockError::Domain`], [`UnlockError::Lifetime`], [`UnlockError::Encoding`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, UnlockError> {
        let mut reader = open(payload, 4, UNLOCK)?;
        let (serial, nonce) = read(&mut reader)?;
        reader.expect_label(3)?;
        let content = Self {
            serial,
            nonce,
            lifetime_s: reader.uint_as()?,
        };
        reader.finish()?;
        content.check()?;
        Ok(content)
    }

    /// Writes what [`Sign1Builder`](iotsec_core::cose::Sign1Builder) signs.
    ///
    /// # Errors
    /// [`UnlockError::Lifetime`]; [`UnlockError::Encoding`] when `out` is shorter than [`MAX_LEN`](Self::MAX_LEN).
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], UnlockError> {
        self.check()?;
        let mut writer = Writer::new(out);
        writer.map(4)?.uint(0)?.text(UNLOCK)?;
        writer.uint(1)?.text(self.serial.as_str())?;
        writer.uint(2)?.bytes(&self.nonce)?;
        writer.uint(3)?.uint(self.lifetime_s.into())?;
        Ok(writer.finish()?)
    }

    const fn check(&self) -> Result<(), UnlockError> {
        match self.lifetime_s {
            1..=MAX_LIFETIME_S => Ok(()),
            _ => Err(UnlockError::Lifetime),
        }
    }
}

/// A map of a fixed shape, whose first entry says what it is.
fn open<'a>(input: &'a [u8], entries: u64, domain: &str) -> Result<Reader<'a>, UnlockError> {
    let mut reader = Reader::new(input, &CONTENT_LIMITS)?;
    let wrong = reader.error(Kind::Range);
    if reader.map()? != entries {
        return Err(wrong.into());
    }
    reader.expect_label(0)?;
    if reader.text()? != domain {
        return Err(UnlockError::Domain);
    }
    Ok(reader)
}

fn read<'a>(reader: &mut Reader<'a>) -> Result<(DeviceSerial<'a>, [u8; UNLOCK_NONCE_LEN]), UnlockError> {
    reader.expect_label(1)?;
    let wrong = reader.error(Kind::Range);
    let serial = DeviceSerial::parse(reader.text()?.as_bytes()).map_err(|_| wrong)?;
    reader.expect_label(2)?;
    Ok((serial, *reader.array_of()?))
}
