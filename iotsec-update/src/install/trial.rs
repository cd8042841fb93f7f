//! The end of an update: accepted, or given up.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::Digest,
    error::ErrorCode,
    hal::{BootControl, BootControlError, Trial},
};

use super::{InstallError, State, Updater};
use crate::{
    boot::{Running, revert, settle, settles},
    journal::{Image, Record},
    rollback::Rollback,
};

impl<D: Digest, const N: usize> Updater<D, N> {
    /// Keeps the image that is running on trial: stores its sequence number and raises the security
    /// counter, in this order. Calling it again when `Updated` repeats the second half.
    ///
    /// *Power loss:* `Trial`, or `Updated` with the counter behind, which the next boot or mount repairs.
    ///
    /// # Errors
    /// [`InstallError::State`] unless on trial; [`InstallError::Rollback`] when the counter cannot be read
    /// (nothing has changed then) or not be raised (the image is accepted, the floor stays where it was).
    pub fn accept<F: NorFlash>(
        &mut self,
        flash: &mut F,
        rollback: &mut Rollback<'_>,
    ) -> Result<(), InstallError> {
        if self.record.state == State::Updated
            && settles(&self.record, self.running.slot, &self.running.manifest)
        {
            return settle(flash, &mut self.journal, &self.record, rollback);
        }
        if self.record.state != State::Trial {
            return Err(InstallError::State(self.record.state));
        }
        rollback.check_boot(self.running.manifest.sequence)?;
        let record = Record {
            state: State::Updated,
            active: self.running.into(),
            accepted: true,
            clean: false,
            boots: 0,
            cause: 0,
            progress: 0,
            staging: None,
            ..self.record
        };
        self.put(flash, record)?;
        Ok(rollback.raise(self.running.manifest.sequence)?)
    }

    /// Gives up an image: the one on trial (`Rejected`: reboot to go back), or a staged one (`Failed`).
    ///
    /// *Power loss:* the old state or the new one.
    ///
    /// # Errors
    /// [`InstallError::State`] in other states; flash errors, which change nothing.
    pub fn reject<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), InstallError> {
        let record = match self.record.state {
            State::Trial => {
                let mut record = self.record;
                revert(&mut record, InstallError::Rejected.code(), true);
                record.state = State::Rejected;
                record
            }
            State::Staged => Record {
                state: State::Failed,
                cause: InstallError::Cancelled.code(),
                ..self.record
            },
            state => return Err(InstallError::State(state)),
        };
        self.put(flash, record)
    }

    /// Tells a boot loader that does not read the journal what the journal says: call after `mount`,
    /// `install`, `accept` and `reject`. The journal comes first, so a cut in between is repaired here.
    ///
    /// # Errors
    /// [`BootControlError`]; call again.
    pub fn tell(&self, boot: &mut dyn BootControl) -> Result<(), BootControlError> {
        let active = self.record.active.slot;
        match self.record.state {
            State::Staged => boot.select(active.other(), Trial::Once),
            // The trial is under way: choosing again would start another or end it.
            State::Trial => Ok(()),
            _ => boot.select(active, Trial::Permanent),
        }
    }
}

impl From<Running> for Image {
    fn from(running: Running) -> Self {
        Self {
            slot: running.slot,
            manifest: running.manifest,
        }
    }
}

/// Brings what the journal says together with what is running, which was authenticated and so is right.
pub(super) fn reconcile(record: Option<Record>, running: Running) -> Record {
    let Some(record) = record else {
        return Record::initial(running.into());
    };
    if record.active.slot == running.slot {
        let record = match record.state {
            State::Trial => {
                let mut record = record;
                revert(&mut record, InstallError::TrialExpired.code(), true);
                record
            }
            State::Rejected => Record {
                state: State::Failed,
                ..record
            },
            _ => record,
        };
        if record.active.manifest == running.manifest {
            return record;
        }
        // The slot was filled by other means.
        return Record {
            active: running.into(),
            accepted: false,
            ..record
        };
    }
    match record.state {
        State::Staged if record.staging == Some(running.manifest) => Record {
            state: State::Trial,
            boots: 1,
            ..record
        },
        State::Trial if record.staging == Some(running.manifest) => record,
        State::Rejected if record.staging == Some(running.manifest) => record,
        // The boot loader fell back: the other slot is the broken one, and free.
        _ => Record {
            rejected: record.rejected,
            ..Record::initial(running.into())
        },
    }
}
