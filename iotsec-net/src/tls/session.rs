use std::{
    boxed::Box,
    fmt,
    io::{ErrorKind, Read, Write},
    sync::Arc,
};

use iotsec_core::hal::Millis;
use rustls::{Connection, ProtocolVersion};

use super::{Alpn, Limits, MAX_HANDSHAKE_LEN, Provider, TlsError, identity::Presenter, limits::SEND_BUFFER};

/// A handshake that goes on. Only its end gives a [`Session`], so nothing can be said before.
pub struct Handshake {
    tls: Box<Connection>,
    alpn: Alpn,
    limits: Limits,
    provider: Provider,
    presenter: Option<Arc<Presenter>>,
    deadline: Millis,
    received: usize,
}

/// Where a handshake is.
#[derive(Debug)]
pub enum Step {
    /// It goes on: wait until the stream has bytes or room, and advance it again.
    Pending(Handshake),
    /// It is done.
    Done(Session),
}

impl Handshake {
    pub(super) fn new(
        mut tls: Connection,
        alpn: Alpn,
        limits: Limits,
        provider: Provider,
        presenter: Option<Arc<Presenter>>,
        now: Millis,
    ) -> Self {
        tls.set_buffer_limit(Some(SEND_BUFFER));
        Self {
            tls: Box::new(tls),
            alpn,
            limits,
            provider,
            presenter,
            deadline: Millis(now.0.saturating_add(limits.handshake.0)),
            received: 0,
        }
    }

    /// When it is given up, since boot.
    pub const fn deadline(&self) -> Millis {
        self.deadline
    }

    /// Whether it has something to send. Otherwise it waits for the peer.
    pub fn wants_write(&self) -> bool {
        self.tls.wants_write()
    }

    /// Sends what there is to send, and reads once. A stream that would block is left alone.
    ///
    /// # Errors
    /// [`TlsError`]; the peer is told why where the protocol has a word for it.
    pub fn advance<S: Read + Write + ?Sized>(
        mut self,
        stream: &mut S,
        now: Millis,
    ) -> Result<Step, TlsError> {
        if now >= self.deadline {
            return Err(TlsError::Deadline);
        }
        send(&mut self.tls, stream)?;
        if self.tls.is_handshaking() && self.tls.wants_read() {
            match receive(&mut self.tls, stream) {
                Ok(0) => return Err(TlsError::Cut),
                Ok(received) => self.received = self.received.saturating_add(received),
                Err(TlsError::Blocked) => {}
                Err(error) => return Err(error),
            }
            // What was received does not get to what is sent before it is judged.
            self.check()?;
            send(&mut self.tls, stream)?;
        }
        if self.tls.is_handshaking() || self.tls.wants_write() {
            return Ok(Step::Pending(self));
        }
        Ok(Step::Done(Session::new(self.tls, self.limits, now)))
    }

    fn check(&self) -> Result<(), TlsError> {
        let is_end = !self.tls.is_handshaking();
        if let Some(presenter) = &self.presenter {
            presenter.check(is_end)?;
        }
        if !is_end {
            let is_short = self.received <= MAX_HANDSHAKE_LEN;
            return is_short.then_some(()).ok_or(TlsError::HandshakeLength);
        }
        self.alpn.accepts(self.tls.alpn_protocol())?;
        let is_good = match self.tls.negotiated_key_exchange_group() {
            Some(group) => self.provider.accepts(group.name()),
            None => false,
        };
        is_good.then_some(()).ok_or(TlsError::PostQuantum)
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// TLS 1.2, where the application asked for it.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// A peer that was verified, and bytes that nobody else reads or changes.
///
/// It works on any stream, which each call is given. Time is since boot.
pub struct Session {
    tls: Box<Connection>,
    limits: Limits,
    used: u64,
    refreshed: Millis,
    refreshes: u32,
    /// What ended it.
    failed: Option<TlsError>,
}

impl Session {
    fn new(tls: Box<Connection>, limits: Limits, now: Millis) -> Self {
        Self {
            tls,
            limits,
            used: 0,
            refreshed: now,
            refreshes: 0,
            failed: None,
        }
    }

    /// Does something unless the session has failed, and remembers whether it has.
    fn unless_failed<T>(
        &mut self,
        action: impl FnOnce(&mut Self) -> Result<T, TlsError>,
    ) -> Result<T, TlsError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        action(self).inspect_err(|error| {
            if *error != TlsError::Blocked {
                self.failed = Some(*error);
            }
        })
    }

    /// Reads what the peer said. Zero bytes: it has ended the connection. After any error but [`TlsError::Blocked`] the
    /// session is over, and each call gives that error again.
    ///
    /// # Errors
    /// [`TlsError::Blocked`] when the stream has none now; [`TlsError::Cut`] when it ended and the peer had not.
    pub fn read<S: Read + Write + ?Sized>(
        &mut self,
        stream: &mut S,
        buffer: &mut [u8],
        now: Millis,
    ) -> Result<usize, TlsError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.unless_failed(|session| session.read_some(stream, buffer, now))
    }

    fn read_some<S: Read + Write + ?Sized>(
        &mut self,
        stream: &mut S,
        buffer: &mut [u8],
        now: Millis,
    ) -> Result<usize, TlsError> {
        loop {
            match self.tls.reader().read(buffer) {
                Ok(read) => {
                    self.count(read);
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(TlsError::from_stream(&error)),
            }
            self.refresh(now)?;
            send(&mut self.tls, stream)?;
            receive(&mut self.tls, stream)?;
            send(&mut self.tls, stream)?;
        }
    }

    /// Says something, of which as many bytes are taken as there is room for. What is taken is sent by this call, or by
    /// the next one or [`flush`](Self::flush).
    ///
    /// # Errors
    /// [`TlsError::Blocked`] when there is room for nothing.
    pub fn write<S: Read + Write + ?Sized>(
        &mut self,
        stream: &mut S,
        bytes: &[u8],
        now: Millis,
    ) -> Result<usize, TlsError> {
        self.unless_failed(|session| session.write_some(stream, bytes, now))
    }

    fn write_some<S: Read + Write + ?Sized>(
        &mut self,
        stream: &mut S,
        bytes: &[u8],
        now: Millis,
    ) -> Result<usize, TlsError> {
        self.refresh(now)?;
        send(&mut self.tls, stream)?;
        let taken = self.tls.writer().write(bytes);
        let taken = taken.map_err(|error| TlsError::from_stream(&error))?;
        if taken == 0 && !bytes.is_empty() {
            return Err(TlsError::Blocked);
        }
        self.count(taken);
        send(&mut self.tls, stream)?;
        Ok(taken)
    }

    /// Sends what was taken.
    ///
    /// # Errors
    /// [`TlsError::Blocked`] when there is no room for all of it.
    pub fn flush<S: Read + Write + ?Sized>(&mut self, stream: &mut S) -> Result<(), TlsError> {
        self.unless_failed(|session| match send(&mut session.tls, stream)? {
            true => Ok(()),
            false => Err(TlsError::Blocked),
        })
    }

    /// Tells the peer that nothing more comes (RFC 8446 §6.1).
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn close<S: Read + Write + ?Sized>(&mut self, stream: &mut S) -> Result<(), TlsError> {
        self.tls.send_close_notify();
        self.flush(stream)
    }

    /// Whether bytes wait to be sent.
    pub fn wants_write(&self) -> bool {
        self.tls.wants_write()
    }

    /// The version that both speak.
    pub fn version(&self) -> Version {
        match self.tls.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => Version::Tls13,
            _ => Version::Tls12,
        }
    }

    /// The number of the cipher suite in the TLS registry.
    pub fn cipher_suite(&self) -> Option<u16> {
        self.tls
            .negotiated_cipher_suite()
            .map(|suite| suite.suite().into())
    }

    /// The number of the group of the key exchange in the TLS registry: 29 X25519, 23 P-256, 4588 X25519MLKEM768.
    pub fn group(&self) -> Option<u16> {
        self.tls
            .negotiated_key_exchange_group()
            .map(|group| group.name().into())
    }

    /// The protocol that is spoken inside.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.tls.alpn_protocol()
    }

    /// The certificate of the peer in DER, or its key where there are [raw keys](super::RawKeys).
    pub fn peer_certificate(&self) -> Option<&[u8]> {
        self.tls.peer_certificates()?.first().map(AsRef::as_ref)
    }

    /// How often this side has asked for new keys.
    pub const fn refreshes(&self) -> u32 {
        self.refreshes
    }

    fn count(&mut self, bytes: usize) {
        self.used = self.used.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Takes new keys when the old ones have been used for long, and asks the peer to (RFC 8446 §4.6.3).
    fn refresh(&mut self, now: Millis) -> Result<(), TlsError> {
        let is_due = self.used >= self.limits.refresh_bytes
            || now.since(self.refreshed).0 >= self.limits.refresh_after.0;
        if is_due && self.version() == Version::Tls13 {
            self.tls.refresh_traffic_keys()?;
            self.refreshes = self.refreshes.saturating_add(1);
            (self.used, self.refreshed) = (0, now);
        }
        Ok(())
    }
}

iotsec_core::claim! {
    provisions: ["5.5-6", "5.5-7", "5.8-1", "5.8-2"],
    claims: "What goes through a TLS session is seen by nobody between, and bytes that were changed end the connection",
    code: [Session::write],
    tests: [
        "iotsec-net::tls::session::bytes_come_out_as_they_went_in_and_nobody_sees_them",
        "iotsec-net::tls::session::bytes_that_were_changed_end_the_connection",
    ],
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

/// Reads once, and understands what came. [`TlsError::Blocked`] when nothing did.
fn receive<S: Read + Write + ?Sized>(tls: &mut Connection, stream: &mut S) -> Result<usize, TlsError> {
    let received = tls
        .read_tls(&mut &mut *stream)
        .map_err(|error| TlsError::from_stream(&error))?;
    match tls.process_new_packets() {
        Ok(_) => Ok(received),
        Err(error) => {
            // The alert is a courtesy. What is wrong is the error.
            let _ = send(tls, stream);
            Err(error.into())
        }
    }
}

/// Sends what there is to send. False when the stream took not all of it.
fn send<S: Read + Write + ?Sized>(tls: &mut Connection, stream: &mut S) -> Result<bool, TlsError> {
    let mut is_sent = false;
    while tls.wants_write() {
        is_sent = true;
        match tls.write_tls(&mut &mut *stream) {
            Ok(0) => return Err(TlsError::Cut),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => match TlsError::from_stream(&error) {
                TlsError::Blocked => return Ok(false),
                error => return Err(error),
            },
        }
    }
    if is_sent {
        match stream.flush() {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => match TlsError::from_stream(&error) {
                TlsError::Blocked => return Ok(false),
                error => return Err(error),
            },
        }
    }
    Ok(true)
}
