//! Labels as SVG 1.1.

use std::fmt::Write as _;

use qrcodegen::QrCode;
use zeroize::Zeroizing;

use super::drawing::{Drawing, LINE, MODULE, is_dark, modules};
use crate::Problem;

/// Dots from one character to the next.
const ADVANCE: usize = 20;
/// Dots that letters are high, with what reaches below the line.
const SIZE: usize = 32;

/// A QR code alone.
pub(super) fn code(code: &QrCode) -> Zeroizing<String> {
    let side = modules(code) * MODULE;
    Zeroizing::new(format!("{}{}</svg>\n", head(side, side), path(code, 0)))
}

/// A whole label. Text is text, so that it can be searched and its font replaced.
pub(super) fn label(drawing: &Drawing<'_>) -> Result<Zeroizing<String>, Problem> {
    let layout = drawing.layout(ADVANCE);
    let mut out = Zeroizing::new(head(layout.width, layout.height));
    if let Some(code) = drawing.code() {
        out.push_str(&path(
            code,
            layout.height.saturating_sub(modules(code) * MODULE) / 2,
        ));
    }
    for (number, line) in drawing.lines.iter().enumerate() {
        // Whatever font there is, the line has the place that it was given.
        let (base, length) = (layout.top + number * LINE + SIZE, line.chars().count() * ADVANCE);
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{base}\" font-family=\"monospace\" font-size=\"{SIZE}\" textLength=\"{length}\" \
             lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\">{}</text>",
            layout.left,
            *escaped(line)?
        );
    }
    out.push_str("</svg>\n");
    Ok(out)
}

/// A white page; 16 dots are a millimetre.
fn head(width: usize, height: usize) -> String {
    let millimetres = |dots: usize| {
        let hundredths = dots * 100 / 16;
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"{}mm\" height=\"{}mm\" \
         viewBox=\"0 0 {width} {height}\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n",
        millimetres(width),
        millimetres(height),
    )
}

/// The dark modules, one rectangle for each run of them.
fn path(code: &QrCode, top: usize) -> String {
    let side = modules(code);
    let mut out = String::from("<path shape-rendering=\"crispEdges\" d=\"");
    for y in 0..side {
        let mut x = 0;
        while x < side {
            let run = (x..side).take_while(|x| is_dark(code, *x, y)).count();
            if run > 0 {
                let _ = write!(
                    out,
                    "M{} {}h{}v{MODULE}h-{}z",
                    x * MODULE,
                    top + y * MODULE,
                    run * MODULE,
                    run * MODULE
                );
            }
            x += run + 1;
        }
    }
    out + "\"/>\n"
}

/// Text as XML 1.0 has it (§2.2, §2.4).
fn escaped(text: &str) -> Result<Zeroizing<String>, Problem> {
    let mut out = Zeroizing::new(String::with_capacity(6 * text.len()));
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{FFFE}' | '\u{FFFF}' => return Err(not_text(character)),
            character if character.is_control() => return Err(not_text(character)),
            character => out.push(character),
        }
    }
    Ok(out)
}

fn not_text(character: char) -> Problem {
    Problem::new(
        "LabelText",
        format!("no label can show {character:?}"),
        "take the character out of the product manifest, and mint another batch",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_gives_a_meaning_is_escaped_and_what_it_cannot_hold_is_refused() {
        let text = escaped("<Lamp> & \"co\" 'é'").unwrap();
        assert_eq!(&**text, "&lt;Lamp&gt; &amp; &quot;co&quot; &#39;é&#39;");
        for text in ["\0", "a\u{1b}b", "\u{FFFF}", "\u{85}"] {
            assert_eq!(escaped(text).unwrap_err().name(), "LabelText");
        }
    }
}
