use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    path::Path,
};

use super::{TpmError, command::Command, response::Response};

/// `TPM_RC_INITIALIZE`: it was started before.
const STARTED: u32 = 0x100;

/// A TPM 2.0 behind a device file or a socket: whatever takes a command with one write and gives the answer when
/// it is read.
///
/// ```
/// use iotsec_core::hal::linux::tpm::{Tpm, TpmError};
/// # use iotsec_testkit::Replay;
///
/// # let socket = Replay::new("> 80010000000c000001440000\n< 80010000000a00000000");
/// // On a device: `Tpm::open("/dev/tpmrm0".as_ref())`, which the kernel has started.
/// let mut tpm = Tpm::new(socket);
/// tpm.start()?;
/// # Ok::<(), TpmError>(())
/// ```
#[derive(Debug)]
pub struct Tpm<T> {
    transport: T,
}

impl Tpm<File> {
    /// Opens a device file; `/dev/tpmrm0` is the one through which several processes can work at once.
    ///
    /// # Errors
    /// [`TpmError::Io`].
    pub fn open(path: &Path) -> Result<Self, TpmError> {
        Ok(Self::new(OpenOptions::new().read(true).write(true).open(path)?))
    }
}

impl<T: Read + Write> Tpm<T> {
    /// Over a connection of one's own.
    pub const fn new(transport: T) -> Self {
        Self { transport }
    }

    /// Starts a TPM that no firmware and no kernel has started: a simulator. Does nothing to one that is.
    ///
    /// # Errors
    /// [`TpmError::Io`], [`TpmError::Response`], [`TpmError::Refused`].
    pub fn start(&mut self) -> Result<(), TpmError> {
        match self.call(Command::startup()) {
            Ok(_) | Err(TpmError::Refused(STARTED)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sends a command and reads the answer, which says success.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "a command is wiped when it was sent"
    )]
    pub(super) fn call(&mut self, mut command: Command) -> Result<Response, TpmError> {
        let tag = command.tag();
        // One write: a device takes what it is given for a whole command.
        self.transport.write_all(command.finish()?)?;
        self.transport.flush()?;
        Response::read(&mut self.transport, tag)
    }

    /// Takes an object out of the TPM's memory, in which there is room for three.
    pub(super) fn flush(&mut self, object: u32) -> Result<(), TpmError> {
        self.call(Command::flush(object)).map(drop)
    }
}
