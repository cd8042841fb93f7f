//! No secret type shows its bytes, whoever prints it and however.

use core::fmt::Debug;

use iotsec_core::{
    cose::RecipientKey,
    credential::{
        Attempt, DevicePassword, Exposure, Iterations, Label, Login, LoginError, Pepper, StorageError,
        Throttle, ThrottlePolicy, ThrottleStorage, UserPassword, Verifier,
        pairing::{Owner, PairingCode, PairingNames, PairingParameters, PairingRecord, PairingWindow},
    },
    crypto::{
        Aes128Ctr, Aes128KeyWrap, Aes256WrappingKey, ChaCha20Poly1305Stream, ContentDecrypt, Digest,
        Ed25519SigningKey, HkdfSha256, P256AgreementKey, P256SigningKey, Sha256, X25519Key, aws_lc, ring,
    },
    hal::{DeviceRootKey, Millis},
    identity::DiceLayer,
    qr::{KeyFingerprint, Passcode, ProductLabel, WifiNetwork},
    secret::Secret,
};
use iotsec_testkit::SimRng;
use rand_core::TryRng;

/// Every way in which a formatter could show some bytes of `secret`: hexadecimal, decimal lists, text.
fn assert_silent<T: Debug>(value: &T, secret: &[u8]) {
    let shown = [
        format!("{value:?}"),
        format!("{value:#?}"),
        format!("{value:x?}"),
        format!("{value:02X?}"),
    ];
    for text in shown {
        let text = text.to_lowercase();
        // Three bytes in a row, not two: a length or a type name may show two digits by chance.
        for part in secret.windows(3) {
            let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(!text.contains(&hex), "{text}");
            // As hexadecimal or decimal numbers in a list, with whatever between them.
            for radix in [numbers(&text, 16), numbers(&text, 10)] {
                let list: Vec<u64> = part.iter().map(|byte| u64::from(*byte)).collect();
                assert!(!radix.windows(3).any(|found| found == list), "{text}");
            }
            if part.iter().all(u8::is_ascii_graphic) {
                let plain = part
                    .iter()
                    .map(|byte| char::from(*byte).to_ascii_lowercase())
                    .collect::<String>();
                assert!(!text.contains(&plain), "{text}");
            }
        }
    }
}

fn numbers(text: &str, radix: u32) -> Vec<u64> {
    text.split(|c: char| !c.is_digit(radix))
        .filter_map(|digits| u64::from_str_radix(digits, radix).ok())
        .collect()
}

fn random<const N: usize>(seed: u64) -> [u8; N] {
    let mut bytes = [0; N];
    SimRng::new(seed).try_fill_bytes(&mut bytes).unwrap();
    bytes
}

#[test]
fn the_search_finds_bytes_in_every_form() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "shown by Debug")]
    struct Leaky([u8; 8]);
    struct AsText(&'static str);
    impl Debug for AsText {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str(self.0)
        }
    }
    let finds = |value: &dyn Debug, secret: &[u8]| {
        std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| assert_silent(&value, secret))).is_err()
    };
    assert!(finds(&Leaky([1, 22, 133, 244, 5, 66, 177, 8]), &[133, 244, 5]));
    assert!(finds(&AsText("key 0a0B0c"), &[10, 11, 12]));
    assert!(finds(&AsText("password is hunter2"), b"hunter2"));
    assert!(!finds(&AsText("Secret<32>(..)"), &[1, 2, 3, 4]));
}

#[test]
fn keys_and_secrets_show_nothing() {
    let bytes = random::<32>(31);
    let key = Secret::from_bytes(bytes);
    assert_silent(&key, &bytes);
    assert_silent(&Secret::from_bytes(random::<64>(32)), &random::<64>(32));
    assert_silent(&Ed25519SigningKey::from_seed(&key), &bytes);
    assert_silent(&P256SigningKey::from_scalar(&key).unwrap(), &bytes);
    assert_silent(&ring::P256SigningKey::from_scalar(&key).unwrap(), &bytes);
    assert_silent(&aws_lc::P256SigningKey::from_scalar(&key).unwrap(), &bytes);
    assert_silent(&P256AgreementKey::from_scalar(&key).unwrap(), &bytes);
    let agreement = X25519Key::from_scalar(&key);
    assert_silent(&agreement, &bytes);
    assert_silent(
        &RecipientKey::agreement(&agreement, &HkdfSha256, &Aes128KeyWrap),
        &bytes,
    );
    assert_silent(&Aes256WrappingKey::new(Secret::from_bytes(bytes)), &bytes);
    let (mut counter, mut stream) = (Aes128Ctr::new(), ChaCha20Poly1305Stream::new());
    counter.start(&bytes[..16], &[1; 16], &[]).unwrap();
    stream.start(&bytes, &[1; 12], &[]).unwrap();
    assert_silent(&counter, &bytes);
    assert_silent(&stream, &bytes);
    assert_silent(&DeviceRootKey::new(&key, &HkdfSha256).unwrap(), &bytes);
    assert_silent(&Pepper::new(key, &HkdfSha256).unwrap(), &bytes);
    let mut hash = Sha256::new();
    hash.update(&bytes);
    assert_silent(&hash, &bytes);
    assert_silent(&hash, &Sha256::of(&[&bytes]));
}

struct Memory(Option<[u8; Throttle::LEN]>);

impl ThrottleStorage for Memory {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        Ok(self.0.map(|kept| {
            *record = kept;
            kept.len()
        }))
    }
    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        self.0 = Some(*record);
        Ok(())
    }
}

#[test]
fn passwords_and_everything_about_them_show_nothing() {
    let mut rng = SimRng::new(33);
    let pepper_bytes = random::<32>(34);
    let pepper = Pepper::new(Secret::from_bytes(pepper_bytes), &HkdfSha256).unwrap();
    let password = DevicePassword::generate(Exposure::Offline, &mut rng).unwrap();
    let label: Label = password.label();
    let bare = label.as_str().replace('-', "");
    let alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let symbols: Vec<u8> = bare
        .chars()
        .map(|c| u8::try_from(alphabet.find(c).unwrap()).unwrap())
        .collect();
    let attempt = Attempt::from_label(label.as_str()).unwrap();
    let verifier = Verifier::for_device(&password, &pepper, &mut rng).unwrap();
    for secret in [bare.as_bytes(), symbols.as_slice()] {
        assert_silent(&password, secret);
        assert_silent(&label, secret);
        assert_silent(&attempt, secret);
        assert_silent(&verifier, secret);
    }
    assert_silent(&verifier, &verifier.to_bytes()[8..56]);

    let text = "zebra Quartz 77 fjell";
    let chosen = UserPassword::new(text, Exposure::Offline, &[]).unwrap();
    assert_silent(&chosen, text.as_bytes());
    assert_silent(&Attempt::from_text(text).unwrap(), text.as_bytes());
    let verifier = Verifier::for_user(&chosen, Iterations::MCU, &pepper, &mut rng).unwrap();
    assert_silent(&verifier, &verifier.to_bytes()[8..56]);

    // Nor does what comes out of a login.
    let mut storage = Memory(None);
    Throttle::initialise(&mut storage).unwrap();
    let mut login = Login::new(Throttle::new(ThrottlePolicy::DEFAULT), &pepper);
    assert_silent(&login, &pepper_bytes);
    let refused = login
        .attempt(&mut storage, &verifier, &attempt, Millis(0))
        .unwrap_err();
    assert_eq!(refused, LoginError::Refused);
    assert_silent(&refused, bare.as_bytes());
    let right = Attempt::from_text(text).unwrap();
    let proof = login.attempt(&mut storage, &verifier, &right, Millis(0)).unwrap();
    assert_silent(&proof, text.as_bytes());
}

#[test]
fn errors_about_a_label_or_a_password_do_not_repeat_it() {
    let typed = "K2M4-P6R8-T0V3-7";
    let error = Attempt::from_label(typed).unwrap_err();
    assert_silent(&error, b"K2M4P6R8T0V37");
    assert_silent(&error.to_string(), b"K2M4P6R8T0V37");
    let text = "zebra zebra zebra";
    let error = UserPassword::new(text, Exposure::Online, &["zebra"]).unwrap_err();
    assert_silent(&error, b"zebra");
    assert_silent(&error.to_string(), b"zebra");
}

#[test]
fn pairings_and_labels_show_nothing() {
    let (digits, mut rng, kdf) = ("61803398", SimRng::new(35), HkdfSha256);
    let code = PairingCode::parse(digits).unwrap();
    let parameters = PairingParameters::generate(1000, &mut rng).unwrap();
    let record = PairingRecord::register(&code, b"lamp", &parameters, &kdf).unwrap();
    assert_silent(&code, digits.as_bytes());
    assert_silent(&record, &record.expose()[24..]);
    let names = PairingNames::new(b"phone", b"lamp").unwrap();
    let owner = Owner::new(&code, names, &parameters, &kdf).unwrap();
    assert_silent(&owner, &record.expose()[24..56]);
    let mut storage = Memory(None);
    Throttle::initialise(&mut storage).unwrap();
    let mut window = PairingWindow::without_owner(Millis(0), PairingWindow::LONGEST).unwrap();
    let (owner, share) = owner.start(&mut rng, &kdf).unwrap();
    assert_silent(&owner, &record.expose()[24..56]);
    let answered = window.answer(&mut storage, Millis(0), &record, names, &share, &mut rng, &kdf);
    let (device, answer) = answered.unwrap();
    assert_silent(&device, &record.expose()[24..56]);
    let (_, keys) = owner.finish(&answer, &kdf).unwrap();
    for key in [keys.owner_to_device(), keys.device_to_owner(), keys.exporter()] {
        assert_silent(&keys, key.expose());
    }

    let label = ProductLabel::new("LAMP", "1", KeyFingerprint::from_bytes([0; 16])).unwrap();
    assert_silent(&label.with_code(digits).unwrap(), digits.as_bytes());
    assert_silent(&Passcode::new(61_803_398).unwrap(), digits.as_bytes());
    let network = WifiNetwork::parse("WIFI:T:WPA;S:x;P:quartz77fjell;;").unwrap();
    assert_silent(&network, b"quartz77fjell");
    assert_silent(network.key(), b"quartz77fjell");
}

#[test]
fn layers_show_nothing() {
    let bytes = random::<32>(36);
    assert_silent(&DiceLayer::from_uds(&Secret::from_bytes(bytes)), &bytes);
}
