//! A unit with a label and a set-up code, over its boots; and the phone of whoever has the label.

use iotsec::{
    core::{
        credential::{
            DevicePassword, Exposure, PhysicalPresence,
            pairing::{
                ANSWER_LEN, CONFIRM_LEN, Owner, OwnerWaiting, PairingCode, PairingNames, PairingParameters,
                PairingRecord, SHARE_LEN,
            },
        },
        crypto::{Aes256GcmSiv, HkdfSha256, Sha256},
        hal::Millis,
    },
    device::{Booted, Device, DeviceError, Provisioned},
    store::{IndexEntry, KeyId, ReplayProtection, Store, Suite},
    telemetry::{detect::AUTH_BURST, registry},
};
use iotsec_testkit::{Geometry, Power, SimFlash, SimRng, SimRootKey, Violation, World};

registry!(pub(crate) static EVENTS = [AUTH_BURST]);

pub(crate) const SERIAL: &str = "LAMP-0042";
pub(crate) const CODE: &str = "2020-2021";
pub(crate) const PHONE: &[u8] = b"phone-7";
/// As long as the products of these tests are open.
pub(crate) const OPEN: Millis = Millis::from_secs(600);

pub(crate) type Booting<'w> = Booted<'w, &'w mut SimFlash, SimRng, 16>;
pub(crate) type Unowned<'w> = Device<'w, Provisioned, &'w mut SimFlash, SimRng, 16>;

/// What outlives a power cut.
#[derive(Clone)]
pub(crate) struct Unit {
    pub(crate) flash: SimFlash,
    pub(crate) label: String,
    seed: u64,
}

impl World for Unit {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

impl Unit {
    pub(crate) fn made() -> Self {
        let mut rng = SimRng::new(99);
        let password = DevicePassword::generate(Exposure::Online, &mut rng).unwrap();
        let code = PairingCode::parse(CODE).unwrap();
        let parameters = PairingParameters::generate(1000, &mut rng).unwrap();
        let record = PairingRecord::register(&code, SERIAL.as_bytes(), &parameters, &HkdfSha256).unwrap();
        let mut flash = SimFlash::new(Geometry::small(40));
        let (mut seed, events) = (0, EVENTS.hashed(&mut Sha256::new()));
        super::unit::boot(&mut flash, &mut seed, events, |product, hardware, memory| {
            let device = Device::<_, _, _, 16>::format(product, hardware, memory).unwrap();
            let provisioned = device.provision_with_pairing(SERIAL, &password, &record);
            provisioned.map(|_| ()).map_err(|(_, error)| error).unwrap();
        });
        let label = password.label().as_str().to_owned();
        Self { flash, label, seed }
    }

    pub(crate) fn open<T>(
        &mut self,
        work: impl FnOnce(Booting<'_>) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        let events = EVENTS.hashed(&mut Sha256::new());
        super::unit::boot(
            &mut self.flash,
            &mut self.seed,
            events,
            |product, hardware, memory| work(Booted::open(product, hardware, memory)?),
        )
    }

    /// The store by itself, as no application sees it.
    pub(crate) fn store<T>(&mut self, work: impl FnOnce(&mut Store<'_>, &mut SimFlash) -> T) -> T {
        let root = SimRootKey::new(1);
        let suite = Suite {
            aead: &Aes256GcmSiv,
            kdf: &HkdfSha256,
            root: &root,
        };
        let (mut index, mut buffer, mut rng) = ([IndexEntry::EMPTY; 24], [0; 512], SimRng::new(7));
        let (region, replay) = (self.flash.region().unwrap(), ReplayProtection::None);
        let flash = &mut self.flash;
        let mut store =
            Store::mount(flash, region, suite, &mut index, &mut buffer, replay, &mut rng).unwrap();
        work(&mut store, flash)
    }

    /// Which values there are.
    pub(crate) fn values(&mut self) -> Vec<KeyId> {
        self.store(|store, _| store.keys().collect())
    }

    /// A boot in which the device has no owner.
    pub(crate) fn unowned<T>(
        &mut self,
        work: impl FnOnce(Unowned<'_>) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        self.open(|unit| match unit {
            Booted::Provisioned(device) => work(device),
            other => panic!("{other:?}"),
        })
    }
}

/// Somebody who has a finger on the button.
pub(crate) struct Button(pub(crate) bool);

impl PhysicalPresence for Button {
    fn is_asserted(&mut self) -> bool {
        self.0
    }
}

/// The phone says the first word, as whoever was told `code`.
pub(crate) fn call(
    code: &str,
    parameters: &PairingParameters,
    now: Millis,
) -> (OwnerWaiting<'static>, [u8; SHARE_LEN]) {
    let names = PairingNames::new(PHONE, SERIAL.as_bytes()).unwrap();
    let owner = Owner::new(&PairingCode::parse(code).unwrap(), names, parameters, &HkdfSha256).unwrap();
    owner.start(&mut SimRng::new(now.0), &HkdfSha256).unwrap()
}

/// The phone takes the device's answer. Whoever guesses sends something all the same.
pub(crate) fn confirm(owner: OwnerWaiting<'_>, answer: &[u8; ANSWER_LEN]) -> [u8; CONFIRM_LEN] {
    let finished = owner.finish(answer, &HkdfSha256);
    finished.map_or([7; CONFIRM_LEN], |(confirm, _)| confirm)
}
