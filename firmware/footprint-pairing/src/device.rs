//! What both sides of a pairing do, of which the device's is measured.

use core::hint::black_box;

use harness::entropy::FixedBytes;
use iotsec_core::{
    credential::{
        StorageError, Throttle, ThrottleStorage,
        pairing::{Owner, PairingCode, PairingNames, PairingParameters, PairingRecord, PairingWindow},
    },
    crypto::HkdfSha256,
    hal::Millis,
};

/// A device that is to be paired, and what its owner says.
#[derive(Debug)]
pub(crate) struct Pairing {
    record: PairingRecord,
    share: [u8; 65],
    storage: Memory,
}

/// Plays the factory and the owner, who says the first word.
pub(crate) fn pairing() -> Option<Pairing> {
    let mut rng = FixedBytes::new(1);
    let code = PairingCode::parse("20202021").ok()?;
    let parameters = PairingParameters::generate(1000, &mut rng).ok()?;
    let record = PairingRecord::register(&code, DEVICE, &parameters, &HkdfSha256).ok()?;
    let owner = Owner::new(&code, names()?, &parameters, &HkdfSha256).ok()?;
    let (_, share) = owner.start(&mut rng, &HkdfSha256).ok()?;
    let mut storage = Memory(None);
    Throttle::initialise(&mut storage).ok()?;
    Some(Pairing {
        record,
        share,
        storage,
    })
}

/// The device's side: its answer, and the check of a confirmation, which here is a wrong one.
#[inline(never)]
pub(crate) fn pair(pairing: &mut Pairing) -> bool {
    let (mut rng, now) = (FixedBytes::new(2), Millis::from_secs(30));
    let Pairing {
        record,
        share,
        storage,
    } = pairing;
    let (Ok(mut window), Some(names)) = (PairingWindow::without_owner(now, PairingWindow::LONGEST), names())
    else {
        return false;
    };
    let answered = window.answer(
        storage,
        now,
        record,
        names,
        black_box(share),
        &mut rng,
        &HkdfSha256,
    );
    answered.is_ok_and(|(waiting, _)| {
        let confirm = black_box([7; 32]);
        window
            .finish(storage, now, waiting, &confirm, &HkdfSha256)
            .is_err()
    })
}

const DEVICE: &[u8] = b"LAMP-0042";

fn names() -> Option<PairingNames<'static>> {
    PairingNames::new(b"phone", DEVICE).ok()
}

/// The throttle's record, for as long as there is power.
#[derive(Debug)]
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
