use iotsec_core::{
    cose::{Encrypt, RecipientKey},
    crypto::{ContentDecrypt, TAG_LEN},
    secret::Secret,
};

use super::{Base, Decode, Decoded, Encoding, PayloadError, Saved, Transport};

/// Decrypts a payload for the decoder inside, which gets what a payload without encryption would have been.
///
/// A payload that is not encrypted goes through as it is: whether encryption is demanded is for the
/// manifest's author. **The key to decrypt says nothing about who made the payload**: anybody can encrypt
/// to a public key. It is the signature over the manifest, which holds the encryption info, that says so.
///
/// `cipher` is the one cipher that a device knows, and a payload for another one is refused:
///
/// | | AES-CTR | AES-GCM, ChaCha20-Poly1305 |
/// |---|---|---|
/// | payload | ciphertext, as long as the content | ciphertext, then a tag of 16 bytes |
/// | a changed payload is noticed | before it is decrypted, by the digests over chunks or over the whole payload; without either [`begin`](Decode::begin) refuses | at [`end`](Decode::end), by the tag; sooner, if the manifest has digests too |
/// | after a reset | goes on where it was | has to be sent anew: [`save`](Decode::save) gives `None` |
///
/// Digests over the payload are checked by [`Checked`](super::Checked): one of a chunk before the chunk's
/// bytes come here, the one over the whole payload before the update is staged, if all of it came without a
/// reset in between. So with AES-CTR
/// under a digest of the whole alone, changed bytes are decrypted and written to the slot, though never
/// booted; with chunk digests they are not. The same holds for what an authenticated cipher gives before
/// its tag has come. The digest of the image decides in every case.
///
/// AES-CTR with chunk digests is the choice where a download is to survive a reset
/// (draft-ietf-suit-firmware-encryption, section on flash memory, says the same).
///
/// ```
/// # use iotsec_core::{cose::{EncryptBuilder, EncryptTo}, crypto::{ContentEncrypt, KeyAgreement}};
/// # use iotsec_testkit::SimRng;
/// use iotsec_core::{
///     cose::RecipientKey,
///     crypto::{Aes128Ctr, Aes128KeyWrap, HkdfSha256, Sha256, X25519Key},
///     secret::Secret,
/// };
/// use iotsec_update::payload::{Decode, Decrypt, Plain, Transport};
///
/// let device = X25519Key::from_scalar(&Secret::from_bytes([1; 32]));
/// # let mut rng = SimRng::new(1);
/// # let ephemeral = X25519Key::generate(&mut rng)?;
/// # let mut maker = Aes128Ctr::new();
/// # let mut out = [0; 256];
/// # let info = EncryptBuilder::new(&HkdfSha256, &Aes128KeyWrap)
/// #     .start(&[EncryptTo::agreement(&ephemeral, device.public_key())], &mut maker, &mut rng, &mut out)?;
/// # let mut payload = *b"firmware";
/// # maker.encrypt(&mut payload)?;
/// // `info` and the digest come from an authentic manifest, `payload` from anywhere.
/// let digest = Sha256::of(&[&payload]);
/// let transport = Transport { encryption: Some(info), digest: Some(&digest), ..Transport::plain(8) };
///
/// let mut cipher = Aes128Ctr::new();
/// let key = RecipientKey::agreement(&device, &HkdfSha256, &Aes128KeyWrap);
/// let mut decoder = Decrypt::new(key, &mut cipher, Plain::default());
/// decoder.begin(&transport, 8)?;
/// let mut image = [0; 8];
/// decoder.decode(&payload, &mut image, &mut &b""[..])?;
/// decoder.end()?;
/// assert_eq!(&image, b"firmware");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Decrypt<'k, D> {
    key: RecipientKey<'k>,
    cipher: &'k mut dyn ContentDecrypt,
    inner: D,
    mode: Mode,
    /// Bytes of the ciphertext without its tag, and how many of them were taken.
    size: u32,
    at: u32,
    /// Decrypted and not yet taken by the decoder inside: `text[start..end]`.
    text: Secret<TEXT>,
    start: usize,
    end: usize,
    tag: [u8; TAG_LEN],
    tag_len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// No payload was begun, or it failed.
    Idle,
    /// The payload is not encrypted.
    Clear,
    Encrypted,
}

/// Four blocks of AES, one of ChaCha20.
const TEXT: usize = 64;

impl<'k, D: Decode> Decrypt<'k, D> {
    /// For payloads encrypted with `cipher` to `key`, of which `inner` makes the image.
    pub fn new(key: RecipientKey<'k>, cipher: &'k mut dyn ContentDecrypt, inner: D) -> Self {
        Self {
            key,
            cipher,
            inner,
            mode: Mode::Idle,
            size: 0,
            at: 0,
            text: Secret::zero(),
            start: 0,
            end: 0,
            tag: [0; TAG_LEN],
            tag_len: 0,
        }
    }

    /// The decoder inside.
    pub fn into_inner(self) -> D {
        self.inner
    }

    fn is_authenticated(&self) -> bool {
        self.cipher.algorithm().is_authenticated()
    }

    /// Starts at byte `at` of the ciphertext.
    fn go_to(&mut self, at: u32) {
        self.at = at;
        (self.start, self.end) = (0, 0);
        self.tag_len = 0;
    }

    /// Decrypts some of `input`, or keeps some of the tag, and says how much was taken.
    fn take(&mut self, input: &[u8]) -> Result<usize, PayloadError> {
        let left = self.size.saturating_sub(self.at);
        if left == 0 {
            return self.take_tag(input);
        }
        let count = input.len().min(TEXT).min(usize::try_from(left).unwrap_or(TEXT));
        let (Some(text), Some(input)) = (self.text.expose_mut().get_mut(..count), input.get(..count)) else {
            return Err(PayloadError::TooLong);
        };
        text.copy_from_slice(input);
        self.cipher.decrypt(text).map_err(PayloadError::Cipher)?;
        (self.start, self.end) = (0, count);
        self.at = u32::try_from(count).map_or(u32::MAX, |count| self.at.saturating_add(count));
        Ok(count)
    }

    fn take_tag(&mut self, input: &[u8]) -> Result<usize, PayloadError> {
        let wanted = self.cipher.algorithm().tag_len();
        let room = self.tag.get_mut(self.tag_len..wanted).unwrap_or_default();
        if room.is_empty() {
            return Err(PayloadError::TooLong);
        }
        let count = room.len().min(input.len());
        for (to, from) in room.iter_mut().zip(input) {
            *to = *from;
        }
        self.tag_len = self.tag_len.saturating_add(count);
        Ok(count)
    }

    fn decode_encrypted(
        &mut self,
        input: &[u8],
        output: &mut [u8],
        base: &mut dyn Base,
    ) -> Result<Decoded, PayloadError> {
        let mut done = Decoded::default();
        loop {
            // Also with no text left: what the decoder inside holds back may go out.
            let text = self.text.expose().get(self.start..self.end).unwrap_or_default();
            let room = output.get_mut(done.given..).unwrap_or_default();
            let step = self.inner.decode(text, room, base)?;
            self.start = self.start.saturating_add(step.taken).min(self.end);
            done.given = done.given.saturating_add(step.given);
            let rest = input.get(done.taken..).unwrap_or_default();
            if self.start == self.end && !rest.is_empty() {
                done.taken = done.taken.saturating_add(self.take(rest)?);
            } else if step == Decoded::default() {
                return Ok(done);
            }
        }
    }
}

impl<D: Decode> Decode for Decrypt<'_, D> {
    /// # Errors
    /// [`PayloadError::Encryption`] for an encryption info that is malformed, for another cipher or for no
    /// key of this device; [`PayloadError::Unchecked`] for AES-CTR without a digest over the payload; and
    /// those of the decoder inside.
    fn begin(&mut self, transport: &Transport<'_>, image_size: u32) -> Result<(), PayloadError> {
        self.mode = Mode::Idle;
        let Some(info) = transport.encryption else {
            self.inner.begin(transport, image_size)?;
            self.mode = Mode::Clear;
            return Ok(());
        };
        let message = Encrypt::parse(info)?;
        let is_told = transport.digest.is_some() || transport.chunks.is_some();
        if !message.algorithm().is_authenticated() && !is_told {
            return Err(PayloadError::Unchecked);
        }
        let tag = u32::try_from(message.algorithm().tag_len()).unwrap_or(u32::MAX);
        let size = transport.size.checked_sub(tag).ok_or(PayloadError::TooShort)?;
        if transport.encoding == Encoding::Plain && size != image_size {
            return Err(if size < image_size {
                PayloadError::TooShort
            } else {
                PayloadError::TooLong
            });
        }
        // The cheap checks were above: this may cost a key agreement for each recipient.
        message.start(&self.key, self.cipher)?;
        let inside = Transport {
            size,
            digest: None,
            chunks: None,
            encoding: transport.encoding,
            encryption: None,
        };
        self.inner.begin(&inside, image_size)?;
        self.size = size;
        self.go_to(0);
        self.mode = Mode::Encrypted;
        Ok(())
    }

    fn decode(
        &mut self,
        input: &[u8],
        output: &mut [u8],
        base: &mut dyn Base,
    ) -> Result<Decoded, PayloadError> {
        let done = match self.mode {
            Mode::Idle => Err(PayloadError::State),
            Mode::Clear => self.inner.decode(input, output, base),
            Mode::Encrypted => self.decode_encrypted(input, output, base),
        };
        if done.is_err() {
            self.mode = Mode::Idle;
        }
        done
    }

    /// # Errors
    /// [`PayloadError::Cipher`] when the tag is not that of the payload; [`PayloadError::TooShort`] before
    /// all of it has come.
    fn end(&mut self) -> Result<(), PayloadError> {
        match core::mem::replace(&mut self.mode, Mode::Idle) {
            Mode::Idle => Err(PayloadError::State),
            Mode::Clear => self.inner.end(),
            Mode::Encrypted => {
                let tag = self.tag.get(..self.tag_len).unwrap_or_default();
                if self.at != self.size || tag.len() != self.cipher.algorithm().tag_len() {
                    return Err(PayloadError::TooShort);
                }
                if self.start != self.end {
                    return Err(PayloadError::TooLong);
                }
                self.cipher.finish(tag).map_err(PayloadError::Cipher)?;
                self.inner.end()
            }
        }
    }

    /// What the decoder inside saves: a byte of the ciphertext stands where that of the content does. It
    /// may hold parts of the image, as the slot does.
    fn save(&self, state: &mut [u8]) -> Option<Saved> {
        match self.mode {
            Mode::Clear => self.inner.save(state),
            Mode::Encrypted if !self.is_authenticated() => self.inner.save(state),
            _ => None,
        }
    }

    fn restore(&mut self, state: &[u8]) -> Result<u32, PayloadError> {
        match self.mode {
            Mode::Clear => self.inner.restore(state),
            Mode::Encrypted if !self.is_authenticated() => {
                let at = self.inner.restore(state)?;
                if at > self.size {
                    return Err(PayloadError::State);
                }
                self.cipher.seek(at).map_err(PayloadError::Cipher)?;
                self.go_to(at);
                Ok(at)
            }
            _ => Err(PayloadError::State),
        }
    }
}

impl<D: core::fmt::Debug> core::fmt::Debug for Decrypt<'_, D> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Decrypt")
            .field("cipher", &self.cipher.algorithm())
            .field("inner", &self.inner)
            .field("mode", &self.mode)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
