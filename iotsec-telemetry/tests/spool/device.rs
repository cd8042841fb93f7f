//! A device with a spool, and the service that it reports to.

use std::collections::BTreeSet;

use iotsec_core::{
    crypto::{Aes256GcmSiv, ChaCha20Poly1305, HkdfSha256, Sha256},
    hal::{Millis, Region},
    secret::Secret,
};
use iotsec_telemetry::{
    batch::{BatchKey, MAX_LEN, SizeClass, Sizes},
    consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Health, Usage},
    error::{SpoolError, StorageError},
    queue::{EventId, Receipt},
    registry,
    registry::{Class, EventDef, Field, HashedRegistry, Purpose, Registry},
    spool::{Purge, Quotas, Spool, SpoolParts},
    stream::Stream,
};
use iotsec_testkit::{Geometry, Power, SimFlash, SimRng, Tear, Violation, World};

const SERIAL: &[Field] = &[Field::number("serial", "1", 0, 0xFFFF_FFFF)];
const fn event(id: u16, class: Class) -> EventDef {
    EventDef::new(id, "test", class, "Test", SERIAL)
}
/// In the order of their classes.
pub(crate) const EVENTS: [EventDef; 4] = [
    event(1, Class::Critical),
    event(2, Class::Security),
    event(3, Class::Health),
    event(4, Class::Usage),
];
registry!(pub(crate) static PRODUCT = [EVENTS[0], EVENTS[1], EVENTS[2], EVENTS[3]]);
registry!(pub(crate) static UPDATED = [EVENTS[0], EVENTS[1], EVENTS[2], EVENTS[3], event(5, Class::Usage)]);

pub(crate) const QUOTAS: Quotas = Quotas {
    journal: 2,
    critical: 2,
    security: 3,
    health: 2,
    usage: 2,
};
pub(crate) const PAGES: usize = 11;

/// Pages of 512 bytes in words of 16: eleven or fewer events a page, and few steps for each.
pub(crate) fn small() -> Geometry {
    Geometry::new(&[512; PAGES], 16)
}

#[derive(Clone)]
pub(crate) struct Storage(Option<[u8; CONSENT_RECORD_LEN]>);

impl ConsentStorage for Storage {
    fn load(&mut self, record: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        if let Some(stored) = self.0 {
            *record = stored;
        }
        Ok(self.0.is_some())
    }
    fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        self.0 = Some(*record);
        Ok(())
    }
}

/// What happened to events of one class.
#[derive(Clone, Default, Debug)]
pub(crate) struct Account {
    /// Recording was acknowledged.
    pub(crate) recorded: BTreeSet<(u32, u32)>,
    /// Refused for want of room, which is counted.
    pub(crate) refused: u32,
    /// Cut short: recorded or not.
    pub(crate) cut: u32,
    /// Arrived at the service, each once.
    pub(crate) arrived: BTreeSet<(u32, u32)>,
    /// Arrived, and the device has taken note of it.
    pub(crate) confirmed: BTreeSet<(u32, u32)>,
}

/// Everything that outlives a power cut, the service's memory included.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) flash: SimFlash,
    pub(crate) boot: u32,
    pub(crate) storage: Storage,
    pub(crate) quotas: Quotas,
    pub(crate) accounts: [Account; 4],
    pub(crate) registry: &'static Registry,
    /// Arrived more than once.
    pub(crate) repeated: u32,
}

impl World for Device {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

pub(crate) fn stored_key() -> Secret<32> {
    Secret::from_bytes([0x51; 32])
}

pub(crate) fn purpose_key(number: u8) -> Secret<32> {
    Secret::from_bytes([number; 32])
}

impl Device {
    pub(crate) fn new(geometry: Geometry, tear: Tear) -> Self {
        let mut device = Self {
            flash: SimFlash::new(geometry).with_tear(tear),
            boot: 0,
            storage: Storage(None),
            quotas: QUOTAS,
            accounts: Default::default(),
            registry: &PRODUCT,
            repeated: 0,
        };
        let mut consents = device.consents();
        consents.grant::<Health>(1, None, &mut device.storage).unwrap();
        consents.grant::<Usage>(1, None, &mut device.storage).unwrap();
        device
    }

    pub(crate) fn consents(&self) -> Consents {
        Consents::load(&mut self.storage.clone())
    }

    pub(crate) fn registry(&self) -> HashedRegistry {
        self.registry.hashed(&mut Sha256::new())
    }

    pub(crate) fn parts(&self) -> SpoolParts<'static> {
        // A page may be several sectors: 256 bytes are too few.
        let geometry = self.flash.geometry();
        let pages = total(&self.quotas);
        let mut region = geometry.pages(0, pages).unwrap();
        if region.page_size() < 512 {
            region = Region::new(0, 512, pages, geometry.word_size()).unwrap();
        }
        SpoolParts {
            region: region.with_erased(geometry.erased()),
            quotas: self.quotas,
            registry: self.registry(),
            aead: &Aes256GcmSiv,
            kdf: &HkdfSha256,
        }
    }

    /// The next boot: mounts, unlocks what is granted, purges.
    pub(crate) fn start(&mut self) -> Result<Running<'_>, SpoolError> {
        self.boot += 1;
        let consents = self.consents();
        let parts = self.parts();
        let mut spool = Spool::mount(&mut self.flash, parts, self.boot, &stored_key())?;
        if consents.live::<Health>().is_some() {
            spool.unlock::<Health>(&mut self.flash, &consents, &purpose_key(1))?;
        }
        if consents.live::<Usage>().is_some() {
            spool.unlock::<Usage>(&mut self.flash, &consents, &purpose_key(2))?;
        }
        self.flash.mark();
        while spool.purge_step(&mut self.flash, &consents)? == Purge::Pending {
            self.flash.mark();
        }
        Ok(Running {
            spool,
            consents,
            seconds: 0,
            rng: SimRng::new(self.boot.into()),
            device: self,
        })
    }

    /// What is recorded is delivered, waiting or counted, exactly but for what a cut has left open.
    pub(crate) fn check(&self, spool: &Spool<'_>) {
        for (class, account) in Class::ALL.into_iter().zip(&self.accounts) {
            let found = account.arrived.len() as u32 + spool.loss(class).count + spool.len_of(class);
            let least = account.recorded.len() as u32 + account.refused;
            // A cut kept the device from learning that they have arrived: they wait all the same.
            let unknown = account.arrived.difference(&account.confirmed).count() as u32;
            assert!(
                found >= least && found <= least + account.cut + unknown,
                "{class:?}: {} arrived, {} lost, {} wait; {least} recorded or refused, {} cut short, {unknown} unknown",
                account.arrived.len(),
                spool.loss(class).count,
                spool.len_of(class),
                account.cut,
            );
        }
    }

    /// Criticals are never displaced, so that all of them arrive.
    pub(crate) fn check_criticals(&self) {
        let [critical, ..] = &self.accounts;
        let missing: Vec<_> = critical.recorded.difference(&critical.arrived).collect();
        assert!(missing.is_empty(), "criticals are missing: {missing:?}");
    }
}

pub(crate) fn total(quotas: &Quotas) -> u32 {
    [
        quotas.journal,
        quotas.critical,
        quotas.security,
        quotas.health,
        quotas.usage,
    ]
    .map(u32::from)
    .iter()
    .sum()
}

/// A batch that has arrived.
pub(crate) struct Arrived {
    pub(crate) purpose: Purpose,
    pub(crate) ids: Vec<EventId>,
    pub(crate) serials: Vec<i64>,
    pub(crate) lost: [u32; 4],
    pub(crate) receipt: Receipt,
    classes: Vec<usize>,
    pub(crate) registry_hash: [u8; 16],
}

pub(crate) struct Running<'d> {
    pub(crate) device: &'d mut Device,
    pub(crate) spool: Spool<'static>,
    pub(crate) consents: Consents,
    pub(crate) seconds: u64,
    pub(crate) rng: SimRng,
}

impl Running<'_> {
    pub(crate) fn record(&mut self, class: usize, serial: u32) -> Result<EventId, SpoolError> {
        self.seconds += 7;
        self.device.flash.mark();
        let result = self.spool.record(
            &mut self.device.flash,
            &self.consents,
            &EVENTS[class],
            &[serial.into()],
            Millis::from_secs(self.seconds),
        );
        let account = &mut self.device.accounts[class];
        match result {
            Ok(id) => assert!(
                account.recorded.insert((id.boot, id.sequence)),
                "{id:?} was there"
            ),
            Err(SpoolError::Record(iotsec_telemetry::error::RecordError::Full)) => account.refused += 1,
            Err(_) => account.cut += 1,
        }
        result
    }

    /// Makes a batch of the most urgent purpose and lets the service read it.
    pub(crate) fn send(&mut self, sizes: Sizes) -> Result<Option<Arrived>, SpoolError> {
        self.send_for(None, sizes)
    }

    /// The same for one stream.
    pub(crate) fn send_for(
        &mut self,
        stream: Option<&Stream>,
        sizes: Sizes,
    ) -> Result<Option<Arrived>, SpoolError> {
        let secret = Secret::from_bytes([3; 32]);
        let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
        let (mut scratch, mut out, mut plain) = ([0; MAX_LEN], [0; MAX_LEN], [0; MAX_LEN]);
        self.device.flash.mark();
        let (flash, consents, rng) = (&mut self.device.flash, &self.consents, &mut self.rng);
        let spool = &mut self.spool;
        let sealed = match stream {
            Some(stream) => {
                spool.batch_for(flash, stream, consents, &key, sizes, rng, &mut scratch, &mut out)?
            }
            None => spool.batch(flash, consents, &key, sizes, rng, &mut scratch, &mut out)?,
        };
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        let opened = key.open(sealed.bytes(), &mut plain).unwrap();
        let registry_hash = *opened.registry_hash();
        let known = [&PRODUCT, &UPDATED].map(|registry| registry.hashed(&mut Sha256::new()));
        let known = known.iter().find(|known| *known.hash() == registry_hash).unwrap();
        let batch = opened.read(known).unwrap();
        let mut arrived = Arrived {
            purpose: batch.purpose(),
            ids: Vec::new(),
            serials: Vec::new(),
            lost: Class::ALL.map(|class| batch.lost(class)),
            receipt: sealed.into_receipt(),
            classes: Vec::new(),
            registry_hash,
        };
        for event in batch.events() {
            let id = event.id();
            let class = usize::from(event.definition().class().number());
            let account = &mut self.device.accounts[class];
            arrived.classes.push(class);
            self.device.repeated += u32::from(!account.arrived.insert((id.boot, id.sequence)));
            arrived.ids.push(id);
            arrived.serials.push(event.raw(0).unwrap());
        }
        Ok(Some(arrived))
    }

    pub(crate) fn ack(&mut self, arrived: Arrived) -> Result<(), SpoolError> {
        self.device.flash.mark();
        self.spool.ack(&mut self.device.flash, arrived.receipt)?;
        for (class, id) in arrived.classes.into_iter().zip(arrived.ids) {
            self.device.accounts[class]
                .confirmed
                .insert((id.boot, id.sequence));
        }
        Ok(())
    }

    /// Sends and acknowledges until nothing is left to tell.
    pub(crate) fn drain(&mut self) -> Result<u32, SpoolError> {
        for batches in 0..10_000 {
            let Some(arrived) = self.send(SIZES)? else {
                return Ok(batches);
            };
            self.ack(arrived)?;
        }
        panic!("there is always another batch");
    }
}

pub(crate) const SIZES: Sizes = Sizes::up_to(SizeClass::B2048);

impl Device {
    pub(crate) fn cut_short(&self) -> u32 {
        self.accounts.iter().map(|account| account.cut).sum()
    }
}
