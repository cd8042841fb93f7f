//! What makes a password guessable although it is long enough.

use super::symbol;
use crate::secret::Secret;

/// Longest password in bytes.
pub(super) const MAX_BYTES: usize = 256;

/// True for a generated code that is a pattern, or shows a leaked default or an offensive word.
///
/// About one random code in 800 is refused, which costs less than 0.01 bit of its entropy.
pub(super) fn refuses_code(symbols: &[u8]) -> bool {
    has_run(symbols) || has_sequence(symbols) || is_periodic(symbols) || has_word(symbols)
}

/// Characters of `text` that carry surprise. A leaked default, a run of three, a sequence of four or
/// a keyboard walk of four counts as one character, and a text that repeats itself counts once.
pub(super) fn effective_len(text: &[u8]) -> usize {
    let mut rest = text.get(..period(text)).unwrap_or(text);
    let mut count = 0usize;
    while let Some(first) = rest.first() {
        // Bytes that continue a UTF-8 character are no characters of their own.
        if first & 0xC0 != 0x80 {
            count = count.saturating_add(1);
        }
        rest = rest.get(weak_prefix(rest).max(1)..).unwrap_or_default();
    }
    count
}

/// True when `text` shows `word`, or any six letters or digits in a row of it, whatever their case and
/// whatever stands between. Words with fewer than four letters and digits never match.
pub(super) fn shows_word(text: &str, word: &str) -> bool {
    let mut folded = Secret::<MAX_BYTES>::zero();
    let mut len = 0usize;
    for (place, byte) in folded.expose_mut().iter_mut().zip(letters_and_digits(text)) {
        *place = byte;
        len = len.saturating_add(1);
    }
    let folded = folded.expose().get(..len).unwrap_or_default();

    let mut window = [0; WORD_WINDOW];
    let mut filled = 0usize;
    for byte in letters_and_digits(word) {
        window.rotate_left(1);
        if let Some(last) = window.last_mut() {
            *last = byte;
        }
        filled = filled.saturating_add(1);
        if filled >= WORD_WINDOW && contains(folded, &window) {
            return true;
        }
    }
    let short = window
        .get(WORD_WINDOW.saturating_sub(filled)..)
        .unwrap_or_default();
    (4..WORD_WINDOW).contains(&filled) && contains(folded, short)
}

fn letters_and_digits(text: &str) -> impl Iterator<Item = u8> {
    text.bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
        .map(|byte| byte.to_ascii_lowercase())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len().max(1)).any(|window| window == part)
}

fn has_run(symbols: &[u8]) -> bool {
    symbols
        .windows(4)
        .any(|run| run.iter().all(|symbol| Some(symbol) == run.first()))
}

fn has_sequence(symbols: &[u8]) -> bool {
    let steps = |a: u8, b: u8| a.checked_add(1) == Some(b);
    symbols.windows(5).any(|run| {
        let pairs = || run.iter().zip(run.iter().skip(1));
        pairs().all(|(&a, &b)| steps(a, b)) || pairs().all(|(&a, &b)| steps(b, a))
    })
}

/// At least four symbols repeat what stood a fixed distance before them, up to the end.
fn is_periodic(symbols: &[u8]) -> bool {
    (1..=symbols.len().saturating_sub(4)).any(|distance| repeats_at(symbols, distance))
}

fn has_word(symbols: &[u8]) -> bool {
    let shows = |word: &[u8]| {
        symbols.windows(word.len().max(1)).any(|window| {
            window
                .iter()
                .zip(word)
                .all(|(&symbol, &byte)| symbol::decode(byte.into()) == Some(symbol))
        })
    };
    words(LEAKED).chain(words(OFFENSIVE)).any(shows)
}

/// The shortest distance at which `text` repeats itself at least once in full, or its length.
fn period(text: &[u8]) -> usize {
    (1..=text.len() / 2)
        .find(|&distance| repeats_at(text, distance))
        .unwrap_or(text.len())
}

fn repeats_at(text: &[u8], distance: usize) -> bool {
    text.iter().zip(text.iter().skip(distance)).all(|(a, b)| a == b)
}

/// Bytes at the start of `text` that are weak together, or 0.
fn weak_prefix(text: &[u8]) -> usize {
    let leaked = words(LEAKED)
        .filter(|word| {
            text.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        })
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0);
    let same = prefix_where(text, |a, b| a == b);
    let forward = prefix_where(text, follows);
    let backward = prefix_where(text, |a, b| follows(b, a));
    let run = if same >= 3 { same } else { 0 };
    let walk = forward.max(backward);
    let walk = if walk >= 4 { walk } else { 0 };
    leaked.max(run).max(walk)
}

/// Length of the longest start of `text` in which every neighbouring pair satisfies `rule`.
fn prefix_where(text: &[u8], rule: impl Fn(u8, u8) -> bool) -> usize {
    let pairs = text.iter().zip(text.iter().skip(1));
    pairs
        .take_while(|(a, b)| rule(a.to_ascii_lowercase(), b.to_ascii_lowercase()))
        .count()
        .saturating_add(1)
}

/// `b` comes right after `a` in the alphabet, among the digits or on a row of the keyboard.
fn follows(a: u8, b: u8) -> bool {
    ROWS.iter().any(|row| row.windows(2).any(|pair| pair == [a, b]))
}

const WORD_WINDOW: usize = 6;

const ROWS: [&[u8]; 5] = [
    b"abcdefghijklmnopqrstuvwxyz",
    b"01234567890",
    b"qwertyuiop",
    b"asdfghjkl",
    b"zxcvbnm",
];

/// The distinct passwords of the default-credential table that the Mirai botnet scanned with in 2016
/// (published source, `mirai/bot/scanner.c`, decoded by XOR with 0x22), the empty one left out. In one string: a table of
/// them takes as much flash again.
const LEAKED: &[u8] =
    b"00000000 1111 1111111 1234 12345 123456 4321 54321 666666 7ujMko0admin 7ujMko0vizxv 888888 \
    Zte521 admin admin1234 anko default dreambox fucker guest hi3518 ikwb juantech jvbzd klv123 \
    klv1234 meinsm pass password realtek root service smcadmin supervisor support system tech ubnt \
    user vizxv xc3511 xmhdipc zlxx.";

/// The words of a list.
fn words(list: &'static [u8]) -> impl Iterator<Item = &'static [u8]> {
    list.split(|byte| *byte == b' ')
}

/// Words that must not be printed on a product, in the letters that a code can show: there is no `U`,
/// and `I`, `L` and `O` read as digits.
const OFFENSIVE: &[u8] = b"anal cock cvnt dick fag fvck nazi nigg pedo piss rape sex shit tits";

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn symbols(text: &str) -> Vec<u8> {
        text.chars().map(|c| symbol::decode(c).unwrap()).collect()
    }

    #[test]
    fn patterns_and_words_in_codes_are_refused() {
        for code in [
            "7777K2M4P6R8",
            "K2M4P6R8TTTT",
            "K2M456789PR8",
            "K2MEDCBA9PR8",
            "K2M4K2M4K2M4",
            "K2M4P6R8K2M4",
            "ADM1NK2M4P6R",
            "K2M4P61234R8",
            "K2R00TM4P6R8",
            "K2M4SH1TP6R8",
        ] {
            assert!(refuses_code(&symbols(code)), "{code}");
        }
        for code in ["K2M4P6R8T0V3", "777K2M4P6R8T", "K2M5678P6R9T", "ADM0NK2M4P6RX3Y7"] {
            assert!(!refuses_code(&symbols(code)), "{code}");
        }
    }

    #[test]
    fn what_anyone_would_try_has_no_effective_length() {
        for (text, len) in [
            ("", 0),
            ("adminadminadmin", 1),
            ("Password1234", 2),
            ("aaaaaaaaaaaaaaaa", 1),
            ("abcdefghijklmnop", 1),
            ("qwertyuiopasdfghjkl", 2),
            ("PoIuYtReWq54321!", 3),
            ("7ujMko0vizxv", 1),
            ("xyxyxyxyxyxy", 2),
            ("correct horse", 13),
            ("grün wie Gras", 13),
        ] {
            assert_eq!(effective_len(text.as_bytes()), len, "{text:?}");
        }
    }

    #[test]
    fn context_is_found_through_case_and_separators() {
        assert!(shows_word("my-Acme cam 2024", "ACME-CAM"));
        assert!(!shows_word("xx ddeeff0011 yy", "AA:BB:CC:DD:EE:F0"));
        assert!(shows_word("xx ccddeeff yy", "AA:BB:CC:DD:EE:FF"));
        assert!(shows_word("likes acme a lot", "Acme"));
        assert!(!shows_word("what a camera", "cam"));
        assert!(!shows_word("anything at all", ""));
    }
}
