use core::fmt::{self, Display, Write};

use super::{
    DataMap, Item,
    words::{self, Collected, Mechanism},
};
use crate::registry::Purpose;

const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"referrer\" content=\"no-referrer\">
<title>";

const STYLE: &str = "</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --card: #f6f8fa; --line: #d0d7de; \
--ask: #116329; --no: #7d4e00 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9ba5b0; --paper: #0d1117; --card: #161b22; \
--line: #30363d; --ask: #56d364; --no: #e3b341 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 44rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); \
background: var(--paper); overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0 }
h2 { font-size: 1.2rem; margin: 2rem 0 .25rem }
h3 { font-size: 1rem; margin: 0 0 .5rem }
section > p { margin: 0 0 .75rem; font-weight: 600 }
.ask { color: var(--ask) }
.no { color: var(--no) }
article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; \
margin: 0 0 .75rem; break-inside: avoid }
dl { margin: 0; display: grid; grid-template-columns: 6.5rem 1fr; gap: .25rem .75rem }
dt { color: var(--soft) }
dd { margin: 0 }
footer { margin-top: 2rem; color: var(--soft); font-size: .85rem }
code { font-size: .85em }
@media (max-width: 28rem) { dl { grid-template-columns: 1fr; gap: 0 } dt { margin-top: .4rem; font-size: .85rem } }
</style>
</head>
<body>
<main>
<h1>What ";

pub(super) fn write<W: Write + ?Sized>(map: &DataMap<'_>, out: &mut W) -> fmt::Result {
    out.write_str(HEAD)?;
    write!(Escaped(out), "Data that {} sends", map.product)?;
    out.write_str(STYLE)?;
    write!(Escaped(out), "{}", map.product)?;
    out.write_str(" sends, and why</h1>\n<p>This is all that the device can send to its maker. What is not listed here, it cannot send.</p>\n")?;
    for purpose in [Purpose::Security, Purpose::Health, Purpose::Usage] {
        let mut items = map.items().filter(|item| item.purpose() == purpose).peekable();
        if items.peek().is_none() {
            continue;
        }
        let class = if purpose.needs_consent() { "ask" } else { "no" };
        let (heading, consent) = (words::heading(purpose), words::consent(purpose));
        write!(
            out,
            "<section>\n<h2>{heading}</h2>\n<p class=\"{class}\">{consent}</p>\n"
        )?;
        for item in items {
            write_item(out, &item)?;
        }
        out.write_str("</section>\n")?;
    }
    out.write_str("</main>\n<footer>\n<p>The connection itself shows the address of your network to whoever is at its other end, as every connection does.</p>\n<p>Made from the declaration that the device's software is built with: <code>")?;
    for byte in map.registry.hash() {
        write!(out, "{byte:02x}")?;
    }
    out.write_str("</code></p>\n</footer>\n</body>\n</html>\n")
}

fn write_item<W: Write + ?Sized>(out: &mut W, item: &Item) -> fmt::Result {
    out.write_str("<article>\n<h3>")?;
    write!(Escaped(out), "{}", item.why())?;
    out.write_str("</h3>\n<dl>\n")?;
    entry(out, "What", &Collected(*item))?;
    entry(out, "How", &Mechanism(*item))?;
    let handling = item.handling;
    if handling.is_unstated() {
        entry(out, "For whom", &"The maker has not said.")?;
        entry(out, "How long", &"The maker has not said.")?;
    } else {
        entry(
            out,
            "For whom",
            &format_args!("{}. Questions: {}", handling.recipient(), handling.owner()),
        )?;
        let days = handling.kept_days();
        let unit = if days == 1 { "day" } else { "days" };
        match handling.expires() {
            Some(date) => entry(
                out,
                "How long",
                &format_args!("Kept {days} {unit}. Collected until {date}, and then no more."),
            )?,
            None => entry(out, "How long", &format_args!("Kept {days} {unit}."))?,
        }
    }
    entry(out, "Deletion", &words::recall(item))?;
    out.write_str("<dt>Name</dt><dd><code>")?;
    write!(Escaped(out), "{}", item.name())?;
    out.write_str("</code></dd>\n</dl>\n</article>\n")
}

fn entry<W: Write + ?Sized>(out: &mut W, term: &str, text: &dyn Display) -> fmt::Result {
    write!(out, "<dt>{term}</dt><dd>")?;
    write!(Escaped(out), "{text}")?;
    out.write_str("</dd>\n")
}

/// Text of HTML: nothing in it can be markup.
struct Escaped<'o, W: ?Sized>(&'o mut W);

impl<W: Write + ?Sized> Write for Escaped<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                _ => self.0.write_char(character)?,
            }
        }
        Ok(())
    }
}
