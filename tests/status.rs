//! A device that is set up well says so, and one that is not says what to do.

#[path = "unit/hardware.rs"]
mod unit;

use iotsec::{
    core::{
        credential::{Attempt, DevicePassword, Exposure, Iterations, UserPassword},
        hal::{DebugState, Millis, UnixTime},
    },
    device::{Device, DeviceError, Owned},
    erase::{Inventory, Place},
    status::{About, Check, Finding, Observed, SecurityStatus, Verdict},
    store::{KeyDomain, KeyId},
    telemetry::{detect::AUTH_BURST, registry},
    update::{
        SequenceNumber,
        boot::Connectivity,
        install::ManifestId,
        policy::{Hold, Importance, Mode, Offer, Status},
    },
};
use iotsec_testkit::{Geometry, SimFlash, SimRng};

registry!(static EVENTS = [AUTH_BURST]);

type Lamp<'w, 'f> = Device<'w, Owned, &'f mut SimFlash, SimRng, 16>;

const HABITS: KeyId = KeyId::new(KeyDomain::User, 2, 1);
const WRONG: &str = "K2M4-P6R8-T0V3-6";
const NOW: Millis = Millis::from_secs(3600);
const WELL: Observed = Observed {
    integrity: Some(Connectivity::Full),
    updates: Some(Status::Idle(NOW)),
    mode: Mode::Automatic,
    support_until: Some(UnixTime(2_000_000_000)),
    time: Some(UnixTime(1_790_000_000)),
    undeclared: Some(0),
    debug_port: Some(DebugState::Closed),
};

/// Calls `use_it` with a device that has just been claimed, and what its label says.
fn with_lamp<T>(use_it: impl FnOnce(Lamp<'_, '_>, &Attempt<'_>) -> T) -> T {
    let mut flash = SimFlash::new(Geometry::small(16));
    let password = DevicePassword::generate(Exposure::Online, &mut SimRng::new(3)).unwrap();
    let label = password.label();
    let code = Attempt::from_label(label.as_str()).unwrap();
    unit::boot(
        &mut flash,
        &mut 1,
        EVENTS.hashed(&mut iotsec::core::crypto::Sha256::new()),
        |product, hardware, memory| {
            let device = Device::<_, _, _, 16>::format(product, hardware, memory).unwrap();
            let provisioned = device.provision("SN-1", &password);
            let (device, _) = provisioned.map_err(|(_, error)| error).unwrap();
            let owned = device.claim(&code, Millis::from_secs(5));
            use_it(owned.map_err(|(_, error)| error).unwrap(), &code)
        },
    )
}

fn findings(status: &SecurityStatus) -> Vec<Finding> {
    status.findings().collect()
}

#[test]
fn a_well_kept_device_has_nothing_to_mend_but_what_its_hardware_lacks() {
    let status = with_lamp(|mut lamp, code| {
        let owner = lamp.login(code, Millis::from_secs(6)).unwrap();
        let chosen = UserPassword::new("seven small otters swim", Exposure::Online, &[]).unwrap();
        lamp.set_password(&owner, &chosen, Iterations::MCU).unwrap();
        lamp.security_status(&WELL, NOW).unwrap()
    });
    assert_eq!(
        findings(&status),
        [
            Finding::PasswordChosen,
            Finding::GuessesFew,
            // The unit has no counter that its store could use.
            Finding::ReplayUnnoticed,
            Finding::SoftwareIntact,
            Finding::UpdatesAutomatic,
            Finding::SupportRuns,
            Finding::PersonalDataListed,
            Finding::ServicesDeclared,
            Finding::DebugClosed,
        ]
    );
    assert_eq!(status.verdict(), Verdict::Warn);
}

#[test]
fn a_neglected_device_says_what_is_wrong_with_each() {
    let offer = Offer {
        manifest: ManifestId {
            sequence: SequenceNumber(9),
            digest: [0; 32],
        },
        importance: Importance::Urgent,
        away: Millis(0),
    };
    let neglected = Observed {
        integrity: Some(Connectivity::Least),
        updates: Some(Status::Available(offer, Hold::Declined)),
        mode: Mode::Ask,
        support_until: Some(UnixTime(1_700_000_000)),
        undeclared: Some(1),
        debug_port: Some(DebugState::Open),
        ..WELL
    };
    let status = with_lamp(|mut lamp, _| {
        lamp.put(HABITS, b"on at seven").unwrap();
        let places = [Place::new(1, "the network", "to be online")];
        let mut lamp = lamp.with_inventory(Inventory::new(Box::leak(Box::new(places))).unwrap());
        let wrong = Attempt::from_label(WRONG).unwrap();
        for guess in 0..6 {
            let at = Millis::from_secs(100 * (1 + guess));
            assert!(matches!(lamp.login(&wrong, at), Err(DeviceError::Login(_))));
        }
        lamp.security_status(&neglected, NOW).unwrap()
    });
    assert_eq!(
        findings(&status),
        [
            Finding::PasswordPreset,
            Finding::GuessesMany,
            Finding::ReplayUnnoticed,
            Finding::SoftwareChanged,
            Finding::UpdateUrgent,
            Finding::SupportEnded,
            Finding::PersonalDataUnlisted,
            Finding::ServicesOpen,
            Finding::DebugOpen,
        ]
    );
    assert_eq!(status.verdict(), Verdict::Fail);
    assert!(status.findings().all(|finding| finding.remedy().is_some()));
}

#[test]
fn what_the_application_does_not_know_is_not_taken_for_good() {
    let status = with_lamp(|mut lamp, _| lamp.security_status(&Observed::NOTHING, NOW).unwrap());
    let unknown = [
        Finding::SoftwareUnmeasured,
        Finding::UpdatesUnwatched,
        Finding::SupportUnpublished,
        Finding::ServicesUnknown,
        Finding::DebugUnknown,
    ];
    for finding in unknown {
        assert!(findings(&status).contains(&finding));
        assert!(finding.verdict() > Verdict::Pass);
    }
}

#[test]
fn guesses_until_none_is_taken_are_told() {
    let found = with_lamp(|mut lamp, _| {
        let wrong = Attempt::from_label(WRONG).unwrap();
        for guess in 1..=100 {
            let _ = lamp.login(&wrong, Millis::from_secs(1000 * guess));
        }
        findings(&lamp.security_status(&WELL, Millis::from_secs(200_000)).unwrap())
    });
    assert!(found.contains(&Finding::GuessesLocked));
}

#[test]
fn the_document_says_the_same_as_the_findings() {
    let status = with_lamp(|mut lamp, _| lamp.security_status(&WELL, NOW).unwrap());
    let mut text = String::new();
    status.write_json(&mut text).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["verdict"], status.verdict().id());
    let checks = document["checks"].as_array().unwrap();
    assert_eq!(checks.len(), Check::ALL.len());
    for (check, finding) in checks.iter().zip(status.findings()) {
        assert_eq!(check["check"], finding.check().id());
        assert_eq!(check["provision"], finding.check().provision());
        assert_eq!(check["finding"], finding.id());
        assert_eq!(check["verdict"], finding.verdict().id());
        assert_eq!(check["text"], finding.text());
        assert_eq!(
            check.get("remedy").and_then(serde_json::Value::as_str),
            finding.remedy()
        );
    }
}

#[test]
fn every_finding_fits_the_document_and_has_a_name_of_its_own() {
    let mut names: Vec<_> = Finding::ALL.iter().map(|finding| finding.id()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Finding::ALL.len());
    // The longest of each check, in one document.
    let longest: usize = Check::ALL
        .iter()
        .map(|check| {
            let of_check = Finding::ALL.iter().filter(|finding| finding.check() == *check);
            let len = |finding: &Finding| {
                let strings = [finding.id(), finding.text(), finding.remedy().unwrap_or_default()];
                for string in strings {
                    assert!(
                        string
                            .bytes()
                            .all(|byte| byte != b'"' && byte != b'\\' && byte >= b' ')
                    );
                }
                strings.iter().map(|string| string.len()).sum::<usize>()
            };
            of_check.map(len).max().unwrap() + 100
        })
        .sum();
    assert!(longest + 40 <= SecurityStatus::MAX_JSON_LEN, "{longest}");
}

/// Parsed by another implementation of JSON.
#[test]
fn a_device_tells_everybody_where_to_report_and_its_version_to_its_owner() {
    let about = About {
        name: "Lamp \"two\"",
        model: "lamp\\2\n",
        vendor: "V",
        version: "1.4.2",
        support_until: Some(UnixTime(1_956_527_999)),
        disclosure_policy: Some("https://v.example/policy"),
    };
    let mut page = String::new();
    about.write_public(&mut page).unwrap();
    let read: serde_json::Value = serde_json::from_str(&page).unwrap();
    let expected = serde_json::json!({
        "name": "Lamp \"two\"", "model": "lamp\\2\n", "vendor": "V", "support_until": "2031-12-31",
        "report_weaknesses": "https://v.example/policy",
    });
    assert_eq!(read, expected);

    with_lamp(|mut lamp, code| {
        let owner = lamp.login(code, NOW).unwrap();
        page.clear();
        about.write_for_owner(&owner, &mut page).unwrap();
        let read: serde_json::Value = serde_json::from_str(&page).unwrap();
        assert_eq!(read["version"], "1.4.2");
    });
    let silent = About {
        support_until: None,
        disclosure_policy: None,
        ..about
    };
    page.clear();
    silent.write_public(&mut page).unwrap();
    let read: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert!(read["support_until"].is_null() && read["report_weaknesses"].is_null());
}
