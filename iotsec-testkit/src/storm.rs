//! Ten thousand devices that lose their service at the same moment, and the moment when it is back.

use std::{cmp::Reverse, collections::BinaryHeap};

use iotsec_core::hal::Millis;

/// A device that decides when it tries again.
pub trait Reconnect {
    /// The connection was lost at `now`. When is the first attempt?
    fn lost(&mut self, now: Millis) -> Millis;
    /// The attempt at `now` failed. When is the next?
    fn failed(&mut self, now: Millis) -> Millis;
    /// The attempt at `now` succeeded.
    fn connected(&mut self, now: Millis);
}

/// A service that is away for a while, and has room for so many handshakes in each second after that.
///
/// The model is simple: a failure is known at once, and the service does not break under load. Real ones do, which
/// makes a peak worse than it looks here.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_testkit::{Reconnect, Storm};
///
/// /// What many clients do by default.
/// struct EveryFiveSeconds;
/// impl Reconnect for EveryFiveSeconds {
///     fn lost(&mut self, now: Millis) -> Millis {
///         now
///     }
///     fn failed(&mut self, now: Millis) -> Millis {
///         Millis(now.0 + 5_000)
///     }
///     fn connected(&mut self, _: Millis) {}
/// }
///
/// let mut fleet: Vec<_> = (0..1_000).map(|_| EveryFiveSeconds).collect();
/// let report = Storm::new(Millis::from_secs(60), 100).run(&mut fleet);
/// assert_eq!(report.peak_after, 1_000);
/// assert_eq!(report.wasted, 900 + 800 + 700 + 600 + 500 + 400 + 300 + 200 + 100);
/// assert_eq!(report.back(99), Some(Millis::from_secs(45)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Storm {
    outage: Millis,
    capacity: u32,
    start: Millis,
    horizon: Millis,
}

/// What a storm did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StormReport {
    /// Attempts of all devices in the worst second before the service was back.
    pub peak_during: u32,
    /// Attempts of all devices in the worst second since.
    pub peak_after: u32,
    /// Attempts that the service had no room for, after it was back.
    pub wasted: u32,
    /// All attempts of all devices.
    pub attempts: u64,
    devices: usize,
    /// When each device was back, counted from the end of the outage, in order.
    back: Vec<Millis>,
}

impl Storm {
    /// An outage, and a service of `capacity` handshakes a second. It begins an hour into the life of the devices,
    /// and is watched for two hours after its end.
    #[must_use]
    pub const fn new(outage: Millis, capacity: u32) -> Self {
        let start = Millis::from_secs(3600);
        Self {
            outage,
            capacity,
            start,
            horizon: Millis(start.0 + outage.0 + Millis::from_secs(7200).0),
        }
    }

    /// When the connections are lost, on the clock that devices see.
    #[must_use]
    pub const fn start(&self) -> Millis {
        self.start
    }

    /// Lets it happen.
    ///
    /// # Panics
    /// When a device tries again in the same moment: it would never end.
    pub fn run<D: Reconnect>(&self, devices: &mut [D]) -> StormReport {
        let end = self.start.0 + self.outage.0;
        let mut attempts: BinaryHeap<_> = devices
            .iter_mut()
            .enumerate()
            .map(|(number, device)| Reverse((device.lost(self.start), number)))
            .collect();
        let mut report = StormReport {
            peak_during: 0,
            peak_after: 0,
            wasted: 0,
            attempts: 0,
            devices: devices.len(),
            back: Vec::new(),
        };
        let (mut second, mut in_second, mut room) = (None, 0, 0);
        while let Some(Reverse((now, number))) = attempts.pop() {
            if now > self.horizon {
                break;
            }
            // Seconds before and after the end are counted apart.
            let is_back = now.0 >= end;
            let this = (is_back, now.0.abs_diff(end) / 1000);
            if second != Some(this) {
                (second, in_second, room) = (Some(this), 0, self.capacity);
            }
            in_second += 1;
            report.attempts += 1;
            let peak = if is_back {
                &mut report.peak_after
            } else {
                &mut report.peak_during
            };
            *peak = in_second.max(*peak);
            let device = &mut devices[number];
            if is_back && room > 0 {
                room -= 1;
                device.connected(now);
                report.back.push(Millis(now.0 - end));
                continue;
            }
            report.wasted += u32::from(is_back);
            let next = device.failed(now);
            assert!(
                next > now,
                "a device that tries again in the same moment never ends"
            );
            attempts.push(Reverse((next, number)));
        }
        report
    }
}

impl StormReport {
    /// Devices that were back when the watching ended.
    #[must_use]
    pub const fn connected(&self) -> usize {
        self.back.len()
    }

    /// How long after the end of the outage so many percent of the devices were back; `None` if they never were.
    #[must_use]
    pub fn back(&self, percent: usize) -> Option<Millis> {
        let wanted = (self.devices * percent).div_ceil(100);
        self.back.get(wanted.checked_sub(1)?).copied()
    }
}
