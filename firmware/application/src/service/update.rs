//! Taking an update in chunks, and keeping it.

use board::{
    link::Link,
    message::{self, MAX, Wanted},
    product::{self, ROLLBACK},
};
use harness::{console, entropy::FixedBytes};
use iotsec::{
    core::crypto::Sha256,
    device::{DeviceError, Hardware, Upkeep},
    update::{
        boot::{BootConfig, Running},
        install::{Clean, Finish, Session, State},
    },
};

use super::{Refused, SENSELESS};
use board::flash::Flash;

type Upkeeping<'u> = Upkeep<'u, Flash, Sha256>;

pub(super) type Parts<'d> = Hardware<'d, Flash, FixedBytes>;

// Out of line: it is asked for in three places.
#[inline(never)]
fn upkeep<'u>(
    config: &'u BootConfig<'u>,
    running: Running,
    hardware: &'u mut Parts<'_>,
) -> Result<Upkeeping<'u>, DeviceError> {
    hardware.upkeep(config, ROLLBACK, running, Sha256::new())
}

/// The security counter, the state of the update, and the number of the error behind it.
#[inline(never)]
pub(super) fn state(running: Running, hardware: &mut Parts<'_>) -> Result<(u64, u8, u16), Refused> {
    let floor = hardware.counter.read().map_err(|_| SENSELESS)?;
    product::with_config(|config| {
        let upkeep = upkeep(config, running, hardware)?;
        Ok((floor, number(upkeep.state()), upkeep.cause().unwrap_or(0)))
    })
}

/// As in the journal.
const fn number(state: State) -> u8 {
    match state {
        State::Ready => 0,
        State::Writing => 1,
        State::Candidate => 2,
        State::Staged => 3,
        State::Failed => 4,
        State::Trial => 5,
        State::Rejected => 6,
        State::Updated => 7,
        _ => u8::MAX,
    }
}

#[inline(never)]
pub(super) fn accept(running: Running, hardware: &mut Parts<'_>) -> Result<(), Refused> {
    product::with_config(|config| Ok(upkeep(config, running, hardware)?.accept()?))
}

/// Takes an update whose envelope has come, until it is staged or another question than for its bytes comes, which is
/// not answered.
#[inline(never)]
pub(super) fn receive(link: &mut Link, running: Running, hardware: &mut Parts<'_>) {
    let done = product::with_config(|config| {
        let mut envelope = [0; MAX];
        let len = link.content().len();
        let (envelope, _) = envelope.split_at_mut(len);
        envelope.copy_from_slice(link.content());
        let mut upkeep = upkeep(config, running, hardware)?;
        take(link, &mut upkeep, envelope)
    });
    if let Err(Refused(code)) = done {
        console::number("update: refused with ", code.into());
        link.answer(code, &[]);
    }
}

fn take(link: &mut Link, upkeep: &mut Upkeeping<'_>, envelope: &[u8]) -> Result<(), Refused> {
    while matches!(upkeep.state(), State::Updated | State::Failed) {
        while upkeep.clean()? == Clean::More {}
    }
    let mut session = upkeep.start(envelope, None)?;
    loop {
        let wanted = session.wanted().map(|wanted| wanted.offset);
        if wanted.is_none() {
            finish(upkeep, &mut session)?;
        }
        let Wanted(offset) = wanted.map_or(Wanted::NOTHING, Wanted);
        link.answer(0, &offset.to_le_bytes());
        if wanted.is_none() {
            return Ok(());
        }
        if link.question() != message::DATA {
            return Err(SENSELESS);
        }
        chunk(upkeep, &mut session, link.content())?;
    }
}

/// Writes what came, if it is what is wanted now.
fn chunk(upkeep: &mut Upkeeping<'_>, session: &mut Session<'_>, content: &[u8]) -> Result<(), Refused> {
    let (from, mut bytes) = content.split_first_chunk().ok_or(SENSELESS)?;
    let mut from = u32::from_le_bytes(*from);
    loop {
        // Behind the last byte there is work too.
        match session.wanted() {
            Some(wanted) if wanted.offset == from && (!bytes.is_empty() || from == wanted.size) => {}
            _ => return Ok(()),
        }
        let taken = upkeep.write(session, bytes)?;
        bytes = bytes.get(taken..).unwrap_or_default();
        from += taken as u32;
    }
}

fn finish(upkeep: &mut Upkeeping<'_>, session: &mut Session<'_>) -> Result<(), Refused> {
    let candidate = loop {
        if let Finish::Done(candidate) = upkeep.finish(session)? {
            break candidate;
        }
    };
    Ok(upkeep.install(candidate)?)
}
