//! The key store on a flash that somebody else wrote.

use std::sync::OnceLock;

use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
use iotsec_store::{
    DeviceOnly, IndexEntry, KeyDomain, KeyId, ReplayProtection, Scrub, Store, StoreError, StoreRegion, Suite,
};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};

use crate::{Seed, recipe};

/// Whether the store has a user domain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    WithUser,
    DeviceOnly,
}

impl Form {
    /// Two of the device and, where there is one, two of the owner.
    const fn keys(self) -> [KeyId; 4] {
        let (domain, namespace) = match self {
            Self::WithUser => (KeyDomain::User, 1),
            Self::DeviceOnly => (KeyDomain::Device, 3),
        };
        [
            KeyId::new(KeyDomain::Device, 1, 1),
            KeyId::new(KeyDomain::Device, 1, 2),
            KeyId::new(domain, namespace, 1),
            KeyId::new(domain, namespace, 2),
        ]
    }

    fn region(self, flash: &SimFlash) -> StoreRegion {
        let region = flash.region().expect("equal pages");
        match self {
            Self::WithUser => region.into(),
            Self::DeviceOnly => DeviceOnly(region).into(),
        }
    }
}

/// Counted up to [`COUNT`].
const COUNTER: KeyId = KeyId::new(KeyDomain::Device, 2, 1);
const COUNT: u32 = 5;
const FRESH: KeyId = KeyId::new(KeyDomain::Device, 9, 9);
const OURS: u64 = 7;

/// No image but one that was made with the root key mounts, and none takes more than a bounded number of
/// reads to refuse.
///
/// It is read as that of a store with a user domain where it begins as the page of its key does, or blank.
pub fn image(input: &[u8]) -> bool {
    let form = match input.first() {
        None | Some(b'i' | 0xFF) => Form::WithUser,
        Some(_) => Form::DeviceOnly,
    };
    let blank = SimFlash::new(Geometry::small(8));
    let input = &input[..input.len().min(blank.image().len())];
    let flash = SimFlash::from_image(blank.geometry().clone(), input);
    check(flash, form)
}

/// Whatever is done to the flash by somebody with copies of it and of another device's flash, a value
/// that is read was once stored under its key on this device, and the store works or says why not.
///
/// The input is a recipe (see `recipe.rs`) after one byte that picks the snapshot to start from, and with its highest bit
/// a store without a user domain. The recipe may take from stores of both forms.
pub fn tampered(input: &[u8]) -> bool {
    let Some((first, steps)) = input.split_first() else {
        return false;
    };
    let (form, other) = if first & 0x80 == 0 {
        (Form::WithUser, Form::DeviceOnly)
    } else {
        (Form::DeviceOnly, Form::WithUser)
    };
    let own = history(form);
    let snapshots: Vec<&SimFlash> = own.iter().chain(history(other)).collect();
    let mut flash = own[usize::from(first & 0x7F) % (own.len() - 1)].clone();
    recipe::cook(&mut flash, &snapshots, steps);
    check(flash, form)
}

fn check(mut flash: SimFlash, form: Form) -> bool {
    let before = flash.stats();
    let capacity = u64::from(flash.geometry().capacity());
    let mounted = with_store(&mut flash, form, OURS, |store, flash| {
        let mount = flash.stats() - before;
        assert!(mount.bytes_read <= 4 * capacity, "{mount:?}");
        // To finish an erasure, or to write the end of a transaction once more.
        assert!(mount.erases <= 9, "{mount:?}");
        for (key, values) in form.keys().into_iter().zip(STORED) {
            let mut out = [0; 256];
            match store.get(flash, key, &mut out) {
                Ok(value) => assert!(values.contains(&value), "{key:?} is {value:?}"),
                Err(error) => assert!(
                    matches!(error, StoreError::NotFound | StoreError::Tampered)
                        || error == StoreError::KeyLost && form == Form::WithUser,
                    "{key:?}: {error:?}"
                ),
            }
        }
        match store.count(flash, COUNTER) {
            Ok(count) => assert!(count <= COUNT, "{count}"),
            Err(error) => assert!(matches!(error, StoreError::Tampered), "{error:?}"),
        }
        if form == Form::DeviceOnly {
            let user = KeyId::new(KeyDomain::User, 1, 1);
            assert!(store.keys().all(|key| key.domain() == KeyDomain::Device));
            assert_eq!(
                store.put(flash, user, b"an owner's"),
                Err(StoreError::NoUserDomain)
            );
            assert_eq!(store.erasures(), 0);
        }
        let put = store.put(flash, FRESH, b"after the attack");
        if put.is_ok() {
            let mut out = [0; 64];
            let found = store.get(flash, FRESH, &mut out);
            assert_eq!(found, Ok(&b"after the attack"[..]));
        }
        put.is_ok()
    });
    let Ok(put) = mounted else {
        return false;
    };
    // Mounting again may find out what it did not before, but it does not lose the value in silence.
    let again = with_store(&mut flash, form, OURS, |store, flash| {
        let mut out = [0; 64];
        let found = store.get(flash, FRESH, &mut out);
        assert!(!put || found == Ok(&b"after the attack"[..]), "{found:?}");
    });
    assert!(matches!(again, Ok(()) | Err(StoreError::Tampered)), "{again:?}");
    true
}

/// What was ever stored under each of [`Form::keys`] on our device.
const STORED: [&[&[u8]]; 4] = [
    &[b"first, old", b"first, new"],
    &[b"second"],
    &[b"Anna's network", b"Ben's network"],
    &[&[0x4C; 120], &[0x53; 90]],
];

/// The life of our device in five copies of its flash, and another device's flash at the end.
fn history(form: Form) -> &'static [SimFlash; 6] {
    static HISTORIES: [OnceLock<[SimFlash; 6]>; 2] = [const { OnceLock::new() }; 2];
    let [with_user, device_only] = &HISTORIES;
    let history = match form {
        Form::WithUser => with_user,
        Form::DeviceOnly => device_only,
    };
    let keys = form.keys();
    history.get_or_init(|| {
        let mut flash = SimFlash::new(Geometry::small(8));
        format(&mut flash, form, OURS);
        let formatted = flash.clone();
        let mut then = |work: &dyn Fn(&mut Store<'_>, &mut SimFlash) -> Result<(), StoreError>| {
            with_store(&mut flash, form, OURS, |store, flash| work(store, flash))
                .and_then(|done| done)
                .expect("a healthy store");
            flash.clone()
        };
        let stored = then(&|store, flash| {
            store.put(flash, keys[0], STORED[0][0])?;
            store.put(flash, keys[1], STORED[1][0])?;
            store.put(flash, keys[2], STORED[2][0])?;
            store.put(flash, keys[3], STORED[3][0])
        });
        let changed = then(&|store, flash| {
            let mut change = store.transaction();
            change.put(flash, keys[0], STORED[0][1])?;
            change.put(flash, keys[3], STORED[3][1])?;
            change.remove(flash, keys[1])?;
            change.commit(flash)?;
            for _ in 0..COUNT {
                store.increment(flash, COUNTER)?;
            }
            Ok(())
        });
        let churned = then(&|store, flash| {
            for _ in 0..40 {
                store.put(flash, FRESH, b"churn")?;
            }
            Ok(())
        });
        let erased = then(&|store, flash| {
            if form == Form::WithUser {
                store.erase_user(flash, &mut SimRng::new(3))?;
            } else {
                store.remove(flash, keys[2])?;
                store.begin_scrub();
                while store.scrub_step(flash)? == Scrub::Pending {}
            }
            store.put(flash, keys[2], STORED[2][1])
        });

        let mut other = SimFlash::new(Geometry::small(8));
        format(&mut other, form, 8);
        with_store(&mut other, form, 8, |store, flash| {
            for key in keys {
                store
                    .put(flash, key, b"of another device")
                    .expect("a healthy store");
            }
        })
        .expect("a healthy store");
        [formatted, stored, changed, churned, erased, other]
    })
}

fn format(flash: &mut SimFlash, form: Form, root: u64) {
    // Each device draws its own domain keys.
    let mut rng = SimRng::new(root);
    let (root, region) = (SimRootKey::new(root), form.region(flash));
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 256]);
    let suite = suite(&root);
    Store::format(
        flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )
    .expect("room for a store");
}

fn with_store<R>(
    flash: &mut SimFlash,
    form: Form,
    root: u64,
    work: impl FnOnce(&mut Store<'_>, &mut SimFlash) -> R,
) -> Result<R, StoreError> {
    let (root, region) = (SimRootKey::new(root), form.region(flash));
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 256]);
    let (suite, mut rng) = (suite(&root), SimRng::new(2));
    let mut store = Store::mount(
        flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )?;
    Ok(work(&mut store, flash))
}

const fn suite<'a>(root: &'a SimRootKey) -> Suite<'a> {
    Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root,
    }
}

/// Images of our device and of another.
#[must_use]
pub fn image_seeds() -> Vec<Seed> {
    let [_, stored, .., erased, other] = history(Form::WithUser);
    let [_, device_only, ..] = history(Form::DeviceOnly);
    vec![
        Seed::new("valid-stored", stored.image()),
        Seed::new("valid-erased", erased.image()),
        Seed::new("valid-no-user-domain", device_only.image()),
        Seed::new("near-other-device", other.image()),
        Seed::new("near-blank", [0xFF; 64]),
    ]
}

/// Recipes.
#[must_use]
pub fn tampered_seeds() -> Vec<Seed> {
    vec![
        Seed::new("valid-untouched", [4]),
        // An old copy of the first data pages.
        Seed::new("near-replayed-page", [4, 1, 1, 1, 0, 0, 1, 1, 2, 0, 0]),
        // One bit of the first value, and one of the head of its page.
        Seed::new("valid-flipped-value", [1, 0, 1, 76, 0, 1]),
        Seed::new("near-flipped-head", [1, 0, 1, 40, 0, 1]),
        // The first data page, erased or from another device.
        Seed::new("near-no-page", [1, 3, 1, 0, 0, 0]),
        Seed::new("near-other-device-page", [1, 1, 5, 1, 0, 0]),
        // The same without a user domain, whose pages begin one earlier.
        Seed::new("valid-no-user-domain", [0x84]),
        Seed::new(
            "near-no-user-domain-replayed-page",
            [0x84, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0],
        ),
        Seed::new("near-no-user-domain-no-page", [0x81, 3, 0, 0, 0, 0]),
        // The page of the other form's key in the first one.
        Seed::new("near-no-user-domain-key-page", [0x81, 1, 7, 0, 0, 0]),
    ]
}
