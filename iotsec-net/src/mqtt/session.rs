use std::{collections::VecDeque, string::String, sync::Arc, vec::Vec};

use bytes::Bytes;
use iotsec_core::{
    hal::Millis,
    input::{MqttFilter, MqttTopic},
};
use mqtt_proto::TopicFilter;

use super::{
    Delivery, MqttConfig, MqttError, Reason,
    outbox::{Outbox, SUBSCRIBE_ID},
    packet::{self, Received},
};

/// The protocol, without a connection: bytes in, bytes out.
///
/// [`Link`](super::Link) drives it over a stream and a retry machine. An application with a transport of its own calls
/// [`open`](Self::open) when there is a connection, hands over what it [received](Self::receive), writes what is
/// [to send](Self::to_send), asks for [events](Self::next), and says when the connection is [closed](Self::close).
///
/// Messages go out with QoS 1, in the order in which they were published, and again on every new connection until the
/// server acknowledges them. A server may therefore see one twice; batches of telemetry carry numbers for that.
///
/// What is published lives in memory. Power loss takes it; whoever must not lose it keeps it until
/// [`Event::Acknowledged`] and publishes it again after a boot, as the queue of `iotsec-telemetry` does.
#[derive(Debug)]
pub struct Mqtt {
    config: MqttConfig,
    phase: Phase,
    outbox: Outbox,
    filters: Vec<TopicFilter>,
    is_subscribed: bool,
    /// How many filters await an answer. One question at a time.
    subscribing: Option<usize>,
    inbound: Vec<u8>,
    outbound: Vec<u8>,
    /// Messages for the application that it has not acknowledged on this connection.
    unacknowledged: Vec<u16>,
    events: VecDeque<Event>,
    /// Since when an answer is awaited.
    awaiting: Option<Millis>,
    spoke: Millis,
    keep_alive: Millis,
    on_the_way: u16,
    packet: usize,
    elsewhere: Option<Arc<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Opening,
    Open,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The server accepted. `resumed`: it still knows the session, and its subscriptions.
    Connected {
        /// The session goes on.
        resumed: bool,
    },
    /// The server has the message. It is no longer ours.
    Acknowledged(Delivery),
    /// The server does not take this message, now or later. It was removed; whoever kept it decides.
    Rejected(Delivery, Reason),
    /// A message for the application.
    Message(Message),
    /// The server granted the subscription with this filter.
    Subscribed(String),
    /// The server refused the subscription with this filter.
    Unsubscribed(String, Reason),
}

/// A message that came. The server keeps it until it is [acknowledged](Mqtt::acknowledge).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    topic: String,
    payload: Bytes,
    id: Option<u16>,
}

impl Message {
    /// Its topic, which is a valid one.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Its bytes. Nobody has looked at them.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// As many filters as fit into one packet of the smallest limit with room to spare, and more than a device needs.
const MOST_FILTERS: usize = 8;

impl Mqtt {
    /// Without a connection.
    pub fn new(config: MqttConfig) -> Self {
        Self {
            phase: Phase::Closed,
            outbox: Outbox::new(&config),
            filters: Vec::new(),
            is_subscribed: false,
            subscribing: None,
            inbound: Vec::new(),
            outbound: Vec::new(),
            unacknowledged: Vec::new(),
            events: VecDeque::new(),
            awaiting: None,
            spoke: Millis(0),
            keep_alive: Millis(0),
            on_the_way: 0,
            packet: config.packet,
            elsewhere: None,
            config,
        }
    }

    /// Takes a message to be sent, with or without a connection.
    ///
    /// # Errors
    /// [`MqttError::Full`] until one is acknowledged, [`MqttError::TooLarge`] for ever.
    pub fn publish(&mut self, topic: MqttTopic<'_>, payload: &[u8]) -> Result<Delivery, MqttError> {
        self.outbox.add(topic, payload)
    }

    /// Asks for messages, on this connection and on every one after it.
    ///
    /// # Errors
    /// [`MqttError::Subscriptions`] above eight, [`MqttError::TooLarge`] when the filter alone fills a packet.
    pub fn subscribe(&mut self, filter: MqttFilter<'_>) -> Result<(), MqttError> {
        let filter = TopicFilter::try_from(filter.as_str()).map_err(|_| MqttError::TooLarge)?;
        let bytes = |filters: &[TopicFilter]| {
            let lengths = filters.iter().map(|filter| filter.len().saturating_add(3));
            lengths.fold(SUBSCRIBE_HEAD, usize::saturating_add)
        };
        if self.filters.len() >= MOST_FILTERS {
            return Err(MqttError::Subscriptions);
        }
        self.filters.push(filter);
        if bytes(&self.filters) > self.config.packet {
            self.filters.pop();
            return Err(MqttError::TooLarge);
        }
        self.is_subscribed = false;
        Ok(())
    }

    /// Tells the server that a message was dealt with. Without it the server of MQTT 5 sends no more
    /// than eight.
    ///
    /// # Errors
    /// [`MqttError::Receipt`] when the connection that it came on is gone: it comes again.
    pub fn acknowledge(&mut self, message: &Message) -> Result<(), MqttError> {
        let Some(id) = message.id else { return Ok(()) };
        let place = self.unacknowledged.iter().position(|awaited| *awaited == id);
        let place = place.ok_or(MqttError::Receipt)?;
        self.unacknowledged.swap_remove(place);
        packet::acknowledge(self.config.version, id, &mut self.outbound)
    }

    /// There is a connection, as yet without a word.
    ///
    /// # Errors
    /// [`MqttError::TooLarge`] when the configuration does not fit into a packet.
    pub fn open(&mut self, now: Millis) -> Result<(), MqttError> {
        self.close();
        self.phase = Phase::Opening;
        self.awaiting = Some(now);
        self.spoke = now;
        packet::connect(&self.config, &mut self.outbound)
    }

    /// The connection is gone. What was not acknowledged goes out again on the next.
    pub fn close(&mut self) {
        self.phase = Phase::Closed;
        self.inbound.clear();
        zeroize::Zeroize::zeroize(&mut self.outbound);
        self.unacknowledged.clear();
        self.awaiting = None;
        self.is_subscribed = false;
        self.subscribing = None;
        self.events
            .retain(|event| !matches!(event, Event::Connected { .. } | Event::Message(_)));
    }

    /// Whether the server has accepted.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Messages that await acknowledgement, and their bytes.
    pub fn pending(&self) -> (usize, usize) {
        (self.outbox.len(), self.outbox.bytes())
    }

    /// Where a server sent the device with [`MqttError::Elsewhere`]: its own words, to be compared and nothing else.
    pub fn elsewhere(&self) -> Option<&str> {
        self.elsewhere.as_deref()
    }

    /// Bytes for the server. Say with [`sent`](Self::sent) how many went.
    ///
    /// # Errors
    /// None that a server could cause; [`MqttError::TooLarge`] by a bug.
    pub fn to_send(&mut self, now: Millis) -> Result<&[u8], MqttError> {
        let is_due = self.awaiting.is_none() && now.since(self.spoke) >= self.keep_alive;
        if self.outbound.is_empty() && self.phase == Phase::Open {
            self.fill()?;
            if self.outbound.is_empty() && is_due {
                self.outbound.extend_from_slice(&packet::PING);
            }
            if !self.outbound.is_empty() {
                self.awaiting.get_or_insert(now);
            }
        } else if self.phase == Phase::Open && is_due {
            // Bytes that do not go, and no room for a ping behind them.
            self.awaiting = Some(now);
        }
        Ok(&self.outbound)
    }

    /// So many bytes of [`to_send`](Self::to_send) went.
    pub fn sent(&mut self, count: usize, now: Millis) {
        let count = count.min(self.outbound.len());
        if count > 0 {
            self.spoke = now;
        }
        if let Some(gone) = self.outbound.get_mut(..count) {
            // The first of them may hold the password.
            zeroize::Zeroize::zeroize(gone);
        }
        self.outbound.drain(..count);
    }

    /// The next packet: a subscription or one message. Never more than one is encoded.
    fn fill(&mut self) -> Result<(), MqttError> {
        if !self.is_subscribed && self.subscribing.is_none() && !self.filters.is_empty() {
            self.is_subscribed = true;
            self.subscribing = Some(self.filters.len());
            return packet::subscribe(
                self.config.version,
                SUBSCRIBE_ID,
                &self.filters,
                &mut self.outbound,
            );
        }
        while let Some(entry) = self.outbox.next_unsent(self.on_the_way) {
            if entry.packet() > self.packet {
                let delivery = entry.delivery;
                self.outbox.give_up(delivery);
                self.events.push_back(Event::Rejected(delivery, PACKET_TOO_LARGE));
                continue;
            }
            entry.is_sent = true;
            let dup = entry.is_duplicate;
            return packet::publish(
                self.config.version,
                entry.id,
                dup,
                &entry.topic,
                &entry.payload,
                &mut self.outbound,
            );
        }
        Ok(())
    }

    /// How many bytes are taken at most. Zero: look for [events](Self::next) first.
    pub fn room(&self) -> usize {
        self.config.packet.saturating_sub(self.inbound.len())
    }

    /// Bytes of the server, at most [`room`](Self::room); says how many were taken.
    pub fn receive(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.get(..self.room()).unwrap_or(bytes);
        self.inbound.extend_from_slice(taken);
        taken.len()
    }

    /// What happened. Look until there is nothing, after everything received and now and then.
    ///
    /// # Errors
    /// The connection has no future: close it. [`MqttError::failure`] says what to wait for.
    pub fn next(&mut self, now: Millis) -> Result<Option<Event>, MqttError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            let decoded = match self.phase {
                Phase::Closed => return Ok(None),
                _ => packet::decode(self.config.version, &self.inbound, self.config.packet)?,
            };
            let Some((received, length)) = decoded else {
                return self.listen(now);
            };
            self.inbound.drain(..length);
            self.handle(received, now)?;
        }
    }

    fn listen(&self, now: Millis) -> Result<Option<Event>, MqttError> {
        let answer = Millis::from_secs(self.config.answer.into());
        match self.awaiting {
            Some(since) if now.since(since) >= answer => Err(MqttError::Silent),
            _ => Ok(None),
        }
    }

    fn handle(&mut self, received: Received, now: Millis) -> Result<(), MqttError> {
        match (self.phase, received) {
            (
                Phase::Opening,
                Received::Accepted {
                    resumed,
                    on_the_way,
                    packet,
                    keep_alive,
                },
            ) => {
                // §3.2.2.2: a server cannot resume what was never to be kept.
                if resumed && self.config.session == 0 {
                    return Err(MqttError::OutOfPlace);
                }
                self.phase = Phase::Open;
                self.on_the_way = self.config.on_the_way.min(on_the_way.unwrap_or(u16::MAX));
                let packet = packet.and_then(|packet| usize::try_from(packet).ok());
                self.packet = self.config.packet.min(packet.unwrap_or(usize::MAX));
                let keep_alive = match keep_alive {
                    // Zero is none at all (§3.1.2.10); ours stays, to notice a dead connection.
                    None | Some(0) => self.config.keep_alive,
                    Some(seconds) => self.config.keep_alive.min(seconds),
                };
                // A quarter to spare for the way.
                self.keep_alive = Millis(u64::from(keep_alive).saturating_mul(750));
                self.is_subscribed = resumed;
                self.outbox.rewind(resumed);
                self.events.push_back(Event::Connected { resumed });
            }
            (Phase::Opening | Phase::Open, Received::Ended(reason, place)) => {
                let elsewhere = matches!(reason, Reason::USE_ANOTHER_SERVER | Reason::SERVER_MOVED);
                return Err(match place {
                    Some(place) if elsewhere => {
                        self.elsewhere = Some(place);
                        MqttError::Elsewhere(reason)
                    }
                    _ => MqttError::Ended(reason),
                });
            }
            (Phase::Open, Received::Acknowledged(id, reason)) => self.acknowledged(id, reason)?,
            (Phase::Open, Received::Subscribed(SUBSCRIBE_ID, reasons)) => {
                if self.subscribing.take() != Some(reasons.len()) {
                    return Err(MqttError::OutOfPlace);
                }
                for (filter, reason) in self.filters.iter().zip(reasons) {
                    let filter = String::from(&**filter);
                    self.events.push_back(if reason.is_error() {
                        Event::Unsubscribed(filter, reason)
                    } else {
                        Event::Subscribed(filter)
                    });
                }
            }
            (Phase::Open, Received::Message { id, topic, payload }) => {
                if let Some(id) = id {
                    let most = packet::most_unacknowledged(self.config.version);
                    // §3.3.4: more than was allowed, or the same twice at once.
                    let is_new = !self.unacknowledged.contains(&id);
                    if !is_new || self.unacknowledged.len() >= most {
                        return Err(MqttError::OutOfPlace);
                    }
                    self.unacknowledged.push(id);
                }
                self.events
                    .push_back(Event::Message(Message { topic, payload, id }));
            }
            (Phase::Open, Received::Pong) => {}
            _ => return Err(MqttError::OutOfPlace),
        }
        // Whoever answers is alive. Something may still be awaited, from now on.
        let is_waiting = self.outbox.on_the_way() > 0 || self.subscribing.is_some();
        self.awaiting = is_waiting.then_some(now);
        Ok(())
    }

    fn acknowledged(&mut self, id: u16, reason: Reason) -> Result<(), MqttError> {
        if matches!(reason, Reason::QUOTA | Reason::RATE) {
            // The message stays, and comes again with the connection after the next wait.
            return Err(MqttError::Ended(reason));
        }
        let delivery = self.outbox.remove(id).ok_or(MqttError::OutOfPlace)?;
        self.events.push_back(if reason.is_error() {
            Event::Rejected(delivery, reason)
        } else {
            Event::Acknowledged(delivery)
        });
        Ok(())
    }

    /// Says goodbye: send what is left to send, then close.
    pub fn finish(&mut self) {
        if self.phase == Phase::Open {
            self.outbound.extend_from_slice(&packet::DISCONNECT);
        }
    }
}

iotsec_core::claim! {
    provisions: ["5.13-1B"],
    claims: "What an MQTT server must not say ends the connection, and a length above the limit is refused before anything is held",
    code: [Mqtt::next],
    tests: [
        "iotsec-net::mqtt::hostile::what_a_server_must_not_say_ends_the_connection",
        "iotsec-net::mqtt::hostile::a_length_above_the_limit_is_refused_before_anything_is_held",
    ],
}

/// Five of header, two of the identifier, one of no properties.
const SUBSCRIBE_HEAD: usize = 8;
/// What a server would say to it.
const PACKET_TOO_LARGE: Reason = Reason(0x95);
