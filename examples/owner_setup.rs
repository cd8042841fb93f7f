//! An owner scans the label of a lamp and answers three questions; somebody else guesses codes and is stopped.
//!
//! ```text
//! cargo run --example owner_setup
//! ```
//!
//! The plug is pulled in the middle of it. Flash and radio are simulated; device and phone run what a product runs.

#[allow(dead_code, reason = "other examples use more of it")]
#[path = "lamp/unit.rs"]
mod unit;

use iotsec::core::credential::pairing::{Owner, PairingCode, PairingNames};
use iotsec::core::credential::{Exposure, Iterations, UserPassword};
use iotsec::core::crypto::HkdfSha256;
use iotsec::core::hal::{Millis, UnixTime};
use iotsec::core::qr::{ProductLabel, WifiNetwork};
use iotsec::device::Booted;
use iotsec::setup::{Action, Actor, IdentityReport, NetworkReport, Plan, Setup, UpdateReport};
use iotsec::status::Observed;
use iotsec::update::policy::Status;
use iotsec_testkit::{SimFlash, SimRng};
use unit::{Button, Result, open};

type Lamp<'d> = Setup<'d, &'d mut SimFlash, SimRng, 8>;

const PLAN: Plan = Plan::online(UnixTime(1_790_000_000));
const TODAY: UnixTime = UnixTime(1_795_000_000);
const PHONE: &[u8] = b"anna's phone";
const QUARTER: Millis = Millis::from_secs(900);
const WIFI: &str = r"WIFI:T:WPA;S:Anna's flat;P:correct horse\: battery;;";

/// The phone of whoever has scanned, or guesses, `code`, against the lamp.
fn pair(lamp: &mut Lamp<'_>, serial: &str, code: &str, now: Millis) -> Result {
    let phone = PairingNames::new(PHONE, serial.as_bytes())?;
    let parameters = lamp.device_mut().pairing_parameters()?;
    let owner = Owner::new(&PairingCode::parse(code)?, phone, &parameters, &HkdfSha256)?;
    let (owner, share) = owner.start(&mut SimRng::new(now.0), &HkdfSha256)?;
    let mut own = [0; 32];
    let names = lamp.device_mut().pairing_names(PHONE, &mut own)?;
    let (waiting, answer) = lamp.answer(names, &share, now)?;
    let confirmed = owner.finish(&answer, &HkdfSha256);
    lamp.finish(waiting, &confirmed.map_or([0; 32], |(confirm, _)| confirm), now)?;
    Ok(())
}

/// What the lamp asks for is done, by its owner or by itself. Ends with what the owner says it is.
fn follow(mut lamp: Lamp<'_>, serial: &str, code: &str) -> Result<usize> {
    let (mut now, mut decisions) = (Millis::from_secs(30), 0);
    loop {
        now = Millis(now.0 + 1000);
        let reason = lamp.status(now)?.reason();
        println!("  {} {}", reason.text(), reason.action().text());
        decisions += usize::from(reason.action().actor() == Actor::Owner);
        match reason.action() {
            Action::PressButton => lamp.open_window_by_presence(&mut Button, now, QUARTER)?,
            Action::EnterCode => pair(&mut lamp, serial, code, now)?,
            Action::GiveNetwork => lamp.give_wifi(&WifiNetwork::parse(WIFI)?)?,
            Action::JoinNetwork => lamp.report_network(NetworkReport::Joined)?,
            Action::LearnTime => lamp.set_time(TODAY)?,
            Action::CheckUpdates => lamp.report_update(UpdateReport::Current)?,
            Action::Authenticate => lamp.report_identity(IdentityReport::Accepted)?,
            _ => break,
        }
    }
    let password = UserPassword::new("seven small otters swim", Exposure::Online, &[serial])?;
    let ready = lamp.ready().map_err(|(_, error)| error)?;
    let mut device = ready
        .claim(&password, Iterations::MCU)
        .map_err(|(_, error)| error)?;
    println!("the lamp is hers. How well it is set up:");
    let (updates, support_until) = (Some(Status::Idle(now)), Some(UnixTime(1_956_528_000)));
    let observed = Observed {
        updates,
        support_until,
        time: Some(TODAY),
        ..Observed::NOTHING
    };
    for finding in device.security_status(&observed, now)?.findings() {
        println!("  {}: {}", finding.verdict().id(), finding.text());
    }
    Ok(decisions)
}

fn boot<T>(flash: &mut SimFlash, work: impl FnOnce(Lamp<'_>) -> Result<T>) -> Result<T> {
    open(flash, |unit| match unit {
        Booted::Provisioned(device) => work(Setup::begin(device, PLAN).map_err(|(_, error)| error)?),
        _ => Err("has an owner".into()),
    })
}

fn main() -> Result {
    let (mut flash, text) = unit::make_with_label()?;
    let label = ProductLabel::parse(&text)?;
    println!("on the label: {text}");
    let (serial, code) = (label.serial(), label.code().ok_or("no code")?);
    // First power-on, and a neighbour is quicker than the owner.
    let tried = boot(&mut flash, |mut lamp| {
        lamp.open_window(Millis(0), QUARTER)?;
        let mut guess = |second| {
            let guess = format!("{:08}", 31_415_926 + second);
            pair(&mut lamp, serial, &guess, Millis::from_secs(second)).expect_err("not the code")
        };
        Ok((1..900)
            .filter(|second| guess(*second).to_string() == "pairing refused")
            .count())
    })?;
    println!("a neighbour guessed for 15 minutes: {tried} codes were compared, of 99 999 988");
    println!("the owner sets it up, and the plug is pulled:");
    boot(&mut flash, |mut lamp| {
        lamp.device_mut().hardware_mut().flash.cut_after(64);
        follow(lamp, serial, code)
    })
    .expect_err("the power goes");
    println!("power is back; it goes on:");
    let decisions = boot(&mut flash, |lamp| follow(lamp, serial, code))?;
    assert!(tried == 20 && decisions <= 1 + PLAN.decisions());
    Ok(())
}
