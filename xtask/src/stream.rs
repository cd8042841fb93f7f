//! Plain sockets and real time, for what is tried with servers of others.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use iotsec::{
    core::{
        credential::StorageError,
        hal::{Millis, Uptime},
    },
    net::retry::{Failure, Retry, RetryStorage},
};

/// Time since the task began.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Uptime for Clock {
    fn uptime(&self) -> Millis {
        Millis(u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

/// A record that lasts as long as this process.
#[derive(Default)]
pub(crate) struct Memory(Option<[u8; Retry::LEN]>);

impl RetryStorage for Memory {
    fn load(&mut self, record: &mut [u8; Retry::LEN]) -> Result<Option<usize>, StorageError> {
        Ok(self.0.map(|kept| {
            *record = kept;
            kept.len()
        }))
    }
    fn save(&mut self, record: &[u8; Retry::LEN]) -> Result<(), StorageError> {
        self.0 = Some(*record);
        Ok(())
    }
}

/// A socket on which nothing waits longer than `pause`; without one, nothing waits.
pub(crate) fn dial(address: SocketAddr, pause: Option<Duration>) -> Result<TcpStream, Failure> {
    let open = || -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_nodelay(true)?;
        match pause {
            Some(_) => {
                stream.set_read_timeout(pause)?;
                stream.set_write_timeout(pause)?;
            }
            None => stream.set_nonblocking(true)?,
        }
        Ok(stream)
    };
    open().map_err(|_| Failure::Unreachable)
}
