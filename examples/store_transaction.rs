//! A lamp joins another network: name and password change together or not at all, wherever the power goes.
//!
//! ```text
//! cargo run --example store_transaction
//! ```
//!
//! Besides: a serial number that is written once, a counter of boots, and yesterday's flash put back.

use iotsec::{
    core::crypto::{Aes256GcmSiv, HkdfSha256},
    store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite},
};
use iotsec_testkit::{Geometry, Power, SimCounter, SimFlash, SimRng, SimRootKey, Violation, World, each_cut};

const SERIAL: KeyId = KeyId::new(KeyDomain::Device, 1, 1);
const BOOTS: KeyId = KeyId::new(KeyDomain::Device, 1, 2);
const NAME: KeyId = KeyId::new(KeyDomain::User, 1, 1);
const PASSWORD: KeyId = KeyId::new(KeyDomain::User, 1, 2);

/// What outlives a power cut: flash, and a counter that cannot be put back.
struct Lamp {
    flash: SimFlash,
    counter: SimCounter,
}

impl Clone for Lamp {
    fn clone(&self) -> Self {
        let flash = self.flash.clone();
        let counter = self.counter.clone().powered_by(flash.power());
        Self { flash, counter }
    }
}

impl World for Lamp {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

type Result<T = ()> = std::result::Result<T, StoreError>;

impl Lamp {
    /// Mounts the store, or formats it the first time, and works with it.
    fn run<T>(&mut self, work: impl FnOnce(&mut Store<'_>, &mut SimFlash) -> Result<T>) -> Result<T> {
        let (root, mut rng, flash) = (SimRootKey::new(1), SimRng::new(1), &mut self.flash);
        let (aead, kdf) = (&Aes256GcmSiv, &HkdfSha256);
        let suite = Suite {
            aead,
            kdf,
            root: &root,
        };
        let region = flash.region()?;
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 128]);
        let replay = ReplayProtection::EachWrite(&mut self.counter);
        let blank = flash.image().iter().all(|byte| *byte == 0xFF);
        let open = if blank { Store::format } else { Store::mount };
        let mut store = open(flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
        work(&mut store, flash)
    }

    fn join(&mut self, name: &str, password: &str) -> Result {
        self.run(|store, flash| {
            let mut change = store.transaction();
            change.put(flash, NAME, name.as_bytes())?;
            change.put(flash, PASSWORD, password.as_bytes())?;
            change.commit(flash)
        })
    }

    fn network(&mut self) -> Result<(String, String)> {
        self.run(|store, flash| {
            let mut text = |key| -> Result<String> {
                let mut out = [0; 64];
                let value = store.get(flash, key, &mut out)?;
                Ok(String::from_utf8_lossy(value).into_owned())
            };
            Ok((text(NAME)?, text(PASSWORD)?))
        })
    }
}

fn main() -> Result {
    let flash = SimFlash::new(Geometry::small(8));
    let counter = SimCounter::new().powered_by(flash.power());
    let mut lamp = Lamp { flash, counter };
    lamp.run(|store, flash| {
        store.put_once(flash, SERIAL, b"SN-0001")?;
        let refused = store.put(flash, SERIAL, b"SN-0002");
        println!("another serial number: {}", refused.expect_err("refused"));
        Ok(())
    })?;
    let boots = [(); 3].map(|()| lamp.run(|store, flash| store.increment(flash, BOOTS)));
    println!("boots, one after the other: {boots:?}");

    let (old, new) = (("attic", "old password"), ("cellar", "new password"));
    lamp.join(old.0, old.1)?;
    let (mut before, mut after) = (0, 0);
    let points = each_cut(
        || lamp.clone(),
        |lamp| lamp.join(new.0, new.1),
        |lamp, outcome| {
            let found = lamp.network().expect("mounts and reads");
            match (found.0.as_str(), found.1.as_str()) {
                found if found == new => after += 1,
                found => {
                    assert!(found == old && outcome.result.is_err(), "{found:?}");
                    before += 1;
                }
            }
        },
    );
    println!("the power went at {points} places: {before} times the old network, {after} times the new one");
    println!("never the name of one with the password of the other");

    let yesterday = lamp.flash.clone();
    lamp.join(new.0, new.1)?;
    lamp.flash = yesterday;
    println!(
        "yesterday's flash is put back: {}",
        lamp.network().expect_err("noticed")
    );
    Ok(())
}
