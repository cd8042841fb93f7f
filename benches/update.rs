//! What an update costs: bytes of flash traffic counted, hashing compared in the same run.
//!
//! ```text
//! cargo bench --bench update
//! ```
//!
//! The ratio to plain SHA-256 is of times measured in turns in one process, and the least of each: read
//! it as a ratio, not as a speed. One pass of hashing as the bytes come and one when they are read back
//! are the least that a verified installation can do.

use std::time::{Duration, Instant};

use iotsec::{
    core::{
        crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
        hal::{Region, Slot},
        secret::Secret,
    },
    update::{
        ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, SequenceNumber, TrustAnchor,
        TrustAnchors, Updater,
        boot::{self, BootConfig, Selection},
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        install::Finish,
        rollback::{Rollback, RollbackPolicy},
        slot::{SlotLayout, UpdateLayout},
    },
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash, Stats};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const SIZE: usize = 240 * 1024;
const ROUNDS: usize = 10;
const VENDOR: [u8; 16] = [1; 16];
const CLASS: [u8; 16] = [2; 16];

fn main() -> Result<()> {
    let image: Vec<u8> = (0..SIZE)
        .map(|at| u8::try_from(at * 31 % 251).unwrap_or(0))
        .collect();
    let (mut hashing, mut installing, mut booting) = (Duration::MAX, Duration::MAX, Duration::MAX);
    let (mut install_stats, mut boot_stats) = (Stats::default(), Stats::default());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        std::hint::black_box(Sha256::of(&[&image]));
        hashing = hashing.min(start.elapsed());
        let (install, boot) = life(&image)?;
        (installing, install_stats) = (installing.min(install.0), install.1);
        (booting, boot_stats) = (booting.min(boot.0), boot.1);
    }
    let per_byte = |bytes: u64| share(bytes, SIZE as u64);
    println!(
        "image of {} KiB, fed in chunks of 1000 bytes, pages of 4 KiB, words of 4 bytes",
        SIZE / 1024
    );
    println!(
        "  installing: {:.3} bytes written and {:.3} read for each byte, {} erases, {} writes",
        per_byte(install_stats.bytes_written),
        per_byte(install_stats.bytes_read),
        install_stats.erases,
        install_stats.writes
    );
    println!(
        "  booting:    {:.3} bytes read for each byte, {} written",
        per_byte(boot_stats.bytes_read),
        boot_stats.bytes_written
    );
    println!(
        "  time of plain SHA-256 over time to install: {:.2}",
        hashing.as_secs_f64() / installing.as_secs_f64()
    );
    println!(
        "  time of plain SHA-256 over time to boot:    {:.2}",
        hashing.as_secs_f64() / booting.as_secs_f64()
    );
    Ok(())
}

/// Installs `image` and boots it; the time and the flash traffic of each.
fn life(image: &[u8]) -> Result<((Duration, Stats), (Duration, Stats))> {
    let maker = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
    let key = Ed25519PublicKey::from_bytes(maker.public_key())?;
    let anchors = [TrustAnchor { key: &key, kid: None }];
    let id = ComponentId::from_encoded(&[0x81, 0x41, 0x00])?;
    let pages = |first: u32, count: u32| Region::new(first * 4096, 4096, count, 4);
    let slot = |first| -> Result<_> {
        Ok(SlotLayout {
            manifest: pages(first, 1)?,
            images: [pages(first + 1, 60)?],
        })
    };
    let layout = UpdateLayout::new(slot(0)?, slot(61)?, pages(122, 3)?)?;
    let components = [DeviceComponent {
        id,
        capacity: 60 * 4096,
        slot: None,
    }];
    let device = DeviceIdentity {
        vendor: VENDOR,
        class: CLASS,
        device: None,
        components: &components,
    };
    let config = BootConfig::new(layout, TrustAnchors::new(&anchors, 1)?, device);
    let mut flash = SimFlash::new(Geometry::nrf52840(126));
    let mut counter = SimCounter::new();
    let mut rollback = Rollback::new(&mut counter, RollbackPolicy::new(0)?);
    let mut scratch = [0; 4096];
    let first = release(&maker, id, 1, image)?;
    layout.slot(Slot::A).provision(&mut flash, &first, [image])?;
    let Selection::Boot(running) = boot::select(
        &mut flash,
        &config,
        &mut rollback,
        &mut Sha256::new(),
        &mut scratch,
    )?
    else {
        return Err("the first image does not boot".into());
    };

    let envelope = release(&maker, id, 2, image)?;
    let (before, start) = (flash.stats(), Instant::now());
    let mut updater = Updater::mount(
        &mut flash,
        layout,
        running.running(),
        &mut rollback,
        Sha256::new(),
    )?;
    let policy = rollback.policy().admission(updater.installed(), None);
    let accepted = Envelope::parse(&envelope, &Limits::DEFAULT)?
        .authenticate(&config.anchors, &mut Sha256::new())?
        .admit(&config.device_b, &policy, &mut Sha256::new())?;
    let mut session = updater.start(&mut flash, accepted, &mut rollback)?;
    while let Some(wanted) = session.wanted() {
        let rest = image.get(usize::try_from(wanted.offset)?..).unwrap_or_default();
        let chunk = rest.get(..1000).unwrap_or(rest);
        updater.write(&mut session, &mut flash, chunk)?;
    }
    let candidate = loop {
        if let Finish::Done(candidate) = updater.finish(&mut session, &mut flash)? {
            break candidate;
        }
    };
    updater.install(&mut flash, candidate)?;
    let install = (start.elapsed(), flash.stats() - before);

    let (before, start) = (flash.stats(), Instant::now());
    let Selection::Boot(trial) = boot::select(
        &mut flash,
        &config,
        &mut rollback,
        &mut Sha256::new(),
        &mut scratch,
    )?
    else {
        return Err("the new image does not boot".into());
    };
    assert_eq!(trial.slot(), Slot::B);
    Ok((install, (start.elapsed(), flash.stats() - before)))
}

fn release(maker: &Ed25519SigningKey, id: ComponentId<'_>, sequence: u64, image: &[u8]) -> Result<Vec<u8>> {
    let component = ManifestComponent {
        id,
        digest: Sha256::of(&[image]),
        size: u32::try_from(image.len())?,
        payload: Payload::Uri("https://fw.example/image.bin"),
        transport: None,
        invoke: true,
    };
    let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
    let components = [component];
    let builder = EnvelopeBuilder::new(VENDOR, CLASS, SequenceNumber(sequence), &components);
    let signer = Signer {
        key: maker,
        kid: None,
    };
    Ok(builder
        .write(&[signer], &mut Sha256::new(), &mut scratch, &mut out)?
        .to_vec())
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
