use super::verifier::VerifierError;

/// How a password was turned into a MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// A [`DevicePassword`](super::DevicePassword), the preset credential of the unit.
    Generated,
    /// A [`UserPassword`](super::UserPassword), stretched with PBKDF2.
    Chosen(Iterations),
    /// A [`UserPassword`](super::UserPassword), stretched with Argon2id.
    MemoryHard(MemoryCost),
}

/// What it costs to try a password that a person chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cost {
    /// Time.
    Iterations(Iterations),
    /// Time and memory.
    Memory(MemoryCost),
}

impl Cost {
    pub(super) const fn scheme(self) -> Scheme {
        match self {
            Self::Iterations(iterations) => Scheme::Chosen(iterations),
            Self::Memory(cost) => Scheme::MemoryHard(cost),
        }
    }
}

impl From<Iterations> for Cost {
    fn from(iterations: Iterations) -> Self {
        Self::Iterations(iterations)
    }
}

impl From<MemoryCost> for Cost {
    fn from(cost: MemoryCost) -> Self {
        Self::Memory(cost)
    }
}

/// Rounds of PBKDF2, at least 10 000 and at most 1 000 000.
///
/// The upper bound keeps a forged record from holding a Linux device for more than about a second. A
/// microcontroller relies on its store, which does not read forged records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iterations(u32);

impl Iterations {
    /// 10 000: 40 000 SHA-256 blocks, some seconds on a Cortex-M at 64 MHz. The pepper carries the
    /// security on such a device, see [`Verifier`](super::Verifier).
    pub const MCU: Self = Self(10_000);
    /// 600 000, the OWASP recommendation for PBKDF2-HMAC-SHA-256.
    pub const HOST: Self = Self(600_000);

    /// A number of rounds.
    ///
    /// # Errors
    /// [`VerifierError::Iterations`] outside the bounds.
    pub const fn new(count: u32) -> Result<Self, VerifierError> {
        if count < Self::MCU.0 || count > 1_000_000 {
            return Err(VerifierError::Iterations);
        }
        Ok(Self(count))
    }

    /// The number.
    pub const fn count(self) -> u32 {
        self.0
    }
}

/// Memory and passes of Argon2id (RFC 9106) with one lane: 64 KiB to 64 MiB, 1 to 64 passes, and no more than 128 MiB
/// filled in all, which bounds what a forged record costs.
///
/// ```
/// use iotsec_core::credential::{MemoryCost, VerifierError};
///
/// assert_eq!(MemoryCost::HOST, MemoryCost::new(19 * 1024, 2)?);
/// assert_eq!(MemoryCost::new(1 << 20, 1), Err(VerifierError::Iterations));
/// # Ok::<(), VerifierError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemoryCost {
    kib: u32,
    passes: u16,
}

impl MemoryCost {
    /// 19 MiB, twice: the OWASP recommendation.
    pub const HOST: Self = Self {
        kib: 19 * 1024,
        passes: 2,
    };
    /// 256 KiB, eight times: for a device with a megabyte of RAM, whose pepper carries the security.
    pub const DEVICE: Self = Self { kib: 256, passes: 8 };

    /// `kib` KiB, filled `passes` times.
    ///
    /// # Errors
    /// [`VerifierError::Iterations`] outside the bounds.
    pub const fn new(kib: u32, passes: u16) -> Result<Self, VerifierError> {
        let in_bounds = kib >= 64 && kib <= 64 * 1024 && passes >= 1 && passes <= 64;
        // No wider than 16 + 6 bits.
        if !in_bounds || kib.saturating_mul(u16_to_u32(passes)) > 128 * 1024 {
            return Err(VerifierError::Iterations);
        }
        Ok(Self { kib, passes })
    }

    /// KiB of memory, as many as [`Argon2Block`](crate::crypto::Argon2Block)s are needed.
    pub const fn kib(self) -> u32 {
        self.kib
    }

    /// How often it is filled.
    pub const fn passes(self) -> u16 {
        self.passes
    }
}

const fn u16_to_u32(number: u16) -> u32 {
    let [high, low] = number.to_be_bytes();
    u32::from_be_bytes([0, 0, high, low])
}
