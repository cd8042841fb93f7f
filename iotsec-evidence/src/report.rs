//! What a record shows, written down: for people, for machines of the maker, and for those who assess.
//!
//! | who reads it | module |
//! |---|---|
//! | people, in a browser or on paper | [`html`] |
//! | people, beside the source | [`markdown`] |
//! | programs of the maker | [`json`] |
//! | a build server, as tests | [`junit`] |
//! | a code host, as gaps in the manifest | [`sarif`] |
//! | tools for attestations, in CycloneDX 1.6 | [`cyclonedx`] |
//!
//! Every report says *evidenced*, *claimed*, *not met*, *not applicable*, *broken* or *open*, and none says that a
//! product conforms.

pub mod cyclonedx;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod sarif;

use iotsec_core::hal::{Date, UnixTime};
use iotsec_product::{Finding, Product};

use crate::{
    catalogue::{Clause, Edition},
    judgement::{Judgement, Line},
    record::{Firmware, Record},
};

/// Under every report.
pub const HONEST: &str = "This prepares an assessment and is none: it says what was claimed and what was shown, not \
                          that the product conforms.";

/// A product, what was measured of it and what that shows.
pub struct Report<'a> {
    /// The product.
    pub product: &'a Product,
    /// What was measured.
    pub record: &'a Record,
    /// What it shows.
    pub judgement: Judgement<'a>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl<'a> Report<'a> {
    /// Judges a record of a product by an edition.
    pub fn new(product: &'a Product, record: &'a Record, edition: Edition) -> Self {
        let judgement = Judgement::of(product, record, edition);
        let findings = judgement.findings(product);
        Self {
            product,
            record,
            judgement,
            findings,
        }
    }

    /// The lines of a clause.
    fn clause<'s>(&'s self, clause: &'s Clause) -> impl Iterator<Item = &'s Line> {
        self.judgement
            .lines
            .iter()
            .filter(|line| line.provision.clause == clause.id)
    }

    /// The number of a provision in the edition.
    fn number<'l>(&self, line: &'l Line) -> &'l str {
        line.provision
            .number(self.judgement.edition)
            .unwrap_or(&line.provision.id)
    }

    /// What was measured, in words: a name and a value for each.
    fn measured(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![("standard", self.judgement.edition.cited().to_owned())];
        if let Some(Firmware {
            name,
            bytes,
            sha256,
            debugged,
        }) = self.record.firmware()
        {
            let inlined = if *debugged {
                ""
            } else {
                "; what was inlined is not named in it"
            };
            all.push(("firmware", format!("{name}, {bytes} bytes{inlined}")));
            all.push(("firmware, SHA-256", hex(sha256)));
        }
        if let Some(digest) = self.record.manifest_sha256() {
            all.push(("manifest, SHA-256", hex(&digest)));
        }
        all.push((
            "measured",
            format!("{} to {}", time(self.record.time.0), time(self.record.time.1)),
        ));
        let tools = self.record.tools.values();
        all.push(("tools", tools.cloned().collect::<Vec<_>>().join("; ")));
        all
    }
}

/// In lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A time as RFC 3339 has it, in UTC; in seconds since 1970 after the year 9999.
pub fn time(seconds: u64) -> String {
    let Some(date) = Date::of(UnixTime(seconds)) else {
        return seconds.to_string();
    };
    let of_day = seconds % 86_400;
    format!(
        "{date}T{:02}:{:02}:{:02}Z",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// Text for XML and HTML.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML 1.0 has no other control characters.
            '\t' | '\n' | '\r' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_a_manifest_is_text_in_a_report() {
        assert_eq!(
            escaped("<a href='x\"'>&\u{1}"),
            "&lt;a href=&#39;x&quot;&#39;&gt;&amp;\u{fffd}"
        );
    }

    #[test]
    fn times_are_in_utc() {
        assert_eq!(time(1_900_000_000), "2030-03-17T17:46:40Z");
    }
}
