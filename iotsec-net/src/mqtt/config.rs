use std::{fmt, string::String, sync::Arc, vec::Vec};

use zeroize::Zeroizing;

use super::MqttError;

/// Which MQTT is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// MQTT 3.1.1 (ISO/IEC 20922), for servers that know nothing newer.
    V311,
    /// MQTT 5.0 (OASIS), which says why.
    #[default]
    V5,
}

/// What a client says of itself, and its limits.
///
/// | part | default | bounds |
/// |---|---:|---|
/// | keep-alive | 60 s | 5 s to 18 h |
/// | time for an answer | 20 s | 1 s to 10 min |
/// | session kept by the server | none | 0 to 30 days |
/// | messages that await acknowledgement | 32 | 1 to 1,000 |
/// | of these on the way at once | 8 | 1 to 100 |
/// | their bytes, topics included | 64 KiB | 1 KiB to 16 MiB |
/// | largest packet, either way | 16 KiB | 128 bytes to 1 MiB |
///
/// A client holds at most these bytes, three packets (one read, one written, one given to the application) and its
/// subscriptions.
#[derive(Clone)]
pub struct MqttConfig {
    pub(super) version: Version,
    pub(super) client_id: Arc<str>,
    pub(super) user: Option<Arc<str>>,
    pub(super) password: Option<Zeroizing<Vec<u8>>>,
    pub(super) keep_alive: u16,
    pub(super) answer: u16,
    pub(super) session: u32,
    pub(super) messages: usize,
    pub(super) on_the_way: u16,
    pub(super) bytes: usize,
    pub(super) packet: usize,
}

impl MqttConfig {
    /// For a client of this name: 1 to 128 letters, digits and `-._:`, different for every device. The certificate says
    /// who the device is; the name only tells its connections apart.
    ///
    /// ```
    /// use iotsec_net::mqtt::{MqttConfig, MqttError};
    ///
    /// MqttConfig::new("lamp-0042")?.with_keep_alive(120)?.with_packet(8 * 1024)?;
    /// assert_eq!(MqttConfig::new("lamp/0042").err(), Some(MqttError::Config));
    /// # Ok::<(), MqttError>(())
    /// ```
    ///
    /// # Errors
    /// [`MqttError::Config`].
    pub fn new(client_id: &str) -> Result<Self, MqttError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
        if !(1..=128).contains(&client_id.len()) || !client_id.bytes().all(allowed) {
            return Err(MqttError::Config);
        }
        Ok(Self {
            version: Version::V5,
            client_id: client_id.into(),
            user: None,
            password: None,
            keep_alive: 60,
            answer: 20,
            session: 0,
            messages: 32,
            on_the_way: 8,
            bytes: 64 * 1024,
            packet: 16 * 1024,
        })
    }

    /// Speaks this version.
    #[must_use]
    pub fn with_version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// A user name of 1 to 256 bytes without control characters, and a password of at most 4,096 bytes. For servers
    /// that do not look at client certificates.
    ///
    /// # Errors
    /// [`MqttError::Config`].
    pub fn with_password(self, user: &str, password: Zeroizing<Vec<u8>>) -> Result<Self, MqttError> {
        if user.is_empty() || user.len() > 256 || user.chars().any(char::is_control) || password.len() > 4096
        {
            return Err(MqttError::Config);
        }
        Ok(Self {
            user: Some(user.into()),
            password: Some(password),
            ..self
        })
    }

    /// Says something after so many seconds of silence. A server may shorten it (MQTT 5 §3.2.2.3.14).
    ///
    /// # Errors
    /// [`MqttError::Config`].
    pub fn with_keep_alive(self, keep_alive: u16) -> Result<Self, MqttError> {
        within(keep_alive, 5, 64_800)?;
        Ok(Self { keep_alive, ..self })
    }

    /// Gives the server so many seconds for an answer; after that the connection is dead.
    ///
    /// # Errors
    /// [`MqttError::Config`].
    pub fn with_answer_within(self, answer: u16) -> Result<Self, MqttError> {
        within(answer, 1, 600)?;
        Ok(Self { answer, ..self })
    }

    /// Asks the server to keep subscriptions, and messages for them, so many seconds after a connection ends. MQTT
    /// 3.1.1 has no time for it: anything but zero asks for a session that stays.
    ///
    /// # Errors
    /// [`MqttError::Config`].
    pub fn with_session(self, session: u32) -> Result<Self, MqttError> {
        within(session, 0, 30 * 86_400)?;
        Ok(Self { session, ..self })
    }

    /// Holds at most so many messages and so many bytes of them until they are acknowledged, and sends so many of them
    /// before it waits for an acknowledgement.
    ///
    /// # Errors
    /// [`MqttError::Config`].
    pub fn with_outbox(self, messages: usize, bytes: usize, on_the_way: u16) -> Result<Self, MqttError> {
        within(messages, 1, 1_000)?;
        within(bytes, 1024, 16 * 1024 * 1024)?;
        within(on_the_way, 1, 100)?;
        Ok(Self {
            messages,
            bytes,
            on_the_way,
            ..self
        })
    }

    /// Neither sends nor takes a packet above so many bytes.
    ///
    /// # Errors
    /// [`MqttError::Config`].
    pub fn with_packet(self, packet: usize) -> Result<Self, MqttError> {
        within(packet, 128, 1024 * 1024)?;
        Ok(Self { packet, ..self })
    }

    /// The name of the client.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }
}

fn within<T: PartialOrd + Copy>(value: T, least: T, most: T) -> Result<(), MqttError> {
    if value < least || value > most {
        return Err(MqttError::Config);
    }
    Ok(())
}

impl fmt::Debug for MqttConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttConfig")
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("user", &self.user.as_ref().map(|_| String::from("..")))
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}
