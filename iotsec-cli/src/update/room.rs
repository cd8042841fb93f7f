use clap::Args;
use iotsec::update::Limits;

/// What the device has room for.
#[derive(Args)]
pub(crate) struct Room {
    /// Bytes of integrated payloads that the device has room for.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::DEFAULT.integrated)]
    pub(super) max_integrated: u32,
    /// Bytes of an envelope, integrated payloads aside, that the device has room for.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::DEFAULT.envelope)]
    max_envelope: u32,
}

impl Room {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            integrated: self.max_integrated,
            envelope: self.max_envelope,
            ..Limits::DEFAULT
        }
    }
}
