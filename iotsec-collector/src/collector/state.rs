//! What a collector remembers, as bytes for a store of the back end.
//!
//! ```text
//! memory = header, *device                   ; CBOR sequence, RFC 8742, deterministic
//! header = [1, devices: uint, bstr .size 32] ; SHA-256 over all that follows
//! device = [name: tstr, 3*3 stream]          ; by purpose: security, health, usage
//! stream = [floor: uint, [*[boot: uint, [*(first: uint, last: uint)]]],
//!           [4*4 total: uint], [boot: uint, sequence: uint / null, [4*4 count: uint]] / null,
//!           [*[boot: uint, started: uint]]]
//! ```
//!
//! Devices ascend by name, boots and ranges by number, and between two ranges there is a gap.

use std::collections::BTreeMap;

use iotsec_core::{
    cbor::{self, CborError, Limits as CborLimits, Reader, Type, Writer},
    crypto::{Digest, Sha256},
    hal::UnixTime,
};

use super::{Collector, Device, DeviceKeys, Limits, Stream, clock::Clocks, losses::Losses, seen::Seen};
use crate::error::StateError;

const VERSION: u64 = 1;
/// More than the header has.
const HEADER_MAX: usize = 64;
/// A device at its largest: as many ranges, boots and clocks as fit the number of items.
const LIMITS: CborLimits = CborLimits {
    depth: 5,
    items: u16::MAX,
    bytes: 1 << 20,
};
/// A number at its longest.
const NUMBER: usize = 9;

impl<K: DeviceKeys> Collector<K> {
    /// What is remembered of all devices, for [`import`](Self::import) in another run. Store it together with what was
    /// delivered: with an older memory, what came since counts again; with a newer one, what was not stored is gone.
    ///
    /// # Errors
    /// [`StateError::Encoding`] for a device with a name beyond a megabyte, or more than 30 000 ranges.
    pub fn export(&self) -> Result<Vec<u8>, StateError> {
        let (mut body, mut buffer) = (Vec::new(), Vec::new());
        for (name, device) in &self.devices {
            buffer.resize(device.max_len().saturating_add(name.len()), 0);
            let mut writer = Writer::new(&mut buffer);
            device.write(&mut writer, name)?;
            let item = writer.finish()?;
            cbor::split_first(item, &LIMITS)?;
            body.extend_from_slice(item);
        }
        let mut head = [0; HEADER_MAX];
        let mut writer = Writer::new(&mut head);
        writer.array(3)?.uint(VERSION)?;
        writer.uint(self.devices.len() as u64)?.bytes(&digest(&body))?;
        let mut memory = writer.finish()?.to_vec();
        memory.append(&mut body);
        Ok(memory)
    }

    /// Takes back what [`export`](Self::export) gave, before anything was received.
    ///
    /// # Errors
    /// [`StateError`] for anything but what `export` wrote, whole and unchanged, and within the limits of this
    /// collector; it knows no device then.
    pub fn import(&mut self, memory: &[u8]) -> Result<(), StateError> {
        if !self.devices.is_empty() {
            return Err(StateError::InUse);
        }
        let (header, mut body) = cbor::split_first(memory, &LIMITS)?;
        let mut reader = Reader::new(header, &LIMITS)?;
        reader.array_len(3)?;
        if reader.uint()? != VERSION {
            return Err(StateError::Version);
        }
        let (count, sum) = (reader.uint()?, reader.array_of::<32>()?);
        if *sum != digest(body) {
            return Err(StateError::Damaged);
        }
        reader.finish()?;
        if count > self.limits.devices as u64 {
            return Err(StateError::TooLarge);
        }
        let mut devices = BTreeMap::new();
        for _ in 0..count {
            let (item, rest) = cbor::split_first(body, &LIMITS)?;
            let (name, device) = Device::read(item, &self.limits)?;
            if devices.last_key_value().is_some_and(|(last, _)| *last >= name) {
                return Err(StateError::Order);
            }
            devices.insert(name, device);
            body = rest;
        }
        if !body.is_empty() {
            return Err(StateError::Order);
        }
        self.devices = devices;
        Ok(())
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(bytes);
    hash.finish()
}

impl Device {
    /// Bytes at most, without the name.
    fn max_len(&self) -> usize {
        self.0.iter().map(Stream::max_len).sum::<usize>() + 2 * NUMBER
    }

    fn write(&self, writer: &mut Writer<'_>, name: &str) -> Result<(), CborError> {
        writer.array(4)?.text(name)?;
        self.0.iter().try_for_each(|stream| stream.write(writer))
    }

    fn read(item: &[u8], limits: &Limits) -> Result<(String, Self), StateError> {
        let mut reader = Reader::new(item, &LIMITS)?;
        reader.array_len(4)?;
        let name = reader.text()?.to_owned();
        let mut device = Self::new(limits);
        for stream in &mut device.0 {
            *stream = Stream::read(&mut reader, limits)?;
        }
        reader.finish()?;
        Ok((name, device))
    }
}

impl Stream {
    fn max_len(&self) -> usize {
        let ranges: usize = self.seen.boots.values().map(Vec::len).sum();
        // Per range two numbers; per boot its number, two arrays and a clock of three; the rest is fixed.
        NUMBER * (2 * ranges + 3 * self.seen.boots.len() + 3 * self.clocks.started.len() + 24)
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CborError> {
        let len = |len: usize| len as u64;
        writer.array(5)?.uint(self.seen.floor.into())?;
        writer.array(len(self.seen.boots.len()))?;
        for (boot, ranges) in &self.seen.boots {
            writer.array(2)?.uint((*boot).into())?;
            writer.array(len(2 * ranges.len()))?;
            for (first, last) in ranges {
                writer.uint((*first).into())?.uint((*last).into())?;
            }
        }
        self.losses.write(writer)?;
        writer.array(len(self.clocks.started.len()))?;
        for (boot, started) in &self.clocks.started {
            writer.array(2)?.uint((*boot).into())?.uint(started.0)?;
        }
        Ok(())
    }

    fn read(reader: &mut Reader<'_>, limits: &Limits) -> Result<Self, StateError> {
        reader.array_len(5)?;
        let mut seen = Seen::new(limits.boots, limits.ranges);
        seen.floor = reader.uint_as()?;
        let (mut lowest, mut ranges_left) = (seen.floor, seen.max_ranges);
        for _ in 0..reader.array()? {
            reader.array_len(2)?;
            let boot: u32 = reader.uint_as()?;
            let numbers = reader.array()?;
            if boot < lowest || numbers == 0 || numbers % 2 != 0 {
                return Err(StateError::Order);
            }
            lowest = boot.checked_add(1).unwrap_or(boot);
            let (mut ranges, mut least) = (Vec::new(), Some(0u32));
            for _ in 0..numbers / 2 {
                let (first, last): (u32, u32) = (reader.uint_as()?, reader.uint_as()?);
                if least.is_none_or(|least| first < least) || last < first {
                    return Err(StateError::Order);
                }
                // A gap, or it would be one range.
                least = last.checked_add(2);
                ranges_left = ranges_left.checked_sub(1).ok_or(StateError::TooLarge)?;
                ranges.push((first, last));
            }
            if seen.boots.insert(boot, ranges).is_some() {
                return Err(StateError::Order);
            }
        }
        if seen.boots.len() > seen.max_boots {
            return Err(StateError::TooLarge);
        }
        let losses = Losses::read(reader)?;
        let mut clocks = Clocks::new(limits.boots, limits.believable);
        let mut last = None;
        for _ in 0..reader.array()? {
            reader.array_len(2)?;
            let boot: u32 = reader.uint_as()?;
            if last.is_some_and(|last| boot <= last) {
                return Err(StateError::Order);
            }
            last = Some(boot);
            clocks.started.insert(boot, UnixTime(reader.uint()?));
        }
        if clocks.started.len() > clocks.max_boots {
            return Err(StateError::TooLarge);
        }
        Ok(Self { seen, losses, clocks })
    }
}

/// A number, or nothing.
pub(super) fn optional(reader: &mut Reader<'_>) -> Result<Option<u32>, CborError> {
    if reader.peek()? == Type::Null {
        reader.null()?;
        return Ok(None);
    }
    Ok(Some(reader.uint_as()?))
}
