//! A small server for tests: it takes whole packets and says what a server says.

use iotsec_core::{hal::Millis, input::MqttTopic};
use iotsec_net::mqtt::{Delivery, Event, Mqtt, MqttConfig, MqttError};

pub(crate) const NOW: Millis = Millis(0);

/// A packet as a client sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) first: u8,
    pub(crate) body: Vec<u8>,
}

impl Packet {
    pub(crate) fn kind(&self) -> u8 {
        self.first >> 4
    }

    /// Identifier and content of a PUBLISH, and whether it says that it may be a duplicate.
    pub(crate) fn published(&self, has_properties: bool) -> (u16, String, Vec<u8>, bool) {
        assert_eq!(self.first & !0x08, 0x32, "QoS 1, not retained");
        let topic_len = usize::from(self.body[0]) << 8 | usize::from(self.body[1]);
        let (topic, rest) = self.body[2..].split_at(topic_len);
        let id = u16::from_be_bytes([rest[0], rest[1]]);
        let payload = if has_properties {
            assert_eq!(rest[2], 0, "no properties");
            &rest[3..]
        } else {
            &rest[2..]
        };
        let topic = String::from_utf8(topic.to_vec()).unwrap();
        (id, topic, payload.to_vec(), self.first & 8 != 0)
    }
}

/// Takes whole packets from the beginning of `bytes`.
pub(crate) fn packets(bytes: &mut Vec<u8>) -> Vec<Packet> {
    let mut found = Vec::new();
    loop {
        let (mut length, mut head) = (0, 1);
        loop {
            let Some(byte) = bytes.get(head) else {
                return found;
            };
            length |= usize::from(byte & 0x7F) << (7 * (head - 1));
            head += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        if bytes.len() < head + length {
            return found;
        }
        let packet: Vec<u8> = bytes.drain(..head + length).collect();
        found.push(Packet {
            first: packet[0],
            body: packet[head..].to_vec(),
        });
    }
}

pub(crate) const CONNECT: u8 = 1;
pub(crate) const PUBLISH: u8 = 3;
pub(crate) const PUBACK: u8 = 4;
pub(crate) const SUBSCRIBE: u8 = 8;
pub(crate) const PINGREQ: u8 = 12;

/// CONNACK of MQTT 5 without properties.
pub(crate) fn connack(resumed: bool) -> Vec<u8> {
    vec![0x20, 3, u8::from(resumed), 0, 0]
}

pub(crate) fn puback(id: u16) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    vec![0x40, 2, high, low]
}

/// A message for the client, QoS 1, MQTT 5.
pub(crate) fn message(id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
    body.extend_from_slice(topic.as_bytes());
    body.extend_from_slice(&id.to_be_bytes());
    body.push(0);
    body.extend_from_slice(payload);
    let mut packet = vec![0x32, u8::try_from(body.len()).unwrap()];
    packet.extend_from_slice(&body);
    packet
}

pub(crate) fn client() -> Mqtt {
    Mqtt::new(MqttConfig::new("device-1").unwrap())
}

pub(crate) fn topic(name: &str) -> MqttTopic<'_> {
    MqttTopic::parse(name.as_bytes()).unwrap()
}

pub(crate) fn publish(mqtt: &mut Mqtt, payload: &[u8]) -> Delivery {
    mqtt.publish(topic("t"), payload).unwrap()
}

/// Everything that the client wants to send.
pub(crate) fn sent(mqtt: &mut Mqtt, now: Millis) -> Vec<Packet> {
    let mut bytes = Vec::new();
    loop {
        let part = mqtt.to_send(now).unwrap().to_vec();
        if part.is_empty() {
            break;
        }
        mqtt.sent(part.len(), now);
        bytes.extend(part);
    }
    let found = packets(&mut bytes);
    assert!(bytes.is_empty(), "the client sends whole packets");
    found
}

/// Gives the client bytes, and collects what happens.
pub(crate) fn feed(mqtt: &mut Mqtt, mut bytes: &[u8], now: Millis) -> Result<Vec<Event>, MqttError> {
    let mut events = Vec::new();
    loop {
        let taken = mqtt.receive(bytes);
        bytes = &bytes[taken..];
        while let Some(event) = mqtt.next(now)? {
            events.push(event);
        }
        if bytes.is_empty() {
            return Ok(events);
        }
        assert!(taken > 0, "there is room after everything whole was taken");
    }
}

/// Opens a connection that the server accepts.
pub(crate) fn connect(mqtt: &mut Mqtt, resumed: bool) {
    mqtt.open(NOW).unwrap();
    let packets = sent(mqtt, NOW);
    assert_eq!(packets.len(), 1);
    assert_eq!(packets[0].kind(), CONNECT);
    let events = feed(mqtt, &connack(resumed), NOW).unwrap();
    assert_eq!(events, [Event::Connected { resumed }]);
}
