//! Answers that tell about all devices together and about none alone, and values that one recipient reads.

use iotsec::{
    core::{
        crypto::{Aes256GcmSiv, HkdfSha256, X25519Key, hpke},
        hal::UnixTime,
        secret::Secret,
    },
    telemetry::{
        consent::{ConsentPurpose, Consents, Health, Usage},
        dap::{Aggregators, HpkeConfigList, TASK_ID_LEN, Task},
        error::{DapError, MetricError, NoiseError, RecordError},
        personal::{Personal, Sensitive},
        prio3::Measurement,
        privacy::{
            Allowance, Budget, LEDGER_RECORD_MAX_LEN, Ledger, LedgerKey, Metric, REPORT_MAX_LEN, Renewal,
            Report,
        },
        registry::{Aggregate, EventDef, MetricDef},
        value::Value,
    },
};

use super::{
    Telemetry,
    config::{Sealer, Service, iotsec_service_t},
    iotsec_telemetry_t, iotsec_value_t,
    registry::{IOTSEC_PURPOSE_HEALTH, IOTSEC_PURPOSE_SECURITY, IOTSEC_PURPOSE_USAGE, iotsec_epsilon_t},
};
use crate::{
    argument,
    counter::{CCounter, iotsec_counter_t},
    object,
    status::{CallError, Status, iotsec_status_t, status},
};

/// Bytes of the longest report.
pub const IOTSEC_REPORT_MAX: usize = 43;
/// Bytes of the record that the ledger takes, the last of the owner's records of telemetry: where those are in a store, its
/// buffer must hold it.
pub const IOTSEC_LEDGER_RECORD_MAX: usize = 569;
/// Bytes of a value that was sealed, at most.
pub const IOTSEC_SEALED_VALUE_MAX: usize = 192;

const _: () = assert!(IOTSEC_REPORT_MAX == REPORT_MAX_LEN);
const _: () = assert!(IOTSEC_LEDGER_RECORD_MAX == LEDGER_RECORD_MAX_LEN);

/// How much a device may tell by reports, and what keeps an attacker who puts flash back from having it tell more. A constant
/// of the firmware.
///
/// All that a device tells in its life is at most `in_all` times one more than `renewals`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_ledger_t {
    /// `sizeof(iotsec_ledger_t)`.
    pub struct_size: u32,
    /// How often a new epoch may begin.
    pub renewals: u32,
    /// By each metric in one epoch.
    pub per_metric: iotsec_epsilon_t,
    /// By all metrics together in one epoch.
    pub in_all: iotsec_epsilon_t,
    /// The ledger's own, used for nothing else.
    pub counter: iotsec_counter_t,
}

/// What two servers add up (draft-ietf-ppm-dap-18). The pointers are used during the call only; all of it comes from the
/// maker over a channel that is authentic, or with the firmware.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_dap_task_t {
    /// `sizeof(iotsec_dap_task_t)`.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Its identifier, 32 bytes.
    pub id: *const u8,
    /// Its `TaskConfiguration`, as the servers have it byte by byte.
    pub configuration: *const u8,
    /// Bytes of `configuration`.
    pub configuration_len: usize,
    /// The `HpkeConfigList` of the leader, in which one is for X25519, HKDF-SHA256 and ChaCha20-Poly1305.
    pub leader: *const u8,
    /// Bytes of `leader`.
    pub leader_len: usize,
    /// That of the helper.
    pub helper: *const u8,
    /// Bytes of `helper`.
    pub helper_len: usize,
}

/// A ledger that was checked.
struct CLedger {
    allowance: Allowance,
    counter: CCounter,
}

impl CLedger {
    /// # Safety
    /// As [`argument::sized`].
    unsafe fn new(ledger: *const iotsec_ledger_t) -> Result<Self, Status> {
        // SAFETY: the caller's word, passed on.
        let ledger = unsafe { argument::sized(ledger) }?;
        Ok(Self {
            allowance: Allowance {
                per_metric: ledger.per_metric.epsilon()?,
                in_all: ledger.in_all.epsilon()?,
                renewals: ledger.renewals,
            },
            counter: CCounter::new(argument::same_size(ledger.counter, ledger.counter.struct_size)?)?,
        })
    }

    fn load<'k>(&mut self, key: &'k Secret<32>, telemetry: &mut Telemetry) -> Result<Ledger<'k>, Status> {
        let (records, counter) = (&mut telemetry.records, &mut self.counter);
        Ok(Ledger::load(of(key), self.allowance, records, counter)?)
    }
}

const fn of(key: &Secret<32>) -> LedgerKey<'_> {
    LedgerKey::new(key, &Aes256GcmSiv, &HkdfSha256)
}

/// Begins an empty ledger: once at the factory, and for each owner, after the records of the one before are erased. Never
/// as an answer to an error of another call, which would hand out a new budget to whoever can spoil the record.
///
/// `IOTSEC_ERR_LEDGER_EXISTS` when the owner has one. Power loss: there is no ledger or the new one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_format_ledger(
    telemetry: *mut iotsec_telemetry_t,
    ledger: *const iotsec_ledger_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let mut ledger = CLedger::new(ledger)?;
            object::enter(telemetry, |telemetry| {
                let key = telemetry.records.ledger_key_or_draw(&mut telemetry.entropy)?;
                let (records, counter) = (&mut telemetry.records, &mut ledger.counter);
                Ledger::format(of(&key), ledger.allowance, records, counter)?;
                Ok(())
            })
        }
    })
}

/// Begins a new epoch because the maker decides so: what was told is forgotten, the budget is whole, and every answer is
/// drawn anew. Never because of the time: whoever sets the clock would set the budget.
///
/// `IOTSEC_ERR_LEDGER_NO_RENEWAL` when the allowance grants no more. Power loss: the old epoch or the new one, and the
/// renewal is counted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_renew_ledger(
    telemetry: *mut iotsec_telemetry_t,
    ledger: *const iotsec_ledger_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let ledger = CLedger::new(ledger)?;
        renew(telemetry, ledger, Renewal::Maker)
    })
}

/// The same because `periods` has risen since the last renewal: a number that others move, as one that the service signs
/// with each period, or the security counter of the firmware. `IOTSEC_ERR_LEDGER_NOT_RENEWED` when it has not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_renew_ledger_by(
    telemetry: *mut iotsec_telemetry_t,
    ledger: *const iotsec_ledger_t,
    periods: *const iotsec_counter_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let ledger = CLedger::new(ledger)?;
        let mut periods = CCounter::new(argument::sized(periods)?)?;
        renew(telemetry, ledger, Renewal::Counter(&mut periods))
    })
}

/// # Safety
/// As [`object::enter`].
unsafe fn renew(
    telemetry: *mut iotsec_telemetry_t,
    mut ledger: CLedger,
    renewal: Renewal<'_>,
) -> Result<(), Status> {
    // SAFETY: the caller's word, passed on.
    unsafe {
        object::enter(telemetry, |telemetry| {
            let key = telemetry.records.ledger_key()?;
            let mut loaded = ledger.load(&key, telemetry)?;
            Ok(loaded.renew(renewal, &mut telemetry.records, &mut ledger.counter)?)
        })
    }
}

/// Writes to `renewals` how often a new epoch has begun. What is left of the budget cannot be asked for: it is a trace of
/// what the person did.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_ledger_renewals(
    telemetry: *mut iotsec_telemetry_t,
    ledger: *const iotsec_ledger_t,
    renewals: *mut u32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let mut ledger = CLedger::new(ledger)?;
            let out = argument::out(renewals)?;
            object::enter(telemetry, |telemetry| {
                let key = telemetry.records.ledger_key()?;
                out.set(ledger.load(&key, telemetry)?.renewals());
                Ok(())
            })
        }
    })
}

/// Writes a noised answer of a metric, `IOTSEC_AGGREGATE_RESPONSE` or `IOTSEC_AGGREGATE_LAPLACE`, about `value` to `report`,
/// which holds `size`, and its length to `len`: `IOTSEC_REPORT_MAX` at most, the same for every answer of one metric. There
/// is no identifier of the device in it and no time: send it over TLS, not beside a batch, and on a schedule: how long this
/// takes depends on the noise. `time_s` is the time in seconds since 1970, or 0 for none: a metric ends with its last day.
///
/// The first time in an epoch it is paid for, in flash, before the answer is drawn. The same value gives the same bytes
/// until the epoch ends, for nothing: repeat after a lost connection. Another value costs as much again, and when the
/// budget does not allow it nothing is to be sent: `IOTSEC_ERR_LEDGER_METRIC_EXHAUSTED`, `_EXHAUSTED`, `_FULL`.
/// `IOTSEC_ERR_NOISE_NOT_CONSENTED` when the purpose is off, `IOTSEC_ERR_NOISE_PURPOSE` for a personal value of another
/// purpose; `IOTSEC_ERR_LEDGER_MISSING` without a ledger, `IOTSEC_ERR_LEDGER_ROLLED_BACK` when flash was put back.
///
/// Power loss: nothing was paid and nothing drawn, or it is paid and the same call gives the answer that it would have
/// given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_report(
    telemetry: *mut iotsec_telemetry_t,
    ledger: *const iotsec_ledger_t,
    metric: u16,
    value: *const iotsec_value_t,
    time_s: u64,
    report: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let mut ledger = CLedger::new(ledger)?;
            let value = argument::copied(value)?;
            let out = argument::buffer(report, size, len)?;
            object::enter(telemetry, |telemetry| {
                let metric = Metric::new(&telemetry.registry, telemetry.metric(metric)?)?;
                let out = out.at_least(metric.mechanism().report_len())?;
                let key = telemetry.records.ledger_key()?;
                let mut loaded = ledger.load(&key, telemetry)?;
                let mut budget = Budget {
                    ledger: &mut loaded,
                    storage: &mut telemetry.records,
                    counter: &mut ledger.counter,
                    rng: &mut telemetry.entropy,
                    now: argument::time(time_s),
                };
                let consents = &telemetry.consents;
                let report = match value.personal {
                    IOTSEC_PURPOSE_SECURITY => budget.noise(&metric, value.number, consents)?,
                    IOTSEC_PURPOSE_HEALTH => noised::<Health>(&metric, value.number, consents, &mut budget)?,
                    IOTSEC_PURPOSE_USAGE => noised::<Usage>(&metric, value.number, consents, &mut budget)?,
                    _ => return Err(CallError::Config.into()),
                };
                out.copy(report.bytes())
            })
        }
    })
}

/// Splits `value` for two servers, neither of which learns it, and seals each share to its server: one report of the
/// Distributed Aggregation Protocol for a metric `IOTSEC_AGGREGATE_COUNT`, `_SUM` or `_HISTOGRAM`, to `report`, which holds
/// `size`, and its length to `len`. It is one element of an upload request; how that is sent is the application's.
/// `time_s` is a time that the device believes, in seconds since 1970. `size` must be larger than the report by what is
/// authenticated with it: the identifier and the configuration of the task. Writes no flash.
///
/// `IOTSEC_ERR_DAP_*` says what is wrong with the task or its keys, `IOTSEC_ERR_DAP_VDAF` that it aggregates something else
/// than the metric; `IOTSEC_ERR_PRIO3_NOT_CONSENTED` when the purpose is off, `IOTSEC_ERR_PRIO3_OUT_OF_BOUNDS` for a value
/// beyond the metric's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_share(
    telemetry: *mut iotsec_telemetry_t,
    task: *const iotsec_dap_task_t,
    metric: u16,
    value: *const iotsec_value_t,
    time_s: u64,
    report: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let task = argument::sized(task)?;
            let (id, configuration) = (
                argument::bytes(task.id, TASK_ID_LEN)?,
                argument::bytes(task.configuration, task.configuration_len)?,
            );
            let (leader, helper) = (
                argument::bytes(task.leader, task.leader_len)?,
                argument::bytes(task.helper, task.helper_len)?,
            );
            let value = argument::copied(value)?;
            let out = argument::buffer(report, size, len)?;
            argument::zero(task.reserved)?;
            let id = <&[u8; TASK_ID_LEN]>::try_from(id).map_err(|_| CallError::Size)?;
            let task = Task::read(id, configuration)?;
            let suite = hpke::X25519_CHACHA20_POLY1305;
            let (leader, helper) = (HpkeConfigList::read(leader)?, HpkeConfigList::read(helper)?);
            let servers = Aggregators::choose(suite, leader, helper)?;
            object::enter(telemetry, |telemetry| {
                let metric = telemetry.metric(metric)?;
                let value = measured(metric, value, &telemetry.consents)?;
                let consents = &telemetry.consents;
                let measurement = Measurement::new(metric, value, consents, argument::time(time_s))
                    .map_err(DapError::from)?;
                let out = out.at_least(task.buffer_len::<X25519Key>())?;
                out.fill(|out| {
                    let (buffer, rng) = (out.len(), &mut telemetry.entropy);
                    let made = task.report(measurement, UnixTime(time_s), &servers, rng, out)?;
                    let len = made.len();
                    let start = task.buffer_len::<X25519Key>().saturating_sub(len).min(buffer);
                    // Within what `at_least` has made sure of.
                    let end = start.saturating_add(len).min(buffer);
                    out.copy_within(start..end, 0);
                    Ok(len)
                })
            })
        }
    })
}

/// Seals a personal value to whoever holds the other half of the key of `service`: the owner's telephone, a physician. It is
/// the only field of `event`, a number, which declares its bounds; `value` says for which purpose it was collected, and that
/// must be on. Whatever carries it learns that there is a value and not which. Writes it to `sealed`, which holds `size`:
/// `IOTSEC_SEALED_VALUE_MAX` are enough, and its length to `len`. The sizes of `service` are not looked at. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_seal_value(
    telemetry: *mut iotsec_telemetry_t,
    service: *const iotsec_service_t,
    event: u16,
    value: *const iotsec_value_t,
    sealed: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let (service, value) = (Service::new(service)?, argument::copied(value)?);
            let out = argument::buffer(sealed, size, len)?.at_least(IOTSEC_SEALED_VALUE_MAX)?;
            object::enter(telemetry, |telemetry| {
                let event = telemetry.event(event)?;
                out.fill(|out| match value.personal {
                    IOTSEC_PURPOSE_HEALTH => telemetry.sealed_value::<Health>(&service, event, value, out),
                    IOTSEC_PURPOSE_USAGE => telemetry.sealed_value::<Usage>(&service, event, value, out),
                    _ => Err(CallError::Config.into()),
                })
            })
        }
    })
}

fn noised<'c, P: ConsentPurpose>(
    metric: &Metric,
    number: i64,
    consents: &'c Consents,
    budget: &mut Budget<'_, '_, crate::entropy::CEntropy>,
) -> Result<Report<'c>, Status> {
    let consent = consents.live::<P>().ok_or(NoiseError::NotConsented)?;
    Ok(Personal::<i64, P>::new(number).noise(metric, &consent, budget)?)
}

/// The value as a metric of shares takes it.
pub(super) fn measured<'c>(
    metric: &MetricDef,
    value: iotsec_value_t,
    consents: &'c Consents,
) -> Result<Value<'c>, Status> {
    match value.personal {
        IOTSEC_PURPOSE_SECURITY => Ok(match metric.aggregate() {
            Aggregate::Histogram(buckets) => Value::bucket(value.number, buckets),
            _ => value.number.into(),
        }),
        IOTSEC_PURPOSE_HEALTH => personal::<Health>(metric, value.number, consents),
        IOTSEC_PURPOSE_USAGE => personal::<Usage>(metric, value.number, consents),
        _ => Err(CallError::Config.into()),
    }
}

fn personal<'c, P: ConsentPurpose>(
    metric: &MetricDef,
    number: i64,
    consents: &'c Consents,
) -> Result<Value<'c>, Status> {
    let value = Personal::<i64, P>::new(number);
    match metric.aggregate() {
        Aggregate::Histogram(buckets) => Ok(value.bucket(buckets)),
        _ => {
            let consent = consents.live::<P>().ok_or(RecordError::NotConsented)?;
            Ok(value.reveal(&consent))
        }
    }
}

impl Telemetry {
    pub(super) fn metric(&self, id: u16) -> Result<&'static MetricDef, Status> {
        let metrics = self.registry.registry().metrics();
        let index = metrics.binary_search_by_key(&id, MetricDef::id);
        let metric = index.ok().and_then(|index| metrics.get(index));
        Ok(metric.ok_or(MetricError::Undeclared)?)
    }

    fn sealed_value<P: ConsentPurpose>(
        &mut self,
        service: &Service,
        event: &EventDef,
        value: iotsec_value_t,
        out: &mut [u8],
    ) -> Result<usize, Status> {
        let consent = self.consents.live::<P>().ok_or(RecordError::NotConsented)?;
        let sensitive = Sensitive::<i64, P>::new(value.number);
        let (registry, rng) = (&self.registry, &mut self.entropy);
        let sealed = match service.sealer() {
            Sealer::Shared(key) => sensitive.seal(&key, registry, event, &consent, rng, out),
            Sealer::Public(key) => sensitive.seal(&key, registry, event, &consent, rng, out),
        };
        Ok(sealed?.len())
    }
}
