//! How many events were lost, and when (`FORMAT.md`, "Losses").

use iotsec_core::cbor::{CborError, Reader, Type, Writer};

use crate::{
    error::DecodeError,
    registry::{Class, Purpose},
    segment,
    stream::{Numbers, Stream},
};

/// A moment of a device that need not have a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LossTime {
    /// The boot.
    pub boot: u32,
    /// Seconds since it began.
    pub uptime_s: u32,
}

/// The events of one class that were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Loss {
    /// How many; stops at 2³²−1.
    pub count: u32,
    /// When one was lost for the first and for the last time. `None` when none was, and in a batch that had
    /// no room for it.
    pub times: Option<(LossTime, LossTime)>,
}

impl Loss {
    fn add(&mut self, more: u32, first: LossTime, last: LossTime) {
        if more == 0 {
            return;
        }
        self.count = self.count.saturating_add(more);
        self.times = Some(match self.times {
            Some((from, to)) => (from.min(first), to.max(last)),
            None => (first, last),
        });
    }
}

/// The losses of every class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Losses([Loss; 4]);

impl Losses {
    pub(crate) fn of(&self, class: Class) -> Loss {
        self.0.get(class.index()).copied().unwrap_or_default()
    }

    /// Counts `more` that were lost at `when`.
    pub(crate) fn add(&mut self, class: Class, more: u32, when: LossTime) {
        if let Some(loss) = self.0.get_mut(class.index()) {
            loss.add(more, when, when);
        }
    }

    /// Counts what another account says too.
    pub(crate) fn merge(&mut self, class: Class, other: Loss) {
        let Some(loss) = self.0.get_mut(class.index()) else {
            return;
        };
        match other.times {
            Some((first, last)) => loss.add(other.count, first, last),
            None => loss.count = loss.count.saturating_add(other.count),
        }
    }

    /// Takes over what `from` says of one purpose.
    pub(crate) fn take(&mut self, purpose: Purpose, from: &Self) {
        for (class, (to, from)) in Class::ALL.into_iter().zip(self.0.iter_mut().zip(from.0)) {
            if class.purpose() == purpose {
                *to = from;
            }
        }
    }

    /// True when both count the same for one purpose.
    pub(crate) fn agrees(&self, purpose: Purpose, other: &Self) -> bool {
        let mut classes = purpose.classes().iter();
        classes.all(|class| self.of(*class).count == other.of(*class).count)
    }

    pub(crate) fn clear(&mut self, class: Class) {
        if let Some(loss) = self.0.get_mut(class.index()) {
            *loss = Loss::default();
        }
    }

    /// The counts alone, for a batch that has no room for more.
    pub(crate) fn without_times(mut self) -> Self {
        for loss in &mut self.0 {
            loss.times = None;
        }
        self
    }

    /// Writes those of `classes` as boot number `boot`, which is not before any of theirs.
    pub(crate) fn write<N: Numbers>(
        &self,
        writer: &mut Writer<'_>,
        stream: &Stream<N>,
        classes: &[Class],
        boot: u32,
    ) -> Result<(), CborError> {
        let losses = classes.iter().map(|class| self.of(*class));
        if losses.clone().all(|loss| loss.count == 0) {
            return writer.array(0).map(drop);
        }
        writer.array(u64::try_from(losses.len()).unwrap_or(u64::MAX))?;
        for loss in losses {
            match loss.times {
                Some((first, last)) => {
                    writer.array(5)?.uint(loss.count.into())?;
                    for time in [first, last] {
                        let shift = segment::shift(stream, time.boot)?;
                        writer.uint(boot.saturating_sub(time.boot).into())?;
                        writer.uint(time.uptime_s.saturating_add(shift.uptime).into())?;
                    }
                }
                None => {
                    writer.uint(loss.count.into())?;
                }
            }
        }
        Ok(())
    }

    /// Reads what boot number `boot` wrote of `classes`.
    pub(crate) fn read(reader: &mut Reader<'_>, classes: &[Class], boot: u32) -> Result<Self, DecodeError> {
        let mut losses = Self::default();
        let len = reader.array()?;
        if len == 0 {
            return Ok(losses);
        }
        if usize::try_from(len) != Ok(classes.len()) {
            return Err(DecodeError::Range);
        }
        for class in classes {
            let loss = losses.0.get_mut(class.index()).ok_or(DecodeError::Range)?;
            if reader.peek()? != Type::Array {
                loss.count = reader.uint_as()?;
                continue;
            }
            reader.array_len(5)?;
            loss.count = reader.uint_as()?;
            let (first, last) = (read_time(reader, boot)?, read_time(reader, boot)?);
            if loss.count == 0 || first > last {
                return Err(DecodeError::Range);
            }
            loss.times = Some((first, last));
        }
        // There is one way to say that nothing was lost.
        if losses.0.iter().all(|loss| loss.count == 0) {
            return Err(DecodeError::Range);
        }
        Ok(losses)
    }
}

fn read_time(reader: &mut Reader<'_>, boot: u32) -> Result<LossTime, DecodeError> {
    let boot = boot.checked_sub(reader.uint_as()?).ok_or(DecodeError::Range)?;
    Ok(LossTime {
        boot,
        uptime_s: reader.uint_as()?,
    })
}

#[cfg(test)]
mod tests {
    use iotsec_core::cbor::Limits;

    use super::*;

    const AT: LossTime = LossTime {
        boot: 7,
        uptime_s: 90,
    };
    const LIMITS: Limits = Limits {
        depth: 2,
        items: 32,
        bytes: 256,
    };

    fn read(bytes: &[u8]) -> Result<Losses, DecodeError> {
        let mut reader = Reader::new(bytes, &LIMITS)?;
        let losses = Losses::read(&mut reader, &Class::ALL, 9)?;
        reader.finish()?;
        Ok(losses)
    }

    #[test]
    fn what_was_lost_comes_back_with_its_times() {
        let mut losses = Losses::default();
        for (class, more) in [
            (Class::Usage, 3),
            (Class::Critical, 0),
            (Class::Security, u32::MAX),
        ] {
            losses.add(class, more, AT);
        }
        losses.add(Class::Usage, 4, LossTime { boot: 8, uptime_s: 2 });
        losses.add(Class::Security, 1, AT);
        for losses in [losses, losses.without_times(), Losses::default()] {
            let mut out = [0; 128];
            let mut writer = Writer::new(&mut out);
            let stream = Stream::named(Purpose::Security);
            losses.write(&mut writer, &stream, &Class::ALL, 9).unwrap();
            assert_eq!(read(writer.finish().unwrap()), Ok(losses));
        }
        assert_eq!(losses.of(Class::Usage).count, 7);
        assert_eq!(losses.of(Class::Security).count, u32::MAX);
        assert_eq!(losses.of(Class::Usage).times.unwrap().1.boot, 8);
    }

    #[test]
    fn there_is_one_way_to_say_it() {
        let wrong: &[&[u8]] = &[
            &[0x84, 0, 0, 0, 0],                    // nothing lost, at length
            &[0x83, 1, 0, 0],                       // a class is missing
            &[0x84, 0x85, 0, 0, 0, 0, 0, 1, 0, 0],  // times of no loss
            &[0x84, 0x85, 1, 0, 0, 1, 0, 0, 0, 0],  // the first after the last
            &[0x84, 0x85, 1, 10, 0, 0, 0, 0, 0, 0], // before the first boot
            &[0x84, 0x84, 1, 0, 0, 0, 0, 0, 0],     // a time is missing
        ];
        for bytes in wrong {
            assert!(read(bytes).is_err(), "{bytes:02x?}");
        }
        assert!(read(&[0x84, 0x85, 1, 9, 0, 0, 0, 0, 0, 0]).is_ok());
    }
}
