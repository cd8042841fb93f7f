//! An update admitted and installed, and an image verified at boot.

use core::hint::black_box;

use harness::{
    console,
    device::{LAYOUT, ROLLBACK, VolatileCounter, with_key},
    flash::SimulatedFlash,
    vector,
};
use iotsec_core::{
    crypto::{CryptoError, Sha256, Verify},
    hal::Slot,
};
use iotsec_update::{
    Accepted, Envelope, Limits, SequenceNumber, UpdateError,
    boot::{self, BootConfig, Running, Selection},
    install::{Finish, InstallError, Session, State, Updater},
    payload::{Decode, Delta, Plain, Unchecked},
    rollback::Rollback,
};

/// The maker's key, read by one of the backends: what is not called is not linked.
pub fn key<K: Verify>(read: impl FnOnce(&[u8]) -> Result<K, CryptoError>, bytes: &[u8]) -> K {
    match read(black_box(bytes)) {
        Ok(key) => key,
        Err(_) => console::fail("the maker's key was refused"),
    }
}

/// Authenticate and admit.
#[inline(never)]
pub fn verify(key: &dyn Verify, envelope: &[u8]) -> bool {
    with_key(key, |config| {
        let accepted = admit(config, envelope);
        black_box(&accepted);
        accepted.is_ok()
    })
}

/// The first image is in its slot when the device is switched on: what provisions a slot is the factory's.
pub fn prepare(flash: &mut SimulatedFlash) {
    preload(flash, &vector::SLOT_BEFORE, &vector::IMAGE_BEFORE);
}

/// The same with the image that the patch applies to.
pub fn prepare_base(flash: &mut SimulatedFlash) {
    preload(flash, &vector::SLOT_BASE, &vector::IMAGE_BASE);
}

fn preload(flash: &mut SimulatedFlash, manifest: &[u8], image: &[u8]) {
    let slot = LAYOUT.slot(Slot::A);
    flash.preload(slot.manifest.start(), manifest);
    let [region] = &slot.images;
    flash.preload(region.start(), image);
}

/// What the boot loader does: choose, authenticate, measure 4 KiB.
#[inline(never)]
pub fn boot(key: &dyn Verify, flash: &mut SimulatedFlash) -> Option<Running> {
    let mut scratch = [0; 256];
    let mut counter = VolatileCounter::default();
    let mut rollback = Rollback::new(&mut counter, ROLLBACK);
    let mut hash = Sha256::new();
    match with_key(key, |config| {
        boot::select(flash, config, &mut rollback, &mut hash, &mut scratch)
    }) {
        Ok(Selection::Boot(verified)) => Some(verified.running()),
        _ => None,
    }
}

/// What an application does that knows itself to be running from slot A.
pub fn identify(key: &dyn Verify, flash: &mut SimulatedFlash) -> Option<Running> {
    let mut scratch = [0; 256];
    with_key(key, |config| {
        boot::identify(flash, config, Slot::A, &mut Sha256::new(), &mut scratch)
    })
    .ok()
}

/// Authenticate, admit, install 5000 bytes, read back.
#[inline(never)]
pub fn install(key: &dyn Verify, flash: &mut SimulatedFlash, running: Running) -> bool {
    install_from(key, flash, running, (&vector::ENVELOPE_ED25519, &vector::IMAGE))
}

/// The same from an envelope and an image that lie anywhere.
#[inline(always)]
pub fn install_from(
    key: &dyn Verify,
    flash: &mut SimulatedFlash,
    running: Running,
    from: (&[u8], &[u8]),
) -> bool {
    with_key(key, |config| {
        stream(config, flash, running, from, Plain::default())
    }) == Ok(State::Staged)
}

/// Authenticate, admit, apply a patch of 103 bytes to what runs, read back.
#[inline(never)]
pub fn install_patch(key: &dyn Verify, flash: &mut SimulatedFlash, running: Running) -> bool {
    let (decoder, patch) = (Delta::<256>::new(), &vector::PATCH[..]);
    with_key(key, |config| {
        stream(config, flash, running, (&vector::ENVELOPE_PATCH, patch), decoder)
    }) == Ok(State::Staged)
}

fn stream<P: Decode>(
    config: &BootConfig<'_>,
    flash: &mut SimulatedFlash,
    running: Running,
    (envelope, payload): (&[u8], &[u8]),
    decoder: P,
) -> Result<State, InstallError> {
    let mut counter = VolatileCounter::default();
    let mut rollback = Rollback::new(&mut counter, ROLLBACK);
    let mut updater = Updater::mount(flash, LAYOUT, running, &mut rollback, Sha256::new())?;
    let mut session = start(config, flash, &mut updater, &mut rollback, envelope, decoder)?;
    while let Some(wanted) = session.wanted() {
        let chunk = payload.get(wanted.offset as usize..).unwrap_or_default();
        let chunk = chunk.get(..256).unwrap_or(chunk);
        updater.write(&mut session, flash, black_box(chunk))?;
    }
    loop {
        if let Finish::Done(candidate) = updater.finish(&mut session, flash)? {
            updater.install(flash, candidate)?;
            return Ok(updater.state());
        }
    }
}

// A frame of its own: the admitted manifest is used up before the image is streamed.
#[inline(never)]
fn start<'e, P: Decode>(
    config: &BootConfig<'_>,
    flash: &mut SimulatedFlash,
    updater: &mut Updater<Sha256>,
    rollback: &mut Rollback<'_>,
    envelope: &'e [u8],
    decoder: P,
) -> Result<Session<'e, P>, InstallError> {
    match admit(config, envelope) {
        Ok(accepted) => updater.start_with(flash, accepted, rollback, decoder, Unchecked),
        Err(_) => Err(InstallError::Rejected),
    }
}

fn admit<'e>(config: &BootConfig<'_>, envelope: &'e [u8]) -> Result<Accepted<'e>, UpdateError> {
    let mut hash = Sha256::new();
    let policy = ROLLBACK.admission(SequenceNumber(vector::SEQUENCE_NUMBER - 1), None);
    Envelope::parse(black_box(envelope), &Limits::DEFAULT)?
        .authenticate(&config.anchors, &mut hash)?
        .admit(&config.device_b, &policy, &mut hash)
}
