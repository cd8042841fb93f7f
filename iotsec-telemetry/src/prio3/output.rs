use super::{error::Prio3Error, field::Field};

/// A share as it is written, from front to back.
pub(crate) struct Output<'b>(&'b mut [u8]);

impl<'b> Output<'b> {
    pub(crate) const fn new(bytes: &'b mut [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, len: usize) -> Result<&'b mut [u8], Prio3Error> {
        let (taken, rest) = core::mem::take(&mut self.0)
            .split_at_mut_checked(len)
            .ok_or(Prio3Error::Buffer)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn put<F: Field>(&mut self, element: &F) -> Result<(), Prio3Error> {
        element.write(self.take(F::LEN)?);
        Ok(())
    }

    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) -> Result<(), Prio3Error> {
        for (to, from) in self.take(bytes.len())?.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(())
    }

    /// That nothing is left to be written.
    pub(crate) const fn finish(self) -> Result<(), Prio3Error> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Prio3Error::Buffer)
        }
    }
}
