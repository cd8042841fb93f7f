//! A device opened, set up by the password on its label, and owned.

use core::hint::black_box;

use harness::{
    device::{STORE, VolatileCounter},
    entropy::FixedBytes,
    flash::SimulatedFlash,
};
use iotsec::{
    core::{
        credential::{Attempt, DevicePassword, Exposure, Iterations, Label, ThrottlePolicy, UserPassword},
        crypto::{Aes256GcmSiv, ChaCha20Poly1305, HkdfSha256, Sha256},
        hal::{DeviceRootKey, Millis, UnixTime},
    },
    device::{Booted, Device, Hardware, Memory, Product, Suite},
    setup::{IdentityReport, NetworkReport, Plan, Setup, SetupStatus, UpdateReport},
    store::{IndexEntry, ReplayProtection},
    telemetry::{detect::AUTH_BURST, registry},
};

registry!(static EVENTS = [AUTH_BURST]);

type Parts<'d> = Hardware<'d, &'d mut SimulatedFlash, FixedBytes>;

/// Makes and provisions a device, as the factory does. Returns what its label says.
pub fn prepare(flash: &mut SimulatedFlash, root: &DeviceRootKey<'_>) -> Option<Label> {
    let password = DevicePassword::generate(Exposure::Online, &mut FixedBytes::new(5)).ok()?;
    boot(flash, root, 2, |product, hardware, memory| {
        let device = Device::<_, _, _, 16>::format(product, hardware, memory).ok()?;
        device.provision("LAMP-0042", &password).ok().map(drop)
    })
    .then(|| password.label())
}

/// Everything from power-on to an owner with a password of their own.
#[inline(never)]
pub fn run(flash: &mut SimulatedFlash, root: &DeviceRootKey<'_>, label: &Label) -> bool {
    boot(flash, root, 3, |product, hardware, memory| {
        let Booted::<_, _, 16>::Provisioned(device) = Booted::open(product, hardware, memory).ok()? else {
            return None;
        };
        let now = Millis::from_secs(60);
        let mut setup = Setup::begin(device, black_box(Plan::online(UnixTime(1)))).ok()?;
        setup
            .present_label(&Attempt::from_label(label.as_str()).ok()?, now)
            .ok()?;
        setup.give_network(black_box(b"WIFI:S:flat;;")).ok()?;
        setup.report_network(black_box(NetworkReport::Joined)).ok()?;
        setup.set_time(UnixTime(black_box(7))).ok()?;
        setup.report_update(black_box(UpdateReport::Current)).ok()?;
        setup.report_identity(black_box(IdentityReport::Accepted)).ok()?;
        tell(&setup.status(now).ok()?)?;
        let text = black_box("seven small otters swim");
        let password = UserPassword::new(text, Exposure::Online, &["LAMP-0042"]).ok()?;
        setup
            .ready()
            .ok()?
            .claim(&password, Iterations::MCU)
            .ok()
            .map(drop)
    })
}

/// Writes the document that an app shows.
fn tell(status: &SetupStatus) -> Option<()> {
    let mut text = Text(0);
    status.write_json(&mut text).ok()?;
    (black_box(text.0) > 0).then_some(())
}

/// Counts what is written.
struct Text(usize);

impl core::fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.0 += black_box(text).len();
        Ok(())
    }
}

/// Whether `work` comes to its end in a boot.
fn boot(
    flash: &mut SimulatedFlash,
    root: &DeviceRootKey<'_>,
    seed: u64,
    work: impl for<'d> FnOnce(Product<'d>, Parts<'d>, Memory<'d>) -> Option<()>,
) -> bool {
    let (mut index, mut record) = ([IndexEntry::EMPTY; 32], [0; 288]);
    let mut counter = VolatileCounter::default();
    let product = Product {
        store: STORE,
        events: EVENTS.hashed(&mut Sha256::new()),
        reserve: 4,
        throttle: ThrottlePolicy::DEFAULT,
        suite: Suite {
            storage: &Aes256GcmSiv,
            wire: &ChaCha20Poly1305,
            kdf: &HkdfSha256,
        },
    };
    let hardware = Hardware {
        flash,
        rng: FixedBytes::new(seed),
        counter: &mut counter,
        root,
        replay: ReplayProtection::None,
    };
    let memory = Memory {
        index: &mut index,
        record: &mut record,
    };
    work(product, hardware, memory).is_some()
}
