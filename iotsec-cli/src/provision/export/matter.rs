//! What a Matter device and its maker keep of a passcode.

use iotsec::core::{
    credential::pairing::MatterVerifier,
    crypto::HkdfSha256,
    qr::{MatterCode, MatterPayload, QrError},
};
use zeroize::Zeroizing;

use super::{Made, lacks};
use crate::{
    Problem,
    key::unhex,
    provision::{entry, unit::Unit},
};

pub(super) const HEAD: &[u8] =
    b"serial,vendor_id,product_id,discriminator,passcode,iterations,salt,verifier,qr,manual_code\n";

/// What a device is given in place of its passcode.
pub(super) struct Secrets<'u> {
    pub(super) about: &'u entry::Matter,
    /// In base 64.
    pub(super) salt: String,
    /// `W0 ‖ L` in base 64.
    pub(super) verifier: Zeroizing<String>,
    payload: MatterPayload,
}

/// `None` where the product has no Matter.
pub(super) fn secrets(unit: &Unit) -> Result<Option<Secrets<'_>>, Problem> {
    let (Some(about), Some(code)) = (&unit.entry.matter, unit.code()) else {
        return Ok(None);
    };
    let refused = |cause: QrError| Problem::make("Matter passcode")(cause);
    let Some(payload) = unit.entry.matter_payload(code).map_err(refused)? else {
        return Ok(None);
    };
    let salt = unhex::<32>(&about.salt).ok_or_else(|| {
        Problem::new(
            "Batch",
            format!("the salt of {:?} does not read", unit.entry.serial),
            "get the batch again from the station that minted it",
        )
    })?;
    let verifier = MatterVerifier::register(payload.passcode(), &salt, about.iterations, &HkdfSha256)
        .map_err(Problem::make("verifier"))?;
    Ok(Some(Secrets {
        about,
        salt: base64(&salt).to_string(),
        verifier: base64(verifier.expose()),
        payload,
    }))
}

/// One line of the list.
pub(super) fn line(unit: &Unit) -> Made {
    let secrets = secrets(unit)?.ok_or_else(|| {
        lacks(
            unit,
            "Matter passcode",
            "add [matter] to the product manifest, and mint another batch",
        )
    })?;
    let made = |cause: QrError| Problem::make("code")(cause);
    let (mut qr, mut digits) = (
        Zeroizing::new([0; MatterPayload::LEN]),
        Zeroizing::new([0; MatterCode::MAX_LEN]),
    );
    let about = secrets.about;
    let line = format!(
        "{},{},{},{},{},{},{},{},{},{}\n",
        unit.entry.serial,
        about.vendor,
        about.product,
        about.discriminator,
        unit.code().unwrap_or_default(),
        about.iterations,
        secrets.salt,
        *secrets.verifier,
        secrets.payload.write(qr.as_mut()).map_err(made)?,
        MatterCode::of(&secrets.payload)
            .and_then(|code| code.write(digits.as_mut()).map(str::to_owned))
            .map_err(made)?,
    );
    Ok(Zeroizing::new(line.into_bytes()))
}

/// RFC 4648 §4, with padding.
fn base64(bytes: &[u8]) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    for part in bytes.chunks(3) {
        let place = |at: usize| u32::from(part.get(at).copied().unwrap_or(0));
        let bits = place(0) << 16 | place(1) << 8 | place(2);
        for at in 0..4_usize {
            let index = usize::try_from(bits >> (18 - 6 * at) & 63).unwrap_or(0);
            let letter = ALPHABET.get(index).filter(|_| at <= part.len());
            out.push(letter.map_or('=', |letter| char::from(*letter)));
        }
    }
    out
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn the_vectors_of_rfc_4648_hold() {
        for (text, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(*base64(text.as_bytes()), coded);
        }
        assert_eq!(*base64(&[0xFB, 0xFF, 0xFE]), "+//+");
    }
}
