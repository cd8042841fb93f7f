use crate::retry::Failure;

/// A reason code of MQTT 5 (§2.4). The return codes of 3.1.1 are told with those that mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reason(pub u8);

impl Reason {
    /// This, or a normal end.
    pub const SUCCESS: Self = Self(0x00);
    /// The version of the protocol is not served.
    pub const UNSUPPORTED_VERSION: Self = Self(0x84);
    /// The server does not like the client identifier.
    pub const CLIENT_ID: Self = Self(0x85);
    /// User name or password are wrong.
    pub const BAD_CREDENTIALS: Self = Self(0x86);
    /// Not allowed.
    pub const NOT_AUTHORIZED: Self = Self(0x87);
    /// Not available at the moment.
    pub const UNAVAILABLE: Self = Self(0x88);
    /// Busy.
    pub const BUSY: Self = Self(0x89);
    /// Barred by an administrator.
    pub const BANNED: Self = Self(0x8A);
    /// The server is being shut down.
    pub const SHUTTING_DOWN: Self = Self(0x8B);
    /// Another connection came with the same client identifier.
    pub const TAKEN_OVER: Self = Self(0x8E);
    /// Messages come too fast.
    pub const RATE: Self = Self(0x96);
    /// A quota is used up.
    pub const QUOTA: Self = Self(0x97);
    /// An administrator ended it.
    pub const ADMINISTRATIVE: Self = Self(0x98);
    /// Another server, for a while.
    pub const USE_ANOTHER_SERVER: Self = Self(0x9C);
    /// Another server, for good.
    pub const SERVER_MOVED: Self = Self(0x9D);
    /// Connections come too fast.
    pub const CONNECTION_RATE: Self = Self(0x9F);

    /// Whether it says that something went wrong (§2.4: 0x80 and above).
    pub const fn is_error(self) -> bool {
        self.0 >= 0x80
    }

    /// What a refused or ended connection means for the next attempt.
    ///
    /// ```
    /// use iotsec_net::{mqtt::Reason, retry::Failure};
    ///
    /// assert_eq!(Reason::BUSY.failure(), Failure::Busy { after: None });
    /// assert_eq!(Reason::QUOTA.failure(), Failure::TooOften { after: None });
    /// assert_eq!(Reason::NOT_AUTHORIZED.failure(), Failure::Refused);
    /// ```
    pub const fn failure(self) -> Failure {
        match self {
            Self::UNAVAILABLE
            | Self::BUSY
            | Self::SHUTTING_DOWN
            | Self::ADMINISTRATIVE
            | Self::USE_ANOTHER_SERVER => Failure::Busy { after: None },
            // Two with one identifier throw each other out, each at once after the other.
            Self::RATE | Self::QUOTA | Self::CONNECTION_RATE | Self::TAKEN_OVER => {
                Failure::TooOften { after: None }
            }
            // A normal end, trouble of the server's own, silence, and connections that it keeps short.
            Self(0x00..=0x80 | 0x83 | 0x8D | 0xA0) => Failure::Unreachable,
            // What is left says that this device or its packets are not right, or not wanted.
            Self(_) => Failure::Refused,
        }
    }
}
