//! One lamp as its firmware sees it: flash, fuses, and a boot of it. What happens to it stands in the example.

use std::collections::BTreeSet;

use iotsec::{
    core::{
        credential::{
            DevicePassword, Exposure, PhysicalPresence, SetupCode, ThrottlePolicy,
            pairing::{PairingCode, PairingParameters, PairingRecord},
        },
        crypto::{
            Aes256GcmSiv, ChaCha20Poly1305, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, Sha256, Sign,
        },
        identity::SubjectPublicKey,
        qr::{KeyFingerprint, ProductLabel},
    },
    device::{Booted, Device, Enrolment, Hardware, Memory, Product, Suite},
    store::{IndexEntry, ReplayProtection},
    telemetry::{
        detect::AUTH_BURST,
        registry,
        registry::{Class, EventDef, Field},
    },
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash, SimRng, SimRootKey};

pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;
pub(crate) type Unit<'d> = Booted<'d, &'d mut SimFlash, SimRng, 8>;

pub(crate) const LIT: EventDef = EventDef::new(
    1,
    "lamp.lit",
    Class::Usage,
    "Tells how long a lamp has to last",
    &[Field::number("hours", "h", 0, 24)],
);
registry!(pub(crate) static EVENTS = [LIT, AUTH_BURST]);
const PAGE: usize = 4096;

/// The factory makes a lamp. Returns its flash, and what factory and service learn of it.
pub(crate) fn enrol(code: &DevicePassword) -> Result<(SimFlash, Enrolment)> {
    let mut flash = SimFlash::new(Geometry::nrf52840(8));
    let enrolment = boot(&mut flash, |product, hardware, memory| {
        let device = Device::<_, _, _, 8>::format(product, hardware, memory)?;
        let (_, enrolment) = device.provision("SN-0001", code).map_err(|(_, error)| error)?;
        Ok(enrolment)
    })?;
    Ok((flash, enrolment))
}

/// The factory makes a lamp. Returns its flash, and the key that it proves itself with.
pub(crate) fn make(code: &DevicePassword) -> Result<(SimFlash, Ed25519PublicKey)> {
    let (flash, enrolment) = enrol(code)?;
    let key = Ed25519SigningKey::from_seed(&enrolment.identity);
    Ok((flash, Ed25519PublicKey::from_bytes(key.public_key())?))
}

/// A lamp whose flash is formatted and that has no credentials yet.
pub(crate) fn blank() -> Result<SimFlash> {
    let mut flash = SimFlash::new(Geometry::nrf52840(8));
    boot(&mut flash, |product, hardware, memory| {
        Device::<_, _, _, 8>::format(product, hardware, memory)?;
        Ok(())
    })?;
    Ok(flash)
}

/// The factory makes a lamp with a set-up code. Returns its flash, and what the QR code on its label says.
pub(crate) fn make_with_label() -> Result<(SimFlash, String)> {
    const SERIAL: &str = "LAMP-0042";
    let mut rng = SimRng::new(2);
    let (password, code) = (
        DevicePassword::generate(Exposure::Online, &mut rng)?,
        SetupCode::generate(&mut rng)?,
    );
    let typed = PairingCode::parse(code.digits())?;
    let parameters = PairingParameters::generate(PairingParameters::MIN_ITERATIONS, &mut rng)?;
    let record = PairingRecord::register(&typed, SERIAL.as_bytes(), &parameters, &HkdfSha256)?;
    let mut flash = blank()?;
    let enrolment = open(&mut flash, |unit| {
        let Booted::Factory(device) = unit else {
            return Err("made before".into());
        };
        let made = device.provision_with_pairing(SERIAL, &password, &record);
        Ok(made.map_err(|(_, error)| error)?.1)
    })?;
    let key = Ed25519SigningKey::from_seed(&enrolment.identity);
    let key = SubjectPublicKey::new(key.key_type(), key.public_key())?;
    let fingerprint = KeyFingerprint::of(&key, &mut Sha256::new());
    let label = ProductLabel::new("LAMP-2", SERIAL, fingerprint)?.with_code(code.digits())?;
    Ok((flash, label.write(&mut [0; ProductLabel::MAX_LEN])?.to_owned()))
}

/// Power comes on, and `work` is what the firmware does.
pub(crate) fn open<T>(flash: &mut SimFlash, work: impl FnOnce(Unit<'_>) -> Result<T>) -> Result<T> {
    flash.power_on();
    boot(flash, |product, hardware, memory| {
        work(Booted::open(product, hardware, memory)?)
    })
}

pub(crate) fn boot<T>(
    flash: &mut SimFlash,
    work: impl for<'d> FnOnce(Product<'d>, Hardware<'d, &'d mut SimFlash, SimRng>, Memory<'d>) -> Result<T>,
) -> Result<T> {
    let (root, mut counter) = (SimRootKey::new(1), SimCounter::new());
    let (mut index, mut record) = ([IndexEntry::EMPTY; 30], [0; 512]);
    let product = Product {
        store: flash.region()?,
        events: EVENTS.hashed(&mut Sha256::new()),
        reserve: 2,
        throttle: ThrottlePolicy::DEFAULT,
        suite: Suite {
            storage: &Aes256GcmSiv,
            wire: &ChaCha20Poly1305,
            kdf: &HkdfSha256,
        },
    };
    let hardware = Hardware {
        rng: SimRng::new(flash.steps()),
        flash,
        counter: &mut counter,
        root: &root,
        replay: ReplayProtection::None,
    };
    let memory = Memory {
        index: &mut index,
        record: &mut record,
    };
    work(product, hardware, memory)
}

/// Somebody has a finger on the button.
pub(crate) struct Button;
impl PhysicalPresence for Button {
    fn is_asserted(&mut self) -> bool {
        true
    }
}

/// Every run of 32 bytes that the pages hold behind their heads, which are alike.
pub(crate) fn runs(flash: &SimFlash) -> BTreeSet<&[u8]> {
    let bodies = flash.image().chunks(PAGE).map(|page| &page[64..]);
    let blank = |run: &[u8]| run.iter().filter(|byte| **byte == 0xFF).count();
    bodies
        .flat_map(|body| body.windows(32))
        .filter(|run| blank(run) < 16)
        .collect()
}
