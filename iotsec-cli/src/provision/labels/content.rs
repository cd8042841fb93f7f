//! What stands on a label, and what its QR code says.

use iotsec::core::{
    crypto::Sha256,
    error::ErrorCode as _,
    identity::SubjectPublicKey,
    qr::{KeyFingerprint, MatterCode, MatterPayload, ProductLabel, QrError},
};
use zeroize::Zeroizing;

use super::super::{device_key::public_key, unit::Unit};
use crate::Problem;

/// A label as text.
pub(super) struct Content {
    /// From top to bottom.
    pub(super) lines: Vec<Zeroizing<String>>,
    /// What a camera reads.
    pub(super) code: Option<Zeroizing<String>>,
}

impl Content {
    pub(super) fn of(unit: &Unit, with_code: bool) -> Result<Self, Problem> {
        let entry = &unit.entry;
        let mut lines = vec![
            entry.product.clone(),
            entry.vendor.clone(),
            format!("Model {}", entry.model),
            format!("S/N {}", entry.serial),
        ];
        if let Some(password) = unit.password() {
            lines.push(format!("Password {password}"));
        }
        let failed = |cause: QrError| {
            let message = format!(
                "label of {:?} cannot be made: {cause} (error {})",
                entry.serial,
                cause.code()
            );
            Problem::coded(message, &cause).with_remedy(
                "a QR code takes a model and a serial number of up to 32 capital letters, digits, hyphens and dots: \
                 give --no-qr for this batch, and choose such a model and serial.prefix for the next",
            )
        };
        let mut code = None;
        if let Some(payload) = unit
            .code()
            .map(|code| entry.matter_payload(code))
            .transpose()
            .map_err(failed)?
            .flatten()
        {
            let mut out = Zeroizing::new([0; MatterPayload::LEN]);
            code = with_code
                .then(|| payload.write(out.as_mut()).map(str::to_owned))
                .transpose()
                .map_err(failed)?;
            let mut out = Zeroizing::new([0; MatterCode::MAX_LEN]);
            let digits = MatterCode::of(&payload).map_err(failed)?;
            let digits = digits.write(out.as_mut()).map_err(failed)?;
            lines.push(format!("Matter {}", grouped(digits, &[4, 3, 4])));
        } else {
            if let Some(digits) = unit.code() {
                lines.push(format!("Set-up code {}", grouped(digits, &[4, 4])));
            }
            if let Some(key) = entry.device_key.as_deref().filter(|_| with_code) {
                code = Some(product_label(unit, key).map_err(failed)?);
            }
        }
        Ok(Self {
            lines: lines.into_iter().map(Zeroizing::new).collect(),
            code: code.map(Zeroizing::new),
        })
    }

    /// All of it, a line each.
    pub(super) fn text(&self) -> Zeroizing<String> {
        let code = self
            .code
            .as_ref()
            .map(|code| Zeroizing::new(format!("QR {}", **code)));
        let lines: Vec<&str> = self.lines.iter().chain(&code).map(|line| line.as_str()).collect();
        Zeroizing::new(lines.join("\n") + "\n")
    }
}

/// The SDK's own label. The model in capitals, which QR codes have room for.
fn product_label(unit: &Unit, key: &str) -> Result<String, QrError> {
    let key = public_key(key).ok_or(QrError::Value)?;
    let key = SubjectPublicKey::new(key.key_type(), key.public_key()).map_err(|_| QrError::Value)?;
    let fingerprint = KeyFingerprint::of(&key, &mut Sha256::new());
    let model = unit.entry.model.to_ascii_uppercase();
    let mut label = ProductLabel::new(&model, &unit.entry.serial, fingerprint)?;
    if let Some(code) = unit.code() {
        label = label.with_code(code)?;
    }
    let mut out = Zeroizing::new([0; ProductLabel::MAX_LEN]);
    label.write(out.as_mut()).map(str::to_owned)
}

/// Digits as people read them out.
fn grouped(digits: &str, groups: &[usize]) -> String {
    let mut rest = digits;
    let mut parts = Vec::new();
    for length in groups {
        let (part, after) = rest.split_at_checked(*length).unwrap_or((rest, ""));
        parts.push(part);
        rest = after;
    }
    parts.join("-")
}
