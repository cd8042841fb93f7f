//! Messages over MQTT 5 and 3.1.1.
//!
//! Packets are read and written by the crate `mqtt-proto`; which of them may come when, how large and how many, and
//! what is sent again, is decided here, without a socket, a clock or a thread.
//!
//! | step | what it guarantees |
//! |---|---|
//! | [`MqttConfig`] | limits on messages, bytes and packets, each way |
//! | [`Mqtt`] | the protocol: QoS 1 in order, nothing dropped before it is acknowledged, bounded memory |
//! | [`Link`] | connects when [`retry`](crate::retry) says so, to servers of a list, and drives the protocol over a stream |
//!
//! What goes in is bytes, what comes out are acknowledgements: the batches of `iotsec-telemetry`, envelopes for
//! `iotsec-update`, or anything else; and any other client can take the place of this one.
//!
//! ```
//! use iotsec_core::{hal::Millis, input::MqttTopic};
//! use iotsec_net::mqtt::{Event, Mqtt, MqttConfig};
//!
//! let mut mqtt = Mqtt::new(MqttConfig::new("lamp-0042")?);
//! let batch = mqtt.publish(MqttTopic::parse(b"telemetry/lamp-0042")?, b"sealed")?;
//! mqtt.open(Millis(0))?; // a connection stands
//! let sent = mqtt.to_send(Millis(0))?.len(); // written to it: CONNECT
//! mqtt.sent(sent, Millis(0));
//! mqtt.receive(&[0x20, 3, 0, 0, 0]); // read from it: CONNACK
//! assert_eq!(mqtt.next(Millis(5))?, Some(Event::Connected { resumed: false }));
//! let sent = mqtt.to_send(Millis(5))?.len(); // PUBLISH
//! mqtt.sent(sent, Millis(5));
//! mqtt.receive(&[0x40, 2, 0, 1]); // PUBACK
//! assert_eq!(mqtt.next(Millis(9))?, Some(Event::Acknowledged(batch)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod error;
mod link;
mod outbox;
mod packet;
mod reason;
mod session;

pub use config::{MqttConfig, Version};
pub use error::MqttError;
pub use link::{Link, Step};
pub use outbox::Delivery;
pub use reason::Reason;
pub use session::{Event, Message, Mqtt};
