use super::number::Length;
use crate::payload::{
    PayloadError,
    heatshrink::Heatshrink,
    state::{Load, Store},
};

/// The decompressor below a patch or an image.
#[derive(Clone, Debug)]
pub(super) struct Inflate<const WINDOW: usize> {
    method: Method,
    runs: Runs,
    shrink: Heatshrink<WINDOW>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Runs,
    Heatshrink { window: u8, lookahead: u8 },
}

impl<const WINDOW: usize> Inflate<WINDOW> {
    pub(super) const fn new() -> Self {
        Self {
            method: Method::Stored,
            runs: Runs::START,
            shrink: Heatshrink::new(),
        }
    }

    pub(super) const fn method(&self) -> Method {
        self.method
    }

    pub(super) fn start_stored(&mut self) {
        self.method = Method::Stored;
    }

    pub(super) fn start_runs(&mut self) {
        (self.method, self.runs) = (Method::Runs, Runs::START);
    }

    pub(super) fn start_heatshrink(&mut self, window: u8, lookahead: u8) -> Result<(), PayloadError> {
        self.method = Method::Heatshrink { window, lookahead };
        self.shrink.start(window, lookahead)
    }

    /// Takes bytes off the front of `input` and fills `output`, as far as both go. Returns the bytes given.
    pub(super) fn decode(&mut self, input: &mut &[u8], output: &mut [u8]) -> Result<usize, PayloadError> {
        match self.method {
            Method::Stored => Ok(copy(input, output)),
            Method::Runs => self.runs.decode(input, output),
            Method::Heatshrink { .. } => Ok(self.shrink.decode(input, output)),
        }
    }

    /// Whether the compressed stream may end here.
    pub(super) fn is_finished(&self) -> bool {
        match self.method {
            Method::Stored => true,
            Method::Runs => self.runs == Runs::START,
            Method::Heatshrink { .. } => self.shrink.is_finished(),
        }
    }

    pub(super) fn save(&self, store: &mut Store<'_>) -> Option<()> {
        match self.method {
            Method::Stored => store.put(&[0]),
            Method::Runs => {
                store.put(&[2])?;
                self.runs.save(store)
            }
            Method::Heatshrink { .. } => {
                store.put(&[4])?;
                self.shrink.save(store)
            }
        }
    }

    pub(super) fn restore(&mut self, load: &mut Load<'_>) -> Result<(), PayloadError> {
        match load.array()? {
            [0] => self.method = Method::Stored,
            [2] => {
                self.method = Method::Runs;
                self.runs = Runs::restore(load)?;
            }
            [4] => {
                let (window, lookahead) = self.shrink.restore(load)?;
                self.method = Method::Heatshrink { window, lookahead };
            }
            _ => return Err(PayloadError::State),
        }
        Ok(())
    }
}

/// CRLE: segments of `kind, length, bytes`; kind 0 has `length` bytes, kind 1 one that is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    Kind,
    Length { repeated: bool, length: Length },
    Bytes { left: u32 },
    Value { left: u32 },
    Repeat { value: u8, left: u32 },
}

impl Runs {
    const START: Self = Self::Kind;

    fn decode(&mut self, input: &mut &[u8], output: &mut [u8]) -> Result<usize, PayloadError> {
        let mut given: usize = 0;
        loop {
            *self = match *self {
                // The next segment waits until it is asked for: an error in it comes after those in what was asked
                // for before, however much input is there.
                Self::Kind if given == output.len() => return Ok(given),
                Self::Kind => match next(input) {
                    None => return Ok(given),
                    Some(kind @ 0..=1) => Self::Length {
                        repeated: kind == 1,
                        length: Length::default(),
                    },
                    Some(_) => return Err(PayloadError::PatchRun),
                },
                Self::Length { repeated, mut length } => {
                    let Some(byte) = next(input) else { return Ok(given) };
                    match (length.push(byte)?, repeated) {
                        (None, _) => Self::Length { repeated, length },
                        (Some(left), true) => Self::Value { left },
                        (Some(left), false) => Self::Bytes { left },
                    }
                }
                Self::Value { left } => {
                    let Some(value) = next(input) else {
                        return Ok(given);
                    };
                    Self::Repeat { value, left }
                }
                Self::Bytes { left: 0 } | Self::Repeat { left: 0, .. } => Self::START,
                Self::Bytes { left } => {
                    let room = room(output, given, left);
                    let count = copy(input, room);
                    if count == 0 {
                        return Ok(given);
                    }
                    given = given.saturating_add(count);
                    Self::Bytes {
                        left: less(left, count),
                    }
                }
                Self::Repeat { value, left } => {
                    let room = room(output, given, left);
                    room.fill(value);
                    let count = room.len();
                    if count == 0 {
                        return Ok(given);
                    }
                    given = given.saturating_add(count);
                    Self::Repeat {
                        value,
                        left: less(left, count),
                    }
                }
            };
        }
    }

    /// | bytes | what |
    /// |---|---|
    /// | 1 | what comes next |
    /// | 1 | whether the length is of a repetition; the value that is repeated |
    /// | 4 | bytes left |
    /// | 5 | a length, begun |
    fn save(self, store: &mut Store<'_>) -> Option<()> {
        let (next, value, left, begun) = match self {
            Self::Kind => (0, 0, 0, Length::default()),
            Self::Length { repeated, length } => (1, repeated.into(), 0, length),
            Self::Bytes { left } => (2, 0, left, Length::default()),
            Self::Value { left } => (3, 0, left, Length::default()),
            Self::Repeat { value, left } => (4, value, left, Length::default()),
        };
        store.put(&[next, value])?;
        store.put(&left.to_le_bytes())?;
        begun.save(store)
    }

    fn restore(load: &mut Load<'_>) -> Result<Self, PayloadError> {
        let [next, value] = load.array()?;
        let left = load.u32()?;
        let length = Length::restore(load)?;
        let unused = length == Length::default();
        match (next, value, left) {
            (0, 0, 0) if unused => Ok(Self::Kind),
            (1, 0..=1, 0) => Ok(Self::Length {
                repeated: value == 1,
                length,
            }),
            (2, 0, _) if unused => Ok(Self::Bytes { left }),
            (3, 0, _) if unused => Ok(Self::Value { left }),
            (4, ..) if unused => Ok(Self::Repeat { value, left }),
            _ => Err(PayloadError::State),
        }
    }
}

fn next(input: &mut &[u8]) -> Option<u8> {
    let (first, rest) = input.split_first()?;
    *input = rest;
    Some(*first)
}

/// Moves as many bytes as both have.
fn copy(input: &mut &[u8], output: &mut [u8]) -> usize {
    let count = input.len().min(output.len());
    let (Some((from, rest)), Some(to)) = (input.split_at_checked(count), output.get_mut(..count)) else {
        return 0;
    };
    to.copy_from_slice(from);
    *input = rest;
    count
}

/// What is free of `output` behind `given` bytes, at most `left`.
fn room(output: &mut [u8], given: usize, left: u32) -> &mut [u8] {
    let free = output.get_mut(given..).unwrap_or_default();
    let count = usize::try_from(left).unwrap_or(usize::MAX).min(free.len());
    free.get_mut(..count).unwrap_or_default()
}

fn less(left: u32, count: usize) -> u32 {
    left.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX))
}
