use super::{
    der::{self, Writer},
    error::IdentityError,
};

/// Whom a certificate is to name: a serial number, and optionally a common name and an organization.
///
/// ```text
/// Name = SEQUENCE OF { [ O: UTF8String ], [ CN: UTF8String ], serialNumber: PrintableString }
/// ```
///
/// The serial number is what tells one unit from another (IEEE 802.1AR-2018 §8.6; RFC 5280 appendix A: 1 to 64
/// characters of PrintableString). The others have 1 to 64 bytes of UTF-8 without control characters.
///
/// ```
/// use iotsec_core::identity::{IdentityError, Subject};
///
/// let subject = Subject::new("LAMP-0042")?.common_name("Lamp 2")?.organization("Example Ltd")?;
/// assert_eq!(subject.serial(), "LAMP-0042");
/// assert_eq!(Subject::new("LAMP_0042").err(), Some(IdentityError::Subject));
/// # Ok::<(), IdentityError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    serial: &'a str,
    common_name: Option<&'a str>,
    organization: Option<&'a str>,
}

/// `ub-common-name`, `ub-organization-name` and `ub-serial-number` (RFC 5280 appendix A.1).
pub(super) const MAX_TEXT: usize = 64;

const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
const SERIAL_NUMBER: [u8; 3] = [0x55, 0x04, 0x05];
const ORGANIZATION: [u8; 3] = [0x55, 0x04, 0x0A];

impl<'a> Subject<'a> {
    /// A subject of a serial number alone.
    ///
    /// # Errors
    /// [`IdentityError::Subject`] unless it is 1 to 64 letters, digits, spaces and `'()+,-./:=?`.
    pub fn new(serial: &'a str) -> Result<Self, IdentityError> {
        let printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
        if serial.is_empty() || serial.len() > MAX_TEXT || !serial.bytes().all(printable) {
            return Err(IdentityError::Subject);
        }
        Ok(Self {
            serial,
            common_name: None,
            organization: None,
        })
    }

    /// With a common name.
    ///
    /// # Errors
    /// [`IdentityError::Subject`] unless it has 1 to 64 bytes and no control character.
    pub fn common_name(mut self, name: &'a str) -> Result<Self, IdentityError> {
        self.common_name = Some(text(name)?);
        Ok(self)
    }

    /// With an organization.
    ///
    /// # Errors
    /// [`IdentityError::Subject`] unless it has 1 to 64 bytes and no control character.
    pub fn organization(mut self, name: &'a str) -> Result<Self, IdentityError> {
        self.organization = Some(text(name)?);
        Ok(self)
    }

    /// The serial number.
    pub const fn serial(&self) -> &'a str {
        self.serial
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), IdentityError> {
        let mark = writer.mark();
        attribute(writer, SERIAL_NUMBER, der::PRINTABLE_STRING, self.serial)?;
        if let Some(name) = self.common_name {
            attribute(writer, COMMON_NAME, der::UTF8_STRING, name)?;
        }
        if let Some(name) = self.organization {
            attribute(writer, ORGANIZATION, der::UTF8_STRING, name)?;
        }
        writer.wrap(der::SEQUENCE, mark)
    }
}

fn text(name: &str) -> Result<&str, IdentityError> {
    if name.is_empty() || name.len() > MAX_TEXT || name.chars().any(char::is_control) {
        return Err(IdentityError::Subject);
    }
    Ok(name)
}

fn attribute(writer: &mut Writer<'_>, oid: [u8; 3], tag: u8, text: &str) -> Result<(), IdentityError> {
    let mark = writer.mark();
    writer.value(tag, text.as_bytes())?;
    writer.value(der::OID, &oid)?;
    writer.wrap(der::SEQUENCE, mark)?;
    writer.wrap(der::SET, mark)
}
