use std::{format, string::String, vec, vec::Vec};

use iotsec_core::crypto::{CryptoError, KeyAgreement, X25519Key, hpke};
use iotsec_testkit::{FailingRng, SimRng};
use prio::{
    codec::ParameterizedDecode,
    vdaf::{
        Aggregator, Collector, VerifyTransition,
        prio3::{Prio3Count, Prio3Histogram, Prio3Sum},
    },
};

use super::*;
use crate::{
    consent::Consents,
    registry::{Aggregate, Buckets, MetricDef, Purpose},
    value::Value,
};

const TASK: [u8; TASK_ID_LEN] = [0x0C; TASK_ID_LEN];
const SUITE: Hpke<'static, X25519Key> = hpke::X25519_CHACHA20_POLY1305;

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The configuration of Janus' test `roundtrip_task_configuration` (messages/src/tests/task.rs at 4ab28a36), with
/// another VDAF and other extensions.
fn configuration(vdaf: &str, extensions: &str) -> Vec<u8> {
    bytes(&format!(
        "06666F6F6261720014{}001C{}0000000000000E100000000000002710010000{vdaf}{extensions}",
        "68747470733A2F2F6578616D706C652E636F6D2F",
        "68747470733A2F2F616E6F746865722E6578616D706C652E636F6D2F"
    ))
}

const NO_EXTENSION: &str = "0000";
/// From unit 277 for 28 units, in that test.
const INTERVAL: &str = "0014000100100000000000000115000000000000001C";
const COUNT: &str = "000000010000";
const SUM_255: &str = "00000002000800000000000000FF";
const HISTOGRAM_4: &str = "0000000400080000000400000003";

const HOURS: Buckets = Buckets::new(&[1, 8, 24]);

const fn metric(aggregate: Aggregate) -> MetricDef {
    MetricDef::new(
        1,
        "metric",
        "1",
        Purpose::Security,
        "Tells whether reports are right",
        aggregate,
    )
}

fn key(seed: u8) -> X25519Key {
    X25519Key::from_scalar(&Secret::from_bytes([seed; 32]))
}

fn list(configs: &[(u8, [u16; 3], &[u8])]) -> Vec<u8> {
    let mut inner = vec![];
    for (id, suite, key) in configs {
        inner.push(*id);
        suite.iter().for_each(|number| inner.extend(number.to_be_bytes()));
        inner.extend(u16::try_from(key.len()).unwrap().to_be_bytes());
        inner.extend(*key);
    }
    [&u16::try_from(inner.len()).unwrap().to_be_bytes()[..], &inner].concat()
}

const X25519_CHACHA: [u16; 3] = [0x20, 1, 3];

/// A report, and the bytes before it that are authenticated with it.
fn report(
    configuration: &[u8],
    aggregate: Aggregate,
    value: Value<'_>,
    rng: &mut SimRng,
) -> (Vec<u8>, usize) {
    let task = Task::read(&TASK, configuration).unwrap();
    let (leader, helper) = (key(1), key(2));
    let leader = list(&[(0x2A, X25519_CHACHA, leader.public_key())]);
    let helper = list(&[(0x0D, X25519_CHACHA, helper.public_key())]);
    let [leader, helper] = [&leader, &helper].map(|list| HpkeConfigList::read(list).unwrap());
    let servers = Aggregators::choose(SUITE, leader, helper).unwrap();
    let consents = Consents::off();
    let measurement = Measurement::new(&metric(aggregate), value, &consents, None).unwrap();
    let mut buffer = vec![0; task.buffer_len::<X25519Key>() + 3];
    let report = task
        .report(measurement, UnixTime(1_000_000), &servers, rng, &mut buffer)
        .unwrap();
    assert_eq!(report.len(), task.report_len::<X25519Key>());
    let len = report.len();
    buffer.truncate(task.buffer_len::<X25519Key>());
    let head = buffer.len() - len;
    (buffer, head)
}

/// What the servers read, field by field as the draft has them (§4.4.2).
struct Read {
    id: [u8; 16],
    time: u64,
    public: Vec<u8>,
    shares: [Vec<u8>; 2],
}

fn read(buffer: &[u8], head: usize) -> Read {
    let mut reader = reader::Reader::new(&buffer[head..]);
    let id = reader.take(16).unwrap().try_into().unwrap();
    let time = reader.u64().unwrap();
    assert_eq!(reader.u16().unwrap(), 0, "no public extension");
    let public_len = usize::try_from(reader.u32().unwrap()).unwrap();
    let public = reader.take(public_len).unwrap().to_vec();
    let authenticated = &buffer[..head + 16 + 8 + 2 + 4 + public_len];
    let shares = [(0x2A, 1, 2), (0x0D, 2, 3)].map(|(config, seed, role)| {
        assert_eq!(reader.u8().unwrap(), config);
        let enc = reader.opaque16().unwrap();
        let payload_len = usize::try_from(reader.u32().unwrap()).unwrap();
        let payload = reader.take(payload_len).unwrap();
        let info = [b"dap-18 input share".as_slice(), &[1, role]].concat();
        let sealed = [enc, payload].concat();
        let mut plain = vec![0; payload.len() - TAG_LEN];
        SUITE
            .open(&key(seed), &info, authenticated, &sealed, &mut plain)
            .unwrap();
        let mut plain = reader::Reader::new(&plain);
        assert_eq!(plain.u16().unwrap(), 0, "no private extension");
        let len = usize::try_from(plain.u32().unwrap()).unwrap();
        let share = plain.take(len).unwrap().to_vec();
        plain.finish().unwrap();
        share
    });
    reader.finish().unwrap();
    Read {
        id,
        time,
        public,
        shares,
    }
}

/// What libprio makes of some reports.
fn sum<V>(vdaf: &V, reports: &[Read]) -> V::AggregateResult
where
    V: Aggregator<32, 16, AggregationParam = ()> + Collector,
{
    let context = [b"dap-18".as_slice(), &TASK].concat();
    let mut outputs = [vec![], vec![]];
    for report in reports {
        let public = V::PublicShare::get_decoded_with_param(vdaf, &report.public).unwrap();
        let (mut states, mut shares) = (vec![], vec![]);
        for (server, bytes) in report.shares.iter().enumerate() {
            let input = V::InputShare::get_decoded_with_param(&(vdaf, server), bytes).unwrap();
            let checked = vdaf.verify_init(&[9; 32], &context, server, &(), &report.id, &public, &input);
            let (state, share) = checked.unwrap();
            states.push(state);
            shares.push(share);
        }
        let message = vdaf.verifier_shares_to_message(&context, &(), shares).unwrap();
        for (state, outputs) in states.into_iter().zip(&mut outputs) {
            match vdaf.verify_next(&context, state, message.clone()).unwrap() {
                VerifyTransition::Finish(output) => outputs.push(output),
                VerifyTransition::Continue(..) => panic!("one round is enough"),
            }
        }
    }
    let sums = outputs.map(|shares| vdaf.aggregate(&(), shares).unwrap());
    vdaf.unshard(&(), sums, reports.len()).unwrap()
}

#[test]
fn both_servers_open_their_share_and_libprio_sums_them() {
    let mut rng = SimRng::new(1);
    let counts = [true, false, true, true].map(|value| {
        let (buffer, head) = report(
            &configuration(COUNT, NO_EXTENSION),
            Aggregate::Count,
            value.into(),
            &mut rng,
        );
        read(&buffer, head)
    });
    assert_eq!(sum(&Prio3Count::new_count(2).unwrap(), &counts), 3);
    assert!(counts.iter().all(|report| report.time == 277));
    assert_ne!(counts[0].id, counts[1].id);

    let sums = [0_u8, 255, 3].map(|value| {
        let aggregate = Aggregate::Sum { max: 255 };
        let (buffer, head) = report(
            &configuration(SUM_255, INTERVAL),
            aggregate,
            value.into(),
            &mut rng,
        );
        read(&buffer, head)
    });
    assert_eq!(sum(&Prio3Sum::new_sum(2, 255).unwrap(), &sums), 258);

    // In the chunks of the task, which are not those of `Prio3::of`.
    let histograms = [0_i64, 5, 30, 500].map(|value| {
        let aggregate = Aggregate::Histogram(HOURS);
        let value = Value::bucket(value, HOURS);
        let (buffer, head) = report(
            &configuration(HISTOGRAM_4, NO_EXTENSION),
            aggregate,
            value,
            &mut rng,
        );
        read(&buffer, head)
    });
    assert_eq!(
        sum(&Prio3Histogram::new_histogram(2, 4, 3).unwrap(), &histograms),
        [1, 1, 0, 2]
    );
}

#[test]
fn bytes_are_where_janus_has_them() {
    // Of `roundtrip_report` (first case) and `roundtrip_input_share_aad` without its extension, in
    // messages/src/tests/upload.rs of github.com/divviup/janus at 4ab28a36: everything but what is random.
    let configuration = configuration(COUNT, INTERVAL);
    let task = Task::read(&TASK, &configuration).unwrap();
    let id: [u8; 16] = bytes("0102030405060708090A0B0C0D0E0F10").try_into().unwrap();
    let mut out = vec![0; task.authenticated_len(&task.vdaf())];
    task.write_authenticated(&id, 12345, &mut out).unwrap();
    let report_head = "0102030405060708090A0B0C0D0E0F1000000000000030390000" /* no extension */;
    let expected = [&TASK[..], &configuration, &bytes(report_head), &bytes("00000000")].concat();
    assert_eq!(out, expected);

    let (buffer, head) = report(&configuration, Aggregate::Count, true.into(), &mut SimRng::new(1));
    let hex: String = buffer[head + 16..]
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let (public, rest) = hex.split_at(2 * (8 + 2 + 4));
    assert_eq!(public, "0000000000000115000000000000");
    let (leader, helper) = rest.split_at(2 * (1 + 2 + 32 + 4 + 6 + 48 + 16));
    for (share, config, payload) in [(leader, "2A", "00000046"), (helper, "0D", "00000036")] {
        assert!(share.starts_with(&format!("{config}0020")), "{share}");
        assert_eq!(&share[2 * (1 + 2 + 32)..][..8], payload);
        let len = 2 * usize::from_str_radix(payload, 16).unwrap();
        assert_eq!(share.len(), 2 * (1 + 2 + 32 + 4) + len);
    }
}

#[test]
fn a_task_is_read_to_its_last_byte() {
    let good = configuration(COUNT, INTERVAL);
    let task = Task::read(&TASK, &good).unwrap();
    assert_eq!(
        (task.leader_url(), task.helper_url()),
        (&b"https://example.com/"[..], &b"https://another.example.com/"[..])
    );
    assert_eq!((task.min_batch_size(), task.vdaf()), (10_000, Prio3::COUNT));
    for len in 0..good.len() {
        assert!(Task::read(&TASK, &good[..len]).is_err(), "{len} bytes");
    }
    assert_eq!(
        Task::read(&TASK, &[&good[..], &[0]].concat()).err(),
        Some(DapError::Malformed)
    );

    assert_eq!(task.time(UnixTime(277 * 3600 - 1)), Err(DapError::Inactive));
    assert_eq!(task.time(UnixTime(277 * 3600)), Ok(277));
    assert_eq!(task.time(UnixTime(305 * 3600 - 1)), Ok(304));
    assert_eq!(task.time(UnixTime(305 * 3600)), Err(DapError::Inactive));

    let refused = |vdaf: &str, extensions: &str| Task::read(&TASK, &configuration(vdaf, extensions)).err();
    // SumVec, a count with parameters, a sum without, sums and histograms that are too large or empty.
    for vdaf in [
        "000000030000",
        "00000001000100",
        "000000020000",
        "0000000200080000000000000000",
        "0000000200080000000100000000",
        "0000000400080000000000000001",
        "0000000400080000000400000000",
        "00000004000800000400FFFFFFFF",
        "000000040009000000040000000200",
        "FFFFFFFF0000",
    ] {
        assert!(refused(vdaf, NO_EXTENSION).is_some(), "{vdaf}");
    }
    // Unknown, twice, in wrong order, cut, without an end.
    for extensions in [
        "000400000000",
        "000400020000",
        "00280001001000000000000001150000000000000001000100100000000000000115000000000000001C",
        "00180001001000000000000001150000000000000001000200", /* and no length */
        "0013000100100000000000000115000000000000001C",
        "00140001001000000000000001150000000000FFFF",
        "001400010010FFFFFFFFFFFFFFFF0000000000000001",
    ] {
        assert!(refused(COUNT, extensions).is_some(), "{extensions}");
    }
    // A batch of one is no sum; a precision of nothing divides nothing.
    for (from, to) in [
        ("0000000000002710", "0000000000000001"),
        ("0000000000000E10", "0000000000000000"),
    ] {
        let hex: String = good.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(
            Task::read(&TASK, &bytes(&hex.replacen(from, to, 1))).err(),
            Some(DapError::Task)
        );
    }
    assert!(Task::read(&TASK, &[1; MAX_CONFIGURATION_LEN + 1]).is_err());
}

#[test]
fn the_first_configuration_for_the_suite_is_taken() {
    let (ours, other) = (key(1), key(2));
    let good = list(&[
        (194, [0x10, 1, 1], &[4; 65]),
        (17, X25519_CHACHA, &[1; 31]),
        (18, X25519_CHACHA, ours.public_key()),
        (19, X25519_CHACHA, other.public_key()),
    ]);
    let parsed = HpkeConfigList::read(&good).unwrap();
    assert_eq!(
        parsed.iter().map(|config| config.id()).collect::<Vec<_>>(),
        [194, 17, 18, 19]
    );
    let helper = list(&[(0, X25519_CHACHA, other.public_key())]);
    let servers = Aggregators::choose(SUITE, parsed, HpkeConfigList::read(&helper).unwrap()).unwrap();
    assert_eq!((servers.leader.id(), servers.helper.id()), (18, 0));
    assert_eq!(
        Aggregators::choose(SUITE, parsed, parsed).err(),
        Some(DapError::SameKey)
    );
    let aes = hpke::X25519_AES_128_GCM;
    assert_eq!(
        Aggregators::choose(aes, parsed, parsed).err(),
        Some(DapError::NoConfig)
    );

    for len in 0..good.len() {
        assert!(HpkeConfigList::read(&good[..len]).is_err(), "{len} bytes");
    }
    assert_eq!(
        HpkeConfigList::read(&[&good[..], &[0]].concat()).err(),
        Some(DapError::Malformed)
    );
    assert_eq!(HpkeConfigList::read(&[0, 0]).err(), Some(DapError::Configs));
    let twice = list(&[(1, X25519_CHACHA, &[1; 32]), (1, X25519_CHACHA, &[2; 32])]);
    assert_eq!(HpkeConfigList::read(&twice).err(), Some(DapError::Configs));
    let many: Vec<_> = (0..17).map(|id| (id * 15, X25519_CHACHA, &[1; 32][..])).collect();
    assert_eq!(HpkeConfigList::read(&list(&many)).err(), Some(DapError::Configs));
    assert!(HpkeConfigList::read(&list(&many[..MAX_CONFIGS])).is_ok());
    assert_eq!(
        HpkeConfigList::read(&list(&[(1, X25519_CHACHA, &[])])).err(),
        Some(DapError::Malformed)
    );
}

#[test]
fn what_cannot_be_made_leaves_nothing() {
    let configuration = configuration(HISTOGRAM_4, INTERVAL);
    let task = Task::read(&TASK, &configuration).unwrap();
    let (leader, helper) = (
        list(&[(1, X25519_CHACHA, key(1).public_key())]),
        list(&[(1, X25519_CHACHA, &[0; 32])]),
    );
    let [leader, helper] = [&leader, &helper].map(|list| HpkeConfigList::read(list).unwrap());
    let bad = Aggregators::choose(SUITE, leader, helper).unwrap();
    let consents = Consents::off();
    let measurement = || {
        let metric = metric(Aggregate::Histogram(HOURS));
        Measurement::new(&metric, Value::bucket(3, HOURS), &consents, None).unwrap()
    };
    let now = UnixTime(1_000_000);
    let len = task.buffer_len::<X25519Key>();
    let mut buffer = vec![0xEE; len];
    // The helper's key is of small order: the leader's share is sealed by then, and is wiped all the same.
    let failed = task.report(measurement(), now, &bad, &mut SimRng::new(1), &mut buffer);
    assert_eq!(failed.err(), Some(DapError::Hpke(CryptoError::PublicKey.into())));
    assert_eq!(buffer, vec![0; len]);
    for calls in 0..6 {
        let mut buffer = vec![0xEE; len];
        let failed = task.report(
            measurement(),
            now,
            &bad,
            &mut FailingRng::after(calls),
            &mut buffer,
        );
        assert!(failed.is_err());
        assert_eq!(buffer, vec![0; len]);
    }
    let mut rng = SimRng::new(1);
    assert_eq!(
        task.report(measurement(), now, &bad, &mut rng, &mut buffer[1..])
            .err(),
        Some(DapError::Buffer)
    );
    assert_eq!(
        task.report(measurement(), UnixTime(1), &bad, &mut rng, &mut buffer)
            .err(),
        Some(DapError::Inactive)
    );
    let count = Measurement::new(&metric(Aggregate::Count), true.into(), &consents, None).unwrap();
    assert_eq!(
        task.report(count, now, &bad, &mut rng, &mut buffer).err(),
        Some(DapError::Vdaf)
    );
}
