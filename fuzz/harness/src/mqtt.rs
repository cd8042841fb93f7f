//! What a broker sends.

use iotsec_core::{hal::Millis, input::MqttTopic};
use iotsec_net::mqtt::{Event, Mqtt, MqttConfig, MqttError, Version};

use crate::Seed;

/// Largest packet.
const PACKET: usize = 256;

/// A conversation says the same in whatever pieces it comes, and stays within its memory. The first byte chooses the
/// version.
pub fn conversation(input: &[u8]) -> bool {
    let Some((version, bytes)) = input.split_first() else {
        return false;
    };
    let version = if version & 1 == 0 {
        Version::V5
    } else {
        Version::V311
    };
    let whole = converse(version, bytes, bytes.len().max(1));
    for piece in [1, 7] {
        assert_eq!(converse(version, bytes, piece), whole);
    }
    whole.1.is_none() && !whole.0.is_empty()
}

fn converse(version: Version, bytes: &[u8], piece: usize) -> (Vec<Event>, Option<MqttError>) {
    let config = MqttConfig::new("device").and_then(|config| config.with_packet(PACKET));
    let config = config.expect("within the bounds").with_version(version);
    let mut mqtt = Mqtt::new(config);
    let topic = MqttTopic::parse(b"t").expect("a topic");
    for payload in [b"1", b"2"] {
        mqtt.publish(topic, payload).expect("there is room");
    }
    mqtt.open(Millis(0)).expect("a packet is large enough");
    send(&mut mqtt);
    let mut events = Vec::new();
    for mut part in bytes.chunks(piece) {
        while !part.is_empty() {
            let taken = mqtt.receive(part);
            assert!(taken > 0, "what is whole was taken out, so there is room");
            part = &part[taken..];
            loop {
                match mqtt.next(Millis(1)) {
                    Ok(Some(event)) => {
                        if let Event::Message(message) = &event {
                            assert!(MqttTopic::parse(message.topic().as_bytes()).is_ok());
                            assert!(message.payload().len() < PACKET);
                        }
                        events.push(event);
                    }
                    Ok(None) => break,
                    Err(error) => return (events, Some(error)),
                }
                send(&mut mqtt);
            }
            assert!(mqtt.pending().0 <= 2 && mqtt.room() <= PACKET);
        }
    }
    (events, None)
}

fn send(mqtt: &mut Mqtt) {
    loop {
        let count = mqtt.to_send(Millis(1)).expect("packets fit").len();
        if count == 0 {
            return;
        }
        mqtt.sent(count, Millis(1));
    }
}

/// Conversations of both versions, and some that a broker must not lead.
pub fn seeds() -> Vec<Seed> {
    let connack: &[u8] = &[0x20, 3, 0, 0, 0];
    let five = |name: &str, rest: &[u8]| Seed::new(name, [&[0], connack, rest].concat());
    vec![
        five("valid-acknowledged", &[0x40, 2, 0, 1, 0x40, 4, 0, 2, 0x10, 0]),
        five("valid-refused-message", &[0x40, 3, 0, 1, 0x87]),
        five("valid-message", b"\x32\x09\x00\x01c\x00\x07\x00on!\xD0\x00"),
        five(
            "valid-properties",
            b"\x30\x24\x00\x01c\x1E\x01\x01\x02\x00\x00\x00\x09\x03\x00\x04text\x08\x00\x01r\x26\x00\x01k\x00\x01v\x09\x00\x02xyhi",
        ),
        Seed::new(
            "valid-limits",
            b"\x00\x20\x0E\x00\x00\x0B\x21\x00\x01\x27\x00\x00\x00\x80\x13\x00\x05".to_vec(),
        ),
        Seed::new("valid-3-1-1", b"\x01\x20\x02\x00\x00\x40\x02\x00\x01\x30\x04\x00\x01cx".to_vec()),
        Seed::new("near-busy", b"\x00\x20\x03\x00\x89\x00".to_vec()),
        Seed::new("near-moved", b"\x00\x20\x09\x00\x9D\x06\x1C\x00\x03abc".to_vec()),
        Seed::new("near-no-connack", b"\x00\xD0\x00".to_vec()),
        five("near-disconnect", &[0xE0, 2, 0x8B, 0]),
        five("near-oversized", &[0x30, 0xFF, 0xFF, 0xFF, 0x7F]),
        five("near-long-length", &[0xD0, 0x80, 0]),
        five("near-wildcard", b"\x30\x05\x00\x01#\x00x"),
        five("near-nothing-acknowledged", &[0x40, 2, 0, 9]),
    ]
}
