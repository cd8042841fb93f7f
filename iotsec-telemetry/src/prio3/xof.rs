//! XofTurboShake128 (VDAF §6.2.1), over TurboSHAKE128 (RFC 9861).

use iotsec_core::secret::Secret;
use keccak::Keccak;
use zeroize::{Zeroize, Zeroizing};

use super::{MAX_CONTEXT_LEN, SEED_LEN, field::Field};
use crate::error::Prio3Error;

/// The version in every domain separation tag: draft-irtf-cfrg-vdaf-18.
const VERSION: u8 = 18;
/// VDAFs are class 0.
const CLASS: u8 = 0;
/// The domain byte of TurboSHAKE128 in this XOF.
const DOMAIN: u8 = 1;
/// Bytes of the state that are written and read between two permutations (RFC 9861 §2.2).
const RATE: usize = 168;
/// Rounds of the permutation.
const ROUNDS: usize = 12;
/// Bytes of a tag before the context.
const TAG_LEN: u16 = 8;

/// What a stream is used for (VDAF §7.2).
#[derive(Clone, Copy)]
pub(crate) enum Usage {
    MeasurementShare,
    ProofShare,
    JointRandomness,
    ProveRandomness,
    JointRandSeed,
    JointRandPart,
}

impl Usage {
    const fn number(self) -> u16 {
        match self {
            Self::MeasurementShare => 1,
            Self::ProofShare => 2,
            Self::JointRandomness => 3,
            Self::ProveRandomness => 4,
            Self::JointRandSeed => 6,
            Self::JointRandPart => 7,
        }
    }
}

/// What domain separation tags are made of, besides the usage.
#[derive(Clone, Copy)]
pub(crate) struct Domain<'a> {
    algorithm: u32,
    context: &'a [u8],
    /// Of the tag with the context.
    len: u16,
}

impl<'a> Domain<'a> {
    pub(crate) fn new(algorithm: u32, context: &'a [u8]) -> Result<Self, Prio3Error> {
        let len = u16::try_from(context.len()).ok();
        let len = len.filter(|_| context.len() <= MAX_CONTEXT_LEN);
        let len = len.and_then(|len| len.checked_add(TAG_LEN));
        Ok(Self {
            algorithm,
            context,
            len: len.ok_or(Prio3Error::Context)?,
        })
    }

    /// Begins with a seed; what is [`update`](Xof::update)d afterwards is the binder.
    #[inline(never)]
    pub(crate) fn xof(&self, usage: Usage, seed: &[u8; SEED_LEN]) -> Xof {
        let mut hash = Xof(Sponge::new());
        hash.update(&self.len.to_le_bytes());
        hash.update(&[VERSION, CLASS]);
        hash.update(&self.algorithm.to_be_bytes());
        hash.update(&usage.number().to_be_bytes());
        hash.update(self.context);
        // One byte with the length of the seed, 32.
        hash.update(&[32]);
        hash.update(seed);
        hash
    }

    pub(crate) fn stream(&self, usage: Usage, seed: &[u8; SEED_LEN], binder: &[u8]) -> Stream {
        let mut xof = self.xof(usage, seed);
        xof.update(binder);
        xof.into_stream()
    }
}

/// A hash of which as much can be read as is needed; wiped on drop.
pub(crate) struct Xof(Sponge);

impl Xof {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0.step(|state| *state ^= byte);
        }
    }

    pub(crate) fn into_stream(mut self) -> Stream {
        self.update(&[DOMAIN]);
        self.0.at = RATE.saturating_sub(1);
        self.update(&[0x80]);
        Stream(self.0)
    }

    pub(crate) fn into_seed(self) -> Secret<SEED_LEN> {
        let mut seed = Secret::zero();
        self.into_stream().read(seed.expose_mut());
        seed
    }
}

/// The state of Keccak, byte by byte: what the crate `turboshake` adds to the permutation links panics.
struct Sponge {
    state: Zeroizing<[u64; 25]>,
    at: usize,
}

impl Sponge {
    fn new() -> Self {
        Self {
            state: Zeroizing::new([0; 25]),
            at: 0,
        }
    }

    /// Does something with the next byte, and permutes after the last.
    fn step(&mut self, touch: impl FnOnce(&mut u8)) {
        if let Some(lane) = self.state.get_mut(self.at >> 3) {
            let mut bytes = lane.to_le_bytes();
            if let Some(byte) = bytes.get_mut(self.at & 7) {
                touch(byte);
            }
            *lane = u64::from_le_bytes(bytes);
        }
        self.at = self.at.saturating_add(1);
        if self.at >= RATE {
            self.permute();
        }
    }

    #[inline(never)]
    fn permute(&mut self) {
        self.at = 0;
        Keccak::new().with_p1600::<ROUNDS>(|permute| permute(&mut self.state));
    }
}

/// What is read; wiped on drop.
pub(crate) struct Stream(Sponge);

impl Stream {
    fn read(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0.step(|state| *byte = *state);
        }
    }

    /// The next element. Draws that are not below the prime are passed over, with a chance of less than 2^-32
    /// each: how long it takes tells that, and nothing about the elements that are used.
    pub(crate) fn draw<F: Field>(&mut self) -> F {
        let mut bytes = [0; MAX_ELEMENT_LEN];
        let drawn = loop {
            let bytes = bytes.get_mut(..F::LEN).unwrap_or_default();
            self.read(bytes);
            if let Some(drawn) = F::read(bytes) {
                break drawn;
            }
        };
        bytes.zeroize();
        drawn
    }
}

/// Bytes of an element of the larger field.
pub(crate) const MAX_ELEMENT_LEN: usize = 16;
