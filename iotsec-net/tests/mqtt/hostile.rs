use iotsec_core::hal::Millis;
use iotsec_net::mqtt::{Mqtt, MqttConfig, MqttError, Version};
use iotsec_testkit::SimRng;
use rand_core::Rng;

use crate::broker::{NOW, client, connack, connect, feed, message, puback, publish, sent};

#[test]
fn a_length_above_the_limit_is_refused_before_anything_is_held() {
    let mut mqtt = client();
    connect(&mut mqtt, false);
    // 268,435,455 bytes of PUBLISH.
    assert_eq!(
        feed(&mut mqtt, &[0x30, 0xFF, 0xFF, 0xFF, 0x7F], NOW),
        Err(MqttError::Oversized)
    );
}

#[test]
fn what_a_server_must_not_say_ends_the_connection() {
    let oversized_id = message(0, "c", b"x");
    let wildcard = message(1, "c/#", b"x");
    let empty_topic = message(1, "", b"x");
    let mut twice = message(7, "c", b"x");
    twice.extend(message(7, "c", b"x"));
    let nine: Vec<u8> = (1..=9).flat_map(|id| message(id, "c", b"x")).collect();
    for (bytes, error) in [
        (&[0x00, 0][..], MqttError::Malformed),
        (&[0x10, 0], MqttError::OutOfPlace),
        (&[0x21, 3, 0, 0, 0], MqttError::Malformed),
        // A second CONNACK.
        (&[0x20, 3, 0, 0, 0], MqttError::OutOfPlace),
        // An acknowledgement of nothing.
        (&[0x40, 2, 0, 5], MqttError::OutOfPlace),
        (&[0x40, 2, 0, 0], MqttError::Malformed),
        // Bytes behind the end, and too few.
        (&[0x40, 5, 0, 1, 0, 0, 9], MqttError::Malformed),
        (&[0x40, 1, 0], MqttError::Malformed),
        (&[0xD0, 1, 0], MqttError::OutOfPlace),
        // QoS 2 and QoS 3.
        (&[0x34, 6, 0, 1, b'c', 0, 1, 0], MqttError::OutOfPlace),
        (&[0x36, 6, 0, 1, b'c', 0, 1, 0], MqttError::Malformed),
        // PUBREC, SUBSCRIBE, AUTH.
        (&[0x50, 2, 0, 1], MqttError::OutOfPlace),
        (&[0x82, 2, 0, 1], MqttError::OutOfPlace),
        (&[0xF0, 0], MqttError::OutOfPlace),
        // SUBACK without a question.
        (&[0x90, 4, 0xFF, 0xFF, 0, 0], MqttError::OutOfPlace),
        // A length in more groups than it needs, and one that never ends.
        (&[0xD0, 0x80, 0], MqttError::Malformed),
        (&[0xD0, 0x80, 0x80, 0x80, 0x80], MqttError::Malformed),
        (&oversized_id, MqttError::Malformed),
        (&wildcard, MqttError::Malformed),
        (&empty_topic, MqttError::Malformed),
        (&twice, MqttError::OutOfPlace),
        (&nine, MqttError::OutOfPlace),
    ] {
        let mut mqtt = client();
        connect(&mut mqtt, false);
        assert_eq!(feed(&mut mqtt, bytes, NOW), Err(error), "{bytes:x?}");
    }
}

#[test]
fn nothing_but_an_answer_to_connect_comes_first() {
    for bytes in [&[0xD0, 0][..], &[0x40, 2, 0, 1], &message(1, "c", b"x")] {
        let mut mqtt = client();
        mqtt.open(NOW).unwrap();
        assert_eq!(
            feed(&mut mqtt, bytes, NOW),
            Err(MqttError::OutOfPlace),
            "{bytes:x?}"
        );
    }
    // A session that was never to be kept, limits of nothing, no QoS 1.
    for bytes in [
        &connack(true)[..],
        &[0x20, 6, 0, 0, 3, 0x21, 0, 0],
        &[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, 0],
        &[0x20, 5, 0, 0, 2, 0x24, 0],
    ] {
        let mut mqtt = client();
        mqtt.open(NOW).unwrap();
        assert!(feed(&mut mqtt, bytes, NOW).is_err(), "{bytes:x?}");
    }
}

/// A conversation that is right, in which every packet of a server occurs.
fn right() -> Vec<u8> {
    [
        connack(false),
        puback(1),
        message(1, "c/door", b"open"),
        vec![0xD0, 0],
        vec![0x40, 4, 0, 2, 0x10, 0],
        // With properties: payload format, message expiry, content type, response topic, user property.
        b"\x30\x24\x00\x01c\x1E\x01\x01\x02\x00\x00\x00\x09\x03\x00\x04text\x08\x00\x01r\x26\x00\x01k\x00\x01v\x09\x00\x02xyhi".to_vec(),
        b"\xE0\x07\x89\x05\x1F\x00\x02no".to_vec(),
    ]
    .concat()
}

fn listening(version: Version) -> Mqtt {
    let config = MqttConfig::new("device-1").unwrap().with_version(version);
    let mut mqtt = Mqtt::new(config.with_packet(256).unwrap());
    publish(&mut mqtt, &[1]);
    publish(&mut mqtt, &[2]);
    mqtt.open(NOW).unwrap();
    sent(&mut mqtt, NOW);
    mqtt
}

/// As `feed`, with sending in between; an error ends it.
fn converse(mqtt: &mut Mqtt, mut bytes: &[u8]) -> (usize, Option<MqttError>) {
    let mut events = 0;
    while !bytes.is_empty() {
        let taken = mqtt.receive(bytes);
        bytes = &bytes[taken..];
        loop {
            match mqtt.next(Millis(1)) {
                Ok(Some(_)) => events += 1,
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
            sent(mqtt, Millis(1));
        }
    }
    (events, None)
}

#[test]
fn the_right_conversation_is_understood_in_pieces_of_any_size() {
    for size in 1..=right().len() {
        let mut mqtt = listening(Version::V5);
        let mut events = 0;
        let mut end = None;
        for piece in right().chunks(size) {
            let (more, error) = converse(&mut mqtt, piece);
            events += more;
            end = end.or(error);
        }
        assert_eq!(events, 5, "pieces of {size}");
        assert_eq!(
            end,
            Some(MqttError::Ended(iotsec_net::mqtt::Reason::BUSY)),
            "pieces of {size}"
        );
    }
}

#[test]
fn every_flipped_bit_and_every_cut_ends_in_an_error_or_in_less() {
    let right = right();
    for bit in 0..right.len() * 8 {
        let mut bytes = right.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        for version in [Version::V5, Version::V311] {
            let mut mqtt = listening(version);
            let (events, _) = converse(&mut mqtt, &bytes);
            assert!(events <= right.len());
            assert!(mqtt.room() <= 256);
        }
    }
    for end in 0..right.len() {
        assert!(
            converse(&mut listening(Version::V5), &right[..end]).1.is_none(),
            "{end}"
        );
    }
}

#[test]
fn random_bytes_do_not_panic_and_memory_stays_bounded() {
    let right = right();
    let mut rng = SimRng::new(5);
    for round in 0..60_000 {
        let version = if round % 2 == 0 {
            Version::V5
        } else {
            Version::V311
        };
        let mut bytes = if round % 3 == 0 {
            (0..rng.below(64))
                .map(|_| rng.next_u32().to_le_bytes()[0])
                .collect()
        } else {
            right.clone()
        };
        for _ in 0..rng.below(6) {
            if bytes.is_empty() {
                break;
            }
            let place = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
            match rng.below(4) {
                0 => bytes[place] = rng.next_u32().to_le_bytes()[0],
                1 => drop(bytes.remove(place)),
                2 => bytes.insert(place, rng.next_u32().to_le_bytes()[0]),
                _ => bytes.truncate(place),
            }
        }
        let mut mqtt = listening(version);
        converse(&mut mqtt, &bytes);
        assert!(mqtt.pending().0 <= 2 && mqtt.room() <= 256);
    }
}
