//! A device whose trust bundle replaces its TLS anchors, with power cuts, and which can be reached throughout.

use iotsec::{
    connection::{BundleAnchors, BundleAnchorsError, StoredAnchors, StoredTime},
    core::{
        cose::Key,
        crypto::{Aes256GcmSiv, Ed25519SigningKey, HkdfSha256, Sha256, Sign},
        error::ErrorCode,
        hal::UnixTime,
        input::Host,
        secret::Secret,
    },
    net::{
        certificate::{
            AnchorError, AnchorRotation, CertificateError, Phase, PinSet, PolicyError, ServerPolicy,
            TrustAnchor, algorithm, verify_server_chain,
        },
        time::{CertificateTime, TimePolicy, TrustedTime},
    },
    store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite},
    update::trust::{Role, TlsAnchor, TrustBundle, TrustBundleContent},
};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};

const NOW: UnixTime = UnixTime(1_800_000_000);
const OLD: &[u8] = include_bytes!("../vectors/certificate/root.der");
const NEW: &[u8] = include_bytes!("../vectors/certificate/anchor_next.der");
const OLD_SERVER: &[u8] = include_bytes!("../vectors/certificate/good.der");
const NEW_SERVER: &[u8] = include_bytes!("../vectors/certificate/good_next.der");

/// The payload of a bundle with these TLS anchors; who signed it is another matter.
fn bundle(tls: &[TlsAnchor<'_>]) -> Vec<u8> {
    let public: Vec<[u8; 32]> = (1..=2)
        .map(|seed| Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32])))
        .map(|key| key.public_key().try_into().unwrap())
        .collect();
    let keys: Vec<Key<'_>> = public.iter().map(Key::ed25519).collect();
    let content = TrustBundleContent {
        version: 1,
        expires: None,
        vendor: [1; 16],
        class: [2; 16],
        keys: &keys,
        roles: &[(Role::Root, 1, &[0]), (Role::Update, 1, &[1])],
        revoked: &[],
        tls,
    };
    content
        .write(&mut Sha256::new(), &mut [0; 4096])
        .unwrap()
        .to_vec()
}

fn read(payload: &[u8]) -> TrustBundle<'_> {
    TrustBundle::parse(payload, &mut Sha256::new()).unwrap()
}

/// A boot: the store is mounted, and something is done with it.
fn boot<R>(
    flash: &mut SimFlash,
    is_new: bool,
    work: impl FnOnce(&mut Store<'_>, &mut SimFlash) -> Result<R, u16>,
) -> Result<R, u16> {
    let root = SimRootKey::new(1);
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: &root,
    };
    let mut rng = SimRng::new(3);
    let (region, guard) = (flash.region().unwrap(), ReplayProtection::None);
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 2048]);
    let store = if is_new {
        Store::format(flash, region, suite, &mut index, &mut buffer, guard, &mut rng)
    } else {
        Store::mount(flash, region, suite, &mut index, &mut buffer, guard, &mut rng)
    };
    let mut store = store.map_err(|error| error.code())?;
    work(&mut store, flash)
}

const ANCHORS: KeyId = KeyId::new(KeyDomain::Device, 9, 1);
const TIME: KeyId = KeyId::new(KeyDomain::Device, 9, 2);

/// Connects to a server under the bundle, and notes under which anchor. The phase, or the number of the error.
fn connect(flash: &mut SimFlash, is_new: bool, payload: &[u8], server: &[u8]) -> Result<Phase, u16> {
    boot(flash, is_new, |store, flash| {
        let bundle = read(payload);
        let offered = BundleAnchors::of(&bundle).map_err(|error| error.code())?;
        let mut storage = StoredAnchors {
            store,
            flash,
            id: ANCHORS,
        };
        let code = |error: iotsec::net::certificate::AnchorRotationError| error.code();
        let mut rotation = AnchorRotation::load(algorithm::sha256, &mut storage).map_err(code)?;
        rotation
            .adopt(offered.certificates(), &mut storage)
            .map_err(code)?;
        let time = CertificateTime::exact(NOW);
        let anchor = {
            let believed = offered.believed(&rotation, time).map_err(|error| error.code())?;
            let policy = ServerPolicy::new(believed.as_slice(), algorithm::ALL).unwrap();
            let host = Host::parse(b"broker.example").unwrap();
            let verified = verify_server_chain(&[server], &host, time, &policy);
            let verified = verified.map_err(|error| error.code())?;
            believed.as_slice()[verified.anchor()].as_der().to_vec()
        };
        rotation
            .connected(&anchor, offered.certificates(), &mut storage)
            .map_err(code)
    })
}

#[test]
fn a_device_is_reached_whenever_the_power_fails_while_anchors_change() {
    let (before, after) = (
        bundle(&[TlsAnchor::Certificate(OLD)]),
        bundle(&[TlsAnchor::Certificate(NEW)]),
    );
    let mut made = SimFlash::new(Geometry::nrf52840(8));
    assert_eq!(connect(&mut made, true, &before, OLD_SERVER), Ok(Phase::Settled));
    let mut changed = made.clone();
    assert_eq!(
        connect(&mut changed, false, &after, OLD_SERVER),
        Ok(Phase::Rehearsing)
    );

    // The two steps that write: the bundle is adopted, and the first connection under the new anchor.
    for (start, server) in [(&made, OLD_SERVER), (&changed, NEW_SERVER)] {
        let (mut cuts, mut old, mut new) = (0, 0, 0);
        loop {
            let mut flash = start.clone();
            flash.cut_after(cuts);
            let finished = connect(&mut flash, false, &after, server).is_ok();
            flash.power_on();
            assert_eq!(flash.violation(), None);
            // Whatever was lost, the server that the device was talking to is believed by the next boot.
            connect(&mut flash, false, &after, server).unwrap();
            if finished {
                break;
            }
            // And whether the old one still is, is one of two answers.
            match connect(&mut flash, false, &after, OLD_SERVER) {
                Ok(_) => old += 1,
                Err(code) => {
                    assert_eq!(code, CertificateError::UnknownIssuer.code());
                    new += 1;
                }
            }
            cuts += 1;
        }
        assert!(cuts > 5, "{cuts} cuts");
        if server == OLD_SERVER {
            assert_eq!(new, 0, "the old anchor went before the new one was of use");
        } else {
            assert_eq!(old, 0, "the old anchor stayed after the new one was of use");
        }
    }
}

#[test]
fn the_floor_of_time_survives_every_power_cut_and_never_falls() {
    let built = UnixTime(1_790_000_000);
    let load = |flash: &mut SimFlash| {
        boot(flash, false, |store, flash| {
            let mut storage = StoredTime {
                store,
                flash,
                id: TIME,
            };
            let time = TrustedTime::load(built, &mut storage).map_err(|error| error.code())?;
            Ok(time.floor())
        })
    };
    let raise = |flash: &mut SimFlash, is_new, to: u64| {
        boot(flash, is_new, |store, flash| {
            let mut storage = StoredTime {
                store,
                flash,
                id: TIME,
            };
            let mut time = TrustedTime::load(built, &mut storage).map_err(|error| error.code())?;
            time.raise(UnixTime(to), &mut storage)
                .map_err(|error| error.code())
        })
    };
    let mut made = SimFlash::new(Geometry::nrf52840(8));
    raise(&mut made, true, built.0 + 1000).unwrap();
    let (mut cuts, mut seen) = (0, [0, 0]);
    loop {
        let mut flash = made.clone();
        flash.cut_after(cuts);
        let finished = raise(&mut flash, false, built.0 + 2000).is_ok();
        flash.power_on();
        let floor = load(&mut flash).unwrap();
        if finished {
            assert_eq!(floor.0, built.0 + 2000);
            break;
        }
        match floor.0 - built.0 {
            1000 => seen[0] += 1,
            2000 => seen[1] += 1,
            other => panic!("{other} seconds after {cuts} steps"),
        }
        // What is read once stays.
        assert_eq!(load(&mut flash).unwrap(), floor);
        cuts += 1;
    }
    assert!(seen[0] > 3, "{seen:?}");
}

#[test]
fn a_manifest_that_was_signed_later_than_the_clock_shows_makes_the_clock_an_event() {
    let mut flash = SimFlash::new(Geometry::nrf52840(8));
    boot(&mut flash, true, |store, flash| {
        let mut storage = StoredTime {
            store,
            flash,
            id: TIME,
        };
        let mut time = TrustedTime::load(UnixTime(1_790_000_000), &mut storage).unwrap();
        time.raise(NOW, &mut storage).unwrap();
        let policy = TimePolicy::Floor { max_age: 86_400 };
        let moment = time.certificate_time(Some(UnixTime(NOW.0 - 1)), policy).unwrap();
        assert!(moment.event.is_some());
        assert_eq!(moment.time.earliest(), NOW);
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_bundle_gives_anchors_that_are_cas_and_pins_on_top() {
    let time = CertificateTime::exact(NOW);
    let mut flash = SimFlash::new(Geometry::nrf52840(8));
    let rotation = boot(&mut flash, true, |store, flash| {
        let mut storage = StoredAnchors {
            store,
            flash,
            id: ANCHORS,
        };
        Ok(AnchorRotation::load(algorithm::sha256, &mut storage).unwrap())
    })
    .unwrap();
    let (one, other) = ([1; 32], [2; 32]);
    let payload = bundle(&[
        TlsAnchor::Spki(&one),
        TlsAnchor::Certificate(OLD_SERVER),
        TlsAnchor::Certificate(OLD),
        TlsAnchor::Spki(&other),
        TlsAnchor::Certificate(NEW),
    ]);
    let parsed = read(&payload);
    let offered = BundleAnchors::of(&parsed).unwrap();
    assert_eq!(offered.certificates(), [OLD_SERVER, OLD, NEW]);
    assert_eq!(offered.pins(), [one, other]);
    let believed = offered.believed(&rotation, time).unwrap();
    let ders: Vec<&[u8]> = believed.as_slice().iter().map(TrustAnchor::as_der).collect();
    assert_eq!(ders, [OLD, NEW], "a server is no CA");
    assert!(PinSet::new(offered.pins(), algorithm::sha256).is_ok());

    let single = bundle(&[TlsAnchor::Spki(&one), TlsAnchor::Certificate(OLD)]);
    let parsed = read(&single);
    let offered = BundleAnchors::of(&parsed).unwrap();
    let pins = PinSet::new(offered.pins(), algorithm::sha256);
    assert_eq!(pins.unwrap_err(), PolicyError::Pins);

    let refusal = |tls: &[TlsAnchor<'_>]| {
        let payload = bundle(tls);
        let parsed = read(&payload);
        BundleAnchors::of(&parsed).and_then(|offered| offered.believed(&rotation, time).map(|_| ()))
    };
    assert_eq!(refusal(&[]), Err(BundleAnchorsError::None));
    assert_eq!(refusal(&[TlsAnchor::Spki(&one)]), Err(BundleAnchorsError::None));
    assert_eq!(
        refusal(&[TlsAnchor::Certificate(OLD_SERVER)]),
        Err(BundleAnchorsError::Anchor(AnchorError::NotCa))
    );
}
