//! What servers of secure aggregation answer: tasks and keys.

use iotsec_core::{
    crypto::{KeyAgreement, TAG_LEN, X25519Key, hpke},
    hal::UnixTime,
    secret::Secret,
};
use iotsec_telemetry::{
    consent::Consents,
    dap::{Aggregators, HpkeConfigList, MAX_CONFIGS, Task},
    prio3::{Measurement, Prio3},
    registry::{Aggregate, MetricDef, Purpose},
};
use iotsec_testkit::SimRng;

use crate::Seed;

const ID: [u8; 32] = [0x0C; 32];
const SUITE: hpke::Hpke<'static, X25519Key> = hpke::X25519_CHACHA20_POLY1305;
const RESTARTED: MetricDef = MetricDef::new(
    1,
    "restarted",
    "1",
    Purpose::Security,
    "Shows devices that are attacked or broken",
    Aggregate::Count,
);

fn key(seed: u8) -> X25519Key {
    X25519Key::from_scalar(&Secret::from_bytes([seed; 32]))
}

/// A list that is accepted is the encoding of what it lists, with every identifier once, and no shorter or
/// longer list of the same bytes is accepted.
pub fn configs(input: &[u8]) -> bool {
    let Ok(list) = HpkeConfigList::read(input) else {
        return false;
    };
    let (mut inner, mut ids) = (Vec::new(), Vec::new());
    for config in list.iter() {
        assert!(!ids.contains(&config.id()));
        ids.push(config.id());
        inner.push(config.id());
        let suite = config.suite();
        for number in [suite.kem, suite.kdf, suite.aead] {
            inner.extend(number.to_be_bytes());
        }
        let len = u16::try_from(config.public_key().len()).expect("it was read from a length of 16 bits");
        inner.extend(len.to_be_bytes());
        inner.extend(config.public_key());
    }
    assert!((1..=MAX_CONFIGS).contains(&ids.len()));
    let len = u16::try_from(inner.len()).expect("likewise");
    assert_eq!(input, [&len.to_be_bytes()[..], &inner].concat());
    assert!(HpkeConfigList::read(&input[..input.len() - 1]).is_err());
    assert!(HpkeConfigList::read(&[input, &[0]].concat()).is_err());
    // Whoever is named there gets a report or none, but nothing else happens.
    let _ = Aggregators::choose(SUITE, list, list);
    true
}

/// A task that is accepted is read to its last byte and sums over no less than two; a report for it has the
/// length that was foretold, and its servers open it with this very configuration.
pub fn task(input: &[u8]) -> bool {
    let Ok(task) = Task::read(&ID, input) else {
        return false;
    };
    assert!(Task::read(&ID, &input[..input.len() - 1]).is_err());
    assert!(Task::read(&ID, &[input, &[0]].concat()).is_err());
    assert!(task.min_batch_size() >= 2);
    // The longest share of all that is supported.
    assert!(task.vdaf().leader_share_len() <= (256 + 2 * 256 + 31) * 16 + 32);
    if task.vdaf() == Prio3::COUNT {
        report(&task, input);
    }
    true
}

fn report(task: &Task<'_>, configuration: &[u8]) {
    let [leader, helper] = [1, 2].map(|seed| {
        let head = [0, 41, seed, 0, 0x20, 0, 1, 0, 3, 0, 32];
        [&head[..], key(seed).public_key()].concat()
    });
    let [leader, helper] = [&leader, &helper].map(|list| HpkeConfigList::read(list).expect("a good list"));
    let servers = Aggregators::choose(SUITE, leader, helper).expect("a key for each");
    let consents = Consents::off();
    let measurement = Measurement::new(&RESTARTED, true.into(), &consents, None).expect("a declared value");
    let mut buffer = vec![0; task.buffer_len::<X25519Key>()];
    let now = UnixTime(1_800_000_000);
    let made = task.report(measurement, now, &servers, &mut SimRng::new(1), &mut buffer);
    // The task may be over, or not begun.
    let Ok(len) = made.map(<[u8]>::len) else { return };
    assert_eq!(len, task.report_len::<X25519Key>());
    let head = buffer.len() - len;
    assert_eq!(buffer[..head], [&ID[..], configuration].concat());
    let (authenticated, sealed) = buffer.split_at(head + 16 + 8 + 2 + 4);
    let (leader, helper) = sealed.split_at(1 + 2 + 32 + 4 + 6 + 48 + TAG_LEN);
    for (share, role) in [(leader, 2), (helper, 3)] {
        let message = [&share[3..35], &share[39..]].concat();
        let info = [b"dap-18 input share".as_slice(), &[1, role]].concat();
        let mut plain = vec![0; share.len() - 39 - TAG_LEN];
        let opened = SUITE.open(&key(role - 1), &info, authenticated, &message, &mut plain);
        assert!(opened.is_ok());
    }
}

fn configuration(vdaf: &[u8], extensions: &[u8]) -> Vec<u8> {
    [
        b"\x01t\0\x09https://l\0\x09https://h".as_slice(),
        &3600_u64.to_be_bytes(),
        &100_u64.to_be_bytes(),
        b"\x01\0\0",
        vdaf,
        extensions,
    ]
    .concat()
}

/// Seeds of [`task`].
pub fn task_seeds() -> Vec<Seed> {
    let interval = b"\0\x14\0\x01\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xFF";
    let count = configuration(b"\0\0\0\x01\0\0", b"\0\0");
    vec![
        Seed::new("valid-count", &*count),
        Seed::new(
            "valid-count-for-a-time",
            configuration(b"\0\0\0\x01\0\0", interval),
        ),
        Seed::new(
            "valid-sum",
            configuration(b"\0\0\0\x02\0\x08\0\0\0\0\0\0\0\xFF", b"\0\0"),
        ),
        Seed::new(
            "valid-histogram",
            configuration(b"\0\0\0\x04\0\x08\0\0\0\x08\0\0\0\x03", b"\0\0"),
        ),
        Seed::new(
            "near-sum-of-nothing",
            configuration(b"\0\0\0\x02\0\x08\0\0\0\0\0\0\0\0", b"\0\0"),
        ),
        Seed::new("near-sum-vector", configuration(b"\0\0\0\x03\0\0", b"\0\0")),
        Seed::new(
            "near-extension",
            configuration(b"\0\0\0\x01\0\0", b"\0\x04\0\x02\0\0"),
        ),
        Seed::new("near-short", &count[..count.len() - 1]),
    ]
}

/// Seeds of [`configs`].
pub fn configs_seeds() -> Vec<Seed> {
    let config = |id: u8| [&[id, 0, 0x20, 0, 1, 0, 3, 0, 32][..], key(id).public_key()].concat();
    let list = |configs: &[Vec<u8>]| {
        let inner = configs.concat();
        let len = u16::try_from(inner.len()).expect("a short list");
        [&len.to_be_bytes()[..], &inner].concat()
    };
    let p256 = [&[194, 0, 0x10, 0, 1, 0, 1, 0, 65][..], &[4; 65]].concat();
    let two = list(&[p256, config(17)]);
    vec![
        Seed::new("valid-one", list(&[config(1)])),
        Seed::new("valid-two", &*two),
        Seed::new("near-empty", list(&[])),
        Seed::new("near-twice", list(&[config(1), config(1)])),
        Seed::new("near-short", &two[..two.len() - 1]),
        Seed::new("near-no-key", list(&[vec![1, 0, 0x20, 0, 1, 0, 3, 0, 0]])),
    ]
}
