//! Images made from the image that runs.

mod inflate;
mod number;

use super::{
    Base, Decode, Decoded, Encoding, PayloadError, Saved, Transport,
    state::{Load, Store},
};
use inflate::{Inflate, Method};
use number::Number;

/// Applies patches, and decompresses images.
///
/// A patch is a *sequential* patch of [detools](https://pypi.org/project/detools/), uncompressed or
/// compressed with heatshrink or CRLE; a compressed image is a heatshrink stream; a plain payload is
/// passed on. `WINDOW` is the largest window of a heatshrink stream in bytes, and nearly all of the memory
/// this takes: 256 is what detools makes unless told otherwise.
///
/// A patch, after the manifest said which image it is for:
///
/// | bytes | what |
/// |---|---|
/// | 1 | type 0 in the high four bits, compression in the low ones: 0 none, 2 CRLE, 4 heatshrink |
/// | number | size of the image |
/// | 1, heatshrink only | window − 4 in the high four bits, lookahead − 3 in the low ones |
/// | rest, compressed | the number 0, then chunks until the image is complete |
///
/// | chunk | what |
/// |---|---|
/// | number, bytes | added to as many bytes of the base, and the reader of the base moves on |
/// | number, bytes | follow |
/// | signed number | how far the reader of the base moves from there |
///
/// A number has six bits and its sign (0x40) in the first byte and seven in each further one, least
/// significant first; 0x80 says that one more follows. A patch with a data format (code is
/// disassembled before it is compared) is refused.
///
/// Nothing of a patch is trusted: it writes exactly the size the manifest names, reads only the base that
/// the manifest names, and makes progress with every few bytes. Whoever has the base compares its digest
/// with the one in [`Encoding::Delta`] first. A saved state is at most `WINDOW` + 64 bytes.
///
/// ```
/// use iotsec_update::payload::{Decode, Delta, Encoding, Transport};
///
/// // An uncompressed patch: six bytes of the base, the last one higher, then two more.
/// let patch = [0, 8, 0, 6, 0, 0, 0, 0, 0, 1, 2, b'!', b'\n', 0];
/// let mut base: &[u8] = b"image 1";
/// let transport = Transport {
///     encoding: Encoding::Delta { base: &[0; 32], base_size: 7 },
///     ..Transport::plain(14)
/// };
/// let mut decoder = Delta::<256>::new();
/// decoder.begin(&transport, 8)?;
/// let mut image = [0; 8];
/// let step = decoder.decode(&patch, &mut image, &mut base)?;
/// decoder.end()?;
/// assert_eq!((step.taken, step.given), (14, 8));
/// assert_eq!(&image, b"image!!\n");
/// # Ok::<(), iotsec_update::payload::PayloadError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Delta<const WINDOW: usize> {
    kind: Kind,
    /// Bytes of the image, of the payload and of the base.
    image: u32,
    payload: u32,
    base: u32,
    /// Bytes taken of the payload and given of the image.
    taken: u32,
    given: u32,
    phase: Phase,
    number: Number,
    /// Bytes left of this part of the chunk.
    left: u32,
    /// Where the base is read next.
    from: u32,
    /// Whether this chunk has given something, and chunks before it in a row that have not.
    fruitful: bool,
    idle: u8,
    inflate: Inflate<WINDOW>,
}

/// What the payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Image,
    Patch,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Type,
    Size(Compression),
    Window,
    Format,
    DiffSize,
    Diff,
    ExtraSize,
    Extra,
    Seek,
    End,
}

/// How the patch behind its header is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compression {
    None,
    Crle,
    Heatshrink,
}

impl<const WINDOW: usize> Delta<WINDOW> {
    /// Bytes of the longest state that [`save`](Decode::save) writes.
    pub const MAX_STATE: usize = WINDOW.saturating_add(64);

    /// A decoder that waits for [`begin`](Decode::begin).
    #[must_use]
    pub const fn new() -> Self {
        Self {
            kind: Kind::Image,
            image: 0,
            payload: 0,
            base: 0,
            taken: 0,
            given: 0,
            phase: Phase::End,
            number: Number::START,
            left: 0,
            from: 0,
            fruitful: false,
            idle: 0,
            inflate: Inflate::new(),
        }
    }

    /// Bytes of the image that a patch says it makes. [`begin`](Decode::begin) compares them with the
    /// signed size; this is for tools that have nothing but the patch.
    ///
    /// # Errors
    /// [`PayloadError::TooShort`], [`PayloadError::PatchNumber`].
    pub fn announced(patch: &[u8]) -> Result<u32, PayloadError> {
        let mut number = Number::START;
        for byte in patch.iter().skip(1) {
            if let Some(size) = number.push(*byte)? {
                return size.size();
            }
        }
        Err(PayloadError::TooShort)
    }
}

impl<const WINDOW: usize> Default for Delta<WINDOW> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const WINDOW: usize> Decode for Delta<WINDOW> {
    fn begin(&mut self, transport: &Transport<'_>, image_size: u32) -> Result<(), PayloadError> {
        if transport.encryption.is_some() {
            return Err(PayloadError::Encoding);
        }
        let (image, payload) = (image_size, transport.size);
        (self.image, self.payload, self.base) = (image, payload, 0);
        (self.taken, self.given, self.from) = (0, 0, 0);
        (self.number, self.fruitful, self.idle) = (Number::START, false, 0);
        match transport.encoding {
            Encoding::Plain => self.inflate.start_stored(),
            Encoding::Heatshrink { window, lookahead } => self.inflate.start_heatshrink(window, lookahead)?,
            Encoding::Delta { base_size, .. } => {
                (self.kind, self.phase) = (Kind::Patch, Phase::Type);
                (self.base, self.left) = (base_size, 0);
                self.inflate.start_stored();
                return Ok(());
            }
        }
        // A whole image is a chunk with nothing but extra bytes.
        (self.kind, self.phase, self.left) = (Kind::Image, Phase::Extra, image);
        Ok(())
    }

    fn decode(
        &mut self,
        input: &[u8],
        output: &mut [u8],
        base: &mut dyn Base,
    ) -> Result<Decoded, PayloadError> {
        if base.size() < self.base {
            return Err(PayloadError::BaseSize);
        }
        let mut rest = input;
        let mut given: usize = 0;
        while self.step(&mut rest, output, &mut given, base)? {}
        let taken = input.len().saturating_sub(rest.len());
        self.taken = u32::try_from(taken)
            .ok()
            .and_then(|taken| self.taken.checked_add(taken))
            .ok_or(PayloadError::TooLong)?;
        Ok(Decoded { taken, given })
    }

    fn end(&mut self) -> Result<(), PayloadError> {
        if self.phase != Phase::End || self.given != self.image {
            return Err(PayloadError::TooShort);
        }
        if !self.inflate.is_finished() {
            return Err(PayloadError::TooLong);
        }
        Ok(())
    }

    /// | bytes | what |
    /// |---|---|
    /// | 1, 1 | 1 for a whole image, 2 for a patch; what comes next |
    /// | 4, 4 | bytes taken, bytes given |
    /// | 4, 4 | bytes left of this part, place in the base |
    /// | 1 | chunks in a row that gave nothing; 0x80 when this one gave something |
    /// | 6 | a number, begun: magnitude, sign, bits |
    /// | 1, rest | compression and its state |
    fn save(&self, state: &mut [u8]) -> Option<Saved> {
        let mut store = Store::new(state);
        store.put(&[self.kind.code(), self.phase.code()])?;
        for value in [self.taken, self.given, self.left, self.from] {
            store.put(&value.to_le_bytes())?;
        }
        store.put(&[self.idle | (u8::from(self.fruitful) << 7)])?;
        self.number.save(&mut store)?;
        self.inflate.save(&mut store)?;
        Some(Saved {
            len: store.len(),
            payload_offset: self.taken,
        })
    }

    fn restore(&mut self, state: &[u8]) -> Result<u32, PayloadError> {
        let mut load = Load::new(state);
        let [kind, phase] = load.array()?;
        (self.taken, self.given) = (load.u32()?, load.u32()?);
        (self.left, self.from) = (load.u32()?, load.u32()?);
        let [chunks] = load.array()?;
        (self.idle, self.fruitful) = (chunks & 0x7F, chunks & 0x80 != 0);
        self.number = Number::restore(&mut load)?;
        self.phase = Phase::from_code(phase).ok_or(PayloadError::State)?;
        let begun = self.inflate.method();
        self.inflate.restore(&mut load)?;
        load.finish()?;
        let same = self.kind == Kind::Patch || self.inflate.method() == begun;
        if kind == self.kind.code() && same && self.is_possible() {
            Ok(self.taken)
        } else {
            Err(PayloadError::State)
        }
    }
}

impl<const WINDOW: usize> Delta<WINDOW> {
    /// Does the next thing; false when it needs more input or more room.
    fn step(
        &mut self,
        input: &mut &[u8],
        output: &mut [u8],
        given: &mut usize,
        base: &mut dyn Base,
    ) -> Result<bool, PayloadError> {
        if let Phase::Diff | Phase::Extra = self.phase {
            return self.fill(input, output, given, base);
        }
        let mut byte = [0];
        if self.inflate.decode(input, &mut byte)? == 0 {
            return Ok(false);
        }
        let [byte] = byte;
        match self.phase {
            Phase::Type => self.phase = self.begin_patch(byte)?,
            Phase::Window => {
                self.inflate
                    .start_heatshrink((byte >> 4).saturating_add(4), (byte & 0xF).saturating_add(3))?;
                self.phase = Phase::Format;
            }
            Phase::End => return Err(PayloadError::TooLong),
            _ => {
                if let Some(number) = self.number.push(byte)? {
                    self.phase = self.follow(number)?;
                }
            }
        }
        Ok(true)
    }

    fn begin_patch(&self, header: u8) -> Result<Phase, PayloadError> {
        if header & 0xF0 != 0 {
            return Err(PayloadError::PatchType);
        }
        match header {
            0 => Ok(Phase::Size(Compression::None)),
            2 => Ok(Phase::Size(Compression::Crle)),
            4 => Ok(Phase::Size(Compression::Heatshrink)),
            _ => Err(PayloadError::PatchCompression),
        }
    }

    /// What comes after a number.
    fn follow(&mut self, number: Number) -> Result<Phase, PayloadError> {
        let room = self.image.saturating_sub(self.given);
        match self.phase {
            Phase::Size(compression) => {
                if number.size()? != self.image {
                    return Err(PayloadError::PatchSize);
                }
                if self.image == 0 {
                    return Ok(Phase::End);
                }
                match compression {
                    Compression::None => Ok(Phase::Format),
                    Compression::Crle => {
                        self.inflate.start_runs();
                        Ok(Phase::Format)
                    }
                    Compression::Heatshrink => Ok(Phase::Window),
                }
            }
            Phase::Format => match number.size()? {
                0 => Ok(Phase::DiffSize),
                _ => Err(PayloadError::PatchFormat),
            },
            Phase::DiffSize => {
                self.left = number.size()?;
                if self.left > room {
                    return Err(PayloadError::PatchDiff);
                }
                if number.moved(self.from).is_none_or(|end| end > self.base) {
                    return Err(PayloadError::PatchBase);
                }
                Ok(Phase::Diff)
            }
            Phase::ExtraSize => {
                self.left = number.size()?;
                if self.left > room {
                    return Err(PayloadError::PatchExtra);
                }
                Ok(Phase::Extra)
            }
            _ => {
                let from = number.moved(self.from).filter(|from| *from <= self.base);
                self.from = from.ok_or(PayloadError::PatchSeek)?;
                self.idle = if self.fruitful {
                    0
                } else {
                    self.idle.saturating_add(1)
                };
                self.fruitful = false;
                if self.idle > MAX_IDLE {
                    return Err(PayloadError::PatchIdle);
                }
                Ok(if room == 0 { Phase::End } else { Phase::DiffSize })
            }
        }
    }

    /// Fills `output` behind the bytes already `given`, as far as this part of the chunk goes.
    fn fill(
        &mut self,
        input: &mut &[u8],
        output: &mut [u8],
        given: &mut usize,
        base: &mut dyn Base,
    ) -> Result<bool, PayloadError> {
        if self.left == 0 {
            self.phase = match (self.kind, self.phase) {
                (Kind::Image, _) => Phase::End,
                (Kind::Patch, Phase::Diff) => Phase::ExtraSize,
                (Kind::Patch, _) => Phase::Seek,
            };
            return Ok(true);
        }
        let free = output.get_mut(*given..).unwrap_or_default();
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(free.len());
        let free = free.get_mut(..most).unwrap_or_default();
        let count = self.inflate.decode(input, free)?;
        if self.phase == Phase::Diff {
            self.add(free.get_mut(..count).unwrap_or_default(), base)?;
        }
        *given = given.saturating_add(count);
        // No more than is left, so it fits.
        let count = u32::try_from(count).unwrap_or(self.left);
        self.left = self.left.saturating_sub(count);
        self.given = self.given.saturating_add(count);
        self.fruitful |= count > 0;
        Ok(count > 0)
    }

    /// Adds the base to `bytes`.
    fn add(&mut self, bytes: &mut [u8], base: &mut dyn Base) -> Result<(), PayloadError> {
        let mut buffer = [0; ADD_BUFFER];
        for part in bytes.chunks_mut(ADD_BUFFER) {
            let old = buffer.get_mut(..part.len()).unwrap_or_default();
            base.read(self.from, old)?;
            for (new, old) in part.iter_mut().zip(old) {
                *new = new.wrapping_add(*old);
            }
            let read = u32::try_from(part.len()).unwrap_or(0);
            self.from = self.from.saturating_add(read);
        }
        Ok(())
    }

    /// Whether decoding this payload can come to this state.
    fn is_possible(&self) -> bool {
        let Some(room) = self.image.checked_sub(self.given) else {
            return false;
        };
        let bounded = self.taken <= self.payload && self.from <= self.base && self.idle <= MAX_IDLE;
        let counted = self.number == Number::START || self.phase.is_number();
        let left = match (self.kind, self.phase) {
            (Kind::Image, Phase::Extra) => self.left == room,
            (Kind::Image, Phase::End) => room == 0 && self.left == 0,
            (Kind::Image, _) => false,
            (Kind::Patch, Phase::Diff) => {
                let end = self.from.checked_add(self.left);
                self.left <= room && end.is_some_and(|end| end <= self.base)
            }
            (Kind::Patch, Phase::Extra) => self.left <= room,
            (Kind::Patch, Phase::End) => room == 0 && self.left == 0,
            (Kind::Patch, _) => self.left == 0,
        };
        let compressed = match self.phase {
            Phase::Type | Phase::Size(_) | Phase::Window => {
                self.given == 0 && self.from == 0 && self.inflate.method() == Method::Stored
            }
            _ => true,
        };
        bounded && counted && left && compressed
    }
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Image => 1,
            Self::Patch => 2,
        }
    }
}

impl Phase {
    const fn code(self) -> u8 {
        match self {
            Self::Type => 0,
            Self::Size(Compression::None) => 1,
            Self::Size(Compression::Crle) => 2,
            Self::Size(Compression::Heatshrink) => 3,
            Self::Window => 4,
            Self::Format => 5,
            Self::DiffSize => 6,
            Self::Diff => 7,
            Self::ExtraSize => 8,
            Self::Extra => 9,
            Self::Seek => 10,
            Self::End => 11,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Type,
            1 => Self::Size(Compression::None),
            2 => Self::Size(Compression::Crle),
            3 => Self::Size(Compression::Heatshrink),
            4 => Self::Window,
            5 => Self::Format,
            6 => Self::DiffSize,
            7 => Self::Diff,
            8 => Self::ExtraSize,
            9 => Self::Extra,
            10 => Self::Seek,
            11 => Self::End,
            _ => return None,
        })
    }

    /// Whether a number may be half read.
    const fn is_number(self) -> bool {
        matches!(
            self,
            Self::Size(_) | Self::Format | Self::DiffSize | Self::ExtraSize | Self::Seek
        )
    }
}

/// Chunks in a row that give nothing. Patch makers write one where the image begins with a later part of
/// the base; with more, a few compressed bytes could keep a device busy for hours.
const MAX_IDLE: u8 = 4;

/// Bytes of the base that are read at once, on the stack.
const ADD_BUFFER: usize = 64;

#[cfg(test)]
mod tests;
