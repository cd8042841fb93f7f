//! XofTurboShake128 (VDAF §6.2.1), over TurboSHAKE128 (RFC 9861).

use iotsec_core::secret::Secret;
use turboshake::{
    CTurboShake128, TurboShake128Reader,
    digest::{ExtendableOutput, Update, XofReader},
};
use zeroize::Zeroize;

use super::{MAX_CONTEXT_LEN, SEED_LEN, field::Field};
use crate::error::Prio3Error;

/// The version in every domain separation tag: draft-irtf-cfrg-vdaf-18.
const VERSION: u8 = 18;
/// VDAFs are class 0.
const CLASS: u8 = 0;
/// The domain byte of TurboSHAKE128 in this XOF.
const DOMAIN: u8 = 1;
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
        let mut hash = CTurboShake128::<DOMAIN>::default();
        hash.update(&self.len.to_le_bytes());
        hash.update(&[VERSION, CLASS]);
        hash.update(&self.algorithm.to_be_bytes());
        hash.update(&usage.number().to_be_bytes());
        hash.update(self.context);
        // One byte with the length of the seed, 32.
        hash.update(&[32]);
        hash.update(seed);
        Xof(hash)
    }

    pub(crate) fn stream(&self, usage: Usage, seed: &[u8; SEED_LEN], binder: &[u8]) -> Stream {
        let mut xof = self.xof(usage, seed);
        xof.update(binder);
        xof.into_stream()
    }
}

/// A hash of which as much can be read as is needed; wiped on drop.
pub(crate) struct Xof(CTurboShake128<DOMAIN>);

impl Xof {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn into_stream(self) -> Stream {
        Stream(self.0.finalize_xof())
    }

    pub(crate) fn into_seed(self) -> Secret<SEED_LEN> {
        let mut seed = Secret::zero();
        self.into_stream().0.read(seed.expose_mut());
        seed
    }
}

/// What is read; wiped on drop.
pub(crate) struct Stream(TurboShake128Reader);

impl Stream {
    /// The next element. Draws that are not below the prime are passed over, with a chance of less than 2^-32
    /// each: how long it takes tells that, and nothing about the elements that are used.
    pub(crate) fn draw<F: Field>(&mut self) -> F {
        let mut bytes = [0; MAX_ELEMENT_LEN];
        let drawn = loop {
            let (bytes, _) = bytes.split_at_mut(F::LEN.min(MAX_ELEMENT_LEN));
            self.0.read(bytes);
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
