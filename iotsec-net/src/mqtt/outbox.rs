use std::collections::VecDeque;

use bytes::Bytes;
use iotsec_core::input::MqttTopic;
use mqtt_proto::TopicName;

use super::{MqttConfig, MqttError};

/// A message on its way out. [`Event::Acknowledged`](super::Event::Acknowledged) names it when the server has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Delivery(pub(super) u64);

/// Messages that the server has not acknowledged, in the order in which they were given.
#[derive(Debug)]
pub(super) struct Outbox {
    entries: VecDeque<Entry>,
    bytes: usize,
    next: u64,
    next_id: u16,
    limits: Limits,
}

#[derive(Debug)]
struct Limits {
    messages: usize,
    bytes: usize,
    packet: usize,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) delivery: Delivery,
    pub(super) id: u16,
    pub(super) topic: TopicName,
    pub(super) payload: Bytes,
    /// On the present connection.
    pub(super) is_sent: bool,
    /// On an earlier connection of a session that the server still knows.
    pub(super) is_duplicate: bool,
}

impl Entry {
    fn size(&self) -> usize {
        self.topic.len().saturating_add(self.payload.len())
    }

    /// Bytes of the packet, at most.
    pub(super) fn packet(&self) -> usize {
        self.size().saturating_add(PUBLISH_HEAD)
    }
}

/// First byte, four of length, two of the topic's length, two of the identifier, one of no properties.
const PUBLISH_HEAD: usize = 10;

/// The highest identifier is for subscriptions, see [`SUBSCRIBE_ID`].
const HIGHEST_ID: u16 = 0xFFFE;
/// Never that of a message.
pub(super) const SUBSCRIBE_ID: u16 = 0xFFFF;

impl Outbox {
    pub(super) fn new(config: &MqttConfig) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            next: 0,
            next_id: 1,
            limits: Limits {
                messages: config.messages,
                bytes: config.bytes,
                packet: config.packet,
            },
        }
    }

    pub(super) fn add(&mut self, topic: MqttTopic<'_>, payload: &[u8]) -> Result<Delivery, MqttError> {
        let size = topic.as_str().len().saturating_add(payload.len());
        if size.saturating_add(PUBLISH_HEAD) > self.limits.packet || size > self.limits.bytes {
            return Err(MqttError::TooLarge);
        }
        let bytes = self.bytes.saturating_add(size);
        if self.entries.len() >= self.limits.messages || bytes > self.limits.bytes {
            return Err(MqttError::Full);
        }
        let delivery = Delivery(self.next);
        self.entries.push_back(Entry {
            delivery,
            id: self.next_id,
            topic: TopicName::try_from(topic.as_str()).map_err(|_| MqttError::TooLarge)?,
            payload: Bytes::copy_from_slice(payload),
            is_sent: false,
            is_duplicate: false,
        });
        self.bytes = bytes;
        self.next = self.next.saturating_add(1);
        // At most 1,000 messages wait (`MqttConfig`), so an identifier is free again long before it comes round.
        self.next_id = if self.next_id >= HIGHEST_ID {
            1
        } else {
            self.next_id.saturating_add(1)
        };
        Ok(delivery)
    }

    /// The first that was not sent on this connection, unless too many are on the way.
    pub(super) fn next_unsent(&mut self, on_the_way: u16) -> Option<&mut Entry> {
        if self.on_the_way() >= usize::from(on_the_way) {
            return None;
        }
        self.entries.iter_mut().find(|entry| !entry.is_sent)
    }

    pub(super) fn on_the_way(&self) -> usize {
        self.entries.iter().filter(|entry| entry.is_sent).count()
    }

    /// Takes out the message that an acknowledgement names; `None` when it was not sent.
    pub(super) fn remove(&mut self, id: u16) -> Option<Delivery> {
        let place = self
            .entries
            .iter()
            .position(|entry| entry.is_sent && entry.id == id)?;
        let entry = self.entries.remove(place)?;
        self.bytes = self.bytes.saturating_sub(entry.size());
        Some(entry.delivery)
    }

    /// Takes out a message that can never be sent.
    pub(super) fn give_up(&mut self, delivery: Delivery) {
        if let Some(place) = self.entries.iter().position(|entry| entry.delivery == delivery) {
            let size = self.entries.remove(place).map_or(0, |entry| entry.size());
            self.bytes = self.bytes.saturating_sub(size);
        }
    }

    /// A new connection: everything goes out again, in order.
    pub(super) fn rewind(&mut self, resumed: bool) {
        for entry in &mut self.entries {
            // §4.4: the same identifier and DUP in a session that goes on; in a new one it is a new message.
            entry.is_duplicate = resumed && (entry.is_sent || entry.is_duplicate);
            entry.is_sent = false;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}
