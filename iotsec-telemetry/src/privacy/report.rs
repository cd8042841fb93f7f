//! What is sent: an answer, and nothing that says whose (`FORMAT.md`, "Anonymous report").

use core::marker::PhantomData;

use super::{Debit, DrawError, Mechanism, Metric, Sensitivity, Weights, draws::Draws, laplace};
use crate::{
    consent::Consents,
    error::ReportError,
    registry::{HashedRegistry, REGISTRY_HASH_LEN},
};

/// Bytes of the random name of a report.
pub const REPORT_ID_LEN: usize = 16;
/// Bytes of the longest report.
pub const REPORT_MAX_LEN: usize = HEAD_LEN + NUMBER_LEN;
const VERSION: u8 = 1;
/// Version, registry, metric, id.
const HEAD_LEN: usize = 1 + REGISTRY_HASH_LEN + 2 + REPORT_ID_LEN;
const NUMBER_LEN: usize = 8;

impl Mechanism {
    /// Bytes of a report of such a metric: the same for every answer.
    pub const fn report_len(self) -> usize {
        match self {
            Self::RandomizedResponse { .. } => HEAD_LEN + 1,
            Self::Laplace { .. } => REPORT_MAX_LEN,
        }
    }
}

/// A noised answer, ready to be sealed to a collector. It borrows the consent, so it cannot outlive a withdrawal.
///
/// There is no identifier of the device in it, no time and no number that counts. Its id is random and belongs to
/// this answer: a repetition has the same, so that the collector counts it once.
pub struct Report<'c> {
    bytes: [u8; REPORT_MAX_LEN],
    len: usize,
    consents: PhantomData<&'c Consents>,
}

impl Report<'_> {
    /// What to seal.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl core::fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Report(..)")
    }
}

impl Debit<'_> {
    /// Draws the answer that was paid for.
    pub(super) fn draw<'c>(self) -> Result<Report<'c>, DrawError> {
        let mut draws = Draws::new(&self.seed, self.kdf);
        let id = draws.report_id()?;
        let answer = self.answer(&mut draws)?;
        let len = self.metric.mechanism().report_len();
        let mut bytes = [0; REPORT_MAX_LEN];
        let head = [VERSION]
            .into_iter()
            .chain(*self.metric.registry())
            .chain(self.metric.id().to_be_bytes())
            .chain(id);
        let answer = answer.to_be_bytes();
        let answer_len = len.saturating_sub(HEAD_LEN);
        let answer = answer.into_iter().skip(NUMBER_LEN.saturating_sub(answer_len));
        for (to, from) in bytes.iter_mut().zip(head.chain(answer)) {
            *to = from;
        }
        Ok(Report {
            bytes,
            len,
            consents: PhantomData,
        })
    }

    pub(super) fn answer(&self, draws: &mut Draws<'_>) -> Result<i64, DrawError> {
        match self.metric.mechanism() {
            Mechanism::RandomizedResponse { labels } => {
                let weights = Weights::new(labels, self.metric.epsilon()).map_err(|_| DrawError::Work)?;
                let label = u16::try_from(self.value).map_err(|_| DrawError::Work)?;
                Ok(weights.draw(draws, label)?.into())
            }
            Mechanism::Laplace { min, max } => {
                let sensitivity = Sensitivity::of(min, max).map_err(|_| DrawError::Work)?;
                let noise = laplace::draw(draws, self.metric.epsilon(), sensitivity)?;
                Ok(self.value.saturating_add(noise))
            }
        }
    }
}

/// A report, as the collector reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    metric: Metric,
    id: [u8; REPORT_ID_LEN],
    value: i64,
}

impl Answer {
    /// Reads a report that was made against `registry`.
    ///
    /// # Errors
    /// [`ReportError`], by what is wrong with it.
    pub fn read(bytes: &[u8], registry: &HashedRegistry) -> Result<Self, ReportError> {
        let (version, rest) = bytes.split_first().ok_or(ReportError::Length)?;
        if *version != VERSION {
            return Err(ReportError::Version);
        }
        let (hash, rest) = rest
            .split_first_chunk::<REGISTRY_HASH_LEN>()
            .ok_or(ReportError::Length)?;
        if hash != registry.hash() {
            return Err(ReportError::UnknownRegistry);
        }
        let (metric, rest) = rest.split_first_chunk::<2>().ok_or(ReportError::Length)?;
        let metrics = registry.registry().metrics();
        let metric = metrics
            .iter()
            .find(|definition| definition.id() == u16::from_be_bytes(*metric));
        let metric = metric.and_then(|definition| Metric::new(registry, definition).ok());
        let metric = metric.ok_or(ReportError::Undeclared)?;
        if bytes.len() != metric.mechanism().report_len() {
            return Err(ReportError::Length);
        }
        let (id, answer) = rest
            .split_first_chunk::<REPORT_ID_LEN>()
            .ok_or(ReportError::Length)?;
        let value = match (metric.mechanism(), answer) {
            (Mechanism::RandomizedResponse { labels }, [label]) if u16::from(*label) < labels => {
                (*label).into()
            }
            (Mechanism::Laplace { .. }, answer) => {
                i64::from_be_bytes(answer.try_into().map_err(|_| ReportError::Length)?)
            }
            (Mechanism::RandomizedResponse { .. }, _) => return Err(ReportError::Range),
        };
        Ok(Self {
            metric,
            id: *id,
            value,
        })
    }

    /// The metric that it answers.
    pub const fn metric(&self) -> &Metric {
        &self.metric
    }

    /// Its random name: a collector counts it once.
    pub const fn id(&self) -> &[u8; REPORT_ID_LEN] {
        &self.id
    }

    /// The position of the label, or the noised number.
    pub const fn value(&self) -> i64 {
        self.value
    }
}
