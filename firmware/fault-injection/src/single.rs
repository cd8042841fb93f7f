//! A boot loader that decides everything once. One skipped instruction is enough to defeat it: if the attack on it
//! finds nothing, the attack is at fault.

use iotsec_core::{
    cose::Sign1,
    crypto::{Sha256, Verify},
    hal::Slot,
};

use crate::{boot::entry, device::Input, landmark};

/// Checks the COSE_Sign1 that the input has for an envelope, over the digest of the payload, and starts that.
pub fn boot(input: &mut Input, key: &dyn Verify) -> ! {
    landmark::ready();
    if !is_signed(input, key) {
        landmark::refused()
    }
    landmark::accepted(entry(Slot::A))
}

#[inline(never)]
fn is_signed(input: &Input, key: &dyn Verify) -> bool {
    let Some(message) = input.envelope.get(..input.envelope_len as usize) else {
        return false;
    };
    let image = Sha256::of(&[input
        .payload
        .get(..input.payload_len as usize)
        .unwrap_or_default()]);
    let mut scratch = [0; 128];
    Sign1::parse(message, &iotsec_core::cbor::Limits::SMALL)
        .and_then(|signed| signed.verify_detached(key, &image, b"", &mut scratch).map(drop))
        .is_ok()
}
