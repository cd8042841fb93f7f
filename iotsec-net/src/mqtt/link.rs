use std::{
    io::{self, Read, Write},
    vec::Vec,
};

use iotsec_core::hal::{Millis, Uptime};

use super::{Event, Mqtt, MqttError};
use crate::{
    retry::{Attempt, Failure, Retry, RetryError, RetryStorage, Session},
    tls::TlsError,
};

/// A client that comes back by itself: [`Mqtt`] over a stream, opened when [`Retry`] says so.
///
/// The servers are a list: names, and how to reach them is for `dial`. After each failed attempt the next one is tried,
/// after the same wait as ever. Where a server sends the device with "use another server" or "server moved" (MQTT 5
/// §4.13), it goes if the name is on the list, and nowhere else.
///
/// Call [`step`](Self::step) again and again. It does a little, and blocks as long as the stream does: give that a time
/// limit for reading of a fraction of a second, and for writing.
///
/// ```no_run
/// use iotsec_core::hal::Uptime;
/// use iotsec_net::{
///     mqtt::{Link, MqttError, Step}, retry::{Failure, RetryStorage}, surface::Gate, time::CertificateTime,
///     tls::{self, Client, Connection},
/// };
///
/// fn step(
///     link: &mut Link<Connection>, storage: &mut impl RetryStorage, clock: &impl Uptime, random: u32,
///     gate: &Gate<'_>, client: &Client, time: CertificateTime,
/// ) -> Result<Step, MqttError> {
///     link.step(storage, clock, random, |server| {
///         let grant = gate.grant_outbound("cloud", server, 8883).map_err(|_| Failure::Refused)?;
///         let connection = tls::connect(grant, client, time)?;
///         connection.set_read_timeout(std::time::Duration::from_millis(200))?;
///         Ok(connection)
///     })
/// }
/// ```
#[derive(Debug)]
pub struct Link<C> {
    mqtt: Mqtt,
    retry: Retry,
    servers: Vec<&'static str>,
    server: usize,
    state: State<C>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum State<C> {
    Waiting,
    Opening(C, Attempt),
    Open(C, Session),
}

/// What one step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// No connection; the next attempt is due after so long. Sleep, or do something else.
    Wait(Millis),
    /// Nothing happened.
    Idle,
    /// Something happened.
    Event(Event),
    /// No server was reached, or none that may be talked to.
    Unreached(Failure),
    /// The connection failed, or the server refused it.
    Lost(MqttError),
}

impl<C: Read + Write> Link<C> {
    /// To one of these servers, the first of them chosen by `random` so that a fleet spreads over them.
    ///
    /// # Errors
    /// [`MqttError::Config`] without a server.
    pub fn new(mqtt: Mqtt, retry: Retry, servers: &[&'static str], random: u32) -> Result<Self, MqttError> {
        let random = usize::try_from(random).unwrap_or_default();
        Ok(Self {
            mqtt,
            retry,
            server: random.checked_rem(servers.len()).ok_or(MqttError::Config)?,
            servers: servers.into(),
            state: State::Waiting,
            buffer: Vec::new(),
        })
    }

    /// The protocol: publish, subscribe, acknowledge.
    pub fn mqtt(&mut self) -> &mut Mqtt {
        &mut self.mqtt
    }

    /// The retry machine: its status, and repair.
    pub fn retry(&mut self) -> &mut Retry {
        &mut self.retry
    }

    /// The stream, while there is one.
    pub fn stream(&self) -> Option<&C> {
        match &self.state {
            State::Waiting => None,
            State::Opening(stream, _) | State::Open(stream, _) => Some(stream),
        }
    }

    /// Does what is due: connects, writes, reads, looks at the time.
    ///
    /// `dial` opens a stream to a server of the list. Its error says what to wait for: [`Failure::Refused`] when the
    /// certificate was refused, by us or by them.
    ///
    /// # Errors
    /// [`MqttError::Retry`] when the storage of the retry machine failed. The connection is closed then, if there was
    /// one; go on calling.
    pub fn step<S: RetryStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        clock: &impl Uptime,
        random: u32,
        dial: impl FnOnce(&'static str) -> Result<C, Failure>,
    ) -> Result<Step, MqttError> {
        if matches!(self.state, State::Waiting) {
            return self.attempt(storage, clock, random, dial);
        }
        match self.exchange(clock) {
            Ok(Some(event)) => {
                if matches!(event, Event::Connected { .. }) {
                    self.accepted(clock.uptime());
                }
                Ok(Step::Event(event))
            }
            Ok(None) => {
                if let State::Open(_, session) = &self.state {
                    self.retry.tend(storage, session, clock.uptime())?;
                }
                Ok(Step::Idle)
            }
            Err(error) => self.fail(storage, error, clock.uptime(), random),
        }
    }

    fn attempt<S: RetryStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        clock: &impl Uptime,
        random: u32,
        dial: impl FnOnce(&'static str) -> Result<C, Failure>,
    ) -> Result<Step, MqttError> {
        let attempt = match self.retry.begin(storage, clock.uptime(), random) {
            Ok(attempt) => attempt,
            Err(RetryError::Wait { remaining }) => return Ok(Step::Wait(remaining)),
            Err(error) => return Err(error.into()),
        };
        let server = self.servers.get(self.server).copied().ok_or(MqttError::Config)?;
        let stream = match dial(server) {
            Ok(stream) => stream,
            Err(failure) => {
                self.turn();
                self.retry
                    .failed(storage, attempt, failure, clock.uptime(), random)?;
                return Ok(Step::Unreached(failure));
            }
        };
        self.state = State::Opening(stream, attempt);
        match self.mqtt.open(clock.uptime()) {
            Ok(()) => Ok(Step::Idle),
            Err(error) => self.fail(storage, error, clock.uptime(), random),
        }
    }

    fn accepted(&mut self, now: Millis) {
        self.state = match core::mem::replace(&mut self.state, State::Waiting) {
            State::Opening(stream, attempt) => State::Open(stream, self.retry.connected(attempt, now)),
            other => other,
        };
    }

    /// Writes what goes, reads what came, and says what happened.
    fn exchange(&mut self, clock: &impl Uptime) -> Result<Option<Event>, MqttError> {
        let (State::Opening(stream, _) | State::Open(stream, _)) = &mut self.state else {
            return Ok(None);
        };
        // What came earlier goes first: one packet may hold several events, one read several packets.
        if let Some(event) = self.mqtt.next(clock.uptime())? {
            return Ok(Some(event));
        }
        write(&mut self.mqtt, stream, clock)?;
        self.buffer.resize(self.mqtt.room().min(READ), 0);
        match stream.read(&mut self.buffer) {
            // Not for want of room: whole packets were taken out above.
            Ok(0) => return Err(MqttError::Broken),
            Ok(count) => {
                let came = self.buffer.get(..count).unwrap_or_default();
                self.mqtt.receive(came);
            }
            Err(error) if is_pause(&error) => {}
            Err(error) => return Err(broken(&error)),
        }
        self.mqtt.next(clock.uptime())
    }

    fn fail<S: RetryStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        error: MqttError,
        now: Millis,
        random: u32,
    ) -> Result<Step, MqttError> {
        self.mqtt.close();
        let failure = match error {
            MqttError::Elsewhere(_) if self.follow() => Failure::Busy { after: None },
            _ => error.failure(),
        };
        match core::mem::replace(&mut self.state, State::Waiting) {
            State::Opening(_, attempt) => {
                if !matches!(error, MqttError::Elsewhere(_)) {
                    self.turn();
                }
                self.retry.failed(storage, attempt, failure, now, random)?;
            }
            State::Open(_, session) => self.retry.lost(storage, session, failure, now, random)?,
            State::Waiting => {}
        }
        Ok(Step::Lost(error))
    }

    /// The next server of the list.
    fn turn(&mut self) {
        let next = self.server.saturating_add(1);
        self.server = next.checked_rem(self.servers.len()).unwrap_or_default();
    }

    /// To where the server said, if that is on the list. A server may name several, separated by spaces (§4.11).
    fn follow(&mut self) -> bool {
        let Some(places) = self.mqtt.elsewhere() else {
            return false;
        };
        let known = |place: &str| {
            self.servers
                .iter()
                .position(|server| server.eq_ignore_ascii_case(place))
        };
        match places.split(' ').find_map(known) {
            Some(server) => {
                self.server = server;
                true
            }
            None => false,
        }
    }

    /// Closes the connection in good order, with everything done that it was for. What is not acknowledged stays.
    ///
    /// # Errors
    /// [`MqttError::Retry`] when the storage failed. The connection is closed nevertheless.
    pub fn finish<S: RetryStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        clock: &impl Uptime,
        random: u32,
    ) -> Result<(), MqttError> {
        self.mqtt.finish();
        match core::mem::replace(&mut self.state, State::Waiting) {
            State::Open(mut stream, session) => {
                // A server that does not hear it notices that the stream is closed.
                let _ = write(&mut self.mqtt, &mut stream, clock);
                self.mqtt.close();
                Ok(self.retry.finish(storage, session, clock.uptime(), random)?)
            }
            State::Opening(_, attempt) => {
                self.mqtt.close();
                let now = clock.uptime();
                Ok(self
                    .retry
                    .failed(storage, attempt, Failure::Unreachable, now, random)?)
            }
            State::Waiting => Ok(()),
        }
    }
}

iotsec_core::claim! {
    provisions: ["5.9-1"],
    claims: "Messages that a server has not acknowledged go out again in order, over connections that break anywhere",
    code: [Link::step],
    tests: ["iotsec-net::mqtt::outage::nothing_acknowledged_is_lost_and_order_is_kept"],
}

fn write<C: Write>(mqtt: &mut Mqtt, stream: &mut C, clock: &impl Uptime) -> Result<(), MqttError> {
    loop {
        let bytes = mqtt.to_send(clock.uptime())?;
        if bytes.is_empty() {
            break;
        }
        match stream.write(bytes) {
            Ok(0) => return Err(MqttError::Broken),
            Ok(count) => mqtt.sent(count, clock.uptime()),
            Err(error) if is_pause(&error) => break,
            Err(error) => return Err(broken(&error)),
        }
    }
    match stream.flush() {
        Err(error) if !is_pause(&error) => Err(broken(&error)),
        _ => Ok(()),
    }
}

/// A time limit of the stream ran out, which is no failure.
fn is_pause(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

/// What a stream of TLS says of itself is worth more than that it broke.
fn broken(error: &io::Error) -> MqttError {
    TlsError::of(error).map_or(MqttError::Broken, MqttError::Tls)
}

/// One read takes at most so much: a record of TLS holds no more.
const READ: usize = 16 * 1024;
