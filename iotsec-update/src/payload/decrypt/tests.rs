use super::*;
use crate::payload::{Chunks, Plain};
use iotsec_core::{
    cose::{CoseError, EncryptBuilder, EncryptTo},
    crypto::{
        Aes128Ctr, Aes128GcmStream, Aes128KeyWrap, Aes256Ctr, ChaCha20Poly1305Stream, ContentAlgorithm,
        ContentEncrypt, CryptoError, HkdfSha256, KeyAgreement, P256AgreementKey, X25519Key,
    },
};
use iotsec_testkit::SimRng;
use std::{boxed::Box, vec, vec::Vec};

const CIPHERS: [ContentAlgorithm; 4] = [
    ContentAlgorithm::Aes128Ctr,
    ContentAlgorithm::Aes256Ctr,
    ContentAlgorithm::Aes128Gcm,
    ContentAlgorithm::ChaCha20Poly1305,
];

fn cipher(algorithm: ContentAlgorithm) -> Box<dyn ContentEncrypt> {
    match algorithm {
        ContentAlgorithm::Aes128Ctr => Box::new(Aes128Ctr::new()),
        ContentAlgorithm::Aes256Ctr => Box::new(Aes256Ctr::new()),
        ContentAlgorithm::Aes128Gcm => Box::new(Aes128GcmStream::new()),
        _ => Box::new(ChaCha20Poly1305Stream::new()),
    }
}

fn device() -> X25519Key {
    X25519Key::from_scalar(&Secret::from_bytes([1; 32]))
}

fn key_of(device: &dyn KeyAgreement) -> RecipientKey<'_> {
    RecipientKey::agreement(device, &HkdfSha256, &Aes128KeyWrap)
}

/// What a manifest says, and the payload.
struct Made {
    info: Vec<u8>,
    payload: Vec<u8>,
}

impl Made {
    fn new(algorithm: ContentAlgorithm, text: &[u8]) -> Self {
        let mut rng = SimRng::new(7);
        let ephemeral = X25519Key::generate(&mut rng).unwrap();
        let mut cipher = cipher(algorithm);
        let mut out = [0; 512];
        let info = EncryptBuilder::new(&HkdfSha256, &Aes128KeyWrap)
            .start(
                &[EncryptTo::agreement(&ephemeral, device().public_key())],
                cipher.as_mut(),
                &mut rng,
                &mut out,
            )
            .unwrap()
            .to_vec();
        let mut payload = text.to_vec();
        cipher.encrypt(&mut payload).unwrap();
        payload.extend(cipher.tag().unwrap().into_iter().flatten());
        Self { info, payload }
    }

    fn transport(&self) -> Transport<'_> {
        Transport {
            digest: Some(&[0; 32]),
            encryption: Some(&self.info),
            ..Transport::plain(u32::try_from(self.payload.len()).unwrap())
        }
    }
}

/// Gives every byte twice, and keeps the second one back when there is no room: a decoder with a state
/// of its own and more image than payload.
#[derive(Clone, Debug, Default)]
struct Twice {
    size: u32,
    taken: u32,
    held: Option<u8>,
}

impl Decode for Twice {
    fn begin(&mut self, transport: &Transport<'_>, _image_size: u32) -> Result<(), PayloadError> {
        assert!(transport.encryption.is_none() && transport.digest.is_none() && transport.chunks.is_none());
        *self = Self {
            size: transport.size,
            ..Self::default()
        };
        Ok(())
    }

    fn decode(
        &mut self,
        input: &[u8],
        output: &mut [u8],
        _base: &mut dyn Base,
    ) -> Result<Decoded, PayloadError> {
        let mut done = Decoded::default();
        while done.given < output.len() {
            if let Some(byte) = self.held.take() {
                output[done.given] = byte;
            } else if let Some(byte) = input.get(done.taken) {
                self.held = Some(*byte);
                output[done.given] = *byte;
                done.taken += 1;
                self.taken += 1;
            } else {
                break;
            }
            done.given += 1;
        }
        Ok(done)
    }

    fn end(&mut self) -> Result<(), PayloadError> {
        assert_eq!(self.held, None);
        (self.taken == self.size)
            .then_some(())
            .ok_or(PayloadError::TooShort)
    }

    fn save(&self, state: &mut [u8]) -> Option<Saved> {
        state.get_mut(..4)?.copy_from_slice(&self.taken.to_le_bytes());
        let held = self.held.map_or(0, |_| 1);
        state
            .get_mut(4..6)?
            .copy_from_slice(&[held, self.held.unwrap_or(0)]);
        Some(Saved {
            len: 6,
            payload_offset: self.taken,
        })
    }

    fn restore(&mut self, state: &[u8]) -> Result<u32, PayloadError> {
        let state: [u8; 6] = state.try_into().map_err(|_| PayloadError::State)?;
        let [a, b, c, d, held, byte] = state;
        self.taken = u32::from_le_bytes([a, b, c, d]);
        self.held = (held == 1).then_some(byte);
        Ok(self.taken)
    }
}

/// Feeds `payload` in pieces of `input` and takes the image in pieces of `output`.
fn run(
    decoder: &mut dyn Decode,
    payload: &[u8],
    image: &mut Vec<u8>,
    image_size: usize,
    (input, output): (usize, usize),
) -> Result<(), PayloadError> {
    for piece in payload.chunks(input) {
        let mut left = piece;
        loop {
            let mut room = vec![0; output.min(image_size - image.len())];
            let step = decoder.decode(left, &mut room, &mut &b""[..])?;
            image.extend_from_slice(&room[..step.given]);
            left = &left[step.taken..];
            if left.is_empty() && step.given == 0 {
                break;
            }
            assert!(step != Decoded::default(), "neither took nor gave");
        }
    }
    assert_eq!(image.len(), image_size);
    decoder.end()
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

#[test]
fn every_split_of_payload_and_image_gives_the_image() {
    let device = device();
    for len in [1, 15, 16, 17, 64, 65, 130] {
        let text = text(len);
        let twice: Vec<u8> = text.iter().flat_map(|byte| [*byte, *byte]).collect();
        for algorithm in CIPHERS {
            let made = Made::new(algorithm, &text);
            for input in (1..=33).chain([64, 65, 1000]) {
                for output in [1, 2, 3, 16, 63, 64, 65, 1000] {
                    let mut cipher = cipher(algorithm);
                    let mut decoder = Decrypt::new(key_of(&device), cipher.as_mut(), Plain::default());
                    decoder
                        .begin(&made.transport(), u32::try_from(len).unwrap())
                        .unwrap();
                    let mut image = Vec::new();
                    run(&mut decoder, &made.payload, &mut image, len, (input, output)).unwrap();
                    assert_eq!(image, text);

                    let mut decoder = Decrypt::new(key_of(&device), cipher.as_mut(), Twice::default());
                    let transport = Transport {
                        encoding: Encoding::Heatshrink {
                            window: 8,
                            lookahead: 4,
                        },
                        ..made.transport()
                    };
                    decoder
                        .begin(&transport, u32::try_from(2 * len).unwrap())
                        .unwrap();
                    let mut image = Vec::new();
                    run(&mut decoder, &made.payload, &mut image, 2 * len, (input, output)).unwrap();
                    assert_eq!(image, twice);
                }
            }
        }
    }
}

#[test]
fn counter_mode_goes_on_after_a_reset_at_any_byte_and_authenticated_ciphers_do_not() {
    let device = device();
    let text = text(150);
    let twice: Vec<u8> = text.iter().flat_map(|byte| [*byte, *byte]).collect();
    for algorithm in CIPHERS {
        let made = Made::new(algorithm, &text);
        let transport = Transport {
            encoding: Encoding::Heatshrink {
                window: 8,
                lookahead: 4,
            },
            ..made.transport()
        };
        let resumes = !algorithm.is_authenticated();
        for given in 0..=twice.len() {
            let mut first = cipher(algorithm);
            let mut decoder = Decrypt::new(key_of(&device), first.as_mut(), Twice::default());
            decoder.begin(&transport, 300).unwrap();
            let mut image = vec![0; given];
            let step = decoder.decode(&made.payload, &mut image, &mut &b""[..]).unwrap();
            assert_eq!(step.given, given);
            let mut state = [0; 32];
            let saved = decoder.save(&mut state);
            assert_eq!(saved.is_some(), resumes);
            let Some(saved) = saved else { continue };
            assert!(decoder.save(&mut [0; 3]).is_none(), "no room");

            let mut second = cipher(algorithm);
            let mut decoder = Decrypt::new(key_of(&device), second.as_mut(), Twice::default());
            decoder.begin(&transport, 300).unwrap();
            let offset = decoder.restore(&state[..saved.len]).unwrap();
            assert_eq!(offset, saved.payload_offset);
            let rest = &made.payload[usize::try_from(offset).unwrap()..];
            if rest.is_empty() {
                // Only what the decoder inside held back is missing.
                let mut last = vec![0; 300 - given];
                assert_eq!(
                    decoder.decode(&[], &mut last, &mut &b""[..]).unwrap().given,
                    last.len()
                );
                image.extend(last);
                decoder.end().unwrap();
            } else {
                run(&mut decoder, rest, &mut image, 300, (7, 5)).unwrap();
            }
            assert_eq!(image, twice, "{given}");
        }
    }
}

#[test]
fn a_false_state_is_refused_or_makes_a_wrong_image() {
    let device = device();
    let text = text(40);
    let made = Made::new(ContentAlgorithm::Aes128Ctr, &text);
    let mut counter = Aes128Ctr::new();
    let mut decoder = Decrypt::new(key_of(&device), &mut counter, Twice::default());
    let transport = Transport {
        encoding: Encoding::Heatshrink {
            window: 8,
            lookahead: 4,
        },
        ..made.transport()
    };
    decoder.begin(&transport, 80).unwrap();
    assert_eq!(decoder.restore(&[0; 6]), Ok(0), "begun");
    for at in [41, 42, u32::MAX] {
        decoder.begin(&transport, 80).unwrap();
        let [a, b, c, d] = at.to_le_bytes();
        assert_eq!(decoder.restore(&[a, b, c, d, 0, 0]), Err(PayloadError::State));
    }
    for len in [0, 3, 5, 7] {
        decoder.begin(&transport, 80).unwrap();
        assert_eq!(decoder.restore(&vec![0; len]), Err(PayloadError::State));
    }

    let made = Made::new(ContentAlgorithm::ChaCha20Poly1305, &text);
    let mut stream = ChaCha20Poly1305Stream::new();
    let mut decoder = Decrypt::new(key_of(&device), &mut stream, Plain::default());
    decoder.begin(&made.transport(), 40).unwrap();
    assert_eq!(decoder.restore(&[0; 4]), Err(PayloadError::State));
}

/// All of the payload in one go.
fn decrypt(
    algorithm: ContentAlgorithm,
    transport: &Transport<'_>,
    payload: &[u8],
    device: &dyn KeyAgreement,
    image_size: usize,
) -> Result<Vec<u8>, PayloadError> {
    let mut cipher = cipher(algorithm);
    let mut decoder = Decrypt::new(key_of(device), cipher.as_mut(), Plain::default());
    decoder.begin(transport, u32::try_from(image_size).unwrap())?;
    let mut image = vec![0; image_size];
    let (mut taken, mut given) = (0, 0);
    while taken < payload.len() {
        let step = decoder.decode(&payload[taken..], &mut image[given..], &mut &b""[..])?;
        taken += step.taken;
        given += step.given;
        if step == Decoded::default() {
            return Err(PayloadError::TooLong);
        }
    }
    decoder.end()?;
    Ok(image)
}

#[test]
fn an_authenticated_payload_that_was_changed_never_ends_well() {
    let device = device();
    let text = text(70);
    for algorithm in [ContentAlgorithm::Aes128Gcm, ContentAlgorithm::ChaCha20Poly1305] {
        let made = Made::new(algorithm, &text);
        let transport = Transport {
            digest: None,
            ..made.transport()
        };
        let open = |payload: &[u8]| decrypt(algorithm, &transport, payload, &device, 70);
        assert_eq!(open(&made.payload).unwrap(), text);
        for bit in 0..made.payload.len() * 8 {
            let mut bad = made.payload.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                open(&bad),
                Err(PayloadError::Cipher(CryptoError::Tag)),
                "bit {bit}"
            );
        }
        for len in 0..made.payload.len() {
            assert_eq!(
                open(&made.payload[..len]),
                Err(PayloadError::TooShort),
                "{len} bytes"
            );
        }
        assert_eq!(
            open(&[made.payload.as_slice(), &[0]].concat()),
            Err(PayloadError::TooLong)
        );
    }
}

#[test]
fn counter_mode_is_only_for_payloads_with_a_digest() {
    let device = device();
    let text = text(70);
    for algorithm in [ContentAlgorithm::Aes128Ctr, ContentAlgorithm::Aes256Ctr] {
        let made = Made::new(algorithm, &text);
        let open =
            |transport: &Transport<'_>, payload: &[u8]| decrypt(algorithm, transport, payload, &device, 70);
        let bare = Transport {
            digest: None,
            ..made.transport()
        };
        assert_eq!(open(&bare, &made.payload), Err(PayloadError::Unchecked));
        assert_eq!(open(&made.transport(), &made.payload).unwrap(), text);
        let digests = [[0; 32]];
        let chunked = Transport {
            chunks: Some(Chunks::new(256, &digests).unwrap()),
            ..bare
        };
        assert_eq!(open(&chunked, &made.payload).unwrap(), text);
        for len in 0..made.payload.len() {
            assert_eq!(open(&chunked, &made.payload[..len]), Err(PayloadError::TooShort));
        }
        assert_eq!(
            open(&chunked, &[made.payload.as_slice(), &[0]].concat()),
            Err(PayloadError::TooLong)
        );
    }
}

#[test]
fn what_is_not_for_this_device_and_cipher_does_not_begin() {
    let device = device();
    let text = text(20);
    let made = Made::new(ContentAlgorithm::Aes128Ctr, &text);
    let begin = |transport: &Transport<'_>, algorithm, device: &dyn KeyAgreement, size| {
        decrypt(algorithm, transport, &made.payload, device, size).err()
    };
    let ctr = ContentAlgorithm::Aes128Ctr;
    assert_eq!(begin(&made.transport(), ctr, &device, 20), None);
    let stranger = X25519Key::from_scalar(&Secret::from_bytes([2; 32]));
    let other_curve = P256AgreementKey::from_scalar(&Secret::from_bytes([1; 32])).unwrap();
    for key in [&stranger as &dyn KeyAgreement, &other_curve] {
        assert_eq!(
            begin(&made.transport(), ctr, key, 20),
            Some(CoseError::Recipient.into())
        );
    }
    assert_eq!(
        begin(&made.transport(), ContentAlgorithm::Aes256Ctr, &device, 20),
        Some(CoseError::AlgorithmMismatch.into())
    );
    assert_eq!(
        begin(&made.transport(), ctr, &device, 19),
        Some(PayloadError::TooLong)
    );
    assert_eq!(
        begin(&made.transport(), ctr, &device, 21),
        Some(PayloadError::TooShort)
    );
    for bit in 0..made.info.len() * 8 {
        let mut info = made.info.clone();
        info[bit / 8] ^= 1 << (bit % 8);
        let transport = Transport {
            encryption: Some(&info),
            ..made.transport()
        };
        // The signature covers the info; here only that nothing panics and no other key is found. The IV
        // of counter mode is free, and X25519 ignores the top bit of a coordinate.
        if let Ok(image) = decrypt(ctr, &transport, &made.payload, &device, 20) {
            let at = bit / 8;
            let iv = made
                .info
                .windows(2)
                .position(|pair| pair == [0x05, 0x50])
                .unwrap();
            assert!(
                (iv + 2..iv + 18).contains(&at) != (image == text),
                "bit {bit} changes nothing or too much"
            );
        }
    }
    let tagged = Made::new(ContentAlgorithm::ChaCha20Poly1305, b"");
    let short = Transport {
        size: 15,
        ..tagged.transport()
    };
    assert_eq!(
        begin(&short, ContentAlgorithm::ChaCha20Poly1305, &device, 20),
        Some(PayloadError::TooShort)
    );
}

#[test]
fn a_payload_that_is_not_encrypted_goes_through() {
    let device = device();
    let text = text(100);
    let image = decrypt(
        ContentAlgorithm::Aes128Ctr,
        &Transport::plain(100),
        &text,
        &device,
        100,
    );
    assert_eq!(image.unwrap(), text);
    let mut counter = Aes128Ctr::new();
    let mut decoder = Decrypt::new(key_of(&device), &mut counter, Plain::default());
    decoder.begin(&Transport::plain(4), 4).unwrap();
    decoder.decode(b"ab", &mut [0; 4], &mut &b""[..]).unwrap();
    let mut state = [0; 8];
    let saved = decoder.save(&mut state).unwrap();
    assert_eq!(decoder.restore(&state[..saved.len]), Ok(2));
}

#[test]
fn nothing_comes_before_a_beginning_nor_after_an_end_or_a_failure() {
    let device = device();
    let text = text(20);
    let made = Made::new(ContentAlgorithm::ChaCha20Poly1305, &text);
    let mut stream = ChaCha20Poly1305Stream::new();
    let mut decoder = Decrypt::new(key_of(&device), &mut stream, Plain::default());
    let mut image = [0; 20];
    fn is_idle(decoder: &mut dyn Decode) {
        assert_eq!(
            decoder.decode(b"x", &mut [0; 4], &mut &b""[..]),
            Err(PayloadError::State)
        );
        assert_eq!(decoder.end(), Err(PayloadError::State));
        assert_eq!(decoder.save(&mut [0; 32]), None);
        assert_eq!(decoder.restore(&[0; 4]), Err(PayloadError::State));
    }
    is_idle(&mut decoder);
    decoder.begin(&made.transport(), 20).unwrap();
    decoder.decode(&made.payload, &mut image, &mut &b""[..]).unwrap();
    decoder.end().unwrap();
    is_idle(&mut decoder);
    decoder.begin(&made.transport(), 20).unwrap();
    let mut long = made.payload.clone();
    long.push(0);
    assert!(decoder.decode(&long, &mut image, &mut &b""[..]).is_err());
    is_idle(&mut decoder);
    let none = Transport {
        encryption: Some(b""),
        ..made.transport()
    };
    assert!(decoder.begin(&none, 20).is_err());
    is_idle(&mut decoder);
}

#[test]
fn debug_shows_neither_key_nor_text() {
    let device = device();
    let made = Made::new(ContentAlgorithm::Aes128Ctr, b"attack at dawn");
    let mut counter = Aes128Ctr::new();
    let mut decoder = Decrypt::new(key_of(&device), &mut counter, Plain::default());
    decoder.begin(&made.transport(), 14).unwrap();
    decoder.decode(&made.payload, &mut [0; 4], &mut &b""[..]).unwrap();
    let shown = std::format!("{decoder:?}");
    assert!(shown.contains("Aes128Ctr") && !shown.contains("97, 116") && !shown.contains("attack"));
}
