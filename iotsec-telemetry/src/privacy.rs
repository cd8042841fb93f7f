//! Local differential privacy: an answer is noised on the device, so that nobody ever holds the true one.
//!
//! | step | type | what it guarantees |
//! |---|---|---|
//! | declare | [`Metric`] | what is asked, within which bounds and with which [`Epsilon`], is in the registry |
//! | pay | [`Ledger`] | no answer before its epsilon is debited in storage; exhausted means nothing is sent |
//! | draw | [`Budget`] | exact integer samplers; one value has one answer in an epoch |
//! | send | [`Report`] | one size for every answer, no identifier, no time |
//! | estimate | [`estimate`] | how many there are, with the standard error |
//!
//! There are no floating-point numbers: their rounding tells what was noised (Mironov, CCS 2012; arXiv 2207.13793).
//! The samplers are those of Canonne, Kamath and Steinke (arXiv 2004.00010), and a randomized response whose
//! weights are rounded towards privacy.
//!
//! ```
//! use iotsec_core::{crypto::{Aes256GcmSiv, HkdfSha256, Sha256}, hal::MonotonicCounter, secret::Secret};
//! use iotsec_telemetry::{
//!     consent::{Consents, Usage}, epsilon, error::*, personal::Personal, registry,
//!     privacy::{Allowance, Answer, Budget, Ledger, LedgerKey, LedgerStorage, LEDGER_RECORD_MAX_LEN, Metric},
//!     registry::{Aggregate, Handling, MetricDef, Purpose},
//! };
//! # use iotsec_telemetry::consent::{ConsentStorage, CONSENT_RECORD_LEN};
//! # use iotsec_testkit::{SimCounter, SimRng};
//! # #[derive(Default)]
//! # struct Flash(Vec<u8>);
//! # impl LedgerStorage for Flash {
//! #     fn load(&mut self, record: &mut [u8; LEDGER_RECORD_MAX_LEN]) -> Result<Option<usize>, StorageError> {
//! #         record[..self.0.len()].copy_from_slice(&self.0);
//! #         Ok((!self.0.is_empty()).then_some(self.0.len()))
//! #     }
//! #     fn store(&mut self, record: &[u8]) -> Result<(), StorageError> { self.0 = record.to_vec(); Ok(()) }
//! # }
//! # impl ConsentStorage for Flash {
//! #     fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> { Ok(false) }
//! #     fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> { Ok(()) }
//! # }
//!
//! const NIGHT: MetricDef = MetricDef::new(
//!     1, "lamp.on-at-night", "1", Purpose::Usage, "Tells whether the night mode is worth having",
//!     Aggregate::RandomizedResponse { answers: &["no", "yes"], epsilon: epsilon!(1 / 1) },
//! );
//! registry!(static PRODUCT = [], metrics [NIGHT], handling Handling::new("data@lamps.example", "Lamps Ltd", 90));
//! const ALLOWANCE: Allowance = Allowance { per_metric: epsilon!(1 / 1), in_all: epsilon!(2 / 1), renewals: 12 };
//!
//! # let (mut flash, mut counter, mut rng) = (Flash::default(), SimCounter::new(), SimRng::new(1));
//! # let mut consents = Consents::off();
//! # consents.grant::<Usage>(1, None, &mut Flash::default())?;
//! let secret = Secret::from_bytes([7; 32]);
//! let key = LedgerKey::new(&secret, &Aes256GcmSiv, &HkdfSha256);
//! let mut ledger = Ledger::format(key, ALLOWANCE, &mut flash, &mut counter)?;
//! let mut budget = Budget { ledger: &mut ledger, storage: &mut flash, counter: &mut counter, rng: &mut rng, now: None };
//!
//! let registry = PRODUCT.hashed(&mut Sha256::new());
//! let metric = Metric::new(&registry, &NIGHT)?;
//! let consent = consents.live::<Usage>().unwrap();
//! let report = Personal::<u32, Usage>::new(1).noise(&metric, &consent, &mut budget)?;
//!
//! // Once more after a lost connection: the same bytes, and nothing is debited.
//! let again = Personal::<u32, Usage>::new(1).noise(&metric, &consent, &mut budget)?;
//! assert_eq!(report.bytes(), again.bytes());
//! // Another value would cost as much again, which this metric does not have.
//! let other = Personal::<u32, Usage>::new(0).noise(&metric, &consent, &mut budget);
//! assert_eq!(other.err(), Some(NoiseError::Ledger(LedgerError::MetricExhausted)));
//!
//! // At the collector.
//! let answer = Answer::read(report.bytes(), &registry)?;
//! assert!(answer.value() == 0 || answer.value() == 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod budget;
mod draws;
mod epsilon;
mod error;
pub mod estimate;
mod laplace;
mod ledger;
mod metric;
mod report;
mod response;
mod sensitivity;
mod sum;

pub use budget::Budget;
pub use epsilon::{Epsilon, MAX_DENOMINATOR, MAX_EPSILON};
pub use error::{DrawError, EpsilonError, LedgerError, MetricError, NoiseError, ReportError};
pub use ledger::{
    Allowance, Debit, LEDGER_RECORD_MAX_LEN, Ledger, LedgerKey, LedgerStorage, MAX_DEBITS, Renewal,
};
pub use metric::{Mechanism, Metric};
pub use report::{Answer, REPORT_ID_LEN, REPORT_MAX_LEN, Report};
pub use response::{MAX_LABELS, Weights};
pub use sensitivity::Sensitivity;

#[cfg(test)]
mod tests;
