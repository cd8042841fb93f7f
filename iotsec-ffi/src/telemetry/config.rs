//! What telemetry works with, and to whom it sends.

use iotsec::core::{
    crypto::{ChaCha20Poly1305, HkdfSha256, X25519Key, hpke},
    secret::Secret,
};
use iotsec::telemetry::{
    batch::{BatchKey, KEY_ID_LEN, ServiceKey, SizeClass, Sizes},
    spool::Quotas,
};

use super::registry::{iotsec_event_t, iotsec_handling_t, iotsec_metric_t};
use crate::{
    argument,
    entropy::iotsec_entropy_t,
    flash::{iotsec_flash_t, iotsec_region_t},
    record::iotsec_record_t,
    status::{CallError, Status},
};

/// Pages of the region for each class, at least two each. A page of `page_size` bytes holds `(page_size - 68) / 40`
/// events, both lengths in whole words. One page of a class is always being filled or about to be overwritten.
/// Not versioned by size: this struct never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_telemetry_pages_t {
    /// For acknowledgements and refused critical events.
    pub journal: u16,
    /// For `IOTSEC_EVENT_CRITICAL`.
    pub critical: u16,
    /// For `IOTSEC_EVENT_SECURITY`.
    pub security: u16,
    /// For `IOTSEC_EVENT_HEALTH`.
    pub health: u16,
    /// For `IOTSEC_EVENT_USAGE`.
    pub usage: u16,
    /// Zero.
    pub reserved: u16,
}

impl iotsec_telemetry_pages_t {
    pub(crate) fn quotas(self) -> Result<Quotas, CallError> {
        argument::zero(self.reserved)?;
        Ok(Quotas {
            journal: self.journal,
            critical: self.critical,
            security: self.security,
            health: self.health,
            usage: self.usage,
        })
    }
}

/// What a device reports, and where that waits.
///
/// The struct and the structs in it are copied. `events` and `metrics`, all that they point to, the text of `handling` and `arena`
/// are used until telemetry is closed: `static const` tables are. Region and pages are for the life of the device: under
/// others, what waits is not found.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_telemetry_config_t {
    /// `sizeof(iotsec_telemetry_config_t)`.
    pub struct_size: u32,
    /// Entries of `events`: with those of `metrics` 1 to 4096.
    pub event_count: u32,
    /// The flash that events wait in.
    pub flash: iotsec_flash_t,
    /// Its part of the flash, which nothing else uses.
    pub region: iotsec_region_t,
    /// How that is divided.
    pub pages: iotsec_telemetry_pages_t,
    /// Keys are drawn from it, and batches sealed with it.
    pub entropy: iotsec_entropy_t,
    /// The owner's records: this one and the `IOTSEC_TELEMETRY_OWNER_RECORDS - 1` ids that follow, for the answers
    /// and the keys of what waits. In a store, of `IOTSEC_DOMAIN_USER`: with `iotsec_store_erase_user()` they go,
    /// what waits cannot be read any more, and what was sent before is due for deletion. A record of no bytes counts
    /// as none.
    pub owner_records: iotsec_record_t,
    /// The device's records: this one and the `IOTSEC_TELEMETRY_DEVICE_RECORDS - 1` ids that follow, for the number
    /// of boots and for requests to delete, which outlive the owner. In a store, of `IOTSEC_DOMAIN_DEVICE`.
    pub device_records: iotsec_record_t,
    /// All that may be recorded, in ascending order of the ids; null when nothing is.
    pub events: *const iotsec_event_t,
    /// How all of it is handled that does not say otherwise itself.
    pub handling: iotsec_handling_t,
    /// Room for the definitions: `IOTSEC_TELEMETRY_ARENA_WORDS(events, fields, labels)`, counted over all events, and
    /// `IOTSEC_TELEMETRY_METRIC_WORDS(metrics, labels)`, counted over all metrics.
    pub arena: *mut u64,
    /// Words of 8 bytes in `arena`.
    pub arena_words: usize,
    /// All that is learnt about devices together, in ascending order of the ids; null when there are none.
    pub metrics: *const iotsec_metric_t,
    /// Entries of `metrics`.
    pub metric_count: u32,
    /// The events of detectors that may be recorded besides: `IOTSEC_DETECTED_BIT(event)` of each, or-ed. Each is one event
    /// more in `arena`, without fields and labels.
    pub detectors: u32,
}

/// How messages are sealed.
pub type iotsec_seal_t = i32;

/// With a key of 32 bytes that device and service share, as COSE_Encrypt0 (RFC 9052) with ChaCha20-Poly1305. It is one
/// device's and used for nothing else; it says who sent a batch.
pub const IOTSEC_SEAL_SHARED: iotsec_seal_t = 1;
/// To a public key of 32 bytes of the service, by HPKE (RFC 9180, base mode): X25519, HKDF-SHA256, ChaCha20-Poly1305.
/// Whoever takes a device apart reads nothing that it sent before. It does not say who sent a batch: the connection
/// must.
pub const IOTSEC_SEAL_X25519: iotsec_seal_t = 2;

/// To whom telemetry is sent, and how large. What `key` points to is used during the call only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_service_t {
    /// `sizeof(iotsec_service_t)`.
    pub struct_size: u32,
    /// `IOTSEC_SEAL_*`.
    pub seal: iotsec_seal_t,
    /// The largest message: 128, 192, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536, 1792 or 2048 bytes.
    pub largest: u16,
    /// 0 for the smallest of these lengths that fits, 1 for always the largest, so that the length tells nothing.
    pub is_fixed: u16,
    /// Of `IOTSEC_SEAL_X25519`: the name by which the service finds its private key.
    pub key_id: [u8; 8],
    /// The key, 32 bytes.
    pub key: *const u8,
}

const _: () = assert!(KEY_ID_LEN == 8);

/// What a service was checked to be.
pub(crate) struct Service {
    pub(crate) sizes: Sizes,
    seal: iotsec_seal_t,
    key: Secret<32>,
    id: [u8; KEY_ID_LEN],
}

/// A key in Rust, made for one call.
pub(crate) enum Sealer<'k> {
    Shared(BatchKey<'k>),
    Public(ServiceKey<'k, X25519Key>),
}

impl Service {
    /// # Safety
    /// As [`argument::sized`], and its key is null or points to 32 bytes.
    pub(crate) unsafe fn new(service: *const iotsec_service_t) -> Result<Self, Status> {
        // SAFETY: the caller's word, passed on.
        let (service, key) = unsafe {
            let service = argument::sized(service)?;
            (service, argument::bytes(service.key, 32)?)
        };
        let largest = SizeClass::ALL
            .into_iter()
            .find(|class| class.sealed_len() == usize::from(service.largest));
        let largest = largest.ok_or(CallError::Config)?;
        let sizes = match service.is_fixed {
            0 => Sizes::up_to(largest),
            1 => Sizes::fixed(largest),
            _ => return Err(CallError::Config.into()),
        };
        if !matches!(service.seal, IOTSEC_SEAL_SHARED | IOTSEC_SEAL_X25519) {
            return Err(CallError::Config.into());
        }
        Ok(Self {
            sizes,
            seal: service.seal,
            key: Secret::from_slice(key)?,
            id: service.key_id,
        })
    }

    pub(crate) fn sealer(&self) -> Sealer<'_> {
        if self.seal == IOTSEC_SEAL_SHARED {
            return Sealer::Shared(BatchKey::new(&self.key, &ChaCha20Poly1305, &HkdfSha256));
        }
        let suite = hpke::X25519_CHACHA20_POLY1305;
        Sealer::Public(ServiceKey::new(suite, self.key.expose(), self.id))
    }
}
