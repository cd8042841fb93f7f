//! Which parts of the new image stand, nearly, in the old one (the idea of bsdiff: C. Percival, "Naive
//! differences of executable code", 2003).

use super::suffix::Suffixes;

/// Bytes of the new image from `new` on: `similar` ones that nearly stand at `old` in the old image, then
/// `fresh` ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) new: usize,
    pub(super) old: usize,
    pub(super) similar: usize,
    pub(super) fresh: usize,
}

/// What is worth a new alignment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuning {
    /// Bytes by which an exact match must beat the alignment so far.
    pub(super) gain: usize,
    /// What a differing byte costs an alignment, where an equal one brings 1.
    pub(super) penalty: isize,
}

/// Parts that make the whole of `new`.
pub(super) fn align(suffixes: &Suffixes<'_>, old: &[u8], new: &[u8], tuning: Tuning) -> Vec<Part> {
    let matches = matches(suffixes, old, new, tuning.gain);
    let mut parts = Vec::with_capacity(matches.len());
    let mut begin = 0;
    for (index, here) in matches.iter().enumerate() {
        let next = matches.get(index + 1);
        let end = next.map_or(new.len(), |next| next.new);
        let start = here.new - begin;
        // The bytes between two matches: the first ones may still be similar to what follows this match
        // in the old image, the last ones to what precedes the next match.
        let gap = &new[here.new + here.len..end];
        let behind = &old[here.old + here.len..];
        let forward = best(gap.iter().zip(behind), tuning.penalty);
        let mut backward = 0;
        if let Some(next) = next {
            backward = best(gap.iter().rev().zip(old[..next.old].iter().rev()), tuning.penalty);
        }
        let overlap = (forward + backward).saturating_sub(gap.len());
        let kept = match next {
            Some(next) if overlap > 0 => {
                let from = forward - overlap;
                split(
                    &gap[from..forward],
                    &behind[from..forward],
                    &old[next.old + from - gap.len()..next.old + forward - gap.len()],
                )
            }
            _ => 0,
        };
        let forward = forward - overlap + kept;
        let backward = backward - kept;
        parts.push(Part {
            new: begin,
            old: here.old - start,
            similar: start + here.len + forward,
            fresh: gap.len() - forward - backward,
        });
        begin = end - backward;
    }
    parts
}

/// A part of the new image that stands in the old one.
#[derive(Clone, Copy, Debug)]
struct Match {
    new: usize,
    old: usize,
    len: usize,
}

/// Matches in the order of the new image. The first is at the beginning of both, and may be empty.
fn matches(suffixes: &Suffixes<'_>, old: &[u8], new: &[u8], gain: usize) -> Vec<Match> {
    let mut found = vec![Match {
        new: 0,
        old: 0,
        len: 0,
    }];
    let mut at = 0;
    while at < new.len() {
        let last = found[found.len() - 1];
        // Whether the alignment of the last match explains this byte as well.
        let explained = |place: usize| old.get(place - last.new + last.old) == Some(&new[place]);
        let mut agreed = 0;
        let mut counted = at;
        let mut len = 0;
        while at < new.len() {
            let old_at;
            (old_at, len) = suffixes.longest(&new[at..]);
            while counted < at + len {
                agreed += usize::from(explained(counted));
                counted += 1;
            }
            if len > 0 && agreed == len {
                break;
            }
            if len > agreed + gain {
                found.push(Match {
                    new: at,
                    old: old_at,
                    len,
                });
                break;
            }
            if counted > at {
                agreed -= usize::from(explained(at));
            } else {
                counted = at + 1;
            }
            at += 1;
        }
        at += len;
    }
    found
}

/// How many of the pairs are worth keeping together: the longest beginning of the highest score.
fn best<'a>(pairs: impl Iterator<Item = (&'a u8, &'a u8)>, penalty: isize) -> usize {
    let (mut score, mut highest, mut length) = (0, 0, 0);
    for (index, (a, b)) in pairs.enumerate() {
        score += if a == b { 1 } else { -penalty };
        if score > highest {
            (highest, length) = (score, index + 1);
        }
    }
    length
}

/// How many bytes of `gap` to leave with `before`, so that most are equal; the others go with `after`.
fn split(gap: &[u8], before: &[u8], after: &[u8]) -> usize {
    let (mut score, mut highest, mut length) = (0_isize, 0, 0);
    for (index, byte) in gap.iter().enumerate() {
        score += isize::from(before[index] == *byte) - isize::from(after[index] == *byte);
        if score > highest {
            (highest, length) = (score, index + 1);
        }
    }
    length
}
