//! An application that installs an update.

use iotsec_core::{
    crypto::{Sha256, Verify},
    hal::Slot,
};
use iotsec_update::{
    Envelope, Updater,
    boot::{self, BootConfig, Running},
    install::{Finish, InstallError, Session},
    rollback::Rollback,
};

use crate::{
    boot::{LAYOUT, ROLLBACK, with_config},
    device::{Input, JOURNAL, PAGE},
    driver::{Counter, Flash},
    landmark,
};

/// Installs the envelope and the payload of the input, next to the image in slot A.
pub fn install(input: &mut Input, key: &dyn Verify) -> ! {
    let (mut scratch, mut hash) = ([0; 512], Sha256::new());
    let mut flash = Flash(&mut input.flash);
    with_config(key, |config| {
        let Ok(running) = boot::identify(&mut flash, config, Slot::A, &mut hash, &mut scratch) else {
            landmark::refused()
        };
        let (Some(envelope), Some(payload)) = (
            input.envelope.get(..input.envelope_len as usize),
            input.payload.get(..input.payload_len as usize),
        ) else {
            landmark::refused()
        };
        let mut counter = Counter(u64::from(input.counter));
        landmark::ready();
        // What was staged is looked for in the flash, whatever this says.
        let _ = stage(config, &mut flash, running, envelope, payload, &mut counter);
    });
    landmark::refused()
}

/// What the next boot will find, however the run ended: whether the newest record of the journal says that an
/// update is to be tried (`BOOT.md` has its bytes).
pub fn is_staged(input: &Input) -> bool {
    const STAGED: u8 = 3;
    let journal = input.flash.get((JOURNAL * PAGE) as usize..).unwrap_or_default();
    let (words, _) = journal.as_chunks::<4>();
    let mut newest = (0, false);
    for pair in words.windows(2) {
        if let [[b'S', 1, state, _], serial] = pair {
            newest = newest.max((u32::from_le_bytes(*serial), *state == STAGED));
        }
    }
    newest.1
}

fn stage(
    config: &BootConfig<'_>,
    flash: &mut Flash<'_>,
    running: Running,
    envelope: &[u8],
    payload: &[u8],
    counter: &mut Counter,
) -> Result<(), InstallError> {
    let mut rollback = Rollback::new(counter, ROLLBACK);
    let mut updater = Updater::mount(flash, LAYOUT, running, &mut rollback, Sha256::new())?;
    let mut session = begin(config, flash, &mut updater, envelope, &mut rollback)?;
    while let Some(wanted) = session.wanted() {
        let rest = payload.get(wanted.offset as usize..).unwrap_or_default();
        updater.write(&mut session, flash, rest)?;
    }
    loop {
        if let Finish::Done(candidate) = updater.finish(&mut session, flash)? {
            return updater.install(flash, candidate);
        }
    }
}

// A frame of its own: the admitted manifest is used up before the payload is streamed.
#[inline(never)]
fn begin<'e>(
    config: &BootConfig<'_>,
    flash: &mut Flash<'_>,
    updater: &mut Updater<Sha256>,
    envelope: &'e [u8],
    rollback: &mut Rollback<'_>,
) -> Result<Session<'e>, InstallError> {
    let mut hash = Sha256::new();
    let policy = ROLLBACK.admission(updater.installed(), None);
    let admitted = Envelope::parse(envelope, &config.limits)
        .and_then(|envelope| envelope.authenticate(&config.anchors, &mut hash))
        .and_then(|authentic| authentic.admit(&config.device_b, &policy, &mut hash));
    match admitted {
        Ok(accepted) => updater.start(flash, accepted, rollback),
        Err(_) => Err(InstallError::Rejected),
    }
}
