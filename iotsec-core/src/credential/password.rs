use rand_core::TryCryptoRng;

use super::{
    blocklist::{self, MAX_BYTES},
    symbol::Symbols,
};
use crate::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
};

/// Where a password can be attacked, which decides how long it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exposure {
    /// Only through the device, behind a [`Throttle`](super::Throttle).
    Online,
    /// Also at the attacker's desk, where nothing counts the guesses: a Wi-Fi passphrase, a backup.
    Offline,
}

impl Exposure {
    /// Symbols of a generated password, the check symbol not counted: 12 or 16.
    pub const fn symbols(self) -> usize {
        match self {
            Self::Online => 12,
            Self::Offline => 16,
        }
    }

    /// Entropy of a generated password in bits, 5 for each symbol: 60 or 80. The check symbol adds none.
    pub const fn entropy_bits(self) -> u32 {
        match self {
            Self::Online => 60,
            Self::Offline => 80,
        }
    }

    /// Fewest characters of a password that a person chooses: 12 or 15.
    ///
    /// NIST SP 800-63B-4 asks for 15 characters where a password is the only factor. 12 is for a login
    /// behind a [`Throttle`](super::Throttle), which gives an attacker 100 guesses in all.
    pub const fn min_characters(self) -> usize {
        match self {
            Self::Online => 12,
            Self::Offline => 15,
        }
    }
}

/// A password that the generator made for one unit.
///
/// There is no other way to make one: no literal, serial number, address or counter becomes a
/// `DevicePassword`. One that the factory station drew comes to its unit in a [`UnitRecord`](super::UnitRecord). It is not `Clone` nor `PartialEq`, shows nothing in `Debug` and is wiped on drop.
/// [`label`](Self::label) is the one way out.
///
/// ```
/// # use iotsec_testkit::SimRng;
/// use iotsec_core::credential::{DevicePassword, Exposure};
///
/// # let mut rng = SimRng::new(1);
/// let password = DevicePassword::generate(Exposure::Online, &mut rng)?;
/// assert_eq!(password.label().as_str().len(), "XXXX-XXXX-XXXX-C".len());
/// assert_eq!(format!("{password:?}"), "DevicePassword(..)");
/// # Ok::<(), iotsec_core::crypto::CryptoError>(())
/// ```
///
/// A universal default does not compile:
/// ```compile_fail,E0308
/// use iotsec_core::credential::DevicePassword;
///
/// let password = DevicePassword::from("K2M4-P6R8-T0V3-Q");
/// ```
/// ```compile_fail,E0277
/// use iotsec_core::credential::DevicePassword;
///
/// let password: DevicePassword = "K2M4-P6R8-T0V3-Q".parse().unwrap();
/// ```
/// ```compile_fail,E0423
/// use iotsec_core::credential::DevicePassword;
///
/// let password = DevicePassword(*b"K2M4P6R8T0V3");
/// ```
pub struct DevicePassword(Symbols);

impl DevicePassword {
    /// Draws a password of [`Exposure::symbols`] symbols.
    ///
    /// A draw that is a pattern, or shows a leaked default or an offensive word, is thrown away as a
    /// whole and drawn again.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when the source fails, repeats itself, or keeps giving patterns.
    pub fn generate<R: TryCryptoRng + ?Sized>(exposure: Exposure, rng: &mut R) -> Result<Self, CryptoError> {
        for _ in 0..MAX_DRAWS {
            let symbols = Symbols::draw(exposure.symbols(), rng)?;
            if !blocklist::refuses_code(symbols.as_slice()) {
                return Ok(Self(symbols));
            }
        }
        Err(CryptoError::Entropy)
    }

    /// One that was drawn elsewhere, for the unit whose record it stands in.
    pub(super) const fn minted(symbols: Symbols) -> Self {
        Self(symbols)
    }

    pub(super) fn symbols(&self) -> &[u8] {
        self.0.as_slice()
    }
}

crate::claim! {
    provisions: ["5.1-1", "5.1-2"],
    claims: "Device passwords are drawn evenly and show no pattern or word; none is drawn from a source that is stuck, repeats or counts",
    code: [DevicePassword::generate],
    tests: [
        "iotsec-core::credential_code::symbols_are_evenly_spread_at_every_position_and_no_password_occurs_twice",
        "iotsec-core::credential_code::generated_codes_show_no_pattern_and_no_word",
        "iotsec-core::credential_code::a_source_that_is_stuck_repeats_counts_or_fails_gives_no_password",
    ],
}

impl core::fmt::Debug for DevicePassword {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DevicePassword(..)")
    }
}

/// A password that a person chose and that passed the rules; borrowed from the input.
///
/// The rules are those of NIST SP 800-63B-4 §3.1.1: a least length, no demand for kinds of characters,
/// a blocklist. Text is taken as it is: a user interface that can type the same letter in two ways
/// normalises it (NFC) here and at every login alike. Non-ASCII letters, spaces and pasting are welcome.
///
/// ```
/// use iotsec_core::credential::{Exposure, PasswordError, UserPassword};
///
/// let context = ["Acme Cam 3", "SN-00412-7731", "AA:BB:CC:DD:EE:FF"];
/// let choose = |text| UserPassword::new(text, Exposure::Online, &context).map(|_| ());
///
/// assert_eq!(choose("green kettle, blue door"), Ok(()));
/// assert_eq!(choose("kettle"), Err(PasswordError::TooShort));
/// assert_eq!(choose("Password1234"), Err(PasswordError::Predictable));
/// assert_eq!(choose("sn00412-7731 kitchen"), Err(PasswordError::Context));
/// ```
pub struct UserPassword<'a>(&'a str);

impl<'a> UserPassword<'a> {
    /// Longest password in bytes of UTF-8, so that 64 characters of any script fit.
    pub const MAX_BYTES: usize = MAX_BYTES;

    /// Checks a choice. `context` holds what others can read off the device or its packaging: product,
    /// maker, serial number, addresses, network name, user name. The password may not show such a word,
    /// nor six letters or digits in a row of it; words of fewer than four are passed over.
    ///
    /// # Errors
    /// Each [`PasswordError`] for its own rule.
    pub fn new(text: &'a str, exposure: Exposure, context: &[&str]) -> Result<Self, PasswordError> {
        if text.len() > MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(PasswordError::Control);
        }
        // Every byte but those that go on with a character: `Chars::count` is made for long texts, and larger.
        let characters = text.bytes().filter(|byte| byte & 0xC0 != 0x80).count();
        if characters < exposure.min_characters() {
            return Err(PasswordError::TooShort);
        }
        if context.iter().any(|word| blocklist::shows_word(text, word)) {
            return Err(PasswordError::Context);
        }
        if blocklist::effective_len(text.as_bytes()) < MIN_EFFECTIVE {
            return Err(PasswordError::Predictable);
        }
        Ok(Self(text))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

crate::claim! {
    provisions: ["5.1-5"],
    claims: "A password that a person chooses is refused when it is short, predictable, or made of names of the device",
    code: [UserPassword::new],
    tests: [
        "iotsec-core::credential_verifier::people_may_choose_long_passwords_of_any_characters_that_are_not_predictable",
        "iotsec-core::iotsec_core::credential::blocklist::tests::context_is_found_through_case_and_separators",
    ],
}

impl core::fmt::Debug for UserPassword<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("UserPassword(..)")
    }
}

/// Why a chosen password was refused. Safe to show to the person who chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Fewer than [`Exposure::min_characters`].
    #[error("password too short")]
    TooShort,
    /// More than [`UserPassword::MAX_BYTES`].
    #[error("password too long")]
    TooLong,
    /// A control character, which many keyboards and forms cannot repeat.
    #[error("password contains a control character")]
    Control,
    /// Little is left of it besides leaked defaults, runs, sequences, keyboard walks and repetition.
    #[error("password is predictable")]
    Predictable,
    /// It shows something that can be read off the device.
    #[error("password shows something known about the device")]
    Context,
}

impl ErrorCode for PasswordError {
    fn code(&self) -> u16 {
        match self {
            Self::TooShort => 1311,
            Self::TooLong => 1312,
            Self::Control => 1313,
            Self::Predictable => 1314,
            Self::Context => 1315,
        }
    }

    fn fault(&self) -> Fault {
        Fault::Input
    }
}

/// One draw in 800 is refused, so a good source misses eight times in a row once in 10^23.
const MAX_DRAWS: usize = 8;

/// Characters that must be left once everything weak has shrunk to one character each: the least
/// length that NIST SP 800-63B-4 allows anywhere.
const MIN_EFFECTIVE: usize = 8;
