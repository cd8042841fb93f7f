//! A lamp looks for an update, fetches it over TLS from a server that is busy and a link that breaks, and reports.
//!
//! ```text
//! cargo run --example update_https
//! ```
//!
//! The connections are real, on this machine; flash and hours are simulated. The server's key is built into the lamp
//! (RFC 7250), so no clock is needed to trust it.

#[path = "lamp/device.rs"]
mod device;
#[path = "lamp/link.rs"]
mod link;
#[path = "lamp/update_server.rs"]
mod update_server;

use std::{collections::HashMap, sync::Arc};

use device::{Lamp, Result, policy, sign};
use iotsec::{
    core::{
        crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
        hal::{Millis, UnixTime},
        identity::SubjectPublicKey,
        input::Url,
    },
    net::{
        https::Download,
        time::CertificateTime,
        tls::{self, Alpn, Provider, RawKeys},
    },
    update::{
        SequenceNumber, Updater,
        install::{Clean, ManifestId, State},
        payload::Transport,
        policy::{Checked, Choices, Conditions, Importance, Offer, Step, UpdatePlanner, UpdatePolicy},
        report::{self, Outcome, Report},
        rollback::Rollback,
    },
};
use iotsec_testkit::{Geometry, SimRng};
use link::Link;

const MANIFEST: &[u8] = b"https://fw.example.com:8443/lamp-2.suit";
const REPORTS: &[u8] = b"https://fw.example.com:8443/reports";

/// Fetches and writes whatever the update still wants.
fn install(lamp: &mut Lamp<1>, envelope: &[u8], link: &mut Link) -> Result {
    let running = lamp.boot()?.running();
    let (flash, layout) = (&mut lamp.flash, lamp.config.layout);
    let mut rollback = Rollback::new(&mut lamp.counter, policy()?);
    let mut updater = Updater::mount(flash, layout, running, &mut rollback, Sha256::new())?;
    while updater.state() == State::Updated && updater.clean(flash)? == Clean::More {}
    let accepted = Lamp::admit(&lamp.config, envelope, updater.installed())?;
    let mut session = updater.start(flash, accepted, &mut rollback)?;
    link.until_done(|client| {
        while let Some(wanted) = session.wanted() {
            if wanted.offset == wanted.size {
                updater.write(&mut session, flash, &[])?;
                continue;
            }
            let url = Url::parse(wanted.uri.as_bytes())?;
            let mut download = Download::new(wanted.offset.into(), wanted.size.into())?;
            client.download(&url, &mut download, |mut part| {
                while !part.is_empty() {
                    part = &part[updater.write(&mut session, flash, part)?..];
                }
                Ok::<(), Box<dyn std::error::Error>>(())
            })?;
        }
        Ok(())
    })?;
    Lamp::stage(&mut updater, session, flash)
}

fn main() -> Result {
    let image = |number: u32| {
        (0..10_000)
            .flat_map(|at: u32| (at * number).to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let (old, new) = (image(1), image(3));
    let part = |image: &Vec<u8>| image.len().try_into().map(Transport::plain);
    let (first, second) = (sign(1, &[(&old, part(&old)?)])?, sign(2, &[(&new, part(&new)?)])?);
    let mut lamp = Lamp::new(&Geometry::nrf52840(64), 12, &first, [&old])?;

    let mut rng = SimRng::new(6);
    let key = Arc::new(Ed25519SigningKey::generate(&mut rng)?);
    let public = SubjectPublicKey::of(&*key)?;
    let time = CertificateTime::exact(UnixTime(1_800_000_000));
    let files =
        [("/lamp-2.suit", &second), ("/app", &new)].map(|(path, file)| (path.to_owned(), file.clone()));
    let reports = update_server::start(key.clone(), time, HashMap::from(files), 15_000)?;

    let trust = RawKeys::new(&[public])?;
    let client = tls::Client::new(&Provider::ring(), trust, Alpn::Require(&[b"http/1.1"]))?;
    let mut link = Link::new(client, time, rng)?;
    let mut planner = UpdatePlanner::start(UpdatePolicy::DEFAULT, Choices::DEFAULT, link.now, &mut link.rng)?;
    let mut envelope = vec![0; 4096];
    loop {
        match planner.next(link.now, &Conditions::IDLE)? {
            Step::Wait(until) => link.now = until,
            Step::Check => {
                println!("after {} s the lamp asks for news", link.now.0 / 1000);
                let url = Url::parse(MANIFEST)?;
                let len = link.until_done(|client| Ok(client.get(&url, None, &mut envelope)?.1))?;
                envelope.truncate(len);
                let accepted = Lamp::admit(&lamp.config, &envelope, SequenceNumber(1))?;
                let manifest = ManifestId {
                    sequence: accepted.sequence_number(),
                    digest: *accepted.manifest_digest(),
                };
                let offer = Offer {
                    manifest,
                    importance: Importance::Urgent,
                    away: Millis::from_secs(20),
                };
                planner.checked(link.now, Checked::Found(offer), &mut link.rng)?;
            }
            Step::Notify(_) => println!("the owner is told"),
            Step::Install(_) => break,
        }
    }
    println!("release 2 is fetched");
    install(&mut lamp, &envelope, &mut link)?;
    planner.installed(link.now, &mut link.rng)?;
    let release = lamp.accept()?;
    println!(
        "release {} is tried and kept, after {} connections",
        release.manifest().sequence.0,
        link.connections
    );

    let device = Ed25519SigningKey::generate(&mut link.rng)?;
    let manifest = release.manifest();
    let report = Report {
        reference_uri: "",
        manifest_digest: &manifest.digest,
        nonce: None,
        measured: &[],
        outcome: Outcome::Done,
    };
    let (mut scratch, mut out) = ([0; 512], [0; 512]);
    let message = report.sign(&device, None, &mut scratch, &mut out)?;
    let url = Url::parse(REPORTS)?;
    link.until_done(|client| Ok(client.post(&url, "application/suit-report+cose", message)?))?;
    let received = reports.recv()?;
    let read = report::verify(
        &received,
        &Ed25519PublicKey::from_bytes(device.public_key())?,
        &mut scratch,
    )?;
    assert_eq!(
        (read.outcome, read.manifest_digest),
        (Outcome::Done, &manifest.digest)
    );
    println!("the maker's server has the report of {} bytes", received.len());
    Ok(())
}
