//! Labels as PNG, black and white.

use font8x8::{BASIC_FONTS, GREEK_FONTS, LATIN_FONTS, UnicodeFonts as _};
use png::{BitDepth, ColorType, Encoder, PixelDimensions, Unit};
use qrcodegen::QrCode;
use zeroize::Zeroizing;

use super::drawing::{Drawing, LINE, MODULE, is_dark, modules};
use crate::Problem;

/// Pixels for each dot of the font, which has eight by eight.
const SCALE: usize = 3;
/// Pixels a metre: a module is half a millimetre.
const DENSITY: u32 = 16_000;

/// A QR code alone.
pub(super) fn code(code: &QrCode) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let side = modules(code) * MODULE;
    let mut canvas = Canvas::white(side, side);
    canvas.draw(code);
    canvas.encode()
}

/// A whole label.
pub(super) fn label(drawing: &Drawing<'_>) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let layout = drawing.layout(8 * SCALE);
    let mut canvas = Canvas::white(layout.width, layout.height);
    if let Some(code) = drawing.code() {
        canvas.draw(code);
    }
    for (number, line) in drawing.lines.iter().enumerate() {
        for (place, character) in line.chars().enumerate() {
            let glyph = glyph(character).ok_or_else(|| {
                Problem::new(
                    "LabelText",
                    format!("the font for PNG has no {character:?}"),
                    "give --only svg --only text, whose fonts are those of the printer",
                )
            })?;
            let (left, top) = (
                layout.left + place * 8 * SCALE,
                layout.top + number * LINE + (LINE - 8 * SCALE) / 2,
            );
            for (y, row) in glyph.into_iter().enumerate() {
                // The lowest bit is on the left.
                for x in (0..8).filter(|x| row >> x & 1 == 1) {
                    canvas.blacken(left + x * SCALE, top + y * SCALE, SCALE, SCALE);
                }
            }
        }
    }
    canvas.encode()
}

fn glyph(character: char) -> Option<[u8; 8]> {
    if character.is_control() {
        return None;
    }
    BASIC_FONTS
        .get(character)
        .or_else(|| LATIN_FONTS.get(character))
        .or_else(|| GREEK_FONTS.get(character))
}

/// One bit a pixel, 1 is white; rows begin on a byte.
struct Canvas {
    width: usize,
    height: usize,
    rows: Zeroizing<Vec<u8>>,
}

impl Canvas {
    fn white(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            rows: Zeroizing::new(vec![0xFF; width.div_ceil(8) * height]),
        }
    }

    fn blacken(&mut self, left: usize, top: usize, width: usize, height: usize) {
        let row = self.width.div_ceil(8);
        for y in top..top + height {
            for x in left..left + width {
                if let Some(byte) = self.rows.get_mut(y * row + x / 8) {
                    *byte &= !(0x80 >> (x % 8));
                }
            }
        }
    }

    /// At the left end, in the middle of the height.
    fn draw(&mut self, code: &QrCode) {
        let side = modules(code);
        let top = self.height.saturating_sub(side * MODULE) / 2;
        for y in 0..side {
            for x in (0..side).filter(|x| is_dark(code, *x, y)) {
                self.blacken(x * MODULE, top + y * MODULE, MODULE, MODULE);
            }
        }
    }

    fn encode(self) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let failed = |cause: png::EncodingError| {
            Problem::new(
                "Picture",
                format!("a PNG cannot be made: {cause}"),
                "give --only svg --only text",
            )
        };
        let size = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        let mut out = Zeroizing::new(Vec::with_capacity(1 << 14));
        let mut encoder = Encoder::new(&mut *out, size(self.width), size(self.height));
        encoder.set_color(ColorType::Grayscale);
        encoder.set_depth(BitDepth::One);
        encoder.set_pixel_dims(Some(PixelDimensions {
            xppu: DENSITY,
            yppu: DENSITY,
            unit: Unit::Meter,
        }));
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&self.rows).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(out)
    }
}
