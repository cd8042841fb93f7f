//! Secure aggregation: two servers learn a sum over all devices, and neither learns about one (Prio3).
//!
//! A measurement is split into two shares, each of which alone is random, with a proof that they belong to a
//! value within bounds. Each share is sealed to its server (feature `dap` does that); the servers check the proof together,
//! add up the shares of many devices, and only the two sums put together say anything. It holds as long as the
//! two servers do not work together, and as long as they insist on enough devices in a sum: sums tell something
//! about single devices, too, and noise against that is the collector's to add.
//!
//! | metric | VDAF | shares for | public, leader, helper: bytes |
//! |---|---|---|---|
//! | [`Count`](crate::registry::Aggregate::Count) | Prio3Count | yes or no | 0, 48, 32 |
//! | [`Sum`](crate::registry::Aggregate::Sum) | Prio3Sum | 0 to 255 | 0, 320, 32 |
//! | [`Histogram`](crate::registry::Aggregate::Histogram) | Prio3Histogram | 8 buckets | 64, 368, 64 |
//!
//! The revision is draft-irtf-cfrg-vdaf-18, which libprio 0.18 speaks; shares of another revision are refused
//! by the servers. There are two aggregators, and no other VDAF.
//!
//! What is constant here: from a [`Measurement`] to its shares, neither a branch nor an address depends on the
//! measurement or on the randomness, but for draws that are not below the field's prime, which are drawn again
//! and used nowhere. Copies that the compiler leaves in registers and on the stack are not wiped; everything
//! else is.
//!
//! ```
//! use iotsec_telemetry::{
//!     consent::Consents, prio3::{Measurement, Prio3}, registry::{Aggregate, MetricDef, Purpose},
//! };
//! # use iotsec_testkit::SimRng;
//! # let mut rng = SimRng::new(1);
//!
//! const RESTARTS: MetricDef = MetricDef::new(
//!     1, "restarts", "1", Purpose::Security, "Shows devices that are attacked or broken",
//!     Aggregate::Sum { max: 255 },
//! );
//! const SUM: Prio3 = match Prio3::of(&RESTARTS) {
//!     Ok(vdaf) => vdaf,
//!     Err(_) => panic!("not a sum"),
//! };
//! let consents = Consents::off();
//! let restarts = Measurement::new(&RESTARTS, 3u8.into(), &consents, None)?;
//!
//! // The nonce is random and never used again; context is what the servers agreed on.
//! let mut buffer = [0; SUM.shares_len()];
//! let shares = SUM.split(restarts, b"context", &[7; 16], &mut rng, &mut buffer)?;
//! assert_eq!((shares.public().len(), shares.leader().len(), shares.helper().len()), (0, 320, 32));
//! # Ok::<(), iotsec_telemetry::error::Prio3Error>(())
//! ```

use iotsec_core::{crypto::CryptoError, secret::Secret};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::registry::{Aggregate, MetricDef};

mod circuit;
pub(crate) mod error;
mod field;
mod measurement;
mod output;
mod polynomial;
mod proof;
mod shares;
mod xof;

use circuit::Circuit;
use error::Prio3Error;
use field::{Field, Field64, Field128};
pub use measurement::Measurement;
use output::Output;
use proof::prove;
pub(crate) use shares::Parts;
pub use shares::Shares;
use xof::{Domain, MAX_ELEMENT_LEN, Stream, Usage, Xof};

/// Bytes of a seed, and of what two aggregators bind the joint randomness with.
pub const SEED_LEN: usize = 32;
/// Bytes of the nonce of a report.
pub const NONCE_LEN: usize = 16;
/// Bytes of a context at most; DAP's has 38.
pub const MAX_CONTEXT_LEN: usize = 255;
/// Greatest value of a sum: 32 bits, so that the sum over 2^31 devices stays below the prime of the field.
pub const MAX_SUM: u64 = 0xFFFF_FFFF;
/// Calls of the gadget of a histogram at most: with libprio's chunk lengths enough for 256 buckets.
pub const MAX_CALLS: usize = 15;
/// Buckets at most.
pub const MAX_BUCKETS: usize = 256;

/// Points of the wire polynomial of the longest sum, of 32 bits.
const MAX_SUM_POINTS: usize = 64;
/// Points of the wire polynomials of the longest histogram.
const MAX_HISTOGRAM_POINTS: usize = MAX_CALLS + 1;
/// The number of the helper (VDAF §7.2): the leader is 0.
const HELPER: u8 = 1;
/// Proofs in one report.
const PROOFS: u8 = 1;

/// A VDAF with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prio3(Kind);

/// Which of them; the numbers are derived from the parameters once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Count,
    Sum {
        max: u64,
        bits: usize,
    },
    Histogram {
        buckets: usize,
        chunk: usize,
        calls: usize,
    },
}

impl Prio3 {
    /// Prio3Count: yes or no.
    pub const COUNT: Self = Self(Kind::Count);

    /// The VDAF of a metric. A histogram has the chunk length that libprio holds to be best.
    ///
    /// # Errors
    /// [`Prio3Error::Aggregate`] for a metric that is noised on the device instead, and
    /// [`Prio3Error::Parameters`] as [`sum`](Self::sum) and [`histogram`](Self::histogram).
    pub const fn of(metric: &MetricDef) -> Result<Self, Prio3Error> {
        match metric.aggregate() {
            Aggregate::Count => Ok(Self::COUNT),
            Aggregate::Sum { max } => Self::sum(max),
            Aggregate::Histogram(buckets) => {
                let buckets = buckets.edges().len().saturating_add(1);
                Self::histogram(buckets, best_chunk(buckets))
            }
            Aggregate::RandomizedResponse { .. } | Aggregate::Laplace { .. } => Err(Prio3Error::Aggregate),
        }
    }

    /// Prio3Sum: from 0 to `max`, which the servers must know as well.
    ///
    /// # Errors
    /// [`Prio3Error::Parameters`] for zero, and above [`MAX_SUM`].
    pub const fn sum(max: u64) -> Result<Self, Prio3Error> {
        let mut bits: usize = 0;
        let mut left = max;
        while left > 0 {
            left >>= 1;
            bits = bits.saturating_add(1);
        }
        if max == 0 || max > MAX_SUM {
            return Err(Prio3Error::Parameters);
        }
        Ok(Self(Kind::Sum { max, bits }))
    }

    /// Prio3Histogram: one of `buckets`, in chunks of a length that the servers must use as well.
    ///
    /// # Errors
    /// [`Prio3Error::Parameters`] for zero, and above [`MAX_BUCKETS`] and [`MAX_CALLS`].
    pub const fn histogram(buckets: usize, chunk: usize) -> Result<Self, Prio3Error> {
        if buckets == 0 || chunk > MAX_BUCKETS || buckets > MAX_BUCKETS {
            return Err(Prio3Error::Parameters);
        }
        // Rounded up.
        let whole = buckets.saturating_add(chunk.saturating_sub(1));
        let Some(calls) = whole.checked_div(chunk) else {
            return Err(Prio3Error::Parameters);
        };
        if calls > MAX_CALLS {
            return Err(Prio3Error::Parameters);
        }
        Ok(Self(Kind::Histogram {
            buckets,
            chunk,
            calls,
        }))
    }

    /// Its number (VDAF §10).
    pub const fn algorithm(&self) -> u32 {
        match self.0 {
            Kind::Count => 1,
            Kind::Sum { .. } => 2,
            Kind::Histogram { .. } => 4,
        }
    }

    /// Bytes of the public share.
    pub const fn public_share_len(&self) -> usize {
        if self.is_histogram() { 2 * SEED_LEN } else { 0 }
    }

    /// Bytes of the leader's share.
    pub const fn leader_share_len(&self) -> usize {
        let elements = self.len().saturating_add(self.proof_len());
        elements
            .saturating_mul(self.element_len())
            .saturating_add(self.blind_len())
    }

    /// Bytes of the helper's share.
    pub const fn helper_share_len(&self) -> usize {
        SEED_LEN.saturating_add(self.blind_len())
    }

    /// Bytes of all shares together.
    pub const fn shares_len(&self) -> usize {
        self.public_share_len()
            .saturating_add(self.leader_share_len())
            .saturating_add(self.helper_share_len())
    }

    const fn blind_len(&self) -> usize {
        if self.is_histogram() { SEED_LEN } else { 0 }
    }

    const fn element_len(&self) -> usize {
        if self.is_histogram() {
            Field128::LEN
        } else {
            Field64::LEN
        }
    }

    const fn is_histogram(&self) -> bool {
        matches!(self.0, Kind::Histogram { .. })
    }

    /// Elements of an encoded measurement.
    const fn len(&self) -> usize {
        match self.0 {
            Kind::Count => 1,
            Kind::Sum { bits, .. } => bits,
            Kind::Histogram { buckets, .. } => buckets,
        }
    }

    const fn chunk(&self) -> usize {
        match self.0 {
            Kind::Count | Kind::Sum { .. } => 1,
            Kind::Histogram { chunk, .. } => chunk,
        }
    }

    const fn calls(&self) -> usize {
        match self.0 {
            Kind::Count => 1,
            Kind::Sum { bits, .. } => bits,
            Kind::Histogram { calls, .. } => calls,
        }
    }

    const fn points(&self) -> usize {
        let mut points: usize = 2;
        while points <= self.calls() {
            points = points.saturating_mul(2);
        }
        points
    }

    /// Random points for each pair of wires.
    const fn seeds(&self) -> usize {
        match self.0 {
            Kind::Sum { .. } => 1,
            Kind::Count | Kind::Histogram { .. } => 2,
        }
    }

    /// Elements of a proof.
    const fn proof_len(&self) -> usize {
        let seeds = self.chunk().saturating_mul(self.seeds());
        let values = self.points().saturating_mul(2).saturating_sub(1);
        seeds.saturating_add(values)
    }

    /// Splits a measurement into shares, in the first [`shares_len`](Self::shares_len) bytes of `buffer`.
    ///
    /// `nonce` is random, goes with the report, and is never used again: in DAP it is the report's identifier.
    /// `context` names the task; the servers must use the same.
    ///
    /// # Errors
    /// [`Prio3Error::Kind`] for a measurement of another metric's VDAF, [`Prio3Error::Context`],
    /// [`Prio3Error::Buffer`] when the buffer is too small, and [`Prio3Error::Crypto`] when the source of
    /// randomness fails. Then nothing of the measurement is in the buffer.
    pub fn split<'b, R: TryCryptoRng + ?Sized>(
        &self,
        measurement: Measurement<'_>,
        context: &[u8],
        nonce: &[u8; NONCE_LEN],
        rng: &mut R,
        buffer: &'b mut [u8],
    ) -> Result<Shares<'b>, Prio3Error> {
        let buffer = buffer.get_mut(..self.shares_len()).ok_or(Prio3Error::Buffer)?;
        let (public, rest) = buffer
            .split_at_mut_checked(self.public_share_len())
            .ok_or(Prio3Error::Buffer)?;
        let (leader, helper) = rest
            .split_at_mut_checked(self.leader_share_len())
            .ok_or(Prio3Error::Buffer)?;
        let mut shares = Shares::new(public, leader, helper);
        self.split_into(measurement, context, nonce, rng, shares.parts())?;
        Ok(shares)
    }

    /// As [`split`](Self::split), into places of exactly the lengths of the shares, which the caller wipes.
    pub(crate) fn split_into<R: TryCryptoRng + ?Sized>(
        &self,
        measurement: Measurement<'_>,
        context: &[u8],
        nonce: &[u8; NONCE_LEN],
        rng: &mut R,
        parts: Parts<'_>,
    ) -> Result<(), Prio3Error> {
        if measurement.vdaf() != *self {
            return Err(Prio3Error::Kind);
        }
        let circuit = Circuit::new(*self, measurement.value());
        drop(measurement);
        let randomness = self.draw(rng)?;
        let domain = Domain::new(self.algorithm(), context)?;
        split(&circuit, &domain, nonce, &randomness, parts)
    }

    /// Draws what is needed, in the order of the draft. A source that gives one value for every byte is dead.
    fn draw<R: TryCryptoRng + ?Sized>(&self, rng: &mut R) -> Result<Randomness, CryptoError> {
        let mut randomness = Randomness {
            helper: Secret::zero(),
            helper_blind: Secret::zero(),
            leader_blind: Secret::zero(),
            prove: Secret::zero(),
        };
        let Randomness {
            helper,
            helper_blind,
            leader_blind,
            prove,
        } = &mut randomness;
        for (seed, is_blind) in [
            (helper, false),
            (helper_blind, true),
            (leader_blind, true),
            (prove, false),
        ] {
            if is_blind && !self.is_histogram() {
                continue;
            }
            rng.try_fill_bytes(seed.expose_mut())
                .map_err(|_| CryptoError::Entropy)?;
            if seed.is_constant() {
                return Err(CryptoError::Entropy);
            }
        }
        Ok(randomness)
    }
}

iotsec_core::claim! {
    provisions: ["6-7", "6-8"],
    claims: "A measurement leaves as two shares of which one alone says nothing, and what the servers learn is the sum",
    code: [Prio3::split],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::prio3::tests::a_share_alone_says_nothing",
        "iotsec-telemetry::iotsec_telemetry::prio3::tests::libprio_sums_what_we_split",
    ],
}

/// What one report is made of besides the measurement; wiped on drop. The blinds are for histograms only.
struct Randomness {
    helper: Secret<SEED_LEN>,
    helper_blind: Secret<SEED_LEN>,
    leader_blind: Secret<SEED_LEN>,
    prove: Secret<SEED_LEN>,
}

/// Sharding (VDAF §7.2.1).
fn split(
    circuit: &Circuit,
    domain: &Domain<'_>,
    nonce: &[u8; NONCE_LEN],
    randomness: &Randomness,
    parts: Parts<'_>,
) -> Result<(), Prio3Error> {
    let vdaf = circuit.vdaf;
    let measurement_len = vdaf.len().saturating_mul(vdaf.element_len());
    let Parts {
        public,
        leader,
        helper,
    } = parts;
    let (measurement, proof) = leader
        .split_at_mut_checked(measurement_len)
        .ok_or(Prio3Error::Buffer)?;

    // What the helper gets is drawn from its seed; the leader gets the measurement without that.
    let mut helper_part = domain.xof(Usage::JointRandPart, randomness.helper_blind.expose());
    helper_part.update(&[HELPER]);
    helper_part.update(nonce);
    let stream = domain.stream(Usage::MeasurementShare, randomness.helper.expose(), &[HELPER]);
    if vdaf.is_histogram() {
        share_measurement::<Field128>(circuit, stream, &mut helper_part, measurement)?;
    } else {
        share_measurement::<Field64>(circuit, stream, &mut helper_part, measurement)?;
    }

    let joint = if vdaf.is_histogram() {
        let mut leader_part = domain.xof(Usage::JointRandPart, randomness.leader_blind.expose());
        leader_part.update(&[0]);
        leader_part.update(nonce);
        leader_part.update(measurement);
        let (leader_part, helper_part) = (leader_part.into_seed(), helper_part.into_seed());
        let mut out = Output::new(public);
        out.put_bytes(leader_part.expose())?;
        out.put_bytes(helper_part.expose())?;
        out.finish()?;
        let mut seed = domain.xof(Usage::JointRandSeed, &[0; SEED_LEN]);
        seed.update(leader_part.expose());
        seed.update(helper_part.expose());
        Some(domain.stream(Usage::JointRandomness, seed.into_seed().expose(), &[PROOFS]))
    } else {
        None
    };

    let mut out = Output::new(proof);
    let random = domain.stream(Usage::ProveRandomness, randomness.prove.expose(), &[PROOFS]);
    let proof_share = domain.stream(Usage::ProofShare, randomness.helper.expose(), &[PROOFS, HELPER]);
    if vdaf.is_histogram() {
        prove::<Field128, MAX_HISTOGRAM_POINTS, MAX_CALLS>(circuit, joint, random, proof_share, &mut out)?;
    } else {
        prove::<Field64, MAX_SUM_POINTS, 0>(circuit, joint, random, proof_share, &mut out)?;
    }

    let mut helper_out = Output::new(helper);
    helper_out.put_bytes(randomness.helper.expose())?;
    if vdaf.is_histogram() {
        out.put_bytes(randomness.leader_blind.expose())?;
        helper_out.put_bytes(randomness.helper_blind.expose())?;
    }
    out.finish()?;
    helper_out.finish()
}

/// Writes the leader's share of the measurement, and shows the helper's to its part of the joint randomness.
#[inline(never)]
fn share_measurement<F: Field>(
    circuit: &Circuit,
    mut stream: Stream,
    helper_part: &mut Xof,
    out: &mut [u8],
) -> Result<(), Prio3Error> {
    let mut out = Output::new(out);
    let mut bytes = Zeroizing::new([0; MAX_ELEMENT_LEN]);
    for index in 0..circuit.vdaf.len() {
        let share: F = stream.draw();
        share.write(&mut *bytes);
        helper_part.update(bytes.get(..F::LEN).unwrap_or_default());
        let mut element = F::bit(circuit.element(index));
        element.subtract(&share);
        out.put(&element)?;
    }
    out.finish()
}

/// The chunk length that makes the shortest proof; libprio's `optimal_chunk_length`.
const fn best_chunk(buckets: usize) -> usize {
    let mut best = (usize::MAX, 1);
    let mut points: usize = 2;
    while points <= buckets.saturating_add(1) && points <= MAX_CALLS + 1 {
        let chunk = buckets.div_ceil(points.saturating_sub(1));
        let len = chunk.saturating_add(points).saturating_mul(2);
        // Of two that are equal, the one with more calls.
        if len <= best.0 {
            best = (len, chunk);
        }
        points = points.saturating_mul(2);
    }
    best.1
}

#[cfg(test)]
mod tests;
