//! A device over a flash of unknown content, opened, set up and asked how it is. Must link.
#![no_std]
#![no_main]

use core::{
    fmt::{self, Write},
    hint::black_box,
};

use cortex_m_rt::entry;
use iotsec::{
    core::{
        credential::{Attempt, Exposure, Iterations, PhysicalPresence, ThrottlePolicy, Unlock, UserPassword},
        crypto::{Digest, Sha256},
        hal::{Millis, UnixTime},
        qr::{WifiKey, WifiNetwork},
    },
    device::{Booted, Device, Hardware as Parts, Memory, Moment, Owned, Product, Suite},
    setup::{IdentityReport, NetworkReport, Plan, Setup, SetupError, UpdateReport},
    status::Observed,
    store::{IndexEntry, ReplayProtection},
    telemetry::{detect::AUTH_BURST, registry},
};
use no_panic::{Hardware, UnknownCounter, UnknownFlash, halt, region, unknown};

registry!(static EVENTS = [AUTH_BURST]);

type Unit<'d, S> = Device<'d, S, UnknownFlash, Hardware, 8>;

#[entry]
fn main() -> ! {
    let input = [0; 512];
    black_box(open(unknown(&input)));
    halt()
}

fn open(input: &[u8]) -> Option<()> {
    let mut hash = Sha256::new();
    hash.update(input);
    let product = Product {
        store: region().ok()?,
        events: EVENTS.hashed(&mut hash),
        reserve: black_box(2),
        throttle: ThrottlePolicy::DEFAULT,
        suite: Suite {
            storage: &Hardware,
            wire: &Hardware,
            kdf: &Hardware,
        },
    };
    let (mut index, mut record, mut counter) = ([IndexEntry::EMPTY; 24], [0; 512], UnknownCounter);
    let hardware = Parts {
        flash: UnknownFlash,
        rng: Hardware,
        counter: &mut counter,
        root: &Hardware,
        replay: ReplayProtection::None,
    };
    let memory = Memory {
        index: &mut index,
        record: &mut record,
    };
    let text = core::str::from_utf8(input).ok()?;
    match Booted::<_, _, 8>::open(product, hardware, memory).ok()? {
        Booted::Provisioned(device) => {
            let setup = Setup::begin(device, black_box(Plan::online(UnixTime(1)))).ok()?;
            black_box(set_up(setup, input, text).is_ok());
        }
        Booted::Owned(mut device) => own(&mut device, text)?,
        _ => {}
    }
    Some(())
}

fn set_up(
    mut setup: Setup<'_, UnknownFlash, Hardware, 8>,
    input: &[u8],
    text: &str,
) -> Result<(), SetupError> {
    while black_box(true) {
        let now = Millis(black_box(7));
        if let Ok(code) = Attempt::from_label(text) {
            black_box(setup.present_label(&code, now).is_ok());
        }
        if let Some(network) = WifiKey::password(text)
            .ok()
            .and_then(|key| WifiNetwork::new(text, key).ok())
        {
            black_box(setup.give_wifi(&network).is_ok());
        }
        black_box(setup.give_network(input).is_ok());
        let mut out = [0; 256];
        black_box(setup.network(&mut out).is_ok());
        black_box(setup.report_network(black_box(NetworkReport::Joined)).is_ok());
        black_box(setup.set_time(UnixTime(black_box(9))).is_ok());
        black_box(setup.report_update(black_box(UpdateReport::Current)).is_ok());
        black_box(setup.report_identity(black_box(IdentityReport::Accepted)).is_ok());
        black_box(setup.status(now)?.write_json(&mut Nowhere).is_ok());
        if let Some(presence) = Unlock::by_presence(&mut Somebody) {
            black_box(setup.restart(presence, Moment::default()).is_ok());
        }
    }
    let Ok(password) = UserPassword::new(text, Exposure::Online, &[]) else {
        return Ok(());
    };
    let ready = setup.ready().map_err(|(_, error)| error)?;
    let mut device = ready
        .claim(&password, Iterations::MCU)
        .map_err(|(_, error)| error)?;
    black_box(own(&mut device, text));
    Ok(())
}

fn own(device: &mut Unit<'_, Owned>, text: &str) -> Option<()> {
    let now = Millis(black_box(7));
    let password = Attempt::from_text(text).ok()?;
    let owner = device.login_with_rehash(&password, now, Iterations::MCU).ok()?;
    black_box(device.set_network(&owner, text.as_bytes()).is_ok());
    let status = device.security_status(&Observed::NOTHING, now).ok()?;
    black_box(status.write_json(&mut Nowhere).is_ok());
    Some(())
}

struct Somebody;

impl PhysicalPresence for Somebody {
    fn is_asserted(&mut self) -> bool {
        black_box(true)
    }
}

struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        black_box(text);
        black_box(Ok(()))
    }
}
