//! A maker signs a release. Two of three people must, and a device says what it thinks of every shortcut.
//!
//! ```text
//! cargo run --example sign_release
//! ```
//!
//! With key files, or keys in a token, `iotsec update create` and `iotsec update sign` do the same.

use iotsec::{
    core::{
        crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
        hal::UnixTime,
    },
    update::{
        ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, Policy, SequenceNumber, TrustAnchor,
        TrustAnchors, UpdateError,
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        payload::{Chunks, Transport},
    },
};
use iotsec_testkit::SimRng; // stands for the random sources of the signing machines

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
/// The release that a device would get.
type Verdict = std::result::Result<u64, UpdateError>;

const VENDOR: [u8; 16] = *b"example.com lamp";
const CLASS: [u8; 16] = *b"lamp-2 with wifi";
const COMPONENT: &[u8] = &[0x81, 0x41, 0x00]; // [h'00'], the application
const RELEASED: u64 = 1_900_000_000;
const YEAR: u64 = 365 * 86_400;

/// What the build machine made, signed by `signers`.
fn release<'k>(image: &[u8], signers: &[&'k Ed25519SigningKey]) -> Result<Vec<u8>> {
    // A device compares each chunk as it comes, so a bad one costs that chunk and not the download.
    let chunks: Vec<_> = image.chunks(4096).map(|chunk| Sha256::of(&[chunk])).collect();
    let mut transport = Transport::plain(image.len().try_into()?);
    transport.chunks = Some(Chunks::new(4096, &chunks)?);
    let component = ManifestComponent {
        id: ComponentId::from_encoded(COMPONENT)?,
        digest: Sha256::of(&[image]),
        size: transport.size,
        payload: Payload::Uri("https://fw.example.com/lamp-2/7.bin"),
        transport: Some(transport),
        invoke: true,
    };
    let signer = |key: &&'k Ed25519SigningKey| Signer { key: *key, kid: None };
    let signers: Vec<_> = signers.iter().map(signer).collect();
    let (mut scratch, mut out) = ([0; 4096], [0; 4096]);
    let envelope = EnvelopeBuilder::new(VENDOR, CLASS, SequenceNumber(7), &[component])
        .description("Closes a hole in the pairing.") // signed for, and not kept by devices
        .use_before(UnixTime(RELEASED + YEAR))
        .sever_install()
        .write(&signers, &mut Sha256::new(), &mut scratch, &mut out)?;
    Ok(envelope.to_vec())
}

/// A device that runs release 6 and takes what two of `trusted` have signed.
fn judge(envelope: &[u8], trusted: &[Ed25519PublicKey], now: u64) -> Verdict {
    let anchors: Vec<_> = trusted.iter().map(|key| TrustAnchor { key, kid: None }).collect();
    let places = [DeviceComponent {
        id: ComponentId::from_encoded(COMPONENT)?,
        capacity: 256 * 1024,
        slot: None,
    }];
    let device = DeviceIdentity {
        vendor: VENDOR,
        class: CLASS,
        device: None,
        components: &places,
    };
    let mut policy = Policy::newer_than(SequenceNumber(6));
    policy.now = Some(UnixTime(now));
    let mut hash = Sha256::new();
    let accepted = Envelope::parse(envelope, &Limits::DEFAULT)?
        .authenticate(&TrustAnchors::new(&anchors, 2)?, &mut hash)?
        .admit(&device, &policy, &mut hash)?;
    Ok(accepted.sequence_number().0)
}

fn tell(case: &str, verdict: Verdict, expected: Verdict) {
    match verdict {
        Ok(release) => println!("{case:20} accepted, release {release}"),
        Err(error) => println!("{case:20} refused: {error}"),
    }
    assert_eq!(verdict, expected);
}

fn main() -> Result<()> {
    let mut rng = SimRng::new(7);
    let mut key = || Ed25519SigningKey::generate(&mut rng);
    let (build, security, director, stranger) = (key()?, key()?, key()?, key()?);
    let trusted = [&build, &security, &director].map(|key| Ed25519PublicKey::from_bytes(key.public_key()));
    let [Ok(first), Ok(second), Ok(third)] = trusted else {
        return Err("a key that is none".into());
    };
    let trusted = [first, second, third];
    let image: Vec<u8> = (0..25_000_u32).flat_map(u32::to_le_bytes).collect();
    let by = |signers: &[&_]| release(&image, signers).map(|made| judge(&made, &trusted, RELEASED));
    tell("two of three sign", by(&[&build, &security])?, Ok(7));
    tell("another two do", by(&[&director, &build])?, Ok(7));
    let too_few = Err(UpdateError::Threshold);
    tell("one signs", by(&[&build])?, too_few);
    tell("one signs twice", by(&[&build, &build])?, too_few);
    tell("a stranger helps", by(&[&build, &stranger])?, too_few);

    let envelope = release(&image, &[&build, &security])?;
    let late = judge(&envelope, &trusted, RELEASED + 2 * YEAR);
    tell("two years later", late, Err(UpdateError::Expired));
    let mut refused = 0;
    for at in 0..envelope.len() {
        let mut changed = envelope.clone();
        changed[at] ^= 1;
        refused += usize::from(judge(&changed, &trusted, RELEASED).is_err());
    }
    println!("one byte changed     refused, whichever of {refused} it is");
    assert_eq!(refused, envelope.len());
    Ok(())
}
