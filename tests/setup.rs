//! From the label to an owner: what comes next is always said, nothing is left out, and the power may go at any moment.

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "unit/lamp.rs"]
mod lamp;
#[path = "unit/hardware.rs"]
mod unit;

use iotsec::{
    core::{
        credential::{
            Attempt, Exposure, Iterations, Unlock, UserPassword,
            pairing::{PairingError, PairingWindow},
        },
        error::ErrorCode,
        hal::{Millis, UnixTime},
        qr::{WifiKey, WifiNetwork},
    },
    device::{Booted, DeviceError, Moment, State},
    setup::{
        Action, Actor, IdentityReport, NetworkReport, Plan, Reason, Setup, SetupError, SetupStatus, Step,
        UpdateReport,
    },
    telemetry::consent::Usage,
};
use iotsec_testkit::{SimFlash, SimRng, each_cut, two_cuts_sampled};
use lamp::{Booting, Button, CODE, OPEN, PHONE, Unit, call, confirm};

type Setting<'w> = Setup<'w, &'w mut SimFlash, SimRng, 16>;

const MADE: UnixTime = UnixTime(1_790_000_000);
const TODAY: UnixTime = UnixTime(1_795_000_000);
const PLAN: Plan = Plan::online(MADE);
const NOW: Millis = Millis::from_secs(60);
const CHOSEN: &str = "seven small otters swim";
const WRONG: &str = "1111-2222";

fn chosen() -> UserPassword<'static> {
    UserPassword::new(CHOSEN, Exposure::Online, &[lamp::SERIAL]).unwrap()
}

fn wifi() -> WifiNetwork {
    WifiNetwork::new("Anna's flat", WifiKey::password("correct horse battery").unwrap()).unwrap()
}

fn reason(setup: &mut Setting<'_>) -> Reason {
    setup.status(NOW).unwrap().reason()
}

fn pair(setup: &mut Setting<'_>, code: &str, now: Millis) -> Result<(), SetupError> {
    let mut serial = [0; 32];
    let device = setup.device_mut();
    let names = device.pairing_names(PHONE, &mut serial)?;
    let (owner, share) = call(code, &device.pairing_parameters()?, now);
    let (waiting, answer) = setup.answer(names, &share, now)?;
    setup.finish(waiting, &confirm(owner, &answer), now).map(|_| ())
}

/// Does what the set-up asks for until it has an owner. Returns what was asked of whom.
fn follow(mut setup: Setting<'_>) -> Result<Vec<Action>, SetupError> {
    let mut asked = Vec::new();
    loop {
        let action = setup.status(NOW)?.reason().action();
        asked.push(action);
        match action {
            Action::PressButton => setup.open_window_by_presence(&mut Button(true), NOW, OPEN)?,
            Action::EnterCode => pair(&mut setup, CODE, NOW)?,
            Action::GiveNetwork => setup.give_wifi(&wifi())?,
            Action::JoinNetwork => setup.report_network(NetworkReport::Joined)?,
            Action::LearnTime => setup.set_time(TODAY)?,
            Action::CheckUpdates => setup.report_update(UpdateReport::Current)?,
            Action::Authenticate => setup.report_identity(IdentityReport::Accepted)?,
            Action::ChoosePassword => {
                let ready = setup.ready().map_err(|(_, error)| error)?;
                let claimed = ready.claim(&chosen(), Iterations::MCU);
                return claimed.map(|_| asked).map_err(|(_, error)| error);
            }
            other => panic!("{other:?}"),
        }
        assert!(asked.len() < 20, "{asked:?}");
    }
}

/// A boot: the set-up of a device without an owner, or nothing.
fn boot<T>(
    unit: &mut Unit,
    plan: Plan,
    work: impl FnOnce(Setting<'_>) -> Result<T, SetupError>,
) -> Result<Option<T>, SetupError> {
    let mut done = Ok(None);
    unit.open(|unit| {
        if let Booted::Provisioned(device) = unit {
            done = Setup::begin(device, plan)
                .map_err(|(_, error)| error)
                .and_then(work)
                .map(Some);
        }
        Ok(())
    })?;
    done
}

fn set_up(unit: &mut Unit, work: impl FnOnce(Setting<'_>) -> Result<(), SetupError>) {
    boot(unit, PLAN, work).unwrap().expect("no owner");
}

fn owned<T>(unit: &mut Unit, work: impl FnOnce(Booting<'_>) -> Result<T, DeviceError>) -> T {
    unit.open(|unit| {
        assert_eq!(unit.state(), State::Owned);
        work(unit)
    })
    .unwrap()
}

#[test]
fn the_owner_decides_three_times_and_presses_a_button() {
    use Action::{
        Authenticate, CheckUpdates, ChoosePassword, EnterCode, GiveNetwork, JoinNetwork, LearnTime,
        PressButton,
    };
    let mut unit = Unit::made();
    let asked = boot(&mut unit, PLAN, follow).unwrap().unwrap();
    assert_eq!(
        asked,
        [
            PressButton,
            EnterCode,
            GiveNetwork,
            JoinNetwork,
            LearnTime,
            CheckUpdates,
            Authenticate,
            ChoosePassword
        ]
    );
    let decisions = asked.iter().filter(|action| action.actor() == Actor::Owner);
    assert_eq!(decisions.count(), 1 + PLAN.decisions());
    // On a first power-on without the button.
    let mut unit = Unit::made();
    let asked = boot(&mut unit, Plan::local(), |mut setup| {
        setup.open_window(NOW, OPEN)?;
        follow(setup)
    });
    assert_eq!(asked.unwrap().unwrap(), [EnterCode, ChoosePassword]);
    assert_eq!(Plan::local().decisions(), 2);
}

#[test]
fn what_is_left_is_secure_by_default() {
    let mut unit = Unit::made();
    boot(&mut unit, PLAN, follow).unwrap();
    let label = unit.label.clone();
    owned(&mut unit, |unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        assert!(device.consent::<Usage>().is_none(), "nobody was asked");
        assert!(device.login(&Attempt::from_label(&label).unwrap(), NOW).is_err());
        let _owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
        let mut out = [0; 256];
        let network = core::str::from_utf8(device.network(&mut out)?.unwrap()).unwrap();
        assert_eq!(WifiNetwork::parse(network).unwrap().ssid(), "Anna's flat");
        Ok(())
    });
    assert!(!unit.flash.contains(b"correct horse battery"));
}

#[test]
fn a_cut_anywhere_costs_no_more_than_showing_the_label_again() {
    let made = Unit::made();
    let points = each_cut(
        || made.clone(),
        |unit| boot(unit, PLAN, follow),
        |unit, outcome| {
            let again = boot(unit, PLAN, |mut setup| {
                assert_eq!(
                    outcome.result.as_ref().ok(),
                    None,
                    "an owner was told of, and is gone"
                );
                // No window is open, and nothing can be claimed.
                assert!(pair(&mut setup, CODE, NOW).is_err());
                let (setup, error) = setup.ready().map(|_| ()).unwrap_err();
                assert!(matches!(error, SetupError::NotYet(_)));
                follow(setup)
            })
            .unwrap();
            if let Some(asked) = again {
                assert_eq!(asked.last(), Some(&Action::ChoosePassword));
                let twice = |action| asked.iter().filter(|other| **other == action).count();
                assert!(
                    twice(Action::EnterCode) == 1 && twice(Action::GiveNetwork) <= 1,
                    "{asked:?}"
                );
            }
            is_set_up(unit);
        },
    );
    println!("set-up: {points} cut points");
}

#[test]
fn nor_does_a_second_cut_while_it_goes_on() {
    let made = Unit::made();
    let pairs = two_cuts_sampled(
        19,
        || made.clone(),
        |unit| boot(unit, PLAN, follow),
        |unit| drop(boot(unit, PLAN, follow)),
        |unit, _| {
            boot(unit, PLAN, follow).unwrap();
            is_set_up(unit);
        },
    );
    println!("set-up: {pairs} pairs of cuts");
}

/// It has its network, and an owner whose own password is the only one.
fn is_set_up(unit: &mut Unit) {
    let label = unit.label.clone();
    owned(unit, |unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        assert!(device.login(&Attempt::from_label(&label).unwrap(), NOW).is_err());
        assert!(device.network(&mut [0; 256])?.is_some());
        device
            .login(&Attempt::from_text(CHOSEN).unwrap(), NOW)
            .map(|_| ())
    });
}

#[test]
fn after_a_restart_it_goes_on_alone_and_asks_for_the_owner_last() {
    let mut unit = Unit::made();
    set_up(&mut unit, |mut setup| {
        setup.open_window(NOW, OPEN)?;
        pair(&mut setup, CODE, NOW)?;
        setup.give_wifi(&wifi())?;
        setup.report_network(NetworkReport::Joined)?;
        setup.set_time(TODAY)?;
        setup.report_update(UpdateReport::Installing)?;
        assert_eq!(reason(&mut setup), Reason::UpdateRunning);
        Ok(())
    });
    set_up(&mut unit, |mut setup| {
        assert_eq!(reason(&mut setup), Reason::NetworkGiven);
        let mut out = [0; 256];
        assert!(setup.network(&mut out)?.is_some());
        setup.report_network(NetworkReport::Joined)?;
        setup.set_time(TODAY)?;
        setup.report_update(UpdateReport::Current)?;
        setup.report_identity(IdentityReport::Accepted)?;
        // The power-on window is used up: whoever is the owner is at the device.
        assert_eq!(reason(&mut setup), Reason::WindowClosed);
        assert_eq!(setup.status(NOW)?.decisions_left(), 2);
        let closed = setup.open_window(NOW, OPEN).err();
        assert_eq!(closed, Some(DeviceError::Pairing(PairingError::Closed).into()));
        Ok(())
    });
    // Updates and identity are done for good.
    set_up(&mut unit, |mut setup| {
        setup.report_network(NetworkReport::Joined)?;
        setup.set_time(TODAY)?;
        assert_eq!(reason(&mut setup), Reason::WindowClosed);
        follow(setup).map(|_| ())
    });
}

#[test]
fn the_next_owner_begins_anew() {
    let mut unit = Unit::made();
    boot(&mut unit, PLAN, follow).unwrap();
    owned(&mut unit, |unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
        device.reset(owner).map(|_| ()).map_err(|(_, error)| error)
    });
    let asked = boot(&mut unit, PLAN, follow).unwrap().unwrap();
    assert!(asked.contains(&Action::GiveNetwork));
    assert!(asked.contains(&Action::CheckUpdates) && asked.contains(&Action::Authenticate));
}

#[test]
fn a_network_that_does_not_work_needs_the_label_again_after_a_restart() {
    let mut unit = Unit::made();
    set_up(&mut unit, |mut setup| {
        setup.open_window(NOW, OPEN)?;
        pair(&mut setup, CODE, NOW)?;
        setup.give_wifi(&wifi())?;
        setup.report_network(NetworkReport::Refused)?;
        assert_eq!(reason(&mut setup), Reason::NetworkRefused);
        // Whoever has shown the label gives another one.
        setup.give_wifi(&wifi())?;
        assert_eq!(reason(&mut setup), Reason::NetworkGiven);
        Ok(())
    });
    set_up(&mut unit, |mut setup| {
        setup.report_network(NetworkReport::Absent)?;
        assert_eq!(reason(&mut setup), Reason::WindowClosed);
        let refused = setup.give_wifi(&wifi()).err();
        assert_eq!(refused, Some(SetupError::NotYet(Step::Pairing)));
        Ok(())
    });
}

#[test]
fn no_step_can_be_left_out() {
    let not_yet = |step| Some(SetupError::NotYet(step));
    let mut unit = Unit::made();
    set_up(&mut unit, |mut setup| {
        assert_eq!(setup.give_wifi(&wifi()).err(), not_yet(Step::Pairing));
        assert_eq!(
            setup.report_network(NetworkReport::Joined).err(),
            not_yet(Step::Network)
        );
        let code = unit_label();
        setup.present_label(&Attempt::from_label(&code).unwrap(), NOW)?;
        assert_eq!(setup.set_time(TODAY).err(), not_yet(Step::Network));
        for length in [0, 257] {
            assert_eq!(
                setup.give_network(&vec![7; length]).err(),
                Some(SetupError::Network)
            );
        }
        setup.give_network(&[7; 256])?;
        assert_eq!(
            setup.report_update(UpdateReport::Current).err(),
            not_yet(Step::Network)
        );
        setup.report_network(NetworkReport::Joined)?;
        assert_eq!(
            setup.report_update(UpdateReport::Current).err(),
            not_yet(Step::Time)
        );
        assert_eq!(setup.set_time(UnixTime(MADE.0 - 1)).err(), Some(SetupError::Time));
        assert_eq!(reason(&mut setup), Reason::TimeBehind);
        setup.set_time(TODAY)?;
        let early = setup.report_identity(IdentityReport::Accepted).err();
        assert_eq!(early, not_yet(Step::Update));
        for (report, stands) in [
            (UpdateReport::Unreachable, Reason::UpdateUnreachable),
            (UpdateReport::Refused, Reason::UpdateRefused),
        ] {
            setup.report_update(report)?;
            assert_eq!(reason(&mut setup), stands);
        }
        let (mut setup, early) = setup.ready().map(|_| ()).unwrap_err();
        assert_eq!(Some(early), not_yet(Step::Update));
        setup.report_update(UpdateReport::Current)?;
        for (report, stands) in [
            (IdentityReport::Unreachable, Reason::IdentityUnreachable),
            (IdentityReport::Refused, Reason::IdentityRefused),
        ] {
            setup.report_identity(report)?;
            assert_eq!(reason(&mut setup), stands);
        }
        let (mut setup, early) = setup.ready().map(|_| ()).unwrap_err();
        assert_eq!(Some(early), not_yet(Step::Identity));
        // What was there and is gone is missing again.
        setup.report_network(NetworkReport::Lost)?;
        let (mut setup, early) = setup.ready().map(|_| ()).unwrap_err();
        assert_eq!(Some(early), not_yet(Step::Network));
        setup.report_network(NetworkReport::Joined)?;
        setup.report_identity(IdentityReport::Accepted)?;
        assert_eq!(reason(&mut setup), Reason::PasswordMissing);
        let setup = setup.ready().map_err(|(_, error)| error)?.back();
        assert!(setup.ready().is_ok());
        Ok(())
    });
    let local = boot(&mut unit, Plan::local(), |mut setup| {
        assert_eq!(setup.set_time(TODAY).err(), Some(SetupError::NoStep(Step::Time)));
        let refused = setup.give_network(&[1]).err();
        assert_eq!(refused, Some(SetupError::NoStep(Step::Network)));
        setup.report_identity(IdentityReport::Accepted)
    });
    assert_eq!(local.err(), Some(SetupError::NoStep(Step::Identity)));
}

fn unit_label() -> String {
    Unit::made().label
}

#[test]
fn whoever_guesses_codes_is_stopped_and_the_owner_is_told_why() {
    let mut unit = Unit::made();
    set_up(&mut unit, |mut setup| {
        assert_eq!(reason(&mut setup), Reason::WindowClosed);
        setup.open_window(NOW, PairingWindow::LONGEST)?;
        assert_eq!(reason(&mut setup), Reason::CodeMissing);
        let mut refused = 0;
        for second in 60..960 {
            let now = Millis::from_secs(second);
            match pair(&mut setup, WRONG, now) {
                Err(SetupError::Device(DeviceError::Pairing(PairingError::Refused))) => {
                    refused += 1;
                    let told = setup.status(now)?;
                    let expected = match refused {
                        ..5 => Reason::CodeRefused,
                        20 => Reason::CodeLocked,
                        _ => Reason::CodeTooSoon,
                    };
                    assert_eq!(told.reason(), expected, "{refused}");
                    assert_eq!(told.wait() > Millis(0), expected == Reason::CodeTooSoon);
                }
                other => assert!(matches!(other, Err(SetupError::Device(_)))),
            }
        }
        assert_eq!(refused, PairingWindow::FAILURES);
        Ok(())
    });
}

#[test]
fn who_has_left_shows_the_label_again() {
    let mut unit = Unit::made();
    set_up(&mut unit, |mut setup| {
        setup.open_window(NOW, OPEN)?;
        pair(&mut setup, CODE, NOW)?;
        setup.give_wifi(&wifi())?;
        setup.leave();
        assert_eq!(
            setup.give_wifi(&wifi()).err(),
            Some(SetupError::NotYet(Step::Pairing))
        );
        assert!(setup.network(&mut [0; 256])?.is_some());
        setup.report_network(NetworkReport::Joined)?;
        setup.set_time(TODAY)?;
        setup.report_update(UpdateReport::Current)?;
        setup.report_identity(IdentityReport::Accepted)?;
        let (_, error) = setup.ready().map(|_| ()).unwrap_err();
        assert_eq!(error, SetupError::NotYet(Step::Pairing));
        Ok(())
    });
}

/// What the guide says of a reason.
fn row(reason: Reason) -> String {
    let action = reason.action();
    format!(
        "| {} | `{}` | {} | {} | {} |",
        reason.number(),
        reason.id(),
        reason.text(),
        action.text(),
        action.actor().id()
    )
}

#[test]
fn the_guide_lists_every_reason_and_no_other() {
    let guide = include_str!("../docs/guides/setup.md");
    let rows: Vec<_> = guide
        .lines()
        .skip_while(|line| !line.starts_with("| number |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(rows, Reason::ALL.map(row));
}

#[test]
fn somebody_at_the_device_can_have_everything_forgotten() {
    let mut unit = Unit::made();
    set_up(&mut unit, |mut setup| {
        setup.open_window(NOW, OPEN)?;
        pair(&mut setup, CODE, NOW)?;
        setup.give_wifi(&wifi())?;
        let presence = Unlock::by_presence(&mut Button(true)).unwrap();
        setup.restart(presence, Moment::default())?;
        assert_eq!(setup.network(&mut [0; 256])?, None);
        assert_eq!(
            setup.give_wifi(&wifi()).err(),
            Some(SetupError::NotYet(Step::Pairing))
        );
        Ok(())
    });
    unit.unowned(|device| {
        assert!(device.personal_data().all(|holding| holding.values == 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn the_document_says_the_same_as_the_status() {
    let mut unit = Unit::made();
    set_up(&mut unit, |mut setup| {
        setup.open_window(NOW, OPEN)?;
        pair(&mut setup, CODE, NOW)?;
        setup.give_wifi(&wifi())?;
        setup.report_network(NetworkReport::Refused)?;
        let status = setup.status(NOW)?;
        let mut text = String::new();
        status.write_json(&mut text).unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let reason = status.reason();
        assert_eq!(reason, Reason::NetworkRefused);
        assert_eq!(document["step"], reason.step().id());
        assert_eq!(document["provision"], reason.step().provision());
        assert_eq!(document["reason"], reason.id());
        assert_eq!(document["number"], reason.number());
        assert_eq!(document["text"], reason.text());
        assert_eq!(document["action"], reason.action().id());
        assert_eq!(document["by"], reason.action().actor().id());
        assert_eq!(document["next"], reason.action().text());
        assert_eq!(
            (&document["decisions"], &document["wait"]),
            (&1.into(), &0.into())
        );
        let steps: Vec<_> = document["steps"].as_array().unwrap().iter().collect();
        assert_eq!(steps.len(), 6);
        for (step, (expected, done)) in steps.iter().zip(status.steps()) {
            assert_eq!(
                (&step["step"], &step["done"]),
                (&expected.id().into(), &done.into())
            );
            assert_eq!(done, expected == Step::Pairing);
        }
        Ok(())
    });
}

#[test]
fn every_reason_has_a_name_and_a_number_of_its_own_and_fits_the_document() {
    let mut ids: Vec<_> = Reason::ALL.iter().map(|reason| reason.id()).collect();
    let mut numbers: Vec<_> = Reason::ALL.iter().map(|reason| reason.number()).collect();
    ids.sort_unstable();
    ids.dedup();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!((ids.len(), numbers.len()), (Reason::ALL.len(), Reason::ALL.len()));
    let mut text = String::new();
    SetupStatus::finished(PLAN).write_json(&mut text).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let steps = document["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["done"] == true));
    let finished = Reason::Finished;
    let own = |reason: Reason| {
        let strings = [
            reason.id(),
            reason.text(),
            reason.step().id(),
            reason.action().id(),
            reason.action().text(),
            reason.action().actor().id(),
        ];
        for string in strings {
            let plain = |byte: u8| byte != b'"' && byte != b'\\' && byte >= b' ';
            assert!(string.bytes().all(plain));
        }
        strings.iter().map(|string| string.len()).sum::<usize>()
    };
    for reason in Reason::ALL {
        // The longest wait has 20 digits, and "false" is longer than "true".
        let longest = text.len() - own(finished) + own(reason) + 20 + 6;
        assert!(longest <= SetupStatus::MAX_JSON_LEN, "{reason:?}: {longest}");
        assert_eq!(
            usize::from(reason.number()) / 10,
            1 + Step::ALL.iter().position(|step| *step == reason.step()).unwrap()
                + usize::from(reason == finished)
        );
    }
    assert_eq!(SetupError::NotYet(Step::Owner).code(), 6301);
}
