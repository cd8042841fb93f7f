use core::fmt::{self, Write};

use iotsec_core::{
    credential::Authenticated,
    hal::{Date, UnixTime},
};

/// What a device says of itself in the home network: what it is, until when it gets security updates, and where a
/// weakness is reported (EN 303 645 5.2-1, 5.3-13, 5.3-16). The constants that `iotsec constants` makes from the product
/// manifest have the same names.
///
/// Whoever asks learns what stands on the label and in public anyway; the version, which tells attackers what works,
/// learns its owner (5.6-2).
///
/// ```
/// use iotsec::{core::hal::UnixTime, status::About};
///
/// const ABOUT: About<'_> = About {
///     name: "Lamp",
///     model: "lamp-2",
///     vendor: "Example Lighting Ltd",
///     version: "1.4.2",
///     support_until: Some(UnixTime(1_956_527_999)),
///     disclosure_policy: Some("https://lighting.example.com/security/policy"),
/// };
/// let mut page = String::new();
/// ABOUT.write_public(&mut page)?;
/// assert!(page.contains(r#""support_until":"2031-12-31","report_weaknesses":"https://lighting.example.com/"#));
/// assert!(!page.contains("1.4.2"));
/// # Ok::<(), core::fmt::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About<'a> {
    /// For people.
    pub name: &'a str,
    /// As on the type label.
    pub model: &'a str,
    /// The trade name of the maker.
    pub vendor: &'a str,
    /// The release that runs.
    pub version: &'a str,
    /// The end of the support period that was published for the product.
    pub support_until: Option<UnixTime>,
    /// Where the disclosure policy is: to whom a weakness is reported, and when an answer comes.
    pub disclosure_policy: Option<&'a str>,
}

impl About<'_> {
    /// Writes a JSON document for whoever asks: all but the version.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_public<W: Write + ?Sized>(&self, out: &mut W) -> fmt::Result {
        self.write(None, out)
    }

    /// The same with the version, for the owner.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_for_owner<W: Write + ?Sized>(&self, _owner: &Authenticated, out: &mut W) -> fmt::Result {
        self.write(Some(self.version), out)
    }

    fn write<W: Write + ?Sized>(&self, version: Option<&str>, out: &mut W) -> fmt::Result {
        write_text(out, "{\"name\":\"", Some(self.name))?;
        write_text(out, ",\"model\":\"", Some(self.model))?;
        write_text(out, ",\"vendor\":\"", Some(self.vendor))?;
        write_text(out, ",\"version\":\"", version)?;
        if let Some(date) = self.support_until.and_then(Date::of) {
            let (year, month, day) = (date.year(), date.month(), date.day());
            write!(out, ",\"support_until\":\"{year:04}-{month:02}-{day:02}\"")?;
        }
        write_text(out, ",\"report_weaknesses\":\"", self.disclosure_policy)?;
        out.write_str("}")
    }
}

/// A name and its value, which the maker wrote and which may need escaping.
fn write_text<W: Write + ?Sized>(out: &mut W, name: &str, value: Option<&str>) -> fmt::Result {
    let Some(value) = value else {
        return Ok(());
    };
    out.write_str(name)?;
    for c in value.chars() {
        match c {
            '"' | '\\' => {
                out.write_char('\\')?;
                out.write_char(c)?;
            }
            c if u32::from(c) < 0x20 => write!(out, "\\u{:04x}", u32::from(c))?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

iotsec_core::claim! {
    provisions: ["5.2-1", "5.3-13", "5.3-16"],
    claims: "A device tells everybody its model, where to report weaknesses and until when it is supported, and its version to its owner alone",
    code: [About::write_public],
    tests: ["iotsec::status::a_device_tells_everybody_where_to_report_and_its_version_to_its_owner"],
}
