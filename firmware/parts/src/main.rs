//! An application for 16 KB of RAM, where a [`Device`](iotsec) finds no room: passwords, the store and telemetry, each by
//! itself. It answers what the larger application does, but for set-up and update: whoever has the label is the owner.
#![no_std]
#![no_main]

mod key;

use application::{
    events::{EVENTS, MARKED},
    unit::{self, KEYS, RECORD, ROOT},
};
use board::{
    cpu,
    flash::Flash,
    fuses::Fuses,
    link::Link,
    message::{self, Hello, MAX},
    options::{Image, Options},
    product::STORE,
};
use harness::{console, entropy::FixedBytes, entry};
use iotsec::core::{
    credential::{Attempt, Login, Pepper, StorageError, Throttle, ThrottlePolicy, ThrottleStorage, Verifier},
    crypto::{Aes256GcmSiv, ChaCha20Poly1305, HkdfSha256, Sha256},
    error::ErrorCode,
    hal::{DeviceRootKey, Millis, MonotonicCounter},
    secret::Secret,
};
use iotsec::store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
use iotsec::telemetry::{
    batch::{BatchKey, SizeClass, Sizes},
    consent::Consents,
    queue::{Queue, Receipt},
    registry::Class,
};

/// How often it was started.
const BOOTS: KeyId = KeyId::new(KeyDomain::Device, 1, 10);
/// Events that wait.
const QUEUE: KeyId = KeyId::new(KeyDomain::User, 2, 1);
/// A secret of the owner's.
const SECRET: KeyId = KeyId::new(KeyDomain::User, 1, 1);
/// No clock is read: it is always ten minutes after power-on, so that a wrong password delays nothing.
const NOW: Millis = Millis::from_secs(600);

/// A refusal, as the host is told it.
struct Refused(u16);

/// Of a question that makes no sense here.
const SENSELESS: Refused = Refused(1);

impl<E: ErrorCode> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.code())
    }
}

#[entry]
fn main() -> ! {
    let options = Options::read(Image::Application);
    let mut flash = Flash::new(options.cut);
    let mut rng = FixedBytes::new(options.seed);
    let key = Secret::from_bytes(ROOT);
    let (Ok(root), Ok(floor)) = (
        DeviceRootKey::new(&key, &HkdfSha256),
        Fuses::new(options.cut).read(),
    ) else {
        console::fail("the root key or the counter was refused")
    };
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: &root,
    };
    let (mut index, mut record) = ([IndexEntry::EMPTY; KEYS], [0; RECORD]);
    let replay = ReplayProtection::None;
    let store = Store::mount(
        &mut flash,
        STORE,
        suite,
        &mut index,
        &mut record,
        replay,
        &mut rng,
    );
    let (Ok(store), Ok(pepper)) = (store, Pepper::derive(&root, &HkdfSha256)) else {
        console::fail("the store cannot be mounted")
    };
    let mut parts = Parts {
        queue: Queue::new(EVENTS.hashed(&mut Sha256::new()), 0, unit::RESERVE),
        login: Login::new(Throttle::new(ThrottlePolicy::DEFAULT), &pepper),
        flash,
        store,
        rng,
        receipt: None,
    };
    if let Err(Refused(code)) = parts.begin() {
        console::number("the parts cannot be made ready: ", code.into());
        console::fail("no parts")
    }
    parts.serve(&mut Link::start(), floor)
}

/// The parts, and the flash that they share.
struct Parts<'p> {
    flash: Flash,
    store: Store<'p>,
    rng: FixedBytes,
    login: Login<'p>,
    queue: Queue<{ unit::EVENTS }>,
    /// Of the batch that was sent last.
    receipt: Option<Receipt>,
}

impl Parts<'_> {
    /// Counts the start, and takes back the events that were kept.
    #[inline(never)]
    fn begin(&mut self) -> Result<(), Refused> {
        let mut count = [0; 4];
        match self.store.get(&mut self.flash, BOOTS, &mut count) {
            Ok(_) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        let boot = u32::from_le_bytes(count).wrapping_add(1);
        self.store.put(&mut self.flash, BOOTS, &boot.to_le_bytes())?;
        self.queue = Queue::new(EVENTS.hashed(&mut Sha256::new()), boot, unit::RESERVE);
        let mut kept = [0; RECORD];
        match self.store.get(&mut self.flash, QUEUE, &mut kept) {
            Ok(kept) => self.queue.restore(&Consents::off(), kept).map(drop)?,
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn serve(&mut self, link: &mut Link, floor: u64) -> ! {
        // The boot loader has verified the image, and this board has but one.
        let hello = Hello {
            sequence: 1,
            floor,
            build: 1,
            slot: 0,
            life: 2,
            update: 0,
            cause: 0,
            operations: Flash::operations(),
        };
        let mut room = [0; MAX];
        loop {
            match link.question() {
                message::HELLO => link.answer(0, &hello.to_bytes()),
                message::RESTART => {
                    link.answer(0, &[]);
                    cpu::restart()
                }
                kind => match self.answer(kind, link.content(), &mut room) {
                    Ok(content) => link.answer(0, content),
                    Err(Refused(code)) => link.answer(code, &[]),
                },
            }
        }
    }

    fn answer<'o>(&mut self, kind: u8, content: &[u8], room: &'o mut [u8; MAX]) -> Result<&'o [u8], Refused> {
        match kind {
            message::LOGIN => self.enter(content).map(|()| &[][..]),
            message::PUT => {
                let place = content.iter().position(|byte| *byte == 0).ok_or(SENSELESS)?;
                let (password, secret) = content.split_at(place);
                self.enter(password)?;
                self.store
                    .put(&mut self.flash, SECRET, secret.get(1..).unwrap_or_default())?;
                Ok(&[])
            }
            message::GET => Ok(self.store.get(&mut self.flash, SECRET, room)?),
            message::RECORD => self.record(content, room).map(|()| &[][..]),
            message::BATCH => self.batch(room),
            message::TAKEN => {
                self.queue.ack(self.receipt.take().ok_or(SENSELESS)?)?;
                Ok(&[])
            }
            _ => Err(SENSELESS),
        }
    }

    #[inline(never)]
    fn enter(&mut self, password: &[u8]) -> Result<(), Refused> {
        let password = core::str::from_utf8(password).map_err(|_| SENSELESS)?;
        let attempt = Attempt::from_label(password)?;
        let mut verifier = [0; Verifier::LEN];
        let verifier =
            Verifier::from_bytes(self.store.get(&mut self.flash, key::VERIFIER, &mut verifier)?)?;
        let mut count = Count {
            store: &mut self.store,
            flash: &mut self.flash,
        };
        let _owner = self.login.attempt(&mut count, &verifier, &attempt, NOW)?;
        Ok(())
    }

    #[inline(never)]
    fn record(&mut self, content: &[u8], room: &mut [u8; MAX]) -> Result<(), Refused> {
        let mark = content
            .try_into()
            .map(u32::from_le_bytes)
            .map_err(|_| SENSELESS)?;
        self.queue
            .record(&Consents::off(), &MARKED, &[mark.into()], NOW)?;
        // No more than `begin` takes back.
        let (room, _) = room.split_at_mut(RECORD);
        let kept = self.queue.snapshot(Class::Security, room)?;
        Ok(self.store.put(&mut self.flash, QUEUE, kept)?)
    }

    #[inline(never)]
    fn batch<'o>(&mut self, room: &'o mut [u8; MAX]) -> Result<&'o [u8], Refused> {
        let mut key = Secret::zero();
        self.store
            .get(&mut self.flash, key::TELEMETRY, key.expose_mut())?;
        let key = BatchKey::new(&key, &ChaCha20Poly1305, &HkdfSha256);
        let (scratch, room) = room.split_at_mut(256);
        let sizes = Sizes::up_to(SizeClass::B256);
        let consents = Consents::off();
        let sealed = self
            .queue
            .batch(&consents, &key, sizes, &mut self.rng, scratch, room)?;
        let Some(batch) = sealed else {
            return Ok(&[]);
        };
        let len = batch.bytes().len();
        self.receipt = Some(batch.into_receipt());
        Ok(room.get(..len).unwrap_or_default())
    }
}

/// The throttle's record in the store.
struct Count<'c, 's> {
    store: &'c mut Store<'s>,
    flash: &'c mut Flash,
}

impl ThrottleStorage for Count<'_, '_> {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        match self.store.get(self.flash, key::THROTTLE, record) {
            Ok(read) => Ok(Some(read.len())),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(StorageError::of(&error)),
        }
    }

    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        self.store
            .put(self.flash, key::THROTTLE, record)
            .map_err(|error| StorageError::of(&error))
    }
}
