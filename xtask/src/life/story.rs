//! One whole life without a cut, with everything that must be refused.

use std::{fs, path::Path};

use iotsec_testkit::SimFlash;

use super::{
    Build,
    factory::{self, Release, Unit},
    machine::{Cut, End, Machine},
    message::{self, Hello},
    owner::{FAILED, Owner, PASSWORD, TRIAL, UPDATED, send, wanted},
};
use crate::tool::Failure;

/// What a boot loader that does not go back is found by.
pub(super) const NOT_REVERTED: &str = "an image that was never accepted is started for the fourth time";
/// And one that starts what lies below the security counter.
pub(super) const OLD_STARTED: &str = "an old release is started";

/// A device and where it lives.
struct Life<'l> {
    build: &'l Build,
    loader: &'l str,
    folder: &'l Path,
    seed: u64,
    owner: Owner,
    told: String,
    /// Whether a restart takes the power away.
    is_warm: bool,
    /// One that stays under power over restarts.
    machine: Option<Machine>,
    restarts: u32,
}

/// Lives it with the boot loader called `loader`: what is to be told of it, and how it ended.
pub(super) fn tell(build: &Build, loader: &str, folder: &Path, seed: u64) -> (String, Result<(), Failure>) {
    tell_as(build, loader, folder, seed, false)
}

/// The same under one power: restarts are warm.
pub(super) fn tell_warm(
    build: &Build,
    loader: &str,
    folder: &Path,
    seed: u64,
) -> (String, Result<(), Failure>) {
    tell_as(build, loader, folder, seed, true)
}

fn tell_as(
    build: &Build,
    loader: &str,
    folder: &Path,
    seed: u64,
    is_warm: bool,
) -> (String, Result<(), Failure>) {
    let made = fs::create_dir_all(folder)
        .map_err(Failure::from)
        .and_then(|()| Unit::make(build, seed));
    let unit = match made {
        Ok(unit) => unit,
        Err(error) => return (String::new(), Err(error)),
    };
    let mut life = Life {
        build,
        loader,
        folder,
        seed,
        owner: Owner::of(unit),
        told: String::new(),
        is_warm,
        machine: None,
        restarts: 0,
    };
    let lived = life.live();
    // What it said comes last, also where something went wrong.
    let ended = life.takes_power_away();
    (life.told, lived.and(ended))
}

impl Life<'_> {
    fn live(&mut self) -> Result<(), Failure> {
        fs::write(self.folder.join("flash.img"), &self.owner.unit.flash)?;
        self.set_up()?;
        if !self.build.map.has_two_slots() {
            return self.starts_what_was_made();
        }
        self.refuses_forgeries()?;
        self.goes_back()?;
        self.updates()?;
        self.refuses_old_releases()
    }

    /// Power, until `work` has had its answers; then a restart.
    fn power<T>(
        &mut self,
        work: impl FnOnce(&mut Owner, &mut Machine, Hello) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.is_warm {
            return self.under_power(work);
        }
        let loader = self.build.loader(self.loader);
        self.seed += 1;
        let mut machine = Machine::on(&self.build.map, &loader, self.folder, Cut::Never, self.seed)?;
        let hello = self.owner.greet(&mut machine)?;
        let done = match hello {
            Some(hello) => work(&mut self.owner, &mut machine, hello),
            None => Err("it does not answer".into()),
        };
        if done.is_ok() {
            machine.ask(message::RESTART, &[])?;
        } else {
            // What went wrong comes first.
            let _ = machine.off();
        }
        match (done, machine.end()) {
            (Ok(done), Ok((End::Restart, said))) => {
                self.say(said.trim_end());
                Ok(done)
            }
            (Ok(_), Ok((end, said))) => Err(format!("a restart became {end:?}: {said}").into()),
            (Ok(_), Err(error)) => Err(error),
            (Err(error), Ok((_, said))) => Err(format!("{error}: {said}").into()),
            (Err(error), Err(end)) => Err(format!("{error}: {end}").into()),
        }
    }

    /// The same on a board that stays under power.
    fn under_power<T>(
        &mut self,
        work: impl FnOnce(&mut Owner, &mut Machine, Hello) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut machine = match self.machine.take() {
            Some(machine) => machine,
            None => {
                let loader = self.build.loader(self.loader);
                self.seed += 1;
                Machine::on_for_long(&self.build.map, &loader, self.folder, self.seed)?
            }
        };
        let hello = self.owner.greet(&mut machine);
        let done = hello.and_then(|hello| match hello {
            Some(hello) => work(&mut self.owner, &mut machine, hello),
            None => Err("it does not answer".into()),
        });
        let restarted = done.and_then(|done| machine.restart().map(|()| done));
        self.machine = Some(machine);
        self.restarts += u32::from(restarted.is_ok());
        restarted
    }

    fn takes_power_away(&mut self) -> Result<(), Failure> {
        if let Some(machine) = self.machine.take() {
            let said = machine.off_at_last()?;
            let (starts, restarts) = (said.matches("boot: slot").count(), self.restarts);
            if starts < 2 {
                return Err(format!("the boot loader started {starts} images: {said}").into());
            }
            self.say(&format!(
                "under one power: {starts} starts, {restarts} of them by a restart"
            ));
            self.restarts = 0;
        }
        Ok(())
    }

    fn say(&mut self, lines: &str) {
        for line in lines.lines() {
            self.told += &format!("   {line}\n");
        }
    }

    fn set_up(&mut self) -> Result<(), Failure> {
        self.power(|owner, machine, hello| {
            let content = ["0000-0000-0000-0", PASSWORD, "secret"].join("\0");
            if matches!(machine.ask(message::SET_UP, content.as_bytes())?, Some((0, _))) {
                return Err("a wrong label was accepted".into());
            }
            need(owner.visit(machine, &hello, "correct horse battery staple")?)?;
            for _ in 0..3 {
                need(owner.mark(machine)?)?;
            }
            Ok(())
        })?;
        self.say(if self.build.map.is_whole() {
            "set up with the label's password; a secret is kept and three events are recorded"
        } else {
            "the label's password opens; a secret is kept and three events are recorded"
        });
        self.power(|owner, machine, hello| {
            need(owner.visit(machine, &hello, "correct horse battery staple")?)?;
            if matches!(machine.ask(message::LOGIN, b"some other password")?, Some((0, _))) {
                return Err("a wrong password was accepted".into());
            }
            need(wanted(
                machine.ask(message::LOGIN, owner.unit.password.as_bytes())?,
            )?)?;
            need(owner.collect(machine)?)
        })?;
        self.say("the owner's password is right, another is wrong; the events come sealed, none is lost");
        Ok(())
    }

    fn refuses_forgeries(&mut self) -> Result<(), Failure> {
        let release = self.build.release(1, 2)?;
        let mut forged = release.clone();
        if let Some(last) = forged.envelope.last_mut() {
            *last ^= 1;
        }
        let mut damaged = release;
        damaged.image[1000] ^= 1;
        let linked_elsewhere = self.build.release(0, 2)?;
        let codes = self.power(|_, machine, _| {
            let mut codes = Vec::new();
            for release in [&forged, &damaged, &linked_elsewhere] {
                codes.push(need(send(machine, release, 0)?)?);
            }
            Ok(codes)
        })?;
        if codes.contains(&0) {
            return Err(format!("a bad update was installed: {codes:?}").into());
        }
        self.say(&format!(
            "refused: a forged envelope, a changed image, an image for the other slot (errors {codes:?})"
        ));
        Ok(())
    }

    /// On a board with one slot: no update is taken, and an image that was changed is not started.
    fn starts_what_was_made(&mut self) -> Result<(), Failure> {
        let update = Release::sign(1, 2, &self.build.images[0])?;
        let code = self.power(|_, machine, _| need(send(machine, &update, 0)?))?;
        if code == 0 {
            return Err("an update was installed for which there is no room".into());
        }
        self.say(&format!("an update has no room, and is refused (error {code})"));
        self.takes_power_away()?;
        let build = self.build;
        let (map, path) = (&build.map, self.folder.join("flash.img"));
        let mut flash = fs::read(&path)?;
        let changed = (map.image(0).first * map.page) as usize + 1000;
        flash[changed] ^= 1;
        fs::write(&path, flash)?;
        self.starts_nothing("a changed bit in the image: nothing is started")
    }

    fn goes_back(&mut self) -> Result<(), Failure> {
        let release = self.build.release(1, 3)?;
        self.power(|_, machine, _| installed(send(machine, &release, 50)?))?;
        self.say("release 3 came in chunks, some of them damaged on the way");
        for boot in 1..=3 {
            let hello = self.power(|_, _, hello| Ok(hello))?;
            if (hello.sequence, hello.update) != (3, TRIAL) {
                return Err(format!("trial {boot}: {hello:?}").into());
            }
        }
        let hello = self.power(|_, _, hello| Ok(hello))?;
        if hello.sequence == 3 {
            return Err(NOT_REVERTED.into());
        }
        let refused = self.power(|_, machine, _| need(send(machine, &release, 0)?))?;
        if (hello.sequence, hello.update) != (1, FAILED) || refused == 0 {
            return Err(format!("back, and again {refused}: {hello:?}").into());
        }
        self.say(&format!(
            "nobody accepted it: after three trials release 1 runs again (error {}), and 3 is refused from now on",
            hello.cause
        ));
        Ok(())
    }

    fn updates(&mut self) -> Result<(), Failure> {
        let release = self.build.release(1, 4)?;
        self.power(|_, machine, _| installed(send(machine, &release, 0)?))?;
        let hello = self.power(|owner, machine, hello| {
            need(wanted(machine.ask(message::ACCEPT, &[])?)?)?;
            need(owner.greet(machine)?)?;
            Ok(hello)
        })?;
        let after = self.power(|owner, machine, hello| {
            need(owner.visit(machine, &hello, "correct horse battery staple")?)?;
            need(wanted(
                machine.ask(message::LOGIN, owner.unit.password.as_bytes())?,
            )?)?;
            Ok(hello)
        })?;
        if (hello.update, after.update, after.sequence, after.floor) != (TRIAL, UPDATED, 4, 4) {
            return Err(format!("not accepted: {hello:?}, then {after:?}").into());
        }
        self.say(
            "release 4 was tried and accepted; secret and password are there, the security counter is at 4",
        );
        Ok(())
    }

    /// Somebody writes the flash: an old release, genuine, and nothing else that starts.
    fn refuses_old_releases(&mut self) -> Result<(), Failure> {
        self.takes_power_away()?;
        let build = self.build;
        let (map, path) = (&build.map, self.folder.join("flash.img"));
        let mut flash = SimFlash::from_image(factory::geometry(map), &fs::read(&path)?);
        self.build.release(0, 1)?.place(map, 0, &mut flash)?;
        let start = map.image(1).first * map.page;
        flash.tamper(start + 1000, &[0; 4]);
        let journal = map.journal();
        for page in journal.first..journal.first + journal.count {
            flash.tamper(page * map.page, &vec![0xFF; map.page as usize]);
        }
        fs::write(&path, flash.image())?;
        self.starts_nothing("release 1 put back, release 4 broken, the journal erased: nothing is started")
    }

    /// The boot loader must find nothing that it may start.
    fn starts_nothing(&mut self, line: &str) -> Result<(), Failure> {
        let loader = self.build.loader(self.loader);
        let mut machine = Machine::on(&self.build.map, &loader, self.folder, Cut::Never, self.seed)?;
        if let Some((_, content)) = machine.ask(message::HELLO, &[])? {
            let sequence = Hello::from_bytes(&content).map_or(0, |hello| hello.sequence);
            machine.off()?;
            return Err(format!("{OLD_STARTED}: {sequence}").into());
        }
        match machine.end()? {
            (End::Recovery, said) => {
                self.say(line);
                self.say(&said);
                Ok(())
            }
            (end, said) => Err(format!("instead of nothing: {end:?}: {said}").into()),
        }
    }
}

/// What only a power cut would take away.
fn need<T>(answer: Option<T>) -> Result<T, Failure> {
    answer.ok_or_else(|| "no answer".into())
}

fn installed(code: Option<u16>) -> Result<(), Failure> {
    match code {
        Some(0) => Ok(()),
        other => Err(format!("not installed: {other:?}").into()),
    }
}
