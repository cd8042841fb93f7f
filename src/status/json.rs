use core::fmt::{self, Write};

use super::{Finding, SecurityStatus};

impl SecurityStatus {
    /// Bytes of the longest document.
    pub const MAX_JSON_LEN: usize = 2560;

    /// Writes the document, without line breaks, in at most [`MAX_JSON_LEN`](Self::MAX_JSON_LEN) bytes.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> fmt::Result {
        // No string of a finding needs escaping.
        write_all(out, &["{\"verdict\":\"", self.verdict().id(), "\",\"checks\":["])?;
        for (number, finding) in self.findings().enumerate() {
            if number > 0 {
                out.write_str(",")?;
            }
            write_finding(out, finding)?;
        }
        out.write_str("]}")
    }
}

fn write_finding<W: Write + ?Sized>(out: &mut W, finding: Finding) -> fmt::Result {
    let check = finding.check();
    let fields = [
        ("{\"check\":\"", Some(check.id())),
        ("\",\"provision\":\"", Some(check.provision())),
        ("\",\"finding\":\"", Some(finding.id())),
        ("\",\"verdict\":\"", Some(finding.verdict().id())),
        ("\",\"text\":\"", Some(finding.text())),
        ("\",\"remedy\":\"", finding.remedy()),
    ];
    write_fields(out, &fields)?;
    out.write_str("\"}")
}

/// The fields that have a value, each behind what stands in front of it.
pub(crate) fn write_fields<W: Write + ?Sized>(out: &mut W, fields: &[(&str, Option<&str>)]) -> fmt::Result {
    for (name, value) in fields {
        if let Some(value) = value {
            write_all(out, &[name, value])?;
        }
    }
    Ok(())
}

pub(crate) fn write_all<W: Write + ?Sized>(out: &mut W, parts: &[&str]) -> fmt::Result {
    parts.iter().try_for_each(|part| out.write_str(part))
}
