//! How a label is laid out: the QR code on the left, lines of text on its right.

use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

use super::content::Content;
use crate::Problem;

/// White modules around a QR code (ISO/IEC 18004 §6.3.8).
pub(super) const QUIET: usize = 4;
/// Dots along a module, which is half a millimetre: printers of 203 dpi have 8 dots a millimetre, those of 406 dpi 16.
pub(super) const MODULE: usize = 8;
/// From one line of text to the next, in dots.
pub(super) const LINE: usize = 40;
/// White dots around the text.
pub(super) const MARGIN: usize = 32;

/// What is drawn.
pub(super) struct Drawing<'c> {
    pub(super) lines: &'c [Zeroizing<String>],
    code: Option<QrCode>,
}

/// Where things are, in dots.
pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Left end of the text.
    pub(super) left: usize,
    /// Top of the first line.
    pub(super) top: usize,
}

impl<'c> Drawing<'c> {
    pub(super) fn of(content: &'c Content) -> Result<Self, Problem> {
        let code = content.code.as_ref().map(|text| {
            // Level M: 15 % of the code words may be unreadable.
            QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|_| {
                Problem::new(
                    "LabelText",
                    "the text is too long for a QR code",
                    "choose a shorter model or serial.prefix",
                )
            })
        });
        Ok(Self {
            lines: &content.lines,
            code: code.transpose()?,
        })
    }

    pub(super) const fn code(&self) -> Option<&QrCode> {
        self.code.as_ref()
    }

    /// With text of so many dots a character.
    pub(super) fn layout(&self, advance: usize) -> Layout {
        let side = self.code().map_or(0, |code| modules(code) * MODULE);
        let longest = self
            .lines
            .iter()
            .map(|line| line.chars().count())
            .max()
            .unwrap_or(0);
        let text = self.lines.len() * LINE;
        let height = side.max(text + 2 * MARGIN);
        let left = if side == 0 { MARGIN } else { side };
        Layout {
            width: left + longest * advance + MARGIN,
            height,
            left,
            top: (height - text) / 2,
        }
    }
}

/// Modules along a side, quiet zones included.
pub(super) fn modules(code: &QrCode) -> usize {
    usize::try_from(code.size()).unwrap_or(0) + 2 * QUIET
}

/// Whether a module is dark; the quiet zone counts from 0 too.
pub(super) fn is_dark(code: &QrCode, x: usize, y: usize) -> bool {
    let inner = |at: usize| i32::try_from(at).unwrap_or(i32::MAX) - 4;
    code.get_module(inner(x), inner(y))
}
