use embedded_storage::nor_flash::NorFlash;
use iotsec_core::secret::Secret;
use zeroize::{Zeroize, Zeroizing};

use super::{KeyError, KeyHandle, KeyKind, KeySpec, KeyUsage, kind::MAX_KEY_LEN};
use crate::{KeyId, Store};

const VERSION: u8 = 1;
const PREFIX_LEN: usize = 8;
const MAX_LEN: usize = PREFIX_LEN.saturating_add(MAX_KEY_LEN).saturating_add(MAX_KEY_LEN);

/// A key and its policy as they lie in the store.
///
/// It is filled where it lies and never moved, so that no copy of the key stays on the stack.
pub(super) struct Stored {
    kind: KeyKind,
    usage: KeyUsage,
    number: u32,
    /// Zero behind the end of a shorter key.
    key: Secret<MAX_KEY_LEN>,
    /// The key with the number before; without meaning unless `has_previous`.
    previous: Secret<MAX_KEY_LEN>,
    has_previous: bool,
}

impl Stored {
    /// The first key of a name, to be filled.
    pub(super) const fn new(spec: &KeySpec) -> Self {
        Self {
            kind: spec.kind,
            usage: spec.usage,
            number: 1,
            key: Secret::zero(),
            previous: Secret::zero(),
            has_previous: false,
        }
    }

    /// Room for the key of a handle.
    pub(super) const fn of(handle: &KeyHandle) -> Self {
        Self::new(&handle.spec)
    }

    pub(super) const fn spec(&self, id: KeyId) -> KeySpec {
        KeySpec {
            id,
            kind: self.kind,
            usage: self.usage,
        }
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    pub(super) const fn has_previous(&self) -> bool {
        self.has_previous
    }

    pub(super) const fn key(&self) -> &Secret<MAX_KEY_LEN> {
        &self.key
    }

    /// The bytes of the key, to be written; what lies behind them stays zero.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        let len = self.kind.key_len();
        self.key.expose_mut().get_mut(..len).unwrap_or_default()
    }

    /// True when all bytes of the key are equal.
    pub(super) fn is_constant(&self) -> bool {
        let mut differs = 0;
        for pair in bytes(&self.key, self.kind).windows(2) {
            if let [a, b] = pair {
                differs |= a ^ b;
            }
        }
        differs == 0
    }

    /// Makes room for the next key; the present one is the previous one from then on, if there is any use for it.
    pub(super) fn turn(&mut self) -> Result<(), KeyError> {
        if self.has_previous {
            return Err(KeyError::NotRetired);
        }
        self.number = self.number.checked_add(1).ok_or(KeyError::Exhausted)?;
        if !self.usage.of_previous().is_empty() {
            core::mem::swap(&mut self.key, &mut self.previous);
            self.has_previous = true;
        }
        Ok(())
    }

    /// Forgets the previous key.
    pub(super) fn retire(&mut self) -> Result<(), KeyError> {
        if !self.has_previous {
            return Err(KeyError::NoPrevious);
        }
        self.previous.expose_mut().zeroize();
        self.has_previous = false;
        Ok(())
    }

    /// Reads what is stored under `id`.
    pub(super) fn read<F: NorFlash>(
        &mut self,
        store: &mut Store<'_>,
        flash: &mut F,
        id: KeyId,
    ) -> Result<(), KeyError> {
        if store.value_len(id).is_some_and(|len| len > MAX_LEN) {
            return Err(KeyError::Malformed);
        }
        let mut value = Zeroizing::new([0; MAX_LEN]);
        let value = store.get(flash, id, value.as_mut_slice())?;
        self.decode(value)
    }

    /// Reads the key of a handle.
    pub(super) fn load<F: NorFlash>(
        &mut self,
        store: &mut Store<'_>,
        flash: &mut F,
        handle: &KeyHandle,
    ) -> Result<&Secret<MAX_KEY_LEN>, KeyError> {
        self.read(store, flash, handle.id())?;
        let (number, usage) = (handle.number(), handle.usage());
        if self.kind != handle.kind() {
            Err(KeyError::Stale)
        } else if number == self.number && usage == self.usage {
            Ok(&self.key)
        } else if self.has_previous
            && number.checked_add(1) == Some(self.number)
            && usage == self.usage.of_previous()
        {
            Ok(&self.previous)
        } else {
            Err(KeyError::Stale)
        }
    }

    /// Reads the key of a handle, which must not be the previous one.
    pub(super) fn load_present<F: NorFlash>(
        &mut self,
        store: &mut Store<'_>,
        flash: &mut F,
        handle: &KeyHandle,
    ) -> Result<(), KeyError> {
        self.load(store, flash, handle)?;
        if handle.number() == self.number {
            Ok(())
        } else {
            Err(KeyError::Stale)
        }
    }

    fn decode(&mut self, value: &[u8]) -> Result<(), KeyError> {
        let Some((&[version, kind, u0, u1, n0, n1, n2, n3], keys)) = value.split_first_chunk::<PREFIX_LEN>()
        else {
            return Err(match value.first() {
                Some(&VERSION) => KeyError::Malformed,
                _ => KeyError::Version,
            });
        };
        if version != VERSION {
            return Err(KeyError::Version);
        }
        self.kind = KeyKind::from_code(kind).ok_or(KeyError::UnknownType)?;
        self.usage = KeyUsage::from_code(u16::from_le_bytes([u0, u1]));
        if !self.kind.allows(self.usage) {
            return Err(KeyError::UnknownUsage);
        }
        self.number = u32::from_le_bytes([n0, n1, n2, n3]);
        let len = self.kind.key_len();
        let (key, previous) = keys.split_at_checked(len).ok_or(KeyError::Malformed)?;
        self.has_previous = !previous.is_empty();
        let previous_fits = previous.len() == len && self.number > 1 && !self.usage.of_previous().is_empty();
        if self.number == 0 || (self.has_previous && !previous_fits) {
            return Err(KeyError::Malformed);
        }
        fill(&mut self.key, key);
        fill(&mut self.previous, previous);
        Ok(())
    }

    /// Writes it under `id`.
    pub(super) fn write<F: NorFlash>(
        &self,
        store: &mut Store<'_>,
        flash: &mut F,
        id: KeyId,
    ) -> Result<(), KeyError> {
        let [u0, u1] = self.usage.code().to_le_bytes();
        let previous = if self.has_previous {
            bytes(&self.previous, self.kind)
        } else {
            &[]
        };
        let content = [VERSION, self.kind.code(), u0, u1]
            .into_iter()
            .chain(self.number.to_le_bytes())
            .chain(bytes(&self.key, self.kind).iter().copied())
            .chain(previous.iter().copied());
        let mut value = Zeroizing::new([0; MAX_LEN]);
        let mut len = 0_usize;
        for (to, from) in value.iter_mut().zip(content) {
            *to = from;
            len = len.saturating_add(1);
        }
        store.put(flash, id, value.get(..len).unwrap_or_default())?;
        Ok(())
    }
}

/// The bytes that are the key.
pub(super) fn bytes(key: &Secret<MAX_KEY_LEN>, kind: KeyKind) -> &[u8] {
    key.expose().get(..kind.key_len()).unwrap_or_default()
}

fn fill(secret: &mut Secret<MAX_KEY_LEN>, from: &[u8]) {
    let rest = core::iter::repeat(&0);
    for (to, from) in secret.expose_mut().iter_mut().zip(from.iter().chain(rest)) {
        *to = *from;
    }
}
