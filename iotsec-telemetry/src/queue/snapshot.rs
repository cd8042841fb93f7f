//! The queue as one record (`FORMAT.md`, "Snapshot").

use iotsec_core::cbor::{CborError, Limits, Reader, Type, Writer};

use super::{PerClass, Queue};
use crate::{
    code,
    consent::Consents,
    error::{DecodeError, SnapshotError},
    loss::Losses,
    registry::{Class, Purpose, REGISTRY_HASH_LEN},
    segment::{self, Entries, Entry},
    stream::Stream,
};

const VERSION: u64 = 1;
/// All but the events, at their longest.
const HEADER_MAX_LEN: usize = 180;
/// An event that is alone in its boot, at its longest.
const EVENT_MAX_LEN: usize = 28;
const LIMITS: Limits = Limits {
    depth: 4,
    items: u16::MAX,
    bytes: u32::MAX,
};

/// What became of a snapshot's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Back in the queue; some may have been displaced by later ones, which is counted as lost.
    pub kept: u32,
    /// Dropped because the grant they were recorded under is not live any more. Not counted as lost.
    pub purged: u32,
    /// Made against another registry, as after an update, and counted as lost.
    pub unreadable: u32,
}

impl<const N: usize> Queue<N> {
    /// Bytes of a snapshot at most.
    pub const SNAPSHOT_MAX_LEN: usize = HEADER_MAX_LEN.saturating_add(EVENT_MAX_LEN.saturating_mul(N));

    /// Writes the events of `least` and the classes above it, and the loss counts.
    ///
    /// It is not encrypted: keep it in a store that encrypts and authenticates. To write flash rarely,
    /// take a snapshot of [`Class::Critical`] when one is recorded, and of more at an orderly shutdown.
    ///
    /// # Errors
    /// [`SnapshotError::Buffer`] when `out` is too small.
    pub fn snapshot<'o>(&self, least: Class, out: &'o mut [u8]) -> Result<&'o [u8], SnapshotError> {
        let held = Class::ALL.map(|class| if class <= least { self.len_of(class) } else { 0 });
        let mut lost = self.lost;
        for class in Class::ALL {
            let doubtful = self.in_doubt.get(class.index()).copied().unwrap_or_default();
            lost.add(class, doubtful, self.now());
        }
        let mut writer = Writer::new(out);
        let mut write = || {
            writer.array(7)?.uint(VERSION)?.bytes(self.registry.hash())?;
            writer.uint(self.boot.into())?;
            writer.array(2)?;
            for grant in [self.health_grant, self.usage_grant] {
                match grant {
                    Some(number) => writer.uint(number.into())?,
                    None => writer.null()?,
                };
            }
            writer.array(4)?;
            for held in held {
                writer.uint(u64::try_from(held).unwrap_or(u64::MAX))?;
            }
            // Under its own name a device shifts nothing.
            lost.write(
                &mut writer,
                &Stream::named(Purpose::Security),
                &Class::ALL,
                self.boot,
            )?;
            writer.array(3)?;
            for purpose in Purpose::ALL {
                let entries = self.merged(purpose, self.waiting(purpose, least));
                segment::write(&mut writer, &Stream::named(purpose), self.boot, entries)?;
            }
            Ok::<(), CborError>(())
        };
        write().map_err(|_| SnapshotError::Buffer)?;
        writer.finish().map_err(|_| SnapshotError::Buffer)
    }

    /// Takes a snapshot of an earlier boot back, before anything is recorded in this one.
    ///
    /// Events whose purpose is not granted, or was granted anew since, are dropped; store a new snapshot
    /// afterwards, so that flash forgets them as well. Bytes are checked as
    /// if they came from an attacker, and before anything is changed.
    ///
    /// # Errors
    /// [`SnapshotError`]; the queue is as it was.
    ///
    /// ```
    /// # use iotsec_core::{crypto::Sha256, hal::Millis};
    /// # use iotsec_telemetry::{consent::Consents, detect::BOOT_LOOP, queue::Queue, registry};
    /// # use iotsec_telemetry::{error::SnapshotError, registry::Class};
    /// # registry!(static PRODUCT = [BOOT_LOOP]);
    /// let (registry, consents) = (PRODUCT.hashed(&mut Sha256::new()), Consents::off());
    /// let mut queue = Queue::<8>::new(registry, 7, 2);
    /// queue.record(&consents, &BOOT_LOOP, &[3.into()], Millis::from_secs(1)).unwrap();
    /// let mut record = [0; Queue::<8>::SNAPSHOT_MAX_LEN];
    /// let record = queue.snapshot(Class::Security, &mut record)?;
    ///
    /// let mut after_reboot = Queue::<8>::new(registry, 8, 2);
    /// assert_eq!(after_reboot.restore(&consents, record)?.kept, 1);
    /// # Ok::<(), SnapshotError>(())
    /// ```
    pub fn restore(&mut self, consents: &Consents, snapshot: &[u8]) -> Result<Restored, SnapshotError> {
        if !self.is_empty() || self.next_sequence != [0; 3] {
            return Err(SnapshotError::InUse);
        }
        self.follow(consents);
        let header = Header::read(snapshot)?;
        if header.boot >= self.boot {
            return Err(SnapshotError::Boot);
        }
        let granted = Class::ALL.map(|class| self.is_still_granted(class, &header));
        let mut restored = Restored::default();
        if header.registry != self.registry.hash() {
            for ((class, held), granted) in Class::ALL.into_iter().zip(header.held).zip(granted) {
                if granted {
                    restored.unreadable = restored.unreadable.saturating_add(held);
                    self.lose(class, held);
                } else {
                    restored.purged = restored.purged.saturating_add(held);
                }
            }
            self.count_lost(&header.lost, granted);
            return Ok(restored);
        }

        self.each_event(&header, |_, _, _| {})?;
        self.count_lost(&header.lost, granted);
        self.each_event(&header, |queue, class, entry| {
            if !granted.get(class.index()).copied().unwrap_or(false) {
                restored.purged = restored.purged.saturating_add(1);
            } else if queue.admit(class, entry) {
                restored.kept = restored.kept.saturating_add(1);
            }
        })?;
        Ok(restored)
    }

    /// Calls `take` with the events of a snapshot.
    fn each_event(
        &mut self,
        header: &Header<'_>,
        mut take: impl FnMut(&mut Self, Class, Entry),
    ) -> Result<(), DecodeError> {
        let mut reader = header.segments.clone();
        reader.array_len(3)?;
        for purpose in Purpose::ALL {
            let mut entries = Entries::new(reader, header.boot)?;
            while let Some(entry) = entries.read()? {
                let event = code::decode(self.registry.registry(), entry.code);
                let class = event.ok_or(DecodeError::Undeclared)?.definition.class();
                if class.purpose() != purpose {
                    return Err(DecodeError::Purpose);
                }
                take(self, class, entry);
            }
            reader = entries.into_rest();
        }
        Ok(reader.finish()?)
    }

    fn is_still_granted(&self, class: Class, header: &Header<'_>) -> bool {
        match class {
            Class::Critical | Class::Security => true,
            Class::Health => self.health_grant.is_some() && self.health_grant == header.health_grant,
            Class::Usage => self.usage_grant.is_some() && self.usage_grant == header.usage_grant,
        }
    }

    fn count_lost(&mut self, lost: &Losses, granted: [bool; 4]) {
        for (class, granted) in Class::ALL.into_iter().zip(granted) {
            if granted {
                self.lost.merge(class, lost.of(class));
            }
        }
    }
}

struct Header<'a> {
    registry: &'a [u8; REGISTRY_HASH_LEN],
    boot: u32,
    health_grant: Option<u32>,
    usage_grant: Option<u32>,
    held: PerClass,
    lost: Losses,
    /// What follows, of each purpose.
    segments: Reader<'a>,
}

impl<'a> Header<'a> {
    fn read(snapshot: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(snapshot, &LIMITS)?;
        reader.array_len(7)?;
        if reader.uint()? != VERSION {
            return Err(DecodeError::Version);
        }
        let (registry, boot) = (reader.array_of()?, reader.uint_as()?);
        reader.array_len(2)?;
        Ok(Self {
            registry,
            boot,
            health_grant: grant(&mut reader)?,
            usage_grant: grant(&mut reader)?,
            held: per_class(&mut reader)?,
            lost: Losses::read(&mut reader, &Class::ALL, boot)?,
            segments: reader,
        })
    }
}

fn grant(reader: &mut Reader<'_>) -> Result<Option<u32>, DecodeError> {
    if reader.peek()? == Type::Null {
        reader.null()?;
        return Ok(None);
    }
    Ok(Some(reader.uint_as()?))
}

fn per_class(reader: &mut Reader<'_>) -> Result<PerClass, DecodeError> {
    reader.array_len(4)?;
    let mut counts = [0; 4];
    for count in &mut counts {
        *count = reader.uint_as()?;
    }
    Ok(counts)
}
