//! The device's side of the serial link: takes questions, gives answers.

use crate::{
    message::{AGAIN, CRC, HEAD, MAX, READY, START, crc},
    uart,
};

/// The link, and the question that came last.
pub struct Link {
    kind: u8,
    content: [u8; MAX],
    len: usize,
}

impl Link {
    /// Makes the serial port ready, and says so: what comes before that is lost.
    pub fn start() -> Self {
        uart::start();
        let link = Self {
            kind: READY,
            content: [0; MAX],
            len: 0,
        };
        link.answer(0, &[]);
        link
    }

    /// Waits for a question.
    pub fn question(&mut self) -> u8 {
        loop {
            while uart::receive() != START {}
            let head: [u8; HEAD - 1] = core::array::from_fn(|_| uart::receive());
            let [kind, low, high] = head;
            let len = usize::from(u16::from_le_bytes([low, high]));
            let Some(content) = self.content.get_mut(..len) else {
                continue;
            };
            content.fill_with(uart::receive);
            let sum = crc(crc(CRC, &head), content);
            if u16::from_le_bytes([uart::receive(), uart::receive()]) == sum {
                self.len = len;
                self.kind = kind;
                return kind;
            }
            self.kind = AGAIN;
            self.answer(0, &[]);
        }
    }

    /// What the question came with.
    pub fn content(&self) -> &[u8] {
        self.content.get(..self.len).unwrap_or_default()
    }

    /// Answers the question that came last with 0 or the number of an error, and some bytes.
    pub fn answer(&self, code: u16, content: &[u8]) {
        let [low, high] = (content.len() as u16 + 2).to_le_bytes();
        let (head, code) = ([self.kind, low, high], code.to_le_bytes());
        let sum = crc(crc(crc(CRC, &head), &code), content);
        uart::send(&[START]);
        uart::send(&head);
        uart::send(&code);
        uart::send(content);
        uart::send(&sum.to_le_bytes());
    }
}
