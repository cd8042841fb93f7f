//! Packets of both versions in one form. The bytes are read and written by `mqtt-proto`; the bounds are ours.

use std::{string::String, sync::Arc, vec::Vec};

use bytes::Bytes;
use iotsec_core::input::MqttTopic;
use mqtt_proto::{Pid, PollHeader, QoS, QosPid, TopicFilter, TopicName, v3, v5};

use super::{MqttConfig, MqttError, Reason, Version};

/// What a server may say to a client that publishes and subscribes with QoS 0 and 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    Accepted {
        resumed: bool,
        on_the_way: Option<u16>,
        packet: Option<u32>,
        keep_alive: Option<u16>,
    },
    /// A refused connection or a disconnection, and where to go instead.
    Ended(Reason, Option<Arc<str>>),
    Acknowledged(u16, Reason),
    Subscribed(u16, Vec<Reason>),
    Message {
        id: Option<u16>,
        topic: String,
        payload: Bytes,
    },
    Pong,
}

/// A packet at the beginning of `bytes`, and how many of them it takes; `None` while it is not whole.
///
/// The length is judged before anything is waited for, or allocated.
pub(super) fn decode(
    version: Version,
    bytes: &[u8],
    limit: usize,
) -> Result<Option<(Received, usize)>, MqttError> {
    let Some((first, remaining, head)) = header(bytes)? else {
        return Ok(None);
    };
    let body_len = usize::try_from(remaining).map_err(|_| MqttError::Oversized)?;
    let total = head.saturating_add(body_len);
    if total > limit {
        return Err(MqttError::Oversized);
    }
    let Some(body) = bytes.get(head..total) else {
        return Ok(None);
    };
    let total_len = u32::try_from(total).map_err(|_| MqttError::Oversized)?;
    let received = match version {
        Version::V5 => {
            let header =
                v5::Header::new_with(first, remaining, total_len).map_err(|_| MqttError::Malformed)?;
            decode_v5(header, body)?
        }
        Version::V311 => {
            let header =
                v3::Header::new_with(first, remaining, total_len).map_err(|_| MqttError::Malformed)?;
            decode_v311(header, body)?
        }
    };
    Ok(Some((received, total)))
}

/// First byte, remaining length, and the bytes that these take (MQTT 5 §2.1.4).
fn header(bytes: &[u8]) -> Result<Option<(u8, u32, usize)>, MqttError> {
    let Some((first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let mut remaining = 0_u32;
    for (place, byte) in rest.iter().take(4).enumerate() {
        let shift = u32::try_from(place).unwrap_or(u32::MAX).saturating_mul(7);
        let part = u32::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
        remaining |= part;
        if byte & 0x80 == 0 {
            // One encoding for each length (§1.5.5): no leading zero groups.
            if *byte == 0 && place > 0 {
                return Err(MqttError::Malformed);
            }
            return Ok(Some((*first, remaining, place.saturating_add(2))));
        }
    }
    if rest.len() < 4 {
        Ok(None)
    } else {
        Err(MqttError::Malformed)
    }
}

fn decode_v5(header: v5::Header, body: &[u8]) -> Result<Received, MqttError> {
    use v5::{Packet, PacketType};
    let packet = match header.typ {
        PacketType::Pingresp if body.is_empty() => return Ok(Received::Pong),
        PacketType::Connack
        | PacketType::Publish
        | PacketType::Puback
        | PacketType::Suback
        | PacketType::Disconnect => whole(body, |offset| header.decode_buffer(body, offset))?,
        _ => return Err(MqttError::OutOfPlace),
    };
    match packet {
        Packet::Connack(connack) if connack.reason_code == v5::ConnectReasonCode::Success => {
            let limits = connack.properties;
            if limits.receive_max == Some(0) || limits.max_packet_size == Some(0) {
                return Err(MqttError::Malformed);
            }
            // A server that takes no acknowledged messages loses them.
            if limits.max_qos == Some(QoS::Level0) {
                return Ok(Received::Ended(Reason(0x9B), None));
            }
            Ok(Received::Accepted {
                resumed: connack.session_present,
                on_the_way: limits.receive_max,
                packet: limits.max_packet_size,
                keep_alive: limits.server_keep_alive,
            })
        }
        Packet::Connack(connack) => {
            let reason = Reason(code(body, 1)?);
            Ok(Received::Ended(reason, connack.properties.server_reference))
        }
        Packet::Disconnect(disconnect) => {
            let reason = Reason(body.first().copied().unwrap_or(0));
            Ok(Received::Ended(reason, disconnect.properties.server_reference))
        }
        // §3.4.2.1: a reason that is left out is success.
        Packet::Puback(puback) => Ok(Received::Acknowledged(
            puback.pid.value(),
            Reason(body.get(2).copied().unwrap_or(0)),
        )),
        Packet::Suback(suback) => {
            let codes = body.len().checked_sub(suback.topics.len());
            let codes = codes
                .and_then(|start| body.get(start..))
                .ok_or(MqttError::Malformed)?;
            Ok(Received::Subscribed(
                suback.pid.value(),
                codes.iter().copied().map(Reason).collect(),
            ))
        }
        Packet::Publish(publish) => message(publish.qos_pid, &publish.topic_name, publish.payload),
        _ => Err(MqttError::OutOfPlace),
    }
}

fn decode_v311(header: v3::Header, body: &[u8]) -> Result<Received, MqttError> {
    use v3::{Packet, PacketType};
    let packet = match header.typ {
        PacketType::Pingresp if body.is_empty() => return Ok(Received::Pong),
        PacketType::Connack | PacketType::Publish | PacketType::Puback | PacketType::Suback => {
            whole(body, |offset| header.decode_buffer(body, offset))?
        }
        _ => return Err(MqttError::OutOfPlace),
    };
    match packet {
        Packet::Connack(connack) => {
            use v3::ConnectReturnCode as Code;
            let reason = match connack.code {
                Code::Accepted => {
                    return Ok(Received::Accepted {
                        resumed: connack.session_present,
                        on_the_way: None,
                        packet: None,
                        keep_alive: None,
                    });
                }
                Code::UnacceptableProtocolVersion => Reason::UNSUPPORTED_VERSION,
                Code::IdentifierRejected => Reason::CLIENT_ID,
                Code::ServerUnavailable => Reason::UNAVAILABLE,
                Code::BadUserNameOrPassword => Reason::BAD_CREDENTIALS,
                Code::NotAuthorized => Reason::NOT_AUTHORIZED,
            };
            Ok(Received::Ended(reason, None))
        }
        Packet::Puback(pid) => Ok(Received::Acknowledged(pid.value(), Reason::SUCCESS)),
        Packet::Suback(suback) => {
            let codes = body.get(2..).ok_or(MqttError::Malformed)?;
            Ok(Received::Subscribed(
                suback.pid.value(),
                codes.iter().copied().map(Reason).collect(),
            ))
        }
        Packet::Publish(publish) => message(publish.qos_pid, &publish.topic_name, publish.payload),
        _ => Err(MqttError::OutOfPlace),
    }
}

/// Bytes that nobody read are no part of the packet.
fn whole<P, E>(body: &[u8], decode: impl FnOnce(&mut usize) -> Result<P, E>) -> Result<P, MqttError> {
    let mut offset = 0;
    match decode(&mut offset) {
        Ok(packet) if offset == body.len() => Ok(packet),
        _ => Err(MqttError::Malformed),
    }
}

fn code(body: &[u8], place: usize) -> Result<u8, MqttError> {
    body.get(place).copied().ok_or(MqttError::Malformed)
}

fn message(qos: QosPid, topic: &str, payload: Bytes) -> Result<Received, MqttError> {
    let id = match qos {
        QosPid::Level0 => None,
        QosPid::Level1(pid) => Some(pid.value()),
        // Never asked for.
        QosPid::Level2(_) => return Err(MqttError::OutOfPlace),
    };
    let topic = MqttTopic::parse(topic.as_bytes()).map_err(|_| MqttError::Malformed)?;
    Ok(Received::Message {
        id,
        topic: topic.as_str().into(),
        payload,
    })
}

pub(super) fn connect(config: &MqttConfig, out: &mut Vec<u8>) -> Result<(), MqttError> {
    // Wiped when the packet is dropped.
    let password = config.password.clone().map(Bytes::from_owner);
    match config.version {
        Version::V5 => {
            let mut connect = v5::Connect::new(config.client_id.clone(), config.keep_alive);
            connect.clean_start = config.session == 0;
            connect.username.clone_from(&config.user);
            connect.password = password;
            connect.properties.session_expiry_interval = Some(config.session);
            connect.properties.receive_max = Some(RECEIVE_MAX);
            connect.properties.max_packet_size = u32::try_from(config.packet).ok();
            connect.properties.request_problem_info = Some(false);
            put(out, v5::Packet::Connect(connect).encode())
        }
        Version::V311 => {
            let mut connect = v3::Connect::new(config.client_id.clone(), config.keep_alive);
            connect.clean_session = config.session == 0;
            connect.username.clone_from(&config.user);
            connect.password = password;
            put(out, v3::Packet::Connect(connect).encode())
        }
    }
}

/// Messages that the application has not acknowledged yet. More make the server wait (MQTT 5 §3.1.2.11.3).
const RECEIVE_MAX: u16 = 8;

/// How many messages a server may send without an acknowledgement. That of 3.1.1 cannot be told; the common ones stop
/// at 20 (mosquitto), 32 (EMQX) and 1,024 (NATS). What is kept of each is its identifier.
pub(super) const fn most_unacknowledged(version: Version) -> usize {
    match version {
        Version::V5 => 8,
        Version::V311 => 1024,
    }
}

pub(super) fn publish(
    version: Version,
    pid: u16,
    dup: bool,
    topic: &TopicName,
    payload: &Bytes,
    out: &mut Vec<u8>,
) -> Result<(), MqttError> {
    let qos = QosPid::Level1(packet_id(pid)?);
    match version {
        Version::V5 => {
            let mut publish = v5::Publish::new(qos, topic.clone(), payload.clone());
            publish.dup = dup;
            put(out, v5::Packet::Publish(publish).encode())
        }
        Version::V311 => {
            let mut publish = v3::Publish::new(qos, topic.clone(), payload.clone());
            publish.dup = dup;
            put(out, v3::Packet::Publish(publish).encode())
        }
    }
}

pub(super) fn acknowledge(version: Version, pid: u16, out: &mut Vec<u8>) -> Result<(), MqttError> {
    let pid = packet_id(pid)?;
    match version {
        Version::V5 => put(out, v5::Packet::Puback(v5::Puback::new_success(pid)).encode()),
        Version::V311 => put(out, v3::Packet::Puback(pid).encode()),
    }
}

pub(super) fn subscribe(
    version: Version,
    pid: u16,
    filters: &[TopicFilter],
    out: &mut Vec<u8>,
) -> Result<(), MqttError> {
    let pid = packet_id(pid)?;
    let filters = filters.iter().cloned();
    match version {
        Version::V5 => {
            let topics = filters
                .map(|filter| (filter, v5::SubscriptionOptions::new(QoS::Level1)))
                .collect();
            put(
                out,
                v5::Packet::Subscribe(v5::Subscribe::new(pid, topics)).encode(),
            )
        }
        Version::V311 => {
            let topics = filters.map(|filter| (filter, QoS::Level1)).collect();
            put(
                out,
                v3::Packet::Subscribe(v3::Subscribe::new(pid, topics)).encode(),
            )
        }
    }
}

/// The same in both versions.
pub(super) const PING: [u8; 2] = [0xC0, 0];
/// A normal end, likewise.
pub(super) const DISCONNECT: [u8; 2] = [0xE0, 0];

fn packet_id(pid: u16) -> Result<Pid, MqttError> {
    Pid::try_from(pid).map_err(|_| MqttError::Config)
}

fn put<E>(out: &mut Vec<u8>, encoded: Result<mqtt_proto::VarBytes, E>) -> Result<(), MqttError> {
    let encoded = encoded.map_err(|_| MqttError::TooLarge)?;
    out.extend_from_slice(encoded.as_ref());
    if let mqtt_proto::VarBytes::Dynamic(mut bytes) = encoded {
        // One of them holds the password.
        zeroize::Zeroize::zeroize(&mut bytes);
    }
    Ok(())
}
