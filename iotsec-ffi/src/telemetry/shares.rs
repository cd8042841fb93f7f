//! Shares of a number for two servers that speak another protocol than DAP.

use core::mem::ManuallyDrop;

use iotsec::telemetry::{
    error::Prio3Error,
    prio3::{Measurement, NONCE_LEN, Prio3},
    registry::{Aggregate, MetricDef},
};

use super::{iotsec_telemetry_t, iotsec_value_t, private::measured};
use crate::{
    argument, object,
    status::{CallError, Status, iotsec_status_t, status},
};

/// Bytes of the nonce of a report.
pub const IOTSEC_SHARES_NONCE_LEN: usize = 16;

const _: () = assert!(IOTSEC_SHARES_NONCE_LEN == NONCE_LEN);

/// Where each share is: one behind the other, in this order. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_shares_t {
    /// Bytes for both servers: 0 for a count and a sum.
    pub public_len: u32,
    /// Bytes for the leader.
    pub leader_len: u32,
    /// Bytes for the helper.
    pub helper_len: u32,
    /// The number of the VDAF: 1 Prio3Count, 2 Prio3Sum, 4 Prio3Histogram.
    pub algorithm: u32,
}

const _: () = assert!(size_of::<iotsec_shares_t>() == 16);

/// Splits `value` of a metric `IOTSEC_AGGREGATE_COUNT`, `_SUM` or `_HISTOGRAM` for two servers, neither of which learns it,
/// by Prio3 (draft-irtf-cfrg-vdaf-18), and does not seal the shares: for a maker whose servers speak another protocol than
/// that of `iotsec_telemetry_share()`. Writes public, leader's and helper's share to `bytes`, which holds `size`, one behind
/// the other, the length of all to `len` and of each to `shares`.
///
/// Leader's and helper's share together are the number: seal each to its server at once, send neither to the other, and wipe
/// `bytes`. `nonce`, `IOTSEC_SHARES_NONCE_LEN` bytes, is random, goes with the report, and is never used again. `context`, at
/// most 255 bytes, names the task; the servers use the same. `chunk` is the chunk length of a histogram that the servers use,
/// or 0 for the one that libprio holds to be best; of others it is 0. `time_s` is the time in seconds since 1970, or 0 for
/// none: a metric ends with its last day. Writes no flash.
///
/// `IOTSEC_ERR_PRIO3_NOT_CONSENTED` when the purpose is off, `_OUT_OF_BOUNDS` for a value beyond the metric's, `_AGGREGATE`
/// for a metric that is noised instead, `_PARAMETERS` for a chunk length that does not fit, `_CONTEXT` for a context that is
/// too long. After a refusal `bytes` holds nothing of the value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_split(
    telemetry: *mut iotsec_telemetry_t,
    metric: u16,
    value: *const iotsec_value_t,
    time_s: u64,
    context: *const u8,
    context_len: usize,
    nonce: *const u8,
    chunk: u32,
    bytes: *mut u8,
    size: usize,
    len: *mut usize,
    shares: *mut iotsec_shares_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let (value, context) = (argument::copied(value)?, argument::bytes(context, context_len)?);
            let nonce = argument::copied(nonce.cast::<[u8; NONCE_LEN]>())?;
            let out = argument::buffer(bytes, size, len)?;
            let lengths = argument::out(shares)?;
            object::enter(telemetry, |telemetry| {
                let metric = telemetry.metric(metric)?;
                let vdaf = vdaf_of(metric, chunk)?;
                let consents = &telemetry.consents;
                let value = measured(metric, value, consents)?;
                let mut measurement = Measurement::new(metric, value, consents, argument::time(time_s))?;
                if let Some(chunk) = in_chunks(chunk)? {
                    measurement = measurement.in_chunks_of(chunk)?;
                }
                let (rng, told) = (&mut telemetry.entropy, lengths_of(&vdaf)?);
                out.at_least(vdaf.shares_len())?.fill(|out| {
                    // They stay where they are: the caller wipes them.
                    let _ = ManuallyDrop::new(vdaf.split(measurement, context, &nonce, rng, out)?);
                    Ok(vdaf.shares_len())
                })?;
                lengths.set(told);
                Ok(())
            })
        }
    })
}

fn in_chunks(chunk: u32) -> Result<Option<usize>, Prio3Error> {
    let chunk = usize::try_from(chunk).map_err(|_| Prio3Error::Parameters)?;
    Ok((chunk != 0).then_some(chunk))
}

fn vdaf_of(metric: &MetricDef, chunk: u32) -> Result<Prio3, Prio3Error> {
    match (in_chunks(chunk)?, metric.aggregate()) {
        (None, _) => Prio3::of(metric),
        (Some(chunk), Aggregate::Histogram(buckets)) => {
            Prio3::histogram(buckets.edges().len().saturating_add(1), chunk)
        }
        (Some(_), _) => Err(Prio3Error::Parameters),
    }
}

fn lengths_of(vdaf: &Prio3) -> Result<iotsec_shares_t, Status> {
    let len = |len: usize| u32::try_from(len).map_err(|_| CallError::Size);
    Ok(iotsec_shares_t {
        public_len: len(vdaf.public_share_len())?,
        leader_len: len(vdaf.leader_share_len())?,
        helper_len: len(vdaf.helper_share_len())?,
        algorithm: vdaf.algorithm(),
    })
}
