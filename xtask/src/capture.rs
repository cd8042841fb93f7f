//! A device over MQTT and TLS in a network of its own, where every packet is captured: before its owner agrees there is
//! not one, after the owner withdraws there is the deletion request, and then not one.

mod eye;
mod lamp;
mod service;

use std::{fs, path::Path, thread, time::Duration};

use crate::{
    outages::{
        enter,
        network::{Network, at_server},
    },
    tool::Failure,
};
use eye::Eye;
use lamp::Lamp;
use service::{Broker, Service};

/// How long nothing may pass.
const SILENCE: Duration = Duration::from_secs(4);
/// Until the last packets of a connection that was closed have passed.
const SETTLE: Duration = Duration::from_millis(1500);

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    match args {
        [] => enter(
            "capture",
            &[
                ("mosquitto", "mosquitto"),
                ("openssl", "openssl"),
                ("tcpdump", "tcpdump"),
            ],
        ),
        // Started by `enter`, in a network of its own.
        ["--inside"] => play(root),
        // Started by `play`, beside the broker.
        ["--service", folder] => service::run(Path::new(folder)),
        _ => Err("takes nothing".into()),
    }
}

fn play(root: &Path) -> Result<(), Failure> {
    let folder = root.join("target/capture");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let network = Network::new()?;
    keep_quiet(&network)?;
    let mut broker = Broker::new(&folder)?;
    broker.start()?;
    let mut eye = Eye::open(&folder)?;
    lamp::with_lamp(&folder, |lamp| watch(lamp, &mut eye, &folder))
}

fn watch(mut lamp: Lamp<'_>, eye: &mut Eye, folder: &Path) -> Result<(), Failure> {
    let service = Service::start(folder)?;
    thread::sleep(SETTLE);

    // Before consent.
    let seen = eye.look(|| lamp.live(SILENCE))?;
    println!(
        "before consent: {seen}, in {} s with {} attempts to report",
        SILENCE.as_secs(),
        lamp.attempts
    );
    seen.must_be_none()?;

    // Whether a packet would have been seen.
    let seen = eye.look(|| {
        lamp.leak();
        thread::sleep(SETTLE);
        Ok(())
    })?;
    println!("a device that breaks the rule once: {seen}");
    if seen.must_be_none().is_ok() {
        return Err("a packet on the wire was not seen".into());
    }

    // With consent.
    lamp.agree()?;
    let seen = eye.look(|| {
        lamp.until(|lamp| lamp.acknowledged > 0)?;
        lamp.hang_up()?;
        thread::sleep(SETTLE);
        Ok(())
    })?;
    let batches = service.heard("batch")?;
    println!("with consent: {seen}; the service had {batches} batch");
    if batches == 0 {
        return Err("no batch arrived".into());
    }

    // The owner withdraws while events wait.
    lamp.withdraw()?;
    let seen = eye.look(|| {
        lamp.until(|lamp| lamp.deleted.is_some())?;
        lamp.hang_up()?;
        thread::sleep(SETTLE);
        Ok(())
    })?;
    println!(
        "withdrawn: {seen}; the service had {} deletion request",
        service.heard("deletion")?
    );
    if let Some(receipt) = &lamp.deleted {
        println!("           \"{receipt}\"");
    }
    if service.heard("batch")? != batches || service.heard("deletion")? == 0 {
        return Err("something else than the deletion request was sent".into());
    }

    // And after that.
    let attempts = lamp.attempts;
    let seen = eye.look(|| lamp.live(SILENCE))?;
    println!(
        "after the receipt: {seen}, in {} s with {} attempts to report",
        SILENCE.as_secs(),
        lamp.attempts - attempts
    );
    seen.must_be_none()
}

/// What the two ends of the cable say to each other by themselves is no device's doing: no IPv6, and no asking for
/// addresses, at either end.
fn keep_quiet(network: &Network) -> Result<(), Failure> {
    const OFF: &str = "/proc/sys/net/ipv6/conf/all/disable_ipv6";
    if Path::new(OFF).exists() {
        fs::write(OFF, "1")?;
        let mut command = at_server("sh");
        crate::tool::run(command.args(["-c", &format!("echo 1 > {OFF}")]))?;
    }
    let device = eye::hardware_address("device0", None)?;
    let server = eye::hardware_address("server0", Some("server"))?;
    let (there, here) = (["10.213.0.2", "device0"], ["10.213.0.1", "server0"]);
    network.device(&[
        "neigh",
        "replace",
        there[0],
        "lladdr",
        &server,
        "dev",
        there[1],
        "nud",
        "permanent",
    ])?;
    network.server(&[
        "neigh",
        "replace",
        here[0],
        "lladdr",
        &device,
        "dev",
        here[1],
        "nud",
        "permanent",
    ])
}
