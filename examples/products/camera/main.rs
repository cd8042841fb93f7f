//! The program of the camera of this folder, on Linux, and a day of its life: the station, the home, its maker's
//! service over TLS, an update into the other half, an attack, and farewell.
//!
//! ```text
//! cargo run --example camera
//! ```
//!
//! Connections, files and cryptography are real; the picture chip, the hours and the boot loader's place are not. What
//! the camera is, opens, reports and does about updates comes from `product.rs`, which was made of `iotsec.toml`.
#![allow(unreachable_pub, reason = "an example is one crate in several files")]

mod about;
mod cloud;
mod home;
mod link;
mod product {
    include!("product.rs");
}
mod unit;

use std::{collections::HashMap, sync::Arc};

use getrandom::SysRng;
use iotsec::{
    core::{
        attest::{Claims, Component, Nonce, Token},
        credential::{Attempt, Exposure, Iterations, UserPassword},
        crypto::{
            ChaCha20Poly1305, CryptoError, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, Sha256, Sign,
        },
        document,
        hal::{DebugState, Millis},
        identity::SubjectPublicKey,
        input::{Hostname, Quantity, Url, document::Document as _, unit::Second},
        secret::Secret,
    },
    device::{Attestation, Booted, Moment, Signing},
    erase::Erased,
    net::{
        https::Download,
        surface::{
            Phase,
            audit::{Snapshot, audit},
        },
    },
    status::Observed,
    store::{Scrub, keys::KeyKind},
    telemetry::{
        batch::{BatchKey, SizeClass, Sizes},
        consent::Usage,
        detect::FailureBurst,
        epsilon,
        error::NoiseError,
        personal::Personal,
        privacy::{Allowance, Metric},
        registry::Class,
    },
    update::{
        boot::{Integrity, Verified},
        install::{Clean, Finish, ManifestId, State},
        policy::{Checked, Choices, Conditions, Decision, Importance, Offer, Status, Step, UpdatePlanner},
    },
};
use iotsec_testkit::SimCounter;

use link::{Link, url};
use product::{INTEGRITY_CHANGED, LINK_LOST, LOGIN_FAILED, VIEWS_DAILY};
use unit::{Camera, Result};

const UPDATES: &str = "updates.cameras.example.com";
const CLOUD: &str = "cloud.cameras.example.com";
const ALLOWANCE: Allowance = Allowance {
    per_metric: epsilon!(1 / 2),
    in_all: epsilon!(1 / 1),
    renewals: 12,
};

document! {
    /// What the app sends.
    struct Settings<'a> within 256 bytes {
        name: Hostname<'a>,
        interval: Quantity<Second, 10, 86_400> = 300,
    }
}

fn main() -> Result {
    let image = |number: u32| -> Vec<u8> {
        let words = (0..6_000).flat_map(|at: u32| (at * number).to_le_bytes());
        words.collect()
    };
    let (old, new) = (image(1), image(3));
    let uri = url(UPDATES, "system");
    let (first, second) = (unit::sign(1, &old, &uri)?, unit::sign(2, &new, &uri)?);

    let mut camera = Camera::new()?;
    camera.fill(&first, &old)?;
    let made = home::make(&mut camera)?;
    home::set_up(&mut camera, &made)?;
    println!(
        "set up by the code of its label; on its page: {}",
        about::page(None)?
    );

    // Before the pretended service listens in the same process.
    let undeclared = undeclared()?;
    println!("sockets that the interface table does not allow: {undeclared}");
    let files = HashMap::from([("/camera-3.suit", second), ("/system", new)]);
    let key = Arc::new(Ed25519SigningKey::generate(&mut SysRng)?);
    let posted = cloud::start(key.clone(), files, link::TIME)?;
    let root = include_bytes!("../../../vectors/certificate/root.der");
    println!(
        "a service that shows no certificate: {}",
        link::by_certificate(root)?
    );
    let mut link = Link::new(SubjectPublicKey::of(&*key)?)?;

    settings()?;
    guesses(&mut camera)?;
    telemetry(&mut camera, &mut link)?;
    let batch = posted.recv()?;
    println!(
        "the service opens {} and reads {} events",
        batch.0,
        read(&batch.1, &made)?
    );

    let running = camera.boot()?;
    update(&mut camera, &running, &mut link)?;
    let running = accept(&mut camera)?;
    println!("release {} is tried and kept", running.manifest().sequence.0);
    attest(&mut camera, &running, &mut link)?;
    let token = posted.recv()?;
    believe(&token.1, &made)?;
    look_around(&mut camera, &running, undeclared)?;
    farewell(&mut camera, &made)
}

/// From the app, and not.
fn settings() -> Result {
    let settings = Settings::from_json(br#"{"name": "porch"}"#, &mut [])?;
    println!(
        "settings: {} every {} s",
        settings.name().as_str(),
        settings.interval().get()
    );
    let hostile = Settings::from_json(br#"{"name": "porch; reboot"}"#, &mut [0; 64]).err();
    println!("others: {}", hostile.ok_or("accepted")?);
    Ok(())
}

/// Somebody guesses passwords at the app's service.
fn guesses(camera: &mut Camera) -> Result {
    camera.owned(|mut camera, _| {
        let (mut burst, mut reported) = (FailureBurst::new(0), 0);
        for second in 0..40 {
            let now = Millis::from_secs(60 + second);
            let guess = format!("password{second:02}");
            if camera.login(&Attempt::from_text(&guess)?, now).is_ok() {
                return Err("a guess was right".into());
            }
            if burst.failed(now).is_some() {
                reported += 1;
                camera.record(&LOGIN_FAILED, &[5.into()], now)?;
            }
        }
        // They outlive a restart of the program.
        camera.keep_events(Class::Security, &mut [0; 512])?;
        let status = camera.login_status(Millis::from_secs(100))?;
        println!(
            "40 guesses in 40 s: {} compared, then a wait of {} s; {reported} events",
            status.failures,
            status.remaining.0 / 1000
        );
        Ok(())
    })
}

/// What waits is sealed and sent; of the owner's habits a noised number alone, and that by consent.
fn telemetry(camera: &mut Camera, link: &mut Link) -> Result {
    camera.owned(|mut camera, _| {
        let now = Millis::from_secs(20_000);
        let owner = camera.login(&Attempt::from_text(home::PASSWORD)?, now)?;
        camera.record(&LOGIN_FAILED, &[40.into()], now)?;
        camera.record(&LINK_LOST, &[90.into()], now)?;
        let registry = product::TELEMETRY.hashed(&mut Sha256::new());
        let metric = Metric::new(&registry, &VIEWS_DAILY)?;
        let answer = |camera: &mut unit::OwnedCamera<'_>| {
            camera.with_budget(
                ALLOWANCE,
                &mut SimCounter::new(),
                Some(link::TODAY),
                |budget, consents| {
                    let consent = consents.live::<Usage>().ok_or(NoiseError::NotConsented)?;
                    let views = Personal::<u32, Usage>::new(7);
                    Ok(views.noise(&metric, &consent, budget)?.bytes().len())
                },
            )
        };
        println!(
            "how often somebody watches: {}",
            answer(&mut camera).err().ok_or("told")?
        );
        camera.grant::<Usage>(&owner, 1, None)?;
        println!("by consent: a noised report of {} bytes", answer(&mut camera)?);
        let password = UserPassword::new(home::CHANGED, Exposure::Online, &[])?;
        camera.set_password(&owner, &password, Iterations::MCU)?;
        let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
        let sizes = Sizes::up_to(SizeClass::B1024);
        let batch = camera
            .batch(sizes, &mut scratch, &mut out)?
            .ok_or("nothing waits")?;
        link.post("cloud", CLOUD, "batches", "application/cose", batch.bytes())?;
        let receipt = batch.into_receipt();
        Ok(camera.acknowledge(receipt)?)
    })
}

fn read(sealed: &[u8], made: &home::Made) -> Result<usize> {
    let key = BatchKey::new(&made.enrolment.telemetry, &ChaCha20Poly1305, &HkdfSha256);
    let registry = product::TELEMETRY.hashed(&mut Sha256::new());
    Ok(key
        .open(sealed, &mut [0; 1024])?
        .read(&registry)?
        .events()
        .count())
}

/// As the policy of the manifest has it: looked for, told, fetched into the other half.
fn update(camera: &mut Camera, running: &Verified, link: &mut Link) -> Result {
    camera.owned(|mut camera, config| {
        let (mut now, policy) = (Millis(0), product::UPDATE_POLICY);
        let mut planner = UpdatePlanner::start(policy, Choices::DEFAULT, now, &mut SysRng)?;
        let (mut envelope, mut told) = (vec![0; 4096], false);
        loop {
            match planner.next(now, &Conditions::IDLE)? {
                Step::Wait(until) => now = until,
                Step::Check => {
                    let manifest = url(UPDATES, "camera-3.suit");
                    let len = link.with("updates", UPDATES, |client| {
                        Ok(client
                            .get(&Url::parse(manifest.as_bytes())?, None, &mut envelope)?
                            .1)
                    })?;
                    envelope.truncate(len);
                    let manifest = ManifestId {
                        sequence: iotsec::update::SequenceNumber(2),
                        digest: Sha256::of(&[&envelope]),
                    };
                    let (importance, away) = (Importance::Security, Millis::from_secs(60));
                    let offer = Offer {
                        manifest,
                        importance,
                        away,
                    };
                    planner.checked(now, Checked::Found(offer), &mut SysRng)?;
                }
                Step::Notify(_) if told => {}
                Step::Notify(_) => {
                    told = true;
                    println!("the app says: an update that mends a weakness, a minute without pictures");
                    // Its owner is watching.
                    planner.decide(now, Decision::Postpone(Millis::from_secs(3600)))?;
                }
                Step::Install(_) => break,
            }
        }
        println!(
            "installed {} h after it was found at the latest",
            policy.grace.0 / 3_600_000
        );
        let mut upkeep = camera.upkeep(config, unit::policy()?, running.running(), Sha256::new())?;
        while upkeep.state() == State::Updated && upkeep.clean()? == Clean::More {}
        let mut session = upkeep.start(&envelope, Some(link::TODAY))?;
        link.with("updates", UPDATES, |client| {
            while let Some(wanted) = session.wanted() {
                if wanted.offset == wanted.size {
                    upkeep.write(&mut session, &[])?;
                    continue;
                }
                let url = Url::parse(wanted.uri.as_bytes())?;
                let mut download = Download::new(wanted.offset.into(), wanted.size.into())?;
                client.download(&url, &mut download, |mut part| {
                    while !part.is_empty() {
                        part = &part[upkeep.write(&mut session, part)?..];
                    }
                    Ok::<(), Box<dyn std::error::Error>>(())
                })?;
            }
            Ok(())
        })?;
        loop {
            if let Finish::Done(candidate) = upkeep.finish(&mut session)? {
                return Ok(upkeep.install(candidate)?);
            }
        }
    })
}

/// The other half starts on trial, and finds itself well.
fn accept(camera: &mut Camera) -> Result<Verified> {
    let trial = camera.boot()?;
    camera.owned(|mut camera, config| {
        let mut upkeep = camera.upkeep(config, unit::policy()?, trial.running(), Sha256::new())?;
        if upkeep.state() != State::Trial {
            return Err("no trial".into());
        }
        Ok(upkeep.accept()?)
    })?;
    Ok(trial)
}

const NONCE: [u8; 32] = [7; 32];
const SIGNER: [u8; 32] = [3; 32];

/// What runs, and of which product manifest it was built.
fn attest(camera: &mut Camera, running: &Verified, link: &mut Link) -> Result {
    camera.owned(|mut camera, _| {
        let components = [
            Component::image("App", running.digest(), product::VERSION, &SIGNER),
            Component::product(&product::MANIFEST_SHA256, product::VERSION, &SIGNER),
        ];
        let attestation = Attestation {
            nonce: Nonce::new(&NONCE)?,
            hardware: b"camera-3, revision B of the main",
            client_id: 1,
            debug: DebugState::Closed,
            components: &components,
            boot_seed: None,
        };
        let (mut scratch, mut out) = ([0; Claims::max_scratch(2)], [0; Claims::max_len(2)]);
        let (kind, hash) = (KeyKind::P256, &mut Sha256::new());
        let token = camera.attest(unit::keys(), kind, &attestation, hash, &mut scratch, &mut out)?;
        link.post("cloud", CLOUD, "token", "application/eat+cwt", token)
    })
}

/// The service, which has the manifest.
fn believe(token: &[u8], made: &home::Made) -> Result {
    let manifest = Sha256::of(&[include_bytes!("iotsec.toml")]);
    let token = Token::parse(token)?;
    let evidence = token.verify(&made.key, Nonce::new(&NONCE)?, &mut Sha256::new(), &mut [0; 1024])?;
    if evidence
        .product()
        .is_none_or(|product| product.digest != manifest)
    {
        return Err("it was built of another product manifest".into());
    }
    println!("the service knows of which product manifest it was built");
    Ok(())
}

/// How many sockets are open that the interface table does not allow.
fn undeclared() -> Result<u16> {
    let snapshot = Snapshot::of_process("/proc".as_ref(), std::process::id())?;
    let report = audit(&product::SURFACE.gate(Phase::Owned), &snapshot.listeners()?);
    Ok(report.counts().open())
}

/// The camera looks at itself: its software while it runs, and how well it is set up.
fn look_around(camera: &mut Camera, running: &Verified, undeclared: u16) -> Result {
    let (mut integrity, mut hash) = (Integrity::new(running), Sha256::new());
    for _ in 0..8 {
        let layout = camera.layout();
        if let Some(alert) = integrity.step(&mut camera.flash, &layout, &mut hash, 4096)? {
            camera.owned(|mut camera, _| Ok(camera.record(&INTEGRITY_CHANGED, &[1.into()], Millis(0))?))?;
            return Err(format!("its software was changed: {alert:?}").into());
        }
    }
    camera.owned(|mut camera, _| {
        let observed = Observed {
            integrity: Some(integrity.connectivity()),
            support_until: Some(product::SUPPORT_UNTIL),
            time: Some(link::TODAY),
            undeclared: Some(undeclared),
            updates: Some(Status::Idle(Millis(0))),
            debug_port: Some(DebugState::Closed),
            ..Observed::NOTHING
        };
        let now = Millis::from_secs(30_000);
        let owner = camera.login(&Attempt::from_text(home::CHANGED)?, now)?;
        println!("to its owner: {}", about::page(Some(&owner))?);
        for finding in camera.security_status(&observed, now)?.findings() {
            println!("  {}: {}", finding.verdict().id(), finding.text());
        }
        Ok(())
    })
}

/// Everything of the owner goes, and a receipt says so.
fn farewell(camera: &mut Camera, made: &home::Made) -> Result {
    let moment = Moment {
        uptime: None,
        time: Some(link::TODAY),
    };
    camera.owned(|mut camera, _| {
        let owner = camera.login(&Attempt::from_text(home::CHANGED)?, Millis::from_secs(40_000))?;
        camera.reset_at(owner, moment).map_err(|(_, error)| error)?;
        Ok(())
    })?;
    let mut out = [0; Erased::MAX_LEN];
    let receipt = camera.run(|unit, _| {
        let Booted::Provisioned(mut camera) = unit else {
            return Err("it still has its owner".into());
        };
        while camera.scrub_step()? == Scrub::Pending {}
        let (key, hash) = (identity, &mut Sha256::new());
        Ok(camera
            .receipt(Some(b"of a buyer"), Signing { key, hash }, &mut out)?
            .to_vec())
    })?;
    let key = Ed25519SigningKey::from_seed(&made.enrolment.identity);
    let key = Ed25519PublicKey::from_bytes(key.public_key())?;
    let checked = Erased::verify(&receipt, &key, Some(b"of a buyer"), &mut Sha256::new())?;
    let values = checked.erased().values;
    for secret in [home::CLIP_KEY, home::CHANGED.as_bytes(), b"correct horse"] {
        if camera.holds(secret)? {
            return Err("something of the owner is left".into());
        }
    }
    println!("reset: {values} values erased, a genuine receipt, and nothing of the owner in the eMMC");
    Ok(())
}

fn identity(seed: &Secret<32>) -> std::result::Result<Ed25519SigningKey, CryptoError> {
    Ok(Ed25519SigningKey::from_seed(seed))
}
