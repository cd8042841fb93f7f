use iotsec_core::hal::UnixTime;

use super::{TASK_ID_LEN, error::DapError, reader::Reader};
use crate::prio3::Prio3;

/// Bytes of a task's configuration at most: two URLs of 200 bytes and the rest, with room.
pub const MAX_CONFIGURATION_LEN: usize = 1024;
/// Longest precision of time: a day. A coarser one would say no more.
const MAX_PRECISION_S: u64 = 86_400;
const PRIO3_COUNT: u32 = 1;
const PRIO3_SUM: u32 = 2;
const PRIO3_HISTOGRAM: u32 = 4;
const TASK_INTERVAL: u16 = 1;

/// A task: what is aggregated, by whom, and how.
///
/// Servers can open a report only with the same configuration, byte by byte. It comes from the maker over a
/// channel that is authentic, or with the firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task<'a> {
    id: &'a [u8; TASK_ID_LEN],
    configuration: &'a [u8],
    leader: &'a [u8],
    helper: &'a [u8],
    precision_s: u64,
    min_batch_size: u64,
    vdaf: Prio3,
    interval: Option<(u64, u64)>,
}

impl<'a> Task<'a> {
    /// Reads a `TaskConfiguration` (DAP §4.2).
    ///
    /// # Errors
    /// [`DapError::Malformed`] for other bytes or more than [`MAX_CONFIGURATION_LEN`]; [`DapError::Task`] for a
    /// VDAF, batch mode or extension that is not known, for bounds that [`Prio3`] does not take, and for a
    /// minimum batch size below two or a precision of zero or more than a day.
    pub fn read(id: &'a [u8; TASK_ID_LEN], configuration: &'a [u8]) -> Result<Self, DapError> {
        if configuration.len() > MAX_CONFIGURATION_LEN {
            return Err(DapError::Malformed);
        }
        let mut reader = Reader::new(configuration);
        let info_len = reader.u8()?;
        reader.take(info_len.into())?;
        let (leader, helper) = (reader.opaque16()?, reader.opaque16()?);
        let (precision_s, min_batch_size) = (reader.u64()?, reader.u64()?);
        let (mode, mode_config) = (reader.u8()?, reader.opaque16()?);
        let (vdaf, parameters) = (reader.u32()?, reader.opaque16()?);
        let extensions = reader.opaque16()?;
        reader.finish()?;
        if info_len == 0 || leader.is_empty() || helper.is_empty() {
            return Err(DapError::Malformed);
        }
        // Time intervals (1), or batches that the leader makes (2), neither with a parameter.
        let known_mode = matches!(mode, 1 | 2) && mode_config.is_empty();
        if !known_mode || min_batch_size < 2 || !(1..=MAX_PRECISION_S).contains(&precision_s) {
            return Err(DapError::Task);
        }
        Ok(Self {
            id,
            configuration,
            leader,
            helper,
            precision_s,
            min_batch_size,
            vdaf: read_vdaf(vdaf, parameters)?,
            interval: read_extensions(extensions)?,
        })
    }

    /// Its identifier.
    pub const fn id(&self) -> &'a [u8; TASK_ID_LEN] {
        self.id
    }

    /// The URL of the leader, as bytes.
    pub const fn leader_url(&self) -> &'a [u8] {
        self.leader
    }

    /// The URL of the helper.
    pub const fn helper_url(&self) -> &'a [u8] {
        self.helper
    }

    /// Of how many reports a sum is made at least.
    pub const fn min_batch_size(&self) -> u64 {
        self.min_batch_size
    }

    /// What is aggregated.
    pub const fn vdaf(&self) -> Prio3 {
        self.vdaf
    }

    pub(super) const fn configuration(&self) -> &'a [u8] {
        self.configuration
    }

    /// The time of a report: in units of the task's precision, rounded down.
    pub(super) fn time(&self, now: UnixTime) -> Result<u64, DapError> {
        let time = now.0.checked_div(self.precision_s).ok_or(DapError::Task)?;
        match self.interval {
            Some((start, end)) if !(start..end).contains(&time) => Err(DapError::Inactive),
            _ => Ok(time),
        }
    }
}

/// DAP §4.2, "VDAF configuration encodings".
fn read_vdaf(vdaf: u32, parameters: &[u8]) -> Result<Prio3, DapError> {
    let mut reader = Reader::new(parameters);
    let vdaf = match vdaf {
        PRIO3_COUNT => Prio3::COUNT,
        PRIO3_SUM => Prio3::sum(reader.u64()?).map_err(|_| DapError::Task)?,
        PRIO3_HISTOGRAM => {
            let [buckets, chunk] = [reader.u32()?, reader.u32()?].map(usize::try_from);
            let (Ok(buckets), Ok(chunk)) = (buckets, chunk) else {
                return Err(DapError::Task);
            };
            Prio3::histogram(buckets, chunk).map_err(|_| DapError::Task)?
        }
        _ => return Err(DapError::Task),
    };
    reader.finish()?;
    Ok(vdaf)
}

/// Start and end of the task's interval, if it has one. Extensions that are not known must be refused, and each
/// comes once.
fn read_extensions(extensions: &[u8]) -> Result<Option<(u64, u64)>, DapError> {
    if extensions.is_empty() {
        return Ok(None);
    }
    let mut reader = Reader::new(extensions);
    if reader.u16()? != TASK_INTERVAL {
        return Err(DapError::Task);
    }
    let mut interval = Reader::new(reader.opaque16()?);
    if !reader.is_empty() {
        return Err(DapError::Task);
    }
    let (start, duration) = (interval.u64()?, interval.u64()?);
    interval.finish()?;
    let end = start.checked_add(duration).ok_or(DapError::Malformed)?;
    Ok(Some((start, end)))
}
