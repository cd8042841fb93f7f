//! Telemetry: events that are declared, consented to, kept in flash over power cuts, and sent sealed.

use core::slice;

use iotsec::core::{
    crypto::{Aes256GcmSiv, HkdfSha256, Sha256},
    hal::{Millis, UnixTime},
};
use iotsec::telemetry::{
    consent::{ConsentPurpose, Consents, Health, Usage},
    error::{BatchError, RecordError},
    personal::Personal,
    queue::Receipt,
    registry::{EventDef, Field, FieldKind, HashedRegistry, MAX_FIELDS, Registry},
    spool::{Refusal, Spool, SpoolParts},
    value::Value,
};

use crate::{
    argument,
    entropy::CEntropy,
    flash::CFlash,
    object::{self, Storage},
    status::{CallError, Status, iotsec_status_t, status},
};

pub mod batch;
pub mod config;
pub mod consent;
pub mod data_map;
pub mod deletion;
pub mod private;
pub mod records;
pub mod registry;
pub mod shares;

use config::iotsec_telemetry_config_t;
use records::Records;
use registry::{
    IOTSEC_PURPOSE_HEALTH, IOTSEC_PURPOSE_SECURITY, IOTSEC_PURPOSE_USAGE, class_of, iotsec_event_class_t,
    iotsec_purpose_t,
};

/// Words of 8 bytes that telemetry takes.
pub const IOTSEC_TELEMETRY_WORDS: usize = 176;

/// What a device reports, in the caller's storage. Start it by `iotsec_telemetry_open()`, end it by
/// `iotsec_telemetry_close()`.
///
/// Events wait in flash, encrypted, and survive power cuts. At every moment, for each class: recorded = delivered + lost
/// + waiting. Every purpose but security is off until its owner turns it on.
#[repr(C)]
pub struct iotsec_telemetry_t {
    opaque: [u64; IOTSEC_TELEMETRY_WORDS],
}

/// What lives in an [`iotsec_telemetry_t`].
pub(crate) struct Telemetry {
    spool: Spool<'static>,
    consents: Consents,
    registry: HashedRegistry,
    flash: CFlash,
    entropy: CEntropy,
    records: Records,
    /// Tells owners apart.
    life: u32,
    /// How many batches were made, and the receipt of the last.
    batches: u32,
    receipt: Option<Receipt>,
}

impl Storage for iotsec_telemetry_t {
    type Kept = Registry;
    type Value = Telemetry;
    const KIND: u32 = 0x5465_6C31;
}

/// A value of a field.
///
/// Not versioned by size: this struct never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_value_t {
    /// A number, the position of a label, or the number that is in a bucket.
    pub number: i64,
    /// 0 when it says nothing about a person, else the purpose that it was collected for: `IOTSEC_PURPOSE_HEALTH` or
    /// `IOTSEC_PURPOSE_USAGE`. Such a value fits events of that purpose only.
    pub personal: iotsec_purpose_t,
}

/// What has become of the events of one class. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_telemetry_status_t {
    /// Events that wait, those in a batch that is not acknowledged included.
    pub waiting: u32,
    /// Events that were displaced, refused or set aside without having been acknowledged.
    pub lost: u32,
    /// The boot in which one was lost first; 0, and so are those that follow, when none was.
    pub first_boot: u32,
    /// Seconds after that boot.
    pub first_uptime_s: u32,
    /// The boot in which one was lost last.
    pub last_boot: u32,
    /// Seconds after that boot.
    pub last_uptime_s: u32,
}

const _: () = assert!(size_of::<iotsec_telemetry_status_t>() == 24);

/// Opens telemetry, at every boot. Checks the tables, counts the boot, reads the owner's answers, and looks at the flash;
/// a region that holds nothing readable is empty. Then call `iotsec_telemetry_purge_step()` until it is done.
///
/// `IOTSEC_ERR_REGISTRY_*` says what is wrong with the tables, `IOTSEC_ERR_SIZE` that the arena is too small or a stored
/// key damaged, `IOTSEC_ERR_SPOOL_LAYOUT` that the region is too small, `IOTSEC_ERR_SPOOL_BOOT` that the record of boots
/// was put back.
///
/// Power loss: the boot is counted or not, a key that was drawn is stored or not. Nothing that waits changes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_open(
    telemetry: *mut iotsec_telemetry_t,
    config: *const iotsec_telemetry_config_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let config = argument::sized(config)?;
        let flash = CFlash::new(argument::same_size(config.flash, config.flash.struct_size)?)?;
        let entropy = CEntropy::new(argument::same_size(config.entropy, config.entropy.struct_size)?)?;
        let records = Records::new(config.owner_records, config.device_records)?;
        let region = config.region.region(&flash)?;
        object::vacant(telemetry)?;
        let registry = registry::declare(
            (config.events, config.event_count),
            config.detectors,
            (config.metrics, config.metric_count),
            &config.handling,
            config.arena,
            config.arena_words,
        )?;
        object::start(telemetry, registry, |registry| {
            let (mut flash, mut entropy, mut records) = (flash, entropy, records);
            let registry = registry.hashed(&mut Sha256::new());
            let consents = Consents::load(&mut records);
            let key = records.key(&mut entropy)?;
            let parts = SpoolParts {
                region,
                quotas: config.pages.quotas()?,
                registry,
                aead: &Aes256GcmSiv,
                kdf: &HkdfSha256,
            };
            let boot = records.next_boot()?;
            let mut telemetry = Telemetry {
                spool: Spool::mount(&mut flash, parts, boot, &key)?,
                consents,
                registry,
                flash,
                entropy,
                records,
                life: records::life_of(&key)?,
                batches: 0,
                receipt: None,
            };
            consent::resume::<Health>(&mut telemetry)?;
            consent::resume::<Usage>(&mut telemetry)?;
            Ok(telemetry)
        })
    })
}

/// Records an event with `value_count` values, one for each field, and returns only once it would survive a power cut.
/// `values` may be null when there are none. `uptime_ms` is the time since this boot, taken in whole seconds.
///
/// `IOTSEC_ERR_RECORD_NOT_CONSENTED` when the purpose is off: then nothing is kept, counted or written. A value out of
/// its declared bounds is refused with `IOTSEC_ERR_RECORD_OUT_OF_BOUNDS`, a personal one of another purpose with
/// `IOTSEC_ERR_RECORD_PURPOSE`, an event after its last day with `IOTSEC_ERR_RECORD_EXPIRED`.
/// `IOTSEC_ERR_RECORD_FULL` refuses a critical event when its pages are full of others that wait; of every other class
/// the oldest page makes room. Both are counted as lost. Writes once, and erases one page at most.
///
/// Power loss: the event is there or it is not. If its page had to be opened, the oldest page of the class is gone, and
/// what waited in it is counted as lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_record(
    telemetry: *mut iotsec_telemetry_t,
    event: u16,
    values: *const iotsec_value_t,
    value_count: usize,
    uptime_ms: u64,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let values = values_of(values, value_count)?;
            object::enter(telemetry, |telemetry| {
                let event = telemetry.event(event)?;
                if values.len() != event.fields().len() {
                    return Err(RecordError::Arity.into());
                }
                let mut filled = [Value::from(false); MAX_FIELDS];
                for (to, (field, value)) in filled.iter_mut().zip(event.fields().iter().zip(values)) {
                    *to = value_of(field, *value, &telemetry.consents)?;
                }
                let filled = filled.get(..values.len()).ok_or(RecordError::Arity)?;
                let (flash, consents) = (&mut telemetry.flash, &telemetry.consents);
                telemetry
                    .spool
                    .record(flash, consents, event, filled, Millis(uptime_ms))?;
                Ok(())
            })
        }
    })
}

/// Tells what time it is at `uptime_ms`, once that is trustworthy: `time_s` in seconds since 1970. Batches then carry the
/// time of day, and events stop after their last day. Lasts until telemetry is closed. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_set_clock(
    telemetry: *mut iotsec_telemetry_t,
    uptime_ms: u64,
    time_s: u64,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            object::enter(telemetry, |telemetry| {
                telemetry.spool.set_clock(Millis(uptime_ms), UnixTime(time_s));
                Ok(())
            })
        }
    })
}

/// Forgets the events of the last batch, which the service has acknowledged. `receipt` is the number that came with it;
/// `IOTSEC_ERR_BATCH_STALE_RECEIPT` when another batch was made since or it was acknowledged before. One erase at most.
///
/// Power loss: what is not marked as acknowledged yet goes out again, under the numbers that it had.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_acknowledge(
    telemetry: *mut iotsec_telemetry_t,
    receipt: u32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            object::enter(telemetry, |telemetry| {
                let receipt = telemetry.take_receipt(receipt)?;
                Ok(telemetry.spool.ack(&mut telemetry.flash, receipt)?)
            })
        }
    })
}

/// Takes note that the service has refused the last batch, for what is in it and not for want of a connection. The next
/// one has half as many events, until the one that is at fault is alone; refused three times more, that is set aside,
/// counted as lost, and 1 is written to `set_aside`, which is 0 otherwise. One erase at most.
///
/// Power loss: the refusals so far are forgotten.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_refused(
    telemetry: *mut iotsec_telemetry_t,
    receipt: u32,
    set_aside: *mut i32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let set_aside = argument::out(set_aside)?;
            object::enter(telemetry, |telemetry| {
                let receipt = telemetry.take_receipt(receipt)?;
                let refusal = telemetry.spool.refused(&mut telemetry.flash, receipt)?;
                set_aside.set(i32::from(refusal == Refusal::SetAside));
                Ok(())
            })
        }
    })
}

/// What waits of a class, and what was lost of it. Reads no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_status(
    telemetry: *mut iotsec_telemetry_t,
    event_class: iotsec_event_class_t,
    counts: *mut iotsec_telemetry_status_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let counts = argument::out(counts)?;
            object::enter(telemetry, |telemetry| {
                let class = class_of(event_class)?;
                let loss = telemetry.spool.loss(class);
                let times = loss.times.map(|(first, last)| [first, last]);
                let [first, last] =
                    times.map_or([(0, 0); 2], |times| times.map(|time| (time.boot, time.uptime_s)));
                counts.set(iotsec_telemetry_status_t {
                    waiting: telemetry.spool.len_of(class),
                    lost: loss.count,
                    first_boot: first.0,
                    first_uptime_s: first.1,
                    last_boot: last.0,
                    last_uptime_s: last.1,
                });
                Ok(())
            })
        }
    })
}

/// Writes the tables in their canonical encoding to `bytes`, which holds `size`, and the length to `len`. It is the file
/// that the service needs to read batches: `iotsec telemetry decode --registry FILE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_registry(
    telemetry: *mut iotsec_telemetry_t,
    bytes: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let out = argument::buffer(bytes, size, len)?;
            object::enter(telemetry, |telemetry| {
                let registry = telemetry.registry.registry();
                let mut needed = 0usize;
                registry.canonical(&mut |piece| needed = needed.saturating_add(piece.len()));
                out.at_least(needed)?.fill(|out| {
                    let mut rest = out.iter_mut();
                    registry.canonical(&mut |piece| {
                        for (to, from) in rest.by_ref().take(piece.len()).zip(piece) {
                            *to = *from;
                        }
                    });
                    Ok(needed)
                })
            })
        }
    })
}

/// Ends telemetry and wipes its keys. What waits stays in flash; storage and arena may be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_close(telemetry: *mut iotsec_telemetry_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(telemetry) })
}

impl Telemetry {
    fn event(&self, id: u16) -> Result<&'static EventDef, Status> {
        let events = self.registry.registry().events();
        let index = events.binary_search_by_key(&id, EventDef::id);
        let event = index.ok().and_then(|index| events.get(index));
        Ok(event.ok_or(RecordError::Undeclared)?)
    }

    fn take_receipt(&mut self, number: u32) -> Result<Receipt, Status> {
        if number != self.batches {
            return Err(BatchError::StaleReceipt.into());
        }
        Ok(self.receipt.take().ok_or(BatchError::StaleReceipt)?)
    }
}

/// # Safety
/// `values` is null, or points to `count` of them.
unsafe fn values_of<'a>(values: *const iotsec_value_t, count: usize) -> Result<&'a [iotsec_value_t], Status> {
    if count == 0 {
        return Ok(&[]);
    }
    if values.is_null() || !values.is_aligned() {
        return Err(CallError::Null.into());
    }
    if count > MAX_FIELDS {
        return Err(RecordError::Arity.into());
    }
    // SAFETY: not null, aligned, and few; the caller vouches for the rest.
    Ok(unsafe { slice::from_raw_parts(values, count) })
}

fn value_of<'c>(field: &Field, value: iotsec_value_t, consents: &'c Consents) -> Result<Value<'c>, Status> {
    match value.personal {
        IOTSEC_PURPOSE_SECURITY => Ok(match field.kind() {
            FieldKind::Bucket(buckets) => Value::bucket(value.number, buckets),
            _ => value.number.into(),
        }),
        IOTSEC_PURPOSE_HEALTH => personal::<Health>(field, value.number, consents),
        IOTSEC_PURPOSE_USAGE => personal::<Usage>(field, value.number, consents),
        _ => Err(CallError::Config.into()),
    }
}

fn personal<'c, P: ConsentPurpose>(
    field: &Field,
    number: i64,
    consents: &'c Consents,
) -> Result<Value<'c>, Status> {
    let value = Personal::<i64, P>::new(number);
    match field.kind() {
        FieldKind::Bucket(buckets) => Ok(value.bucket(buckets)),
        _ => {
            let consent = consents.live::<P>().ok_or(RecordError::NotConsented)?;
            Ok(value.reveal(&consent))
        }
    }
}
