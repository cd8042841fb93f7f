//! What the application answers.

mod update;

use board::{
    cpu,
    flash::Flash,
    link::Link,
    message::{self, Hello, MAX},
};
use harness::{console, entropy::FixedBytes};
use iotsec::{
    core::{
        credential::{Attempt, Exposure, Iterations, UserPassword},
        error::ErrorCode,
        hal::{Millis, Slot},
    },
    device::{Booted, Device, Owned, Provisioned},
    setup::{Plan, Setup},
    store::{KeyDomain, KeyId},
    telemetry::{
        batch::{SizeClass, Sizes},
        queue::Receipt,
        registry::Class,
    },
    update::boot::Running,
};

use crate::{Build, events::MARKED, unit::EVENTS};

/// Where a secret of the owner's is kept.
const SECRET: KeyId = KeyId::new(KeyDomain::User, 1, 1);
/// No clock is read: it is always ten minutes after power-on, so that a wrong password delays nothing.
const NOW: Millis = Millis::from_secs(600);

type Of<'d, S> = Device<'d, S, Flash, FixedBytes, EVENTS>;
/// A unit as it was found at power-on.
pub(crate) type Unit<'d> = Booted<'d, Flash, FixedBytes, EVENTS>;

type SettingUp<'d> = Setup<'d, Flash, FixedBytes, EVENTS>;

/// A refusal, as the host is told it.
pub(crate) struct Refused(u16);

/// Of a question that makes no sense, or not now.
const SENSELESS: Refused = Refused(1);

impl<E: ErrorCode> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.code())
    }
}

/// What is answered: bytes of the buffer that the answer is written to.
type Answer<'o> = Result<&'o [u8], Refused>;

/// Answers until the device has an owner.
pub(crate) fn set_up<'d>(link: &mut Link, build: Build, running: Running, unit: Unit<'d>) -> Of<'d, Owned> {
    match unit {
        Booted::Owned(device) => device,
        Booted::Provisioned(device) => claim(link, build, running, device),
        _ => console::fail("neither provisioned nor owned"),
    }
}

fn claim<'d>(
    link: &mut Link,
    build: Build,
    running: Running,
    mut device: Of<'d, Provisioned>,
) -> Of<'d, Owned> {
    // No update is taken before there is an owner: it stays as it is.
    let hello = hello(build, running, 1, device.hardware_mut()).to_bytes();
    let Ok(mut setup) = Setup::begin(device, Plan::local()) else {
        console::fail("the set-up does not begin")
    };
    loop {
        match link.question() {
            message::HELLO => link.answer(0, &hello),
            message::SET_UP => match owner(link.content(), setup) {
                Ok(device) => {
                    link.answer(0, &[]);
                    return device;
                }
                Err((back, Refused(code))) => {
                    link.answer(code, &[]);
                    setup = back;
                }
            },
            message::RESTART => restart(link),
            _ => link.answer(SENSELESS.0, &[]),
        }
    }
}

/// The device with an owner and their secret, or as it was.
// A frame of its own, as everything below that moves a device: the compiler takes one apart into registers, at many
// kilobytes of code.
#[inline(never)]
#[allow(clippy::result_large_err, reason = "the set-up must come back")]
fn owner<'d>(content: &[u8], mut setup: SettingUp<'d>) -> Result<Of<'d, Owned>, (SettingUp<'d>, Refused)> {
    let mut words = content.split(|byte| *byte == 0).map(core::str::from_utf8);
    let (Some(Ok(label)), Some(Ok(password)), Some(Ok(secret))) = (words.next(), words.next(), words.next())
    else {
        return Err((setup, SENSELESS));
    };
    let shown = Attempt::from_label(label)
        .map_err(Refused::from)
        .and_then(|label| Ok(setup.present_label(&label, NOW)?));
    let password = shown.and_then(|()| Ok(UserPassword::new(password, Exposure::Online, &[])?));
    let password = match password {
        Ok(password) => password,
        Err(refused) => return Err((setup, refused)),
    };
    let ready = setup.ready().map_err(|(setup, error)| (setup, error.into()))?;
    let claimed = ready.claim(&password, Iterations::MCU);
    let mut device = claimed.map_err(|(setup, error)| (setup, error.into()))?;
    if device.put(SECRET, secret.as_bytes()).is_err() {
        console::fail("an owner's secret cannot be stored")
    }
    Ok(device)
}

/// Who is there.
fn hello(build: Build, running: Running, life: u8, hardware: &mut update::Parts<'_>) -> Hello {
    let Ok((floor, update, cause)) = update::state(running, hardware) else {
        console::fail("the updater cannot be mounted")
    };
    Hello {
        sequence: running.manifest().sequence.0,
        floor,
        build: build.number,
        slot: match build.slot {
            Slot::A => 0,
            Slot::B => 1,
        },
        life,
        update,
        cause,
        operations: Flash::operations(),
    }
}

fn restart(link: &Link) -> ! {
    link.answer(0, &[]);
    cpu::restart()
}

/// An owned device at work.
pub(crate) struct Service<'d> {
    build: Build,
    running: Running,
    device: Of<'d, Owned>,
    /// Of the batch that was sent last.
    receipt: Option<Receipt>,
}

impl<'d> Service<'d> {
    pub(crate) const fn new(build: Build, running: Running, device: Of<'d, Owned>) -> Self {
        Self {
            build,
            running,
            device,
            receipt: None,
        }
    }

    /// Answers for ever.
    pub(crate) fn serve(&mut self, link: &mut Link) -> ! {
        loop {
            let kind = link.question();
            match kind {
                message::HELLO => {
                    let hello = hello(self.build, self.running, 2, self.device.hardware_mut());
                    link.answer(0, &hello.to_bytes());
                }
                message::RESTART => restart(link),
                message::UPDATE => update::receive(link, self.running, self.device.hardware_mut()),
                _ => {
                    let mut room = [0; MAX];
                    match self.answer(kind, link.content(), &mut room) {
                        Ok(content) => link.answer(0, content),
                        Err(Refused(code)) => link.answer(code, &[]),
                    }
                }
            }
        }
    }

    #[inline(never)]
    fn answer<'o>(&mut self, kind: u8, content: &[u8], room: &'o mut [u8; MAX]) -> Answer<'o> {
        match kind {
            // The answer to the first time was lost.
            message::SET_UP => Ok(&[]),
            message::LOGIN => self.login(content).map(|()| &[][..]),
            message::PUT => {
                let place = content.iter().position(|byte| *byte == 0).ok_or(SENSELESS)?;
                let (password, secret) = content.split_at(place);
                self.login(password)?;
                self.device.put(SECRET, secret.get(1..).unwrap_or_default())?;
                Ok(&[])
            }
            message::GET => Ok(self.device.get(SECRET, room)?),
            message::RECORD => {
                let mark = content
                    .try_into()
                    .map(u32::from_le_bytes)
                    .map_err(|_| SENSELESS)?;
                self.device.record(&MARKED, &[mark.into()], NOW)?;
                self.device.keep_events(Class::Security, room)?;
                Ok(&[])
            }
            message::BATCH => self.batch(room),
            message::TAKEN => {
                let receipt = self.receipt.take().ok_or(SENSELESS)?;
                self.device.acknowledge(receipt)?;
                Ok(&[])
            }
            message::ACCEPT => update::accept(self.running, self.device.hardware_mut()).map(|()| &[][..]),
            _ => Err(SENSELESS),
        }
    }

    fn login(&mut self, password: &[u8]) -> Result<(), Refused> {
        let password = core::str::from_utf8(password).map_err(|_| SENSELESS)?;
        let attempt = Attempt::from_text(password)?;
        let _owner = self.device.login(&attempt, NOW)?;
        Ok(())
    }

    fn batch<'o>(&mut self, room: &'o mut [u8; MAX]) -> Answer<'o> {
        let (mut scratch, mut out) = ([0; 256], [0; 256]);
        let sizes = Sizes::up_to(SizeClass::B256);
        let Some(batch) = self.device.batch(sizes, &mut scratch, &mut out)? else {
            return Ok(&[]);
        };
        let (content, _) = room.split_at_mut(batch.bytes().len());
        content.copy_from_slice(batch.bytes());
        self.receipt = Some(batch.into_receipt());
        Ok(content)
    }
}
