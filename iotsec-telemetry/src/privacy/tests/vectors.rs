//! The test vectors of `FORMAT.md`, made here and compared with what is written there.

use std::{format, string::String};

use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
use iotsec_testkit::SimCounter;

use super::*;
use crate::{
    batch::tests::{Counting, compare_vectors},
    privacy::ledger::tests::Ram,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_vectors_of_ledger_and_reports_are_what_this_code_makes() {
    let secret = Secret::from_bytes(core::array::from_fn(|at| at as u8));
    let key = LedgerKey::new(&secret, &Aes256GcmSiv, &HkdfSha256);
    let allowance = Allowance {
        per_metric: epsilon!(2 / 1),
        in_all: epsilon!(3 / 1),
        renewals: 0,
    };
    let (mut storage, mut counter, mut rng) = (Ram::default(), SimCounter::new(), Counting(0x80));
    let mut ledger = Ledger::format(key, allowance, &mut storage, &mut counter).unwrap();
    let mut report = |definition: &MetricDef, value| {
        let metric = metric(definition);
        let debit = ledger
            .debit(&metric, value, &mut storage, &mut counter, &mut rng)
            .unwrap();
        hex(debit.draw().unwrap().bytes())
    };
    let five = report(&FIVE, 3);
    let ten = report(&TEN, 7);
    let weights = Weights::new(5, epsilon!(2 / 1)).unwrap();
    compare_vectors(
        "vectors-privacy",
        &[
            ("registry-hash", hex(hashed().hash())),
            ("ledger-key", hex(secret.expose())),
            (
                "seed-of-five",
                hex(&core::array::from_fn::<u8, 16, _>(|at| 0x80 + at as u8)),
            ),
            ("weight-of-truth", hex(&weights.truth().to_be_bytes())),
            ("report-of-five", five),
            (
                "seed-of-ten",
                hex(&core::array::from_fn::<u8, 16, _>(|at| 0x90 + at as u8)),
            ),
            ("report-of-ten", ten),
            ("ledger-record", hex(storage.record.as_ref().unwrap())),
        ],
    );
}
