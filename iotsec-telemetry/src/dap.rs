//! Reports for the Distributed Aggregation Protocol: shares sealed to two servers, as one message.
//!
//! The revision is draft-ietf-ppm-dap-18, with the shares of [`prio3`](crate::prio3). The device is a client and
//! nothing else: it reads a task's configuration and the servers' HPKE configurations, and makes reports. How
//! they are fetched and sent is the application's: a report is one element of an `UploadRequest`, whose body is
//! reports one after the other, sent by POST to `{leader}/tasks/{task-id}/reports`.
//!
//! A report carries no identifier of the device, no extension, and a time that is rounded down to the task's
//! precision. Whoever receives it still sees where it came from on the network.
//!
//! ```
//! use iotsec_core::{crypto::{KeyAgreement, X25519Key, hpke}, hal::UnixTime, secret::Secret};
//! use iotsec_telemetry::{
//!     consent::Consents, dap::{Aggregators, HpkeConfigList, Task}, prio3::Measurement,
//!     registry::{Aggregate, MetricDef, Purpose},
//! };
//! # use iotsec_testkit::SimRng;
//! # let mut rng = SimRng::new(1);
//! # let configuration = [
//! #     b"\x01t\0\x09https://l\0\x09https://h".as_slice(), &3600u64.to_be_bytes(), &100u64.to_be_bytes(),
//! #     b"\x01\0\0\0\0\0\x01\0\0\0\0",
//! # ].concat();
//! # let keys = [1, 2].map(|seed| X25519Key::from_scalar(&Secret::from_bytes([seed; 32])));
//! # let [leader, helper] = keys.each_ref().map(|key| {
//! #     [b"\0\x29\x07\0\x20\0\x01\0\x03\0\x20".as_slice(), key.public_key()].concat()
//! # });
//!
//! const RESTARTED: MetricDef = MetricDef::new(
//!     1, "restarted", "1", Purpose::Security, "Shows devices that are attacked or broken", Aggregate::Count,
//! );
//! // What the maker's servers answer.
//! let task = Task::read(&[9; 32], &configuration)?;
//! let suite = hpke::X25519_CHACHA20_POLY1305;
//! let servers = Aggregators::choose(suite, HpkeConfigList::read(&leader)?, HpkeConfigList::read(&helper)?)?;
//!
//! let consents = Consents::off();
//! let measurement = Measurement::new(&RESTARTED, true.into(), &consents, None)?;
//! let mut buffer = [0; 400];
//! let now = UnixTime(1_800_000_123);
//! let report = task.report(measurement, now, &servers, &mut rng, &mut buffer)?;
//! assert_eq!(report.len(), 16 + 8 + 2 + 4 + (39 + 6 + 48 + 16) + (39 + 6 + 32 + 16));
//! # Ok::<(), iotsec_telemetry::error::DapError>(())
//! ```

use iotsec_core::{
    crypto::{AgreementKey, TAG_LEN, hpke::Hpke},
    hal::UnixTime,
    secret::Secret,
};
use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::prio3::{Measurement, NONCE_LEN, Prio3};

mod config;
pub(crate) mod error;
mod reader;
mod task;
mod writer;

pub use config::{HpkeConfig, HpkeConfigList, MAX_CONFIGS};
use error::DapError;
pub use task::{MAX_CONFIGURATION_LEN, Task};
use writer::Writer;

/// Bytes of a task's identifier.
pub const TASK_ID_LEN: usize = 32;
/// The draft in every context string.
const DRAFT: &[u8; 6] = b"dap-18";
/// Role of the sender of a report.
const CLIENT: u8 = 1;
/// Report identifier, time, and the length of no public extensions.
const METADATA_LEN: usize = NONCE_LEN + 8 + 2;
/// The lengths of no private extensions and of a share.
const PLAINTEXT_HEAD_LEN: usize = 2 + 4;

/// A server's part in a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Leader,
    Helper,
}

impl Role {
    const fn number(self) -> u8 {
        match self {
            Self::Leader => 2,
            Self::Helper => 3,
        }
    }
}

/// The keys of both servers, for one suite.
#[derive(Clone, Copy, Debug)]
pub struct Aggregators<'a, K> {
    suite: Hpke<'a, K>,
    leader: HpkeConfig<'a>,
    helper: HpkeConfig<'a>,
}

impl<'a, K: AgreementKey> Aggregators<'a, K> {
    /// Takes the first configuration of each server that is for `suite`.
    ///
    /// # Errors
    /// [`DapError::NoConfig`] when one has none; [`DapError::SameKey`] when both have the same key: one server
    /// that opens both shares knows the measurement.
    pub fn choose(
        suite: Hpke<'a, K>,
        leader: HpkeConfigList<'a>,
        helper: HpkeConfigList<'a>,
    ) -> Result<Self, DapError> {
        let id = suite.id()?;
        let of = |list: HpkeConfigList<'a>| {
            list.iter()
                .find(|config| config.suite() == id && config.public_key().len() == Hpke::<K>::PUBLIC_LEN)
                .ok_or(DapError::NoConfig)
        };
        let (leader, helper) = (of(leader)?, of(helper)?);
        if leader.public_key() == helper.public_key() {
            return Err(DapError::SameKey);
        }
        Ok(Self {
            suite,
            leader,
            helper,
        })
    }

    /// Bytes of a sealed share: configuration, encapsulated key and ciphertext with their lengths.
    const fn sealed_len(share: usize) -> usize {
        share
            .saturating_add(1 + 2 + 4 + PLAINTEXT_HEAD_LEN + TAG_LEN)
            .saturating_add(Hpke::<K>::PUBLIC_LEN)
    }
}

impl<'a> Task<'a> {
    /// Bytes of a report to servers with keys of type `K`.
    pub const fn report_len<K: AgreementKey>(&self) -> usize {
        let vdaf = self.vdaf();
        METADATA_LEN
            .saturating_add(4)
            .saturating_add(vdaf.public_share_len())
            .saturating_add(Aggregators::<K>::sealed_len(vdaf.leader_share_len()))
            .saturating_add(Aggregators::<K>::sealed_len(vdaf.helper_share_len()))
    }

    /// Bytes that [`report`](Self::report) needs: before the report stands what is authenticated with it.
    pub const fn buffer_len<K: AgreementKey>(&self) -> usize {
        self.report_len::<K>()
            .saturating_add(TASK_ID_LEN)
            .saturating_add(self.configuration().len())
    }

    /// Splits a measurement and seals each share to its server. `now` must be a time that the device believes:
    /// servers refuse reports of the future.
    ///
    /// # Errors
    /// [`DapError::Vdaf`] when the measurement is not what the task aggregates, [`DapError::Inactive`] outside
    /// the task's interval, [`DapError::Buffer`] for less than [`buffer_len`](Self::buffer_len), and
    /// [`DapError::Prio3`] and [`DapError::Hpke`] as they say. Then the buffer is all zeros.
    pub fn report<'o, K: AgreementKey, R: TryCryptoRng + ?Sized>(
        &self,
        measurement: Measurement<'_>,
        now: UnixTime,
        servers: &Aggregators<'_, K>,
        rng: &mut R,
        buffer: &'o mut [u8],
    ) -> Result<&'o [u8], DapError> {
        let time = self.time(now)?;
        let measurement = measurement.for_task(self.vdaf()).ok_or(DapError::Vdaf)?;
        let buffer = buffer.get_mut(..self.buffer_len::<K>()).ok_or(DapError::Buffer)?;
        let made = self.write(measurement, time, servers, rng, buffer);
        if made.is_err() {
            buffer.zeroize();
        }
        made?;
        let head = TASK_ID_LEN.saturating_add(self.configuration().len());
        buffer.get(head..).ok_or(DapError::Buffer)
    }

    fn write<K: AgreementKey, R: TryCryptoRng + ?Sized>(
        &self,
        measurement: Measurement<'_>,
        time: u64,
        servers: &Aggregators<'_, K>,
        rng: &mut R,
        buffer: &mut [u8],
    ) -> Result<(), DapError> {
        let vdaf = self.vdaf();
        let authenticated = self.authenticated_len(&vdaf);
        let (authenticated, rest) = buffer
            .split_at_mut_checked(authenticated)
            .ok_or(DapError::Buffer)?;
        let (leader, helper) = rest
            .split_at_mut_checked(Aggregators::<K>::sealed_len(vdaf.leader_share_len()))
            .ok_or(DapError::Buffer)?;

        let report_id = Secret::<NONCE_LEN>::random(rng)?;
        let public = self.write_authenticated(report_id.expose(), time, authenticated)?;
        let mut context = [0; DRAFT.len() + TASK_ID_LEN];
        Writer::new(&mut context).put(DRAFT)?.put(self.id())?;
        vdaf.split_into(
            measurement,
            &context,
            report_id.expose(),
            rng,
            crate::prio3::Parts {
                public,
                leader: share_of::<K>(leader)?,
                helper: share_of::<K>(helper)?,
            },
        )?;
        for (role, config, sealed) in [
            (Role::Leader, &servers.leader, leader),
            (Role::Helper, &servers.helper, helper),
        ] {
            seal(servers, role, config, authenticated, rng, sealed)?;
        }
        Ok(())
    }

    /// Bytes of `InputShareAad`, which ends with the beginning of the report.
    const fn authenticated_len(&self, vdaf: &Prio3) -> usize {
        TASK_ID_LEN
            .saturating_add(self.configuration().len())
            .saturating_add(METADATA_LEN + 4)
            .saturating_add(vdaf.public_share_len())
    }

    /// Task, configuration, metadata and the length of the public share, whose place is returned.
    fn write_authenticated<'o>(
        &self,
        report_id: &[u8; NONCE_LEN],
        time: u64,
        out: &'o mut [u8],
    ) -> Result<&'o mut [u8], DapError> {
        let public_len = u32::try_from(self.vdaf().public_share_len()).map_err(|_| DapError::Buffer)?;
        let mut writer = Writer::new(out);
        writer.put(self.id())?.put(self.configuration())?;
        writer.put(report_id)?.put(&time.to_be_bytes())?.put(&[0, 0])?;
        writer.put(&public_len.to_be_bytes())?;
        Ok(writer.into_rest())
    }
}

/// Where a share is written, inside of what is going to be sealed.
fn share_of<K: AgreementKey>(sealed: &mut [u8]) -> Result<&mut [u8], DapError> {
    let head = (1 + 2 + 4 + PLAINTEXT_HEAD_LEN).saturating_add(Hpke::<K>::PUBLIC_LEN);
    let share = sealed
        .len()
        .checked_sub(TAG_LEN)
        .and_then(|end| sealed.get_mut(head..end));
    share.ok_or(DapError::Buffer)
}

/// Seals the share that stands in `sealed` already (DAP §4.4.2.1).
fn seal<K: AgreementKey, R: TryCryptoRng + ?Sized>(
    servers: &Aggregators<'_, K>,
    role: Role,
    config: &HpkeConfig<'_>,
    authenticated: &[u8],
    rng: &mut R,
    sealed: &mut [u8],
) -> Result<(), DapError> {
    let public_len = Hpke::<K>::PUBLIC_LEN;
    let share = share_of::<K>(sealed)?.len();
    let enc_len = u16::try_from(public_len).map_err(|_| DapError::Buffer)?;
    let share_len = u32::try_from(share).map_err(|_| DapError::Buffer)?;
    let payload = share.saturating_add(PLAINTEXT_HEAD_LEN + TAG_LEN);
    let payload = u32::try_from(payload).map_err(|_| DapError::Buffer)?;

    let mut info = *b"dap-18 input share\0\0";
    let [.., sender, receiver] = &mut info;
    (*sender, *receiver) = (CLIENT, role.number());
    // Sealing leaves the encapsulated key right before the ciphertext; its length goes in between.
    let mut writer = Writer::new(sealed);
    writer.put(&[config.id()])?.put(&enc_len.to_be_bytes())?;
    let message = writer.rest().get_mut(4..).ok_or(DapError::Buffer)?;
    let plain = message.get_mut(public_len..).ok_or(DapError::Buffer)?;
    Writer::new(plain).put(&[0, 0])?.put(&share_len.to_be_bytes())?;
    servers
        .suite
        .seal_in_place(config.public_key(), &info, authenticated, rng, message)?;
    let rest = writer.rest();
    for at in 0..public_len {
        let byte = rest.get(at.saturating_add(4)).copied().unwrap_or_default();
        if let Some(to) = rest.get_mut(at) {
            *to = byte;
        }
    }
    let length = rest.get_mut(public_len..).ok_or(DapError::Buffer)?;
    Writer::new(length).put(&payload.to_be_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests;
