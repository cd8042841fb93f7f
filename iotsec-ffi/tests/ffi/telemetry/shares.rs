//! Shares that are not sealed: what C splits is what Rust splits.

use iotsec::telemetry::{
    consent::Consents,
    prio3::{Measurement, Prio3},
    registry::{Aggregate, MetricDef, Purpose},
    value::Value,
};
use iotsec_ffi::telemetry::shares::*;
use iotsec_testkit::SimRng;

use super::{
    private::{LIT, NIGHT, NOW},
    *,
};

const PERSONS: u16 = 4;
const LOAD: u16 = 3;
const CONTEXT: &[u8] = b"lamps, in 2031";
const NONCE: [u8; IOTSEC_SHARES_NONCE_LEN] = [0x4E; 16];

type Split = Result<(Vec<u8>, iotsec_shares_t), (iotsec_status_t, usize)>;

impl Bench {
    fn split(&self, metric: u16, number: i64, chunk: u32, room: usize) -> Split {
        self.split_as(
            metric,
            personal(number, IOTSEC_PURPOSE_USAGE),
            NOW,
            CONTEXT,
            chunk,
            room,
        )
    }

    fn split_as(
        &self,
        metric: u16,
        value: iotsec_value_t,
        time_s: u64,
        context: &[u8],
        chunk: u32,
        room: usize,
    ) -> Split {
        let (mut bytes, mut len, mut shares) = (vec![0; room], 0, zeroed::<iotsec_shares_t>());
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_telemetry_split(
                self.telemetry.at(),
                metric,
                &raw const value,
                time_s,
                context.as_ptr(),
                context.len(),
                NONCE.as_ptr(),
                chunk,
                bytes.as_mut_ptr(),
                room,
                &raw mut len,
                &raw mut shares,
            )
        };
        if status == IOTSEC_OK {
            return Ok((bytes[..len].to_vec(), shares));
        }
        assert!(bytes.iter().all(|byte| *byte == 0), "refused and wrote");
        assert_eq!(shares, zeroed());
        Err((status, len))
    }

    fn granted() -> Self {
        let bench = Self::opened();
        assert_eq!(bench.grant(), IOTSEC_OK);
        bench
    }
}

#[test]
fn the_shares_are_those_of_rust() {
    let mut bench = Bench::granted();
    let hours = Buckets::new(&[1, 10, 60]);
    let consents = Consents::off();
    // Who it is collected for changes nothing about the shares.
    let metric = |aggregate| MetricDef::new(1, "any", "1", Purpose::Security, "For a test", aggregate);
    for (id, number, chunk, aggregate, value) in [
        (LIT, 7, 0, Aggregate::Sum { max: 24 }, Value::from(7i64)),
        (
            PERSONS,
            12,
            0,
            Aggregate::Histogram(hours),
            Value::bucket(12, hours),
        ),
        (
            PERSONS,
            12,
            3,
            Aggregate::Histogram(hours),
            Value::bucket(12, hours),
        ),
    ] {
        let metric = metric(aggregate);
        let mut vdaf = Prio3::of(&metric).unwrap();
        let mut measurement = Measurement::new(&metric, value, &consents, None).unwrap();
        if chunk == 3 {
            vdaf = Prio3::histogram(4, 3).unwrap();
            measurement = measurement.in_chunks_of(3).unwrap();
        }
        let mut expected = vec![0; vdaf.shares_len()];
        let mut rng = SimRng::new(9);
        let shares = vdaf
            .split(measurement, CONTEXT, &NONCE, &mut rng, &mut expected)
            .unwrap();
        let expected = [shares.public(), shares.leader(), shares.helper()].concat();
        *bench.board.rng = SimRng::new(9);
        let (bytes, lengths) = bench.split(id, number, chunk, expected.len()).unwrap();
        assert_eq!(bytes, expected);
        let told = [lengths.public_len, lengths.leader_len, lengths.helper_len].map(|len| len as usize);
        assert_eq!(
            told,
            [
                shares.public().len(),
                shares.leader().len(),
                shares.helper().len()
            ]
        );
        assert_eq!(lengths.algorithm, vdaf.algorithm());
        let short = bench.split(id, number, chunk, expected.len() - 1);
        assert_eq!(short, Err((IOTSEC_ERR_SHORT_BUFFER, expected.len())));
    }
}

#[test]
fn what_two_servers_are_not_to_add_up_is_not_split_for_another_protocol_either() {
    let bench = Bench::granted();
    let refused = |metric, number, chunk| bench.split(metric, number, chunk, 1024).unwrap_err().0;
    assert_eq!(refused(LIT, 25, 0), IOTSEC_ERR_PRIO3_OUT_OF_BOUNDS);
    assert_eq!(refused(LIT, -1, 0), IOTSEC_ERR_PRIO3_OUT_OF_BOUNDS);
    assert_eq!(refused(LIT, 7, 3), IOTSEC_ERR_PRIO3_PARAMETERS);
    assert_eq!(refused(PERSONS, 7, 257), IOTSEC_ERR_PRIO3_PARAMETERS);
    assert_eq!(refused(NIGHT, 1, 0), IOTSEC_ERR_PRIO3_AGGREGATE);
    assert_eq!(refused(LOAD, 1, 0), IOTSEC_ERR_PRIO3_AGGREGATE);
    assert_eq!(refused(8, 1, 0), IOTSEC_ERR_METRIC_UNDECLARED);
    let as_is = |value, context: &[u8]| bench.split_as(LIT, value, 0, context, 0, 1024);
    assert_eq!(as_is(personal(1, 3), CONTEXT).unwrap_err().0, IOTSEC_ERR_CONFIG);
    let usage = personal(1, IOTSEC_PURPOSE_USAGE);
    assert_eq!(as_is(usage, &[0; 256]).unwrap_err().0, IOTSEC_ERR_PRIO3_CONTEXT);
    assert!(as_is(usage, &[0; 255]).is_ok());
    let health = personal(1, IOTSEC_PURPOSE_HEALTH);
    assert_eq!(
        as_is(health, CONTEXT).unwrap_err().0,
        IOTSEC_ERR_RECORD_NOT_CONSENTED
    );
    assert_eq!(bench.withdraw(), IOTSEC_OK);
    assert_eq!(refused(LIT, 7, 0), IOTSEC_ERR_RECORD_NOT_CONSENTED);
    assert_eq!(
        as_is(plain(7), CONTEXT).unwrap_err().0,
        IOTSEC_ERR_PRIO3_NOT_CONSENTED
    );
}
