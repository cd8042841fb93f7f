//! Patches and compressed images, and the decoder's state from a checkpoint. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_update::payload::{Decode, Delta, Encoding, PayloadError, Transport};
use no_panic::{halt, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    black_box(apply(unknown(&input)).is_ok());
    halt()
}

fn apply(input: &[u8]) -> Result<(), PayloadError> {
    let mut decoder = Delta::<256>::new();
    for encoding in black_box([
        Encoding::Plain,
        Encoding::Heatshrink {
            window: 8,
            lookahead: 7,
        },
        Encoding::Delta {
            base: &[0; 32],
            base_size: 7,
        },
    ]) {
        let transport = black_box(Transport {
            encoding,
            ..Transport::plain(9)
        });
        decoder.begin(&transport, black_box(9))?;
        let mut output = [0; 64];
        let mut base = input;
        black_box(decoder.decode(input, &mut output, &mut base)?);
        decoder.restore(input)?;
        black_box(decoder.decode(black_box(input), &mut output, &mut base)?);
        black_box(decoder.save(&mut output));
        decoder.end()?;
    }
    Ok(())
}
