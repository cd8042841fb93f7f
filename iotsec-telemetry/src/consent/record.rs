//! The stored form (`FORMAT.md`, "Consent record"): every byte is checked, and any doubt is `None`.

use iotsec_core::hal::UnixTime;

use super::{Answer, Consent};

const VERSION: u8 = 1;
/// Answer, generation, text version, time.
const ENTRY_LEN: usize = 17;
const CRC_AT: usize = 35;
/// Version, two entries, checksum.
pub(super) const LEN: usize = 39;
const NO_TIME: u64 = u64::MAX;

pub(super) fn encode(consents: &[Consent; 2]) -> [u8; LEN] {
    let mut out = [0; LEN];
    let body = core::iter::once(VERSION).chain(consents.iter().flat_map(fields));
    for (to, from) in out.iter_mut().zip(body) {
        *to = from;
    }
    let (body, checksum) = out.split_at_mut(CRC_AT);
    for (to, from) in checksum.iter_mut().zip(crc32(body).to_be_bytes()) {
        *to = from;
    }
    out
}

fn fields(consent: &Consent) -> impl Iterator<Item = u8> {
    core::iter::once(answer_byte(consent.answer))
        .chain(consent.generation.to_be_bytes())
        .chain(consent.text_version.to_be_bytes())
        .chain(consent.at.map_or(NO_TIME, |at| at.0).to_be_bytes())
}

pub(super) fn decode(bytes: &[u8; LEN]) -> Option<[Consent; 2]> {
    let (body, checksum) = bytes.split_at_checked(CRC_AT)?;
    if checksum != crc32(body).to_be_bytes() {
        return None;
    }
    let (&VERSION, entries) = body.split_first()? else {
        return None;
    };
    let (health, usage) = entries.split_at_checked(ENTRY_LEN)?;
    Some([entry(health)?, entry(usage)?])
}

fn entry(bytes: &[u8]) -> Option<Consent> {
    let (&answer, rest) = bytes.split_first()?;
    let (generation, rest) = rest.split_first_chunk::<4>()?;
    let (text_version, rest) = rest.split_first_chunk::<4>()?;
    let (at, []) = rest.split_first_chunk::<8>()? else {
        return None;
    };
    let at = u64::from_be_bytes(*at);
    let consent = Consent {
        answer: answer_of(answer)?,
        generation: u32::from_be_bytes(*generation),
        text_version: u32::from_be_bytes(*text_version),
        at: (at != NO_TIME).then_some(UnixTime(at)),
    };
    let consistent = match consent.answer {
        Answer::None => consent == Consent::default(),
        _ => consent.generation != 0,
    };
    consistent.then_some(consent)
}

/// Far apart in bits, so that decay does not turn one into another.
const fn answer_byte(answer: Answer) -> u8 {
    match answer {
        Answer::None => 0x0F,
        Answer::Granted => 0xA5,
        Answer::Withdrawn => 0x5A,
    }
}

fn answer_of(byte: u8) -> Option<Answer> {
    [Answer::None, Answer::Granted, Answer::Withdrawn]
        .into_iter()
        .find(|answer| answer_byte(*answer) == byte)
}

/// CRC-32 of IEEE 802.3, reflected.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc >>= 1;
            if carry == 1 {
                crc ^= 0xEDB8_8320;
            }
        }
    }
    !crc
}
