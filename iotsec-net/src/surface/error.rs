use iotsec_core::error::{ErrorCode, Fault};

/// A declaration breaks a rule of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// No interface, or too many.
    #[error("{}", self.message())]
    Count,
    /// An id is empty, too long, or has other characters than lower-case letters, digits and hyphens.
    #[error("{}", self.message())]
    Id,
    /// Two interfaces have the same id.
    #[error("{}", self.message())]
    Duplicate,
    /// A purpose is empty or too long.
    #[error("{}", self.message())]
    Purpose,
    /// A port is zero.
    #[error("{}", self.message())]
    Port,
    /// The name of an endpoint is not a host name in lower case, or is a pattern or an address.
    #[error("{}", self.message())]
    Host,
    /// The path of a service is empty or too long.
    #[error("{}", self.message())]
    Path,
    /// Two services listen on the same port, path or protocol.
    #[error("{}", self.message())]
    SameSocket,
    /// A service discloses the same fact twice.
    #[error("{}", self.message())]
    Disclosure,
    /// An interface is there in no phase of the device's life.
    #[error("{}", self.message())]
    Never,
}

impl TableError {
    /// The text, for a message while compiling.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Count => "a table has 1 to 64 interfaces",
            Self::Id => "an id has 1 to 32 lower-case letters, digits and hyphens",
            Self::Duplicate => "two interfaces have the same id",
            Self::Purpose => "a purpose has 1 to 200 bytes",
            Self::Port => "a port is 1 to 65535",
            Self::Host => "an endpoint is a host name in lower case, without patterns, and not an address",
            Self::Path => "the path of a service has 1 to 107 bytes",
            Self::SameSocket => "two services listen on the same socket",
            Self::Disclosure => "a service discloses the same fact twice",
            Self::Never => "an interface is there in no phase",
        }
    }
}

impl ErrorCode for TableError {
    fn code(&self) -> u16 {
        match self {
            Self::Count => 5301,
            Self::Id => 5302,
            Self::Duplicate => 5303,
            Self::Purpose => 5304,
            Self::Port => 5305,
            Self::Host => 5306,
            Self::Path => 5307,
            Self::SameSocket => 5308,
            Self::Disclosure => 5309,
            Self::Never => 5310,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Misuse
    }
}

/// An interface was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SurfaceError {
    /// The table has no interface of this id.
    #[error("interface not declared")]
    Undeclared,
    /// The interface is of another kind: a service where an endpoint is asked for, or the reverse.
    #[error("interface declared as another kind")]
    Kind,
    /// The endpoint is another host.
    #[error("host not declared for this interface")]
    Host,
    /// The endpoint has another port.
    #[error("port not declared for this interface")]
    Port,
    /// The device does not have the interface in this phase of its life.
    #[error("interface closed in this phase")]
    Phase,
    /// The software was changed, and the interface neither raises the alarm nor brings good software.
    #[error("interface closed under least connectivity")]
    LeastConnectivity,
    /// The address is wider than the declared scope.
    #[error("address wider than declared")]
    Scope,
}

impl ErrorCode for SurfaceError {
    fn code(&self) -> u16 {
        match self {
            Self::Undeclared => 5321,
            Self::Kind => 5322,
            Self::Host => 5323,
            Self::Port => 5324,
            Self::Phase => 5325,
            Self::LeastConnectivity => 5326,
            Self::Scope => 5327,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Misuse
    }
}
