//! Each detector on quiet years and under its attacks.

use iotsec_core::hal::{Millis, TimeFloor, UnixTime};
use iotsec_telemetry::detect::{
    BootLoop, Churn, ClockRollback, EntropyHealth, FailureBurst, Finding, Listening, NewListeners,
    SlowFailures, TrafficPlan, TrafficVolume, Transport, UpdateFailures, WatchdogResets,
};
use iotsec_testkit::SimRng;
use rand_core::Rng;

use crate::{
    SEEDS,
    table::{Attack, Row},
    trace::{ATTACK, DAY, HOUR, YEAR, at, breaks, is_day, mistyped, once_in, sent},
};

/// How long an attack is watched.
const WATCHED: u64 = 60 * DAY;

pub(crate) fn all() -> Vec<Row> {
    vec![
        bursts(),
        slow_failures(),
        refusals(),
        downloads(),
        boot_loops(),
        watchdogs(),
        listeners(),
        clocks(),
        traffic(),
        reconnects(),
        tls_rejects(),
        entropy(),
    ]
}

/// Plays a quiet year, and each attack, for every seed. `play` hands each report's minute to its last argument, until that
/// says that it has seen enough.
fn row<A: Copy>(
    detector: &'static str,
    most_false: usize,
    attacks: &[(&'static str, A, u64)],
    play: impl Fn(u64, Option<A>, u64, &mut dyn FnMut(u64) -> bool),
) -> Row {
    let mut false_alarms = 0;
    for seed in 0..SEEDS {
        play(seed, None, YEAR, &mut |_| {
            false_alarms += 1;
            false
        });
    }
    let attacks = attacks.iter().map(|(name, attack, most)| {
        let mut delays = Vec::new();
        for seed in 0..SEEDS {
            play(seed, Some(*attack), ATTACK + WATCHED, &mut |minute| {
                let noticed = minute >= ATTACK;
                if noticed {
                    delays.push(minute - ATTACK);
                }
                noticed
            });
        }
        delays.sort_unstable();
        Attack {
            name,
            delays,
            most: *most,
        }
    });
    let attacks = attacks.collect();
    Row {
        detector,
        false_alarms: (false_alarms, most_false),
        attacks,
    }
}

/// Every so many seconds a guess, from the beginning of the attack.
fn guesses(every: Option<u64>, minute: u64) -> Vec<u64> {
    match every {
        Some(every) if minute >= ATTACK => (0..60)
            .filter(|second| ((minute - ATTACK) * 60 + second).is_multiple_of(every))
            .collect(),
        _ => Vec::new(),
    }
}

fn logins(
    seed: u64,
    every: Option<u64>,
    end: u64,
    found: &mut dyn FnMut(u64) -> bool,
    mut failed: impl FnMut(Millis) -> Option<Finding>,
) {
    let mut rng = SimRng::new(seed);
    for minute in 0..end {
        let mut seconds = mistyped(&mut rng, minute);
        seconds.extend(guesses(every, minute));
        seconds.sort_unstable();
        for second in seconds {
            if failed(at(minute, second)).is_some() && found(minute) {
                return;
            }
        }
    }
}

fn bursts() -> Row {
    let attacks = [("a guess each second", 1, 1), ("a guess every 10 s", 10, 6)];
    row("`FailureBurst`", 0, &attacks, |seed, every, end, found| {
        let mut web = FailureBurst::new(0);
        logins(seed, every, end, found, |now| web.failed(now));
    })
}

fn slow_failures() -> Row {
    let attacks = [
        ("a guess every 2 min", 120, 4 * HOUR),
        ("a guess every 20 min", 20 * 60, 5 * HOUR),
        ("a guess each hour", 3600, 20 * HOUR),
    ];
    row("`SlowFailures`", 4, &attacks, |seed, every, end, found| {
        let mut web = SlowFailures::new(0, Millis(0));
        logins(seed, every, end, found, |now| web.failed(now));
    })
}

fn refusals() -> Row {
    // Quiet: nothing that a server sends is ever refused.
    row(
        "`UpdateFailures`, refused",
        0,
        &[("a forged update", (), 0)],
        |_, attack, _, found| {
            let mut updates = UpdateFailures::new();
            if attack.is_some() && updates.refused(2301, at(ATTACK, 0)).is_some() {
                found(ATTACK);
            }
        },
    )
}

fn downloads() -> Row {
    // Each day at some time, and again four hours later if that failed.
    let attacks = [("no download any more", (), 36 * HOUR)];
    row(
        "`UpdateFailures`, out of reach",
        2,
        &attacks,
        |seed, attack, end, found| {
            let (mut rng, mut updates) = (SimRng::new(seed), UpdateFailures::new());
            let mut due = rng.below(DAY);
            let mut away = 0;
            for minute in 0..end {
                // The service is away once in two months, for up to eight hours; the line of the house for an hour once a week.
                if once_in(&mut rng, 60 * DAY) {
                    away = minute + rng.below(8 * HOUR);
                }
                if once_in(&mut rng, 7 * DAY) {
                    away = away.max(minute + HOUR);
                }
                if minute < due {
                    continue;
                }
                let blocked = attack.is_some() && minute >= ATTACK;
                if blocked || minute < away || once_in(&mut rng, 50) {
                    due = minute + 4 * HOUR;
                    if updates.download_failed(5402, at(minute, 0)).is_some() && found(minute) {
                        return;
                    }
                } else {
                    due = minute + DAY;
                    updates.fetched();
                }
            }
        },
    )
}

/// Boots: by power cuts in a quiet year, some twice, and every two minutes under attack.
fn boots(seed: u64, attack: Option<()>, end: u64, mut booted: impl FnMut(u64, u64) -> bool) {
    let mut rng = SimRng::new(seed);
    let (mut minute, mut last) = (0, 0);
    while minute < end {
        if booted(minute, minute - last) {
            return;
        }
        last = minute;
        let quiet = if once_in(&mut rng, 4) {
            1 + rng.below(5)
        } else {
            rng.below(20 * DAY)
        };
        minute += quiet.max(1);
        if attack.is_some() && minute > ATTACK {
            minute = if last < ATTACK { ATTACK } else { last + 2 };
        }
    }
}

fn boot_loops() -> Row {
    // Every fourth power cut is followed by another one within minutes, one in sixteen by two: that looks like a loop.
    let attacks = [("a restart every 2 min", (), 6)];
    row("`BootLoop`", 60, &attacks, |seed, attack, end, found| {
        let mut watch: Option<BootLoop> = None;
        boots(seed, attack, end, |minute, up| {
            let record = watch.as_mut().map(|watch| {
                watch.stayed_up(at(up, 0));
                watch.record()
            });
            let (started, finding) = BootLoop::started(record.as_ref(), false);
            watch = Some(started);
            finding.is_some() && found(minute)
        });
    })
}

fn watchdogs() -> Row {
    // Quiet: power cuts, and no reset by the watchdog.
    let attacks = [("a hang", (), 0)];
    row("`WatchdogResets`", 0, &attacks, |seed, attack, end, found| {
        let mut watch: Option<WatchdogResets> = None;
        boots(seed, attack, end, |minute, up| {
            let record = watch.as_mut().map(|watch| {
                watch.stayed_up(at(up, 0));
                watch.record()
            });
            let hung = attack.is_some() && minute >= ATTACK;
            let (started, finding) = WatchdogResets::started(record.as_ref(), hung);
            watch = Some(started);
            finding.is_some() && found(minute)
        });
    })
}

fn listeners() -> Row {
    const APP: Listening = Listening {
        transport: Transport::Tcp,
        number: 8443,
    };
    let attacks = [("a backdoor listens", (), 5)];
    row("`NewListeners`", 0, &attacks, |_, attack, end, found| {
        let mut listeners = NewListeners::new();
        for minute in (0..end).step_by(5) {
            let backdoor = Listening {
                transport: Transport::Tcp,
                number: 4444,
            };
            let open = [APP, backdoor];
            // It begins to listen one minute after a look.
            let open = &open[..if attack.is_some() && minute > ATTACK { 2 } else { 1 }];
            for socket in open {
                let finding = listeners.saw(*socket, [APP].as_slice(), at(minute, 0));
                if finding.is_some() && found(minute) {
                    return;
                }
            }
            listeners.looked();
        }
    })
}

fn clocks() -> Row {
    // Seconds that the clock is set back by in an hour of the attack, and all at once before.
    let attacks = [
        ("an hour back", (3600, 0), 10),
        ("3 min back", (180, 0), 10),
        ("30 s back in each hour", (0, 30), 6 * HOUR),
        ("2 min back in each day", (0, 5), 37 * HOUR),
    ];
    row("`ClockRollback`", 0, &attacks, |seed, attack, end, found| {
        let mut rng = SimRng::new(seed);
        let mut watch = ClockRollback::new(TimeFloor::new(UnixTime(1_790_000_000)));
        // The crystal runs wrong by up to 100 parts in a million; the clock is set right twice a day, to some seconds.
        let drift = rng.below(201);
        let mut error = 0u64;
        for minute in (0..end).step_by(10) {
            if minute.is_multiple_of(12 * HOUR) {
                error = rng.below(10);
            }
            let since = minute % (12 * HOUR) * 60;
            let mut clock =
                1_800_000_000 + minute * 60 + 20 + error + since * drift / 1_000_000 - since / 10_000;
            if let Some((step, each)) = attack
                && minute >= ATTACK
            {
                clock -= step + each * ((minute - ATTACK) / HOUR);
            }
            if watch.read(at(minute, 0), UnixTime(clock)).is_some() && found(minute) {
                return;
            }
        }
    })
}

fn traffic() -> Row {
    const PLAN: TrafficPlan = TrafficPlan {
        period: Millis::from_secs(3600),
        ceiling: 4000,
    };
    let attacks = [
        ("2 MiB more in each hour", 2048, 4 * HOUR),
        ("500 KiB more in each hour", 500, 4 * HOUR),
        ("300 KiB more in each hour", 300, 12 * HOUR),
    ];
    row("`TrafficVolume`", 0, &attacks, |seed, attack, end, found| {
        let mut rng = SimRng::new(seed);
        let mut meter = TrafficVolume::new(0, PLAN, None, Millis(0));
        for minute in (0..end).step_by(60) {
            let mut kib = sent(&mut rng, minute);
            if minute >= ATTACK {
                kib += attack.unwrap_or(0);
            }
            // Counted in the hour, judged when it is over.
            let counted = meter.count(u32::try_from(kib).unwrap(), at(minute, 1));
            let judged = meter.tend(at(minute + 60, 0));
            if counted.or(judged).is_some() && found(minute + 60) {
                return;
            }
        }
    })
}

fn reconnects() -> Row {
    let attacks = [
        ("a connection cut every 5 min", 5, 4 * HOUR),
        ("every 15 min", 15, 8 * HOUR),
        ("every 30 min", 30, 24 * HOUR),
    ];
    row("`Churn`, reconnects", 40, &attacks, |seed, attack, end, found| {
        let (mut rng, mut churn) = (SimRng::new(seed), Churn::reconnects(2, None, Millis(0)));
        let mut bad_evening = false;
        for minute in 0..end {
            if minute.is_multiple_of(DAY) {
                bad_evening = once_in(&mut rng, 10);
            }
            let mut count = u64::from(breaks(&mut rng, bad_evening, minute));
            if let Some(every) = attack
                && minute >= ATTACK
            {
                count += u64::from((minute - ATTACK).is_multiple_of(every));
            }
            let mut finding = churn.tend(at(minute, 0));
            for _ in 0..count {
                finding = churn.happened(at(minute, 0)).or(finding);
            }
            if finding.is_some() && found(minute) {
                return;
            }
        }
    })
}

fn tls_rejects() -> Row {
    let attacks = [
        ("every attempt meets a stranger: one in 5 min", 5, 4 * HOUR),
        ("one attempt in an hour", 60, 48 * HOUR),
    ];
    row("`Churn`, TLS rejects", 0, &attacks, |seed, attack, end, found| {
        let (mut rng, mut churn) = (SimRng::new(seed), Churn::tls_rejects(1, None, Millis(0)));
        for minute in 0..end {
            let mut finding = churn.tend(at(minute, 0));
            // Once in three months somebody's portal answers in place of the service, for half an hour.
            let portal = is_day(minute) && once_in(&mut rng, 90 * 16 * HOUR);
            let attacked =
                attack.is_some_and(|every| minute >= ATTACK && (minute - ATTACK).is_multiple_of(every));
            for _ in 0..(6 * u64::from(portal) + u64::from(attacked)) {
                finding = churn.happened(at(minute, 0)).or(finding);
            }
            if finding.is_some() && found(minute) {
                return;
            }
        }
    })
}

fn entropy() -> Row {
    // A device draws 24 bytes in five minutes, 2.5 million in a year: nonces, jitter, keys.
    let attacks = [("a source that is stuck", (), 0)];
    row("`EntropyHealth`", 0, &attacks, |seed, attack, end, found| {
        let (mut rng, mut health) = (SimRng::new(seed), EntropyHealth::new());
        for minute in (0..end).step_by(5) {
            let mut bytes = [0x5A; 24];
            if attack.is_none() || minute < ATTACK {
                rng.fill_bytes(&mut bytes);
            }
            if health.drawn(&bytes, at(minute, 0)).is_some() && found(minute) {
                return;
            }
        }
    })
}
