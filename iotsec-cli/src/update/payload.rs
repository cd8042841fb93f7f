//! Payloads as devices get them, and the images that they make.

use iotsec::{
    core::crypto::Sha256,
    update::{
        ComponentPlan,
        install::InstallError,
        payload::{Decode, Delta, PayloadError, Transport},
    },
};

/// The largest window that the format has: a host decodes what any device can.
pub(super) const WINDOW: usize = 1 << 15;

/// The image of `size` bytes that an unencrypted payload makes.
pub(super) fn decoded(
    transport: &Transport<'_>,
    payload: &[u8],
    base: &[u8],
    size: u32,
) -> Result<Vec<u8>, PayloadError> {
    let mut decoder = Box::new(Delta::<WINDOW>::new());
    decoder.begin(transport, size)?;
    let (mut image, mut room, mut rest, mut base) = (Vec::new(), vec![0; 4096], payload, base);
    loop {
        // What is left of the input may still make more than one roomful.
        let step = decoder.decode(rest, &mut room, &mut base)?;
        rest = rest.get(step.taken..).unwrap_or_default();
        image.extend_from_slice(room.get(..step.given).unwrap_or_default());
        if step.taken == 0 && step.given == 0 {
            break;
        }
    }
    decoder.end()?;
    if rest.is_empty() {
        Ok(image)
    } else {
        Err(PayloadError::TooLong)
    }
}

/// Why a payload is not the one that was signed for.
#[derive(Debug)]
pub(super) enum Mismatch {
    Install(InstallError),
    Payload(PayloadError),
}

/// How far a payload could be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// It is, or makes, the image.
    Image,
    /// It has size and digest as signed; the image takes the base that devices run, or their key.
    Transported,
}

/// Size and digests, with the numbers that the updater has for them.
pub(super) fn check(
    component: &ComponentPlan<'_>,
    payload: &[u8],
    base: Option<&[u8]>,
) -> Result<Checked, Mismatch> {
    let transport = component
        .transport()
        .map_err(|_| Mismatch::Payload(PayloadError::Encoding))?;
    let size = u64::try_from(payload.len()).unwrap_or(u64::MAX);
    let wrong = |error| Err(Mismatch::Install(error));
    match size.cmp(&u64::from(transport.size)) {
        std::cmp::Ordering::Less => return wrong(InstallError::Incomplete),
        std::cmp::Ordering::Greater => return wrong(InstallError::PayloadLength),
        std::cmp::Ordering::Equal => {}
    }
    if transport
        .digest
        .is_some_and(|digest| Sha256::of(&[payload]) != *digest)
    {
        return wrong(InstallError::PayloadDigest);
    }
    if let Some(chunks) = transport.chunks {
        let bytes = usize::try_from(chunks.size()).unwrap_or(usize::MAX);
        let good = (0u32..)
            .zip(payload.chunks(bytes))
            .all(|(index, chunk)| chunks.digest(index) == Some(&Sha256::of(&[chunk])));
        if !good {
            return wrong(InstallError::PayloadDigest);
        }
    }
    let image = match (transport.encryption, transport.encoding, base) {
        (Some(_), ..) | (None, iotsec::update::payload::Encoding::Delta { .. }, None) => {
            return Ok(Checked::Transported);
        }
        _ => decoded(&transport, payload, base.unwrap_or_default(), component.size())
            .map_err(Mismatch::Payload)?,
    };
    if Sha256::of(&[&image]) == *component.digest() {
        Ok(Checked::Image)
    } else {
        wrong(InstallError::PayloadDigest)
    }
}
