use super::{Class, Field, Handling, MAX_FIELDS, MAX_WHY_LEN, field};
use crate::error::RegistryError;

/// The declaration of one event.
///
/// ```
/// use iotsec_telemetry::registry::{Class, EventDef, Field};
///
/// const STORAGE_LOW: EventDef = EventDef::new(
///     12, "storage.low", Class::Health, "Tells when a device is about to stop recording",
///     &[Field::number("free", "%", 0, 100)],
/// );
/// assert_eq!(STORAGE_LOW.fields().len(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventDef {
    id: u16,
    name: &'static str,
    class: Class,
    why: &'static str,
    fields: &'static [Field],
    handling: Option<Handling>,
}

impl EventDef {
    /// Declares an event. It is checked when it joins a [`Registry`](super::Registry).
    ///
    /// `why` says in plain words what it is collected for. The field with the widest bounds should stand
    /// last: its size on the wire then follows the value and not the bounds.
    pub const fn new(
        id: u16,
        name: &'static str,
        class: Class,
        why: &'static str,
        fields: &'static [Field],
    ) -> Self {
        Self {
            id,
            name,
            class,
            why,
            fields,
            handling: None,
        }
    }

    /// Handled otherwise than the rest of its registry.
    #[must_use]
    pub const fn handled(mut self, handling: Handling) -> Self {
        self.handling = Some(handling);
        self
    }

    /// Its number, which keeps its meaning for ever.
    pub const fn id(&self) -> u16 {
        self.id
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How urgent it is.
    pub const fn class(&self) -> Class {
        self.class
    }

    /// Why it is collected.
    pub const fn why(&self) -> &'static str {
        self.why
    }

    /// What it carries.
    pub const fn fields(&self) -> &'static [Field] {
        self.fields
    }

    /// Its own handling, where it differs from the registry's.
    pub const fn handling(&self) -> Option<Handling> {
        self.handling
    }

    pub(super) const fn check(&self, events: u64) -> Result<(), RegistryError> {
        if !field::name_fits(self.name) {
            return Err(RegistryError::Name);
        }
        if self.why.is_empty() || self.why.len() > MAX_WHY_LEN {
            return Err(RegistryError::Why);
        }
        if self.fields.len() > MAX_FIELDS {
            return Err(RegistryError::Count);
        }
        if let Some(handling) = &self.handling
            && let Err(error) = handling.check()
        {
            return Err(error);
        }
        match self.combinations() {
            Ok(combinations) if combinations.checked_mul(events).is_some() => Ok(()),
            Ok(_) => Err(RegistryError::TooWide),
            Err(error) => Err(error),
        }
    }

    /// One more than the largest number that the fields give together.
    const fn combinations(&self) -> Result<u64, RegistryError> {
        let mut product = 1u64;
        let mut fields = self.fields;
        while let [field, rest @ ..] = fields {
            product = match field.check() {
                Ok(range) => match product.checked_mul(range) {
                    Some(product) => product,
                    None => return Err(RegistryError::TooWide),
                },
                Err(error) => return Err(error),
            };
            fields = rest;
        }
        Ok(product)
    }
}
