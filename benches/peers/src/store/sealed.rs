//! sequential-storage's map under XChaCha20-Poly1305: the value is nonce, ciphertext and tag, bound to the key.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use iotsec_testkit::SimRng;

use super::{
    sequential,
    workload::{Contender, KeyValue, MAX_VALUE_LEN, Result},
};

pub(crate) const SEALED: Contender = Contender {
    name: "sequential-storage, XChaCha20-Poly1305",
    transactions: false,
    create: |chip, case| {
        Ok(Box::new(Sealed {
            map: sequential::create(chip, case, NONCE_LEN + MAX_VALUE_LEN + TAG_LEN)?,
            cipher: XChaCha20Poly1305::new(&[7; 32].into()),
            dice: SimRng::new(1),
        }))
    },
};

const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;

struct Sealed {
    map: Box<dyn KeyValue>,
    cipher: XChaCha20Poly1305,
    dice: SimRng,
}

impl KeyValue for Sealed {
    fn put(&mut self, key: u16, value: &[u8]) -> Result<()> {
        let mut nonce = [0; NONCE_LEN];
        for byte in &mut nonce {
            *byte = u8::try_from(self.dice.below(256))?;
        }
        let payload = Payload {
            msg: value,
            aad: &key.to_le_bytes(),
        };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|error| error.to_string())?;
        self.map.put(key, &[nonce.as_slice(), &sealed].concat())
    }

    fn get(&mut self, key: u16) -> Result<Vec<u8>> {
        let stored = self.map.get(key)?;
        let (nonce, sealed) = stored.split_first_chunk().ok_or("no nonce")?;
        let payload = Payload {
            msg: sealed,
            aad: &key.to_le_bytes(),
        };
        let value = self.cipher.decrypt(&XNonce::from(*nonce), payload);
        Ok(value.map_err(|error| error.to_string())?)
    }

    fn reopen(&mut self) -> Result<()> {
        self.map.reopen()
    }

    fn ram(&self) -> usize {
        // A value is sealed in place, in a buffer of its own.
        self.map.ram() + size_of::<XChaCha20Poly1305>() + NONCE_LEN + MAX_VALUE_LEN + TAG_LEN
    }
}
