//! What a device has lost, from counters that it repeats in every batch.

use iotsec_core::cbor::{CborError, Reader, Type, Writer};

use super::state::optional;

/// By class.
type Counts = [u32; 4];

/// Adds up what the counters of successive batches grow by.
///
/// A counter goes back to zero when the device loses its queue at a reboot, and for health and usage when its owner
/// changes the consent. Then what it says is new. A batch that was overtaken says less as well: it is known by its
/// events, which are not the latest.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses {
    total: [u64; 4],
    last: Option<Last>,
}

#[derive(Clone, Debug)]
struct Last {
    boot: u32,
    /// The highest number of an event of this boot.
    sequence: Option<u32>,
    counts: Counts,
}

impl Losses {
    pub(super) const fn total(&self) -> [u64; 4] {
        self.total
    }

    /// Part of what is [exported](super::Collector::export).
    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), CborError> {
        writer.array(4)?;
        for total in self.total {
            writer.uint(total)?;
        }
        let Some(last) = &self.last else {
            writer.null()?;
            return Ok(());
        };
        writer.array(3)?.uint(last.boot.into())?;
        match last.sequence {
            Some(sequence) => writer.uint(sequence.into())?,
            None => writer.null()?,
        };
        writer.array(4)?;
        for count in last.counts {
            writer.uint(count.into())?;
        }
        Ok(())
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, CborError> {
        let mut losses = Self::default();
        reader.array_len(4)?;
        for total in &mut losses.total {
            *total = reader.uint()?;
        }
        if reader.peek()? == Type::Null {
            reader.null()?;
            return Ok(losses);
        }
        reader.array_len(3)?;
        let (boot, sequence) = (reader.uint_as()?, optional(reader)?);
        reader.array_len(4)?;
        let mut counts = [0; 4];
        for count in &mut counts {
            *count = reader.uint_as()?;
        }
        losses.last = Some(Last {
            boot,
            sequence,
            counts,
        });
        Ok(losses)
    }

    /// Takes the counters of a batch; `sequence` is that of its last event of its own boot. Returns what is new.
    pub(super) fn follow(&mut self, boot: u32, sequence: Option<u32>, counts: Counts) -> [u64; 4] {
        let mut last = self.last.take().unwrap_or(Last {
            boot,
            sequence: None,
            counts: [0; 4],
        });
        let mut grown = [0; 4];
        if boot >= last.boot {
            let is_latest = boot > last.boot || sequence > last.sequence;
            for ((grown, last), now) in grown.iter_mut().zip(&mut last.counts).zip(counts) {
                if now >= *last {
                    *grown = u64::from(now - *last);
                } else if is_latest {
                    *grown = now.into();
                } else {
                    continue;
                }
                *last = now;
            }
            last.sequence = if boot > last.boot {
                sequence
            } else {
                last.sequence.max(sequence)
            };
            last.boot = boot;
        }
        self.last = Some(last);
        for (total, grown) in self.total.iter_mut().zip(grown) {
            *total = total.saturating_add(grown);
        }
        grown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_add_up_over_resets_and_repetitions_and_not_over_what_was_overtaken() {
        let mut losses = Losses::default();
        assert_eq!(losses.follow(1, Some(9), [0, 2, 0, 5]), [0, 2, 0, 5]);
        assert_eq!(losses.follow(1, Some(9), [0, 2, 0, 5]), [0; 4], "repeated");
        assert_eq!(losses.follow(1, Some(20), [0, 3, 1, 5]), [0, 1, 1, 0]);
        assert_eq!(losses.follow(1, Some(9), [0, 2, 0, 5]), [0; 4], "overtaken");
        assert_eq!(
            losses.follow(1, None, [0, 3, 2, 5]),
            [0, 0, 1, 0],
            "nothing but losses"
        );
        assert_eq!(
            losses.follow(1, Some(30), [0, 3, 2, 1]),
            [0, 0, 0, 1],
            "consent was changed"
        );
        assert_eq!(
            losses.follow(2, Some(0), [0, 4, 2, 1]),
            [0, 1, 0, 0],
            "carried over a reboot"
        );
        assert_eq!(
            losses.follow(1, Some(40), [9, 9, 9, 9]),
            [0; 4],
            "a boot of the past"
        );
        assert_eq!(
            losses.follow(3, None, [1, 0, 0, 0]),
            [1, 0, 0, 0],
            "the queue was lost"
        );
        assert_eq!(losses.total(), [1, 4, 2, 6]);
    }
}
