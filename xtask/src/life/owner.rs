//! What the owner and the service know of a device, and hold it to.

use std::{fmt, fs, path::Path, time::Duration};

use iotsec::{
    core::{
        crypto::{ChaCha20Poly1305, HkdfSha256, Sha256},
        error::ErrorCode,
    },
    store::StoreError,
    telemetry::batch::BatchKey,
    update::install::InstallError,
};

use super::{
    Build, events,
    factory::{Release, Unit},
    machine::{Answer, Cut, End, Machine},
    message::{self, Hello, Wanted},
    random::Random,
};
use crate::tool::Failure;

pub(super) const PASSWORD: &str = "seven small otters swim";
/// Bytes of the payload that are sent at once.
const CHUNK: usize = 512;
/// A life that was cut so often is left alone.
const ENOUGH: usize = 12;

/// Days without a cut in the life of a device that gets no update.
const DAYS: u32 = 6;

/// Power cuts, by where they fell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    loader: usize,
    application: usize,
    time: usize,
    starts: usize,
}

impl Tally {
    pub(super) const fn cuts(&self) -> usize {
        self.loader + self.application + self.time
    }

    pub(super) const fn add(&mut self, other: &Self) {
        self.loader += other.loader;
        self.application += other.application;
        self.time += other.time;
        self.starts += other.starts;
    }

    const fn note(&mut self, cut: Cut) {
        match cut {
            Cut::Loader(..) => self.loader += 1,
            Cut::Application(..) => self.application += 1,
            Cut::After(_) => self.time += 1,
            Cut::Never => {}
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} power cuts ({} in an operation of the boot loader's, {} in one of the application's, {} at a time) in \
             {} starts",
            self.cuts(),
            self.loader,
            self.application,
            self.time,
            self.starts
        )
    }
}

/// What is known of a device: what it has acknowledged it must keep.
pub(super) struct Owner {
    pub(super) unit: Unit,
    /// The set-up was acknowledged.
    pub(super) owned: bool,
    /// The secret that was acknowledged, and one that may have been stored.
    secret: Option<String>,
    unsure: Option<String>,
    /// Marks that were acknowledged, of those that may have been recorded.
    marks: Vec<u32>,
    asked: u32,
    /// The release that was accepted, at least.
    pub(super) accepted: u64,
    /// The security counter, at least.
    floor: u64,
    /// An update was staged, and not accepted since.
    trying: bool,
    /// Days without a cut.
    days: u32,
}

impl Owner {
    pub(super) const fn of(unit: Unit) -> Self {
        Self {
            unit,
            owned: false,
            secret: None,
            unsure: None,
            marks: Vec::new(),
            asked: 0,
            accepted: 1,
            floor: 0,
            trying: false,
            days: 0,
        }
    }

    /// Asks who is there, and holds it against what is known. `None` when the power failed.
    pub(super) fn greet(&mut self, machine: &mut Machine) -> Result<Option<Hello>, Failure> {
        let Some(content) = wanted(machine.ask(message::HELLO, &[])?)? else {
            return Ok(None);
        };
        let hello = Hello::from_bytes(&content).ok_or("a greeting of another length")?;
        self.judge(&hello)?;
        Ok(Some(hello))
    }

    /// Whether a device may say so that was said to be another way.
    pub(super) fn judge(&mut self, hello: &Hello) -> Result<(), Failure> {
        if hello.sequence < self.accepted {
            return Err(format!(
                "rolled back: release {} runs, release {} was accepted",
                hello.sequence, self.accepted
            )
            .into());
        }
        if hello.floor < self.floor {
            return Err(format!("the security counter went from {} to {}", self.floor, hello.floor).into());
        }
        if self.owned && hello.life != OWNED {
            return Err(format!("the owner is lost: state {}", hello.life).into());
        }
        if hello.build != hello.slot + 1 {
            return Err("an image runs in the wrong slot".into());
        }
        self.floor = hello.floor;
        self.trying = matches!(hello.update, STAGED | TRIAL);
        if hello.update == UPDATED {
            self.accepted = self.accepted.max(hello.sequence);
        }
        Ok(())
    }

    /// Sets the device up if need be, and sees whether the owner's secret is there. `None` when the power failed.
    pub(super) fn visit(
        &mut self,
        machine: &mut Machine,
        hello: &Hello,
        secret: &str,
    ) -> Result<Option<()>, Failure> {
        if hello.life != OWNED {
            self.unsure = Some(secret.to_owned());
            let content = [self.unit.label.as_str(), PASSWORD, secret].join("\0");
            let Some(_) = wanted(machine.ask(message::SET_UP, content.as_bytes())?)? else {
                return Ok(None);
            };
            self.acknowledged();
        }
        self.owned = true;
        let Some((code, content)) = machine.ask(message::GET, &[])? else {
            return Ok(None);
        };
        let found = match code {
            0 => Some(String::from_utf8(content)?),
            code if code == StoreError::NotFound.code() => None,
            code => return Err(format!("the owner's secret: error {code}").into()),
        };
        self.keep(found)?;
        if self.secret.as_deref() != Some(secret) {
            self.unsure = Some(secret.to_owned());
            let content = [self.unit.password.as_str(), secret].join("\0");
            let Some(_) = wanted(machine.ask(message::PUT, content.as_bytes())?)? else {
                return Ok(None);
            };
            self.acknowledged();
        }
        Ok(Some(()))
    }

    /// Whether the device may have this secret now.
    pub(super) fn keep(&mut self, found: Option<String>) -> Result<(), Failure> {
        if found != self.secret && (found.is_none() || found != self.unsure) {
            return Err(format!(
                "a lost key: {found:?} is stored, {:?} was acknowledged and {:?} was sent",
                self.secret, self.unsure
            )
            .into());
        }
        self.secret = found;
        self.unsure = None;
        Ok(())
    }

    fn acknowledged(&mut self) {
        self.secret = self.unsure.take();
    }

    /// Has the next mark recorded.
    pub(super) fn mark(&mut self, machine: &mut Machine) -> Result<Option<()>, Failure> {
        self.asked += 1;
        let mark = self.asked;
        let answer = machine.ask(message::RECORD, &mark.to_le_bytes())?;
        if wanted(answer)?.is_none() {
            return Ok(None);
        }
        self.marks.push(mark);
        Ok(Some(()))
    }

    /// Takes everything that was recorded, and misses nothing that was acknowledged.
    pub(super) fn collect(&mut self, machine: &mut Machine) -> Result<Option<()>, Failure> {
        let key = BatchKey::new(&self.unit.telemetry, &ChaCha20Poly1305, &HkdfSha256);
        let registry = events::EVENTS.hashed(&mut Sha256::new());
        loop {
            let Some(sealed) = wanted(machine.ask(message::BATCH, &[])?)? else {
                return Ok(None);
            };
            if sealed.is_empty() {
                break;
            }
            let mut plain = [0; 256];
            let batch = key.open(&sealed, &mut plain)?.read(&registry)?;
            for event in batch.events() {
                let mark = event.raw(0);
                let mark = mark.ok_or("an event without its mark")?;
                self.marks.retain(|kept| i64::from(*kept) != mark);
            }
            if wanted(machine.ask(message::TAKEN, &[])?)?.is_none() {
                return Ok(None);
            }
        }
        if self.marks.is_empty() {
            Ok(Some(()))
        } else {
            Err(format!("events {:?} were kept, and are lost", self.marks).into())
        }
    }
}

/// The states that a greeting tells.
pub(super) const OWNED: u8 = 2;
pub(super) const STAGED: u8 = 3;
pub(super) const FAILED: u8 = 4;
pub(super) const TRIAL: u8 = 5;
pub(super) const UPDATED: u8 = 7;

/// The content of an answer that is no refusal; `None` when the power failed.
pub(super) fn wanted(answer: Option<Answer>) -> Result<Option<Vec<u8>>, Failure> {
    match answer {
        None => Ok(None),
        Some((0, content)) => Ok(Some(content)),
        Some((code, _)) => Err(format!("refused with error {code}").into()),
    }
}

/// Sends an update, from where the device wants it. `Some(code)` is a refusal or 0; `None` when the power failed.
/// Every so many chunks are damaged on the way the first time.
pub(super) fn send(machine: &mut Machine, release: &Release, damage: usize) -> Result<Option<u16>, Failure> {
    let mut answer = machine.ask(message::UPDATE, &release.envelope)?;
    for number in 1.. {
        let content = match answer {
            None => return Ok(None),
            Some((0, content)) => content,
            Some((code, _)) => return Ok(Some(code)),
        };
        let offset = Wanted(u32::from_le_bytes(content.as_slice().try_into()?));
        if offset == Wanted::NOTHING {
            break;
        }
        let rest = release
            .image
            .get(usize::try_from(offset.0)?..)
            .ok_or("bytes behind the image are wanted")?;
        if rest.is_empty() {
            return Err("bytes behind the image are wanted".into());
        }
        let chunk = [&offset.0.to_le_bytes(), &rest[..rest.len().min(CHUNK)]].concat();
        let damaged = damage != 0 && number % damage == 0;
        answer = machine.ask_badly(message::DATA, &chunk, damaged)?;
    }
    Ok(Some(0))
}

/// A life with power cuts, until a new release is accepted.
pub(super) fn live(build: &Build, folder: &Path, mut random: Random) -> Result<Tally, Failure> {
    fs::create_dir_all(folder)?;
    let unit = Unit::make(build, random.next())?;
    fs::write(folder.join("flash.img"), &unit.flash)?;
    let mut owner = Owner::of(unit);
    let (mut tally, mut goal, mut trying) = (Tally::default(), 2, false);
    loop {
        tally.starts += 1;
        if tally.starts > 100 {
            return Err("an update that never ends".into());
        }
        let [part, ..] = random.next().to_le_bytes();
        let cut = match random.below(8) {
            _ if tally.cuts() >= ENOUGH => Cut::Never,
            // The boot loader writes when there is an image to be tried.
            0..4 if trying => Cut::Loader(random.scaled(3), part),
            0..4 => Cut::Application(random.scaled(15), part),
            4..7 => Cut::After(Duration::from_millis(random.scaled(11))),
            _ => Cut::Never,
        };
        let mut machine = Machine::on(&build.map, &build.loader("boot"), folder, cut, random.next())?;
        let accepted = day(build, &mut owner, &mut machine, &mut goal, &mut random);
        trying = owner.trying;
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                machine.off()?;
                return Err(format!("start {} with {cut:?}: {error}", tally.starts).into());
            }
        };
        if accepted {
            machine.off()?;
            return Ok(tally);
        }
        match machine.end() {
            Ok((End::Restart, _)) => {}
            Ok((End::Cut, _)) => tally.note(cut),
            Ok((End::Recovery, said)) => return Err(format!("unbootable after {cut:?}: {said}").into()),
            Err(error) => return Err(format!("start {} with {cut:?}: {error}", tally.starts).into()),
        }
    }
}

/// What happens until the power fails or the device restarts: `false`; or until everything is as it shall be: `true`.
fn day(
    build: &Build,
    owner: &mut Owner,
    machine: &mut Machine,
    goal: &mut u64,
    random: &mut Random,
) -> Result<bool, Failure> {
    let Some(hello) = owner.greet(machine)? else {
        return Ok(false);
    };
    // Another secret every now and then.
    let secret = match &owner.secret {
        Some(secret) if random.below(3) > 0 => secret.clone(),
        _ => format!("a secret, number {}", random.below(1000)),
    };
    if owner.visit(machine, &hello, &secret)?.is_none() {
        return Ok(false);
    }
    if owner.asked < 4 && owner.mark(machine)?.is_none() {
        return Ok(false);
    }
    if !build.map.has_two_slots() {
        return quiet(owner, machine);
    }
    match (hello.sequence, hello.update) {
        (1, STAGED) => {}
        (1, _) => match send(machine, &build.release(1, *goal)?, 7)? {
            None => return Ok(false),
            Some(0) => owner.trying = true,
            // So many trials were cut that it counts as a bad one. The maker has to number it anew.
            Some(code) if code == InstallError::AlreadyRejected.code() => *goal += 1,
            Some(code) => return Err(format!("the update was refused with error {code}").into()),
        },
        (_, TRIAL) => {
            if wanted(machine.ask(message::ACCEPT, &[])?)?.is_none() {
                return Ok(false);
            }
            owner.accepted = hello.sequence;
        }
        _ => {
            let done = owner.collect(machine)?.is_some()
                && wanted(machine.ask(message::LOGIN, owner.unit.password.as_bytes())?)?.is_some();
            return Ok(done && owner.accepted == *goal);
        }
    }
    // Whatever the answer, it is gone now.
    machine.ask(message::RESTART, &[])?;
    Ok(false)
}

/// The rest of a day of a device without room for an update, and whether there were enough of them.
fn quiet(owner: &mut Owner, machine: &mut Machine) -> Result<bool, Failure> {
    // Enough for an event a day, and not more than the queue keeps.
    let done = owner.mark(machine)?.is_some()
        && (owner.days.is_multiple_of(2) || owner.collect(machine)?.is_some())
        && wanted(machine.ask(message::LOGIN, owner.unit.password.as_bytes())?)?.is_some();
    if done {
        owner.days += 1;
        if owner.days == DAYS {
            return Ok(true);
        }
        machine.ask(message::RESTART, &[])?;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use iotsec::core::secret::Secret;

    use super::*;

    fn owner() -> Owner {
        let mut owner = Owner::of(Unit {
            flash: Vec::new(),
            label: String::new(),
            password: String::new(),
            telemetry: Secret::zero(),
        });
        owner.owned = true;
        owner.accepted = 4;
        owner.floor = 4;
        owner.secret = Some("old".into());
        owner
    }

    const GOOD: Hello = Hello {
        sequence: 4,
        floor: 4,
        build: 2,
        slot: 1,
        life: OWNED,
        update: UPDATED,
        cause: 0,
        operations: 0,
    };

    #[test]
    fn a_device_that_lost_something_is_caught() {
        assert!(owner().judge(&GOOD).is_ok());
        for bad in [
            Hello { sequence: 1, ..GOOD },
            Hello { floor: 3, ..GOOD },
            Hello { life: 1, ..GOOD },
            Hello { slot: 0, ..GOOD },
        ] {
            assert!(owner().judge(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_secret_is_what_was_acknowledged_or_what_was_being_stored() {
        let keeps = |unsure: Option<&str>, found: Option<&str>| {
            let mut owner = owner();
            owner.unsure = unsure.map(str::to_owned);
            owner.keep(found.map(str::to_owned)).is_ok()
        };
        assert!(
            keeps(None, Some("old")) && keeps(Some("new"), Some("old")) && keeps(Some("new"), Some("new"))
        );
        assert!(!keeps(None, Some("new")) && !keeps(Some("new"), None) && !keeps(Some("new"), Some("other")));
    }
}
