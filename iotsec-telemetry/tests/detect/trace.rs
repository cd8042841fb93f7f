//! A year in the life of a device, minute by minute, from a seed.

use iotsec_core::hal::Millis;
use iotsec_testkit::SimRng;

pub(crate) const HOUR: u64 = 60;
pub(crate) const DAY: u64 = 24 * HOUR;
pub(crate) const YEAR: u64 = 365 * DAY;
/// When attacks begin: baselines are warm by then, and it is 9 in the morning.
pub(crate) const ATTACK: u64 = 100 * DAY + 9 * HOUR;

/// Uptime at a minute, and so many seconds into it.
pub(crate) fn at(minute: u64, second: u64) -> Millis {
    Millis::from_secs(minute * 60 + second)
}

/// Chance: once in `odds`.
pub(crate) fn once_in(rng: &mut SimRng, odds: u64) -> bool {
    rng.below(odds) == 0
}

/// Whether people are up.
pub(crate) fn is_day(minute: u64) -> bool {
    (7 * HOUR..23 * HOUR).contains(&(minute % DAY))
}

/// Seconds within a minute at which logins fail: owners who mistype one login in six and try again, who have forgotten
/// their password once in two months, and children who play with the panel once a month.
pub(crate) fn mistyped(rng: &mut SimRng, minute: u64) -> Vec<u64> {
    if !is_day(minute) {
        return Vec::new();
    }
    // Three logins a day.
    if once_in(rng, 16 * HOUR / 3) && once_in(rng, 6) {
        // The hand is as likely to fail again as not, and needs ten seconds or more.
        let mut seconds = vec![rng.below(10)];
        while once_in(rng, 2) && seconds.len() < 4 {
            seconds.push(seconds[seconds.len() - 1] + 10 + rng.below(8));
        }
        return seconds;
    }
    if once_in(rng, 60 * 16 * HOUR) {
        return vec![0, 14, 29, 48];
    }
    if once_in(rng, 30 * 16 * HOUR) {
        return vec![5, 20, 35, 50];
    }
    Vec::new()
}

/// Connections that break: at home now and then, more so in the evening, and on one evening in ten twice an
/// hour.
pub(crate) fn breaks(rng: &mut SimRng, bad_evening: bool, minute: u64) -> bool {
    let evening = (18 * HOUR..23 * HOUR).contains(&(minute % DAY));
    let odds = match (bad_evening, evening) {
        (true, true) => 30,
        (false, true) => 4 * HOUR,
        (_, false) => 12 * HOUR,
    };
    once_in(rng, odds)
}

/// KiB that a lamp with an app sends in an hour, which begins at this minute.
pub(crate) fn sent(rng: &mut SimRng, minute: u64) -> u64 {
    let usual = if is_day(minute) { 60 } else { 15 };
    let mut kib = usual / 2 + rng.below(usual);
    // Somebody plays with it for an hour.
    if is_day(minute) && once_in(rng, 40) {
        kib += rng.below(200);
    }
    // It uploads its log for support, or a new app fetches everything.
    if once_in(rng, 30 * 24) {
        kib += 1000 + rng.below(2000);
    }
    kib
}
