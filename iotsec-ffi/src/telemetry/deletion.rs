//! Identifiers of what is sent, and requests to have that deleted.

use iotsec::core::crypto::{HkdfSha256, Sha256};
use iotsec::telemetry::{
    deletion::{Deleted, Remains, Request},
    error::TrailError,
    pseudonym::{Epoch, PSEUDONYM_LEN, Trails},
    registry::Purpose,
    stream::{Disguised, Stream},
};

use super::{
    Telemetry,
    config::{Sealer, Service, iotsec_service_t},
    iotsec_telemetry_t,
    registry::{iotsec_purpose_t, purpose_of},
};
use crate::{
    argument, object,
    status::{Status, iotsec_status_t, status},
    update::config::{iotsec_trust_anchor_t, key},
};

/// Bytes of a pseudonym.
pub const IOTSEC_PSEUDONYM_LEN: usize = 16;
/// Bytes of a sealed request to delete.
pub const IOTSEC_DELETION_REQUEST_LEN: usize = 128;
/// Bytes of a service's receipt at most.
pub const IOTSEC_DELETION_RECEIPT_MAX: usize = 176;

const _: () = assert!(IOTSEC_PSEUDONYM_LEN == PSEUDONYM_LEN);
const _: () = assert!(IOTSEC_DELETION_REQUEST_LEN == Request::SEALED_LEN);
const _: () = assert!(IOTSEC_DELETION_RECEIPT_MAX == Deleted::MAX_LEN);

/// The deletion does not reach statistics from reports that carry no identifier.
pub const IOTSEC_REMAINS_AGGREGATED: u32 = 1;
/// It does not reach backups until they expire.
pub const IOTSEC_REMAINS_BACKUPS: u32 = 2;
/// It does not reach what the service must keep by law.
pub const IOTSEC_REMAINS_BY_LAW: u32 = 4;

/// What a service says that it has deleted, to be shown to the owner. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_deletion_t {
    /// What the data had been sent for: `IOTSEC_PURPOSE_*`.
    pub purpose: iotsec_purpose_t,
    /// How many events were deleted.
    pub events: u32,
    /// When, by the service's clock: seconds since 1970.
    pub time_s: u64,
    /// What it does not reach: a sum of `IOTSEC_REMAINS_*`.
    pub remains: u32,
    /// Zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<iotsec_deletion_t>() == 24);

/// What the service files events of `purpose` under in this epoch, `IOTSEC_PSEUDONYM_LEN` bytes. It tells nothing of the
/// device, and is another one for each purpose, consent and owner. `epoch` numbers stretches of time that the product
/// chooses, such as weeks since 1970.
///
/// Before it is handed out, the request to delete what is filed under it is in the device's records.
/// `IOTSEC_ERR_TRAIL_NOT_CONSENTED` when the purpose is off; `IOTSEC_ERR_TRAIL_FULL` until the service has answered a
/// request that waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_pseudonym(
    telemetry: *mut iotsec_telemetry_t,
    purpose: iotsec_purpose_t,
    epoch: u32,
    pseudonym: *mut u8,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let out = argument::out(pseudonym.cast::<[u8; IOTSEC_PSEUDONYM_LEN]>())?;
            object::enter(telemetry, |telemetry| {
                let stream = telemetry.stream(purpose_of(purpose)?, epoch)?;
                out.set(*stream.pseudonym().as_bytes());
                Ok(())
            })
        }
    })
}

/// Makes it due that the service deletes what was sent for `purpose` so far. The owner keeps the consent; what is sent
/// from here on has another pseudonym.
///
/// Power loss: the request is due or it is not; call again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_ask_deletion(
    telemetry: *mut iotsec_telemetry_t,
    purpose: iotsec_purpose_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            object::enter(telemetry, |telemetry| {
                let purpose = purpose_of(purpose)?;
                Ok(Trails::new(telemetry.life, &HkdfSha256, &mut telemetry.records).ask(purpose)?)
            })
        }
    })
}

/// Seals the next request that the service is to delete something, `IOTSEC_DELETION_REQUEST_LEN` bytes, into `request`,
/// which holds `request_size`. Writes its length to `request_len`, which is 0 when none waits. A request is due from
/// a withdrawal, from `iotsec_telemetry_ask_deletion()` or from an erasure of the owner's records on, and is to be sent
/// until `iotsec_telemetry_deletion_receipt()`, on the schedule of the connection. The sizes of `service` are not looked
/// at. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_deletion_request(
    telemetry: *mut iotsec_telemetry_t,
    service: *const iotsec_service_t,
    request: *mut u8,
    request_size: usize,
    request_len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let service = Service::new(service)?;
            let out = argument::buffer(request, request_size, request_len)?;
            object::enter(telemetry, |telemetry| {
                let Telemetry {
                    records,
                    consents,
                    entropy,
                    life,
                    ..
                } = telemetry;
                let out = out.at_least(IOTSEC_DELETION_REQUEST_LEN)?;
                let due = Trails::new(*life, &HkdfSha256, records).due(consents)?;
                out.fill(|out| {
                    let Some(request) = due else { return Ok(0) };
                    Ok(match service.sealer() {
                        Sealer::Shared(key) => request.seal(&key, entropy, out)?,
                        Sealer::Public(key) => request.seal(&key, entropy, out)?,
                    }
                    .len())
                })
            })
        }
    })
}

/// Checks the service's receipt, `receipt_len` bytes, for the request that waits, under the public key that the service
/// signs with, and forgets the request. Writes to `deleted` what to show to the owner. Then ask for the next request:
/// there may be another. When none is left, and the device's records are in a store or a device, let it remove what was
/// stored of the requests from flash, its ciphertext too: `iotsec_store_begin_scrub()` or `iotsec_device_begin_scrub()`,
/// and their steps.
///
/// `IOTSEC_ERR_DELETION_*` for a receipt that is not genuine or for another request, `IOTSEC_ERR_TRAIL_UNKNOWN` when
/// none waits. Whether the service did as it says, no device can know.
///
/// Power loss: the request is forgotten, or sent once more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_deletion_receipt(
    telemetry: *mut iotsec_telemetry_t,
    receipt: *const u8,
    receipt_len: usize,
    signer: *const iotsec_trust_anchor_t,
    deleted: *mut iotsec_deletion_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let receipt = argument::bytes(receipt, receipt_len)?;
            let signer = key(&argument::sized(signer)?)?;
            let out = argument::out(deleted)?;
            object::enter(telemetry, |telemetry| {
                let Telemetry {
                    records,
                    consents,
                    life,
                    ..
                } = telemetry;
                let mut trails = Trails::new(*life, &HkdfSha256, records);
                let request = trails.due(consents)?.ok_or(TrailError::Unknown)?;
                let mut hash = Sha256::new();
                let acknowledged = Deleted::verify(receipt, &signer, &request, &mut hash)?;
                let deleted = *acknowledged.deleted();
                trails.acknowledge(acknowledged, &mut hash)?;
                out.set(to_c(&deleted));
                Ok(())
            })
        }
    })
}

fn to_c(deleted: &Deleted) -> iotsec_deletion_t {
    let mut remains = 0;
    for (kind, bit) in [
        (Remains::AGGREGATED, IOTSEC_REMAINS_AGGREGATED),
        (Remains::BACKUPS, IOTSEC_REMAINS_BACKUPS),
        (Remains::BY_LAW, IOTSEC_REMAINS_BY_LAW),
    ] {
        if deleted.remains.has(kind) {
            remains |= bit;
        }
    }
    iotsec_deletion_t {
        purpose: deleted.purpose.number().into(),
        events: deleted.events,
        time_s: deleted.time.0,
        remains,
        reserved: 0,
    }
}

impl Telemetry {
    /// What of `purpose` is sent under a pseudonym in this epoch.
    pub(super) fn stream(
        &mut self,
        purpose: Purpose,
        epoch: u32,
    ) -> Result<Stream<Disguised<'static>>, Status> {
        let mut trails = Trails::new(self.life, &HkdfSha256, &mut self.records);
        Ok(trails.stream(&self.consents, purpose, Epoch(epoch), &mut self.entropy)?)
    }
}
