//! What was acknowledged, and what was lost other than by displacement, of every class.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::secret::Secret;

use super::{
    error::SpoolError,
    log::{Head, Log},
    medium::{Found, Medium},
    per_class, per_class_mut,
    span::Span,
};
use crate::registry::{Class, REGISTRY_HASH_LEN};

/// Numbers of an account in its slot.
pub(super) const ACCOUNT: usize = 9;
/// A page begins with the accounts of all classes. It counts once something stands behind them, which shows that they
/// were whole: what a cut has left of the last slot may read right by luck.
const FIRST: u32 = 4;
/// One slot for that, and one to go on.
pub(super) const MIN_SLOTS: u32 = 6;

/// The account of one class.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    /// Events before this one were acknowledged, or given up.
    pub(super) acked: u32,
    /// Lost, less those counted as displaced that have arrived; modulo 2³².
    pub(super) lost: u32,
    /// The grant that it is about; 0 where none is needed.
    pub(super) grant: u32,
    pub(super) span: Span,
}

impl Account {
    pub(super) const fn new(grant: u32) -> Self {
        Self {
            acked: 0,
            lost: 0,
            grant,
            span: Span::NEVER,
        }
    }

    fn to_numbers(self, class: Class, boot: u32) -> [u32; ACCOUNT] {
        let [a, b, c, d] = self.span.to_numbers();
        let class = class.number().into();
        [class, self.acked, self.lost, boot, self.grant, a, b, c, d]
    }

    /// With the class it is of, and the boot that wrote it.
    fn from_numbers(
        [class, acked, lost, boot, grant, a, b, c, d]: [u32; ACCOUNT],
    ) -> (Option<Class>, Self, u32) {
        let class = Class::ALL
            .into_iter()
            .find(|known| u32::from(known.number()) == class);
        let account = Self {
            acked,
            lost,
            grant,
            span: Span::from_numbers([a, b, c, d]),
        };
        (class, account, boot)
    }
}

pub(super) struct Journal {
    log: Log,
    key: Secret<32>,
    accounts: [Account; 4],
}

impl Journal {
    pub(super) fn open<F: NorFlash>(
        log: Log,
        medium: &Medium<'_>,
        flash: &mut F,
        key: Secret<32>,
        boot: u32,
    ) -> Result<Self, SpoolError> {
        let mut journal = Self {
            log,
            key,
            accounts: [Account::new(0); 4],
        };
        let Some(head) = journal.log.find(medium, flash, &journal.key)? else {
            return Ok(journal);
        };
        let end = journal.log.end::<F, ACCOUNT>(medium, flash, &journal.key)?;
        let last_boot = end
            .last
            .map_or(head.boot, |(_, numbers)| Account::from_numbers(numbers).2);
        if head.boot >= boot || last_boot >= boot {
            return Err(SpoolError::Boot);
        }
        journal.read(medium, flash)?;
        if end.end > FIRST {
            journal.log.resume(end.end, last_boot, boot);
        } else {
            // The accounts that it begins with may have been cut short. It is written again, and the page before is
            // kept until then.
            journal.log.newest = journal.log.newest.saturating_sub(1);
        }
        Ok(journal)
    }

    /// Takes the last account of every class, from the newest page or the one before.
    fn read<F: NorFlash>(&mut self, medium: &Medium<'_>, flash: &mut F) -> Result<(), SpoolError> {
        let mut found = [false; 4];
        for sequence in (self.log.oldest..=self.log.newest).rev().take(2) {
            for slot in (0..self.log.slots()).rev() {
                let place = self.log.slot(&medium.region, sequence, slot);
                let Found::Good(numbers) = medium.open::<F, ACCOUNT>(flash, &place, &self.key)? else {
                    continue;
                };
                let (Some(class), account, _) = Account::from_numbers(numbers) else {
                    continue;
                };
                if !core::mem::replace(per_class_mut(&mut found, class), true) {
                    *self.account_mut(class) = account;
                }
                if found == [true; 4] {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    pub(super) const fn account(&self, class: Class) -> &Account {
        per_class(&self.accounts, class)
    }

    pub(super) const fn account_mut(&mut self, class: Class) -> &mut Account {
        per_class_mut(&mut self.accounts, class)
    }

    /// Writes the accounts of `classes`, in a page of which at most one is opened.
    pub(super) fn save<F: NorFlash>(
        &mut self,
        medium: &Medium<'_>,
        flash: &mut F,
        classes: impl Iterator<Item = Class>,
        boot: u32,
    ) -> Result<(), SpoolError> {
        for class in classes {
            if self.log.newest == 0 || self.log.is_full() {
                let head = Head {
                    start: 0,
                    passed: 0,
                    lost: 0,
                    span: Span::NEVER,
                    boot,
                    registry: [0; REGISTRY_HASH_LEN],
                };
                let before = self.log;
                self.log.open_page(medium, flash, &self.key, &head)?;
                for class in Class::ALL.into_iter().chain([class]) {
                    if let Err(error) = self.append(medium, flash, class, boot) {
                        // The page before stays the newest, so that it is not the next to be erased.
                        self.log = before;
                        return Err(error);
                    }
                }
                return Ok(());
            }
            self.append(medium, flash, class, boot)?;
        }
        Ok(())
    }

    fn append<F: NorFlash>(
        &mut self,
        medium: &Medium<'_>,
        flash: &mut F,
        class: Class,
        boot: u32,
    ) -> Result<(), SpoolError> {
        let numbers = self.account(class).to_numbers(class, boot);
        self.log.append(medium, flash, &self.key, numbers)
    }
}
