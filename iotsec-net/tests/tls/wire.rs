//! A network of two ends, in memory.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt,
    io::{self, Read, Write},
    rc::Rc,
};

use iotsec_core::{hal::Millis, input::Host};
use iotsec_net::tls::{Client, Handshake, Session, Step, TlsError};
use rustls::ServerConnection;

use crate::vector::NOW;

#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    is_closed: bool,
    /// Everything that ever went through.
    seen: Vec<u8>,
}

/// One end. It never waits.
#[derive(Clone, Debug)]
pub(crate) struct End {
    incoming: Rc<RefCell<Pipe>>,
    outgoing: Rc<RefCell<Pipe>>,
}

pub(crate) fn wire() -> (End, End) {
    let (a, b) = (Rc::<RefCell<Pipe>>::default(), Rc::<RefCell<Pipe>>::default());
    let one = End {
        incoming: a.clone(),
        outgoing: b.clone(),
    };
    (
        one,
        End {
            incoming: b,
            outgoing: a,
        },
    )
}

impl End {
    /// Nothing more will be written here.
    pub(crate) fn hang_up(&self) {
        self.outgoing.borrow_mut().is_closed = true;
    }

    /// What was sent from here.
    pub(crate) fn sent(&self) -> Vec<u8> {
        self.outgoing.borrow().seen.clone()
    }

    /// What waits to be read here, which is taken away.
    pub(crate) fn drain(&self) -> Vec<u8> {
        self.incoming.borrow_mut().bytes.drain(..).collect()
    }
}

impl Read for End {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut pipe = self.incoming.borrow_mut();
        if pipe.bytes.is_empty() && !pipe.is_closed {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        pipe.bytes.read(buffer)
    }
}

impl Write for End {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut pipe = self.outgoing.borrow_mut();
        pipe.bytes.extend(bytes);
        pipe.seen.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection and both its ends.
pub(crate) struct Link<S> {
    pub(crate) client: Session,
    pub(crate) client_end: End,
    pub(crate) server: S,
    pub(crate) server_end: End,
}

impl<S> fmt::Debug for Link<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// A server on a wire.
pub(crate) trait Peer {
    /// Reads and answers what there is.
    fn turn(&mut self, end: &mut End);
}

impl Peer for ServerConnection {
    fn turn(&mut self, end: &mut End) {
        while self.read_tls(end).is_ok_and(|read| read > 0) {
            // What is wrong is told to the client.
            let _ = self.process_new_packets();
        }
        while self.wants_write() {
            self.write_tls(end).unwrap();
        }
    }
}

/// A server that is a program: it gets what the client sent, and answers.
pub(crate) struct Script<F>(pub(crate) F);

impl<F: FnMut(&[u8]) -> Vec<u8>> Peer for Script<F> {
    fn turn(&mut self, end: &mut End) {
        let received = end.drain();
        let answer = (self.0)(&received);
        end.write_all(&answer).unwrap();
    }
}

/// Lets both speak until the client is done, a second for each turn.
pub(crate) fn finish<S: Peer>(mut handshake: Handshake, mut server: S) -> Result<Link<S>, TlsError> {
    let (mut client_end, mut server_end) = wire();
    for second in 1.. {
        handshake = match handshake.advance(&mut client_end, Millis::from_secs(second))? {
            Step::Done(client) => {
                server.turn(&mut server_end);
                return Ok(Link {
                    client,
                    client_end,
                    server,
                    server_end,
                });
            }
            Step::Pending(pending) => pending,
        };
        server.turn(&mut server_end);
    }
    unreachable!("a deadline comes before")
}

pub(crate) fn link<S: Peer>(client: &Client, host: &Host<'_>, server: S) -> Result<Link<S>, TlsError> {
    finish(client.start(host, NOW, Millis(0))?, server)
}
