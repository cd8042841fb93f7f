//! The other side of a conversation that was recorded.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
};

/// Answers what it was asked when it was recorded, in the same order, and fails at anything else.
///
/// A recording has a line for each message: `>` and what is written to it in hexadecimal, or `<` and what is
/// then read from it. Empty lines and those that begin with `#` do not count.
///
/// ```
/// use std::io::{Read, Write};
/// use iotsec_testkit::Replay;
///
/// let mut other = Replay::new("# a greeting\n> 6869\n< 686f");
/// other.write_all(b"hi")?;
/// let mut answer = [0; 2];
/// other.read_exact(&mut answer)?;
/// assert_eq!(&answer, b"ho");
/// assert!(other.write_all(b"more").is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Replay {
    rest: VecDeque<(bool, Vec<u8>)>,
    answer: VecDeque<u8>,
    piece: usize,
}

impl Replay {
    /// The recording in `text`.
    ///
    /// # Panics
    /// For a line that is neither message nor comment.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let lines = text.lines().map(str::trim);
        let rest = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| match line.split_once(' ') {
                Some((">", hex)) => (true, bytes(hex)),
                Some(("<", hex)) => (false, bytes(hex)),
                _ => panic!("no message: {line}"),
            })
            .collect();
        Self {
            rest,
            answer: VecDeque::new(),
            piece: usize::MAX,
        }
    }

    /// One that gives at most `piece` bytes at a read, as a socket may.
    #[must_use]
    pub const fn in_pieces(mut self, piece: usize) -> Self {
        self.piece = piece;
        self
    }

    /// Whether everything was asked and read.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.rest.is_empty() && self.answer.is_empty()
    }

    /// Changes the answer that comes next but `skip`.
    ///
    /// # Panics
    /// When there is none.
    pub fn edit(&mut self, skip: usize, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut answers = self.rest.iter_mut().filter(|(asked, _)| !asked);
        let (_, answer) = answers.nth(skip).expect("the recording has this answer");
        edit(answer);
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2) && hex.is_ascii(), "no bytes: {hex}");
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap_or_else(|_| panic!("no bytes: {hex}")))
        .collect()
}

impl Write for Replay {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.rest.pop_front() {
            Some((true, asked)) if asked == bytes && self.answer.is_empty() => {
                while let Some((false, _)) = self.rest.front() {
                    self.answer
                        .extend(self.rest.pop_front().into_iter().flat_map(|(_, answer)| answer));
                }
                Ok(bytes.len())
            }
            other => {
                let message = format!("{bytes:02x?} was not asked here but {other:02x?}");
                Err(io::Error::new(io::ErrorKind::InvalidInput, message))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Replay {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let len = bytes.len().min(self.piece);
        self.answer.read(&mut bytes[..len])
    }
}
