//! The fields of a certificate that the policy looks at, read more strictly than those who build paths need to.

use iotsec_core::hal::{Date, UnixTime};

use super::{
    MAX_CERTIFICATE_LEN,
    der::{
        self, BIT_STRING, BOOLEAN, CONTEXT_0, CONTEXT_1, CONTEXT_3, GENERALIZED_TIME, INTEGER, OCTET_STRING,
        OID, Reader, SEQUENCE, UTC_TIME,
    },
    key::{KeyFault, KeyKind},
};

/// The arc `id-ce` (RFC 5280 §4.2.1), in front of the number of an extension.
const ID_CE: [u8; 2] = [0x55, 0x1D];
const KEY_USAGE: u8 = 15;
const ALTERNATIVE_NAMES: u8 = 17;
const BASIC_CONSTRAINTS: u8 = 19;
const NAME_CONSTRAINTS: u8 = 30;
const EXTENDED_KEY_USAGE: u8 = 37;

/// `digitalSignature` (RFC 5280 §4.2.1.3).
pub(super) const DIGITAL_SIGNATURE: u8 = 0x80;
/// `keyCertSign`.
pub(super) const KEY_CERT_SIGN: u8 = 0x04;
/// `cRLSign`.
pub(super) const CRL_SIGN: u8 = 0x02;

/// `dNSName` of a GeneralName (RFC 5280 §4.2.1.6).
pub(super) const DNS_NAME: u8 = 0x82;
/// `iPAddress`.
pub(super) const IP_ADDRESS: u8 = 0x87;

/// Extensions of one certificate; those of the large public CAs have ten.
const MAX_EXTENSIONS: usize = 24;

/// Signature algorithms that are believed: ECDSA with SHA-2 (RFC 5758 §3.2), Ed25519 (RFC 8410 §3), RSA with SHA-2
/// (RFC 8017 §A.2).
const SIGNATURES: [&[u8]; 8] = [
    &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02],
    &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03],
    &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04],
    &[0x2B, 0x65, 0x70],
    &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B],
    &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0C],
    &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0D],
    &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A],
];

/// Why a certificate is not even read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldFault {
    Length,
    Malformed,
    Version,
    Validity,
    Signature,
    Extensions,
    CriticalExtension,
    Key(KeyFault),
}

/// CA, and how many issuers may stand below it.
#[derive(Clone, Copy, Debug)]
pub(super) struct BasicConstraints {
    pub(super) is_ca: bool,
    pub(super) is_critical: bool,
}

/// What a certificate says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    /// The content of the INTEGER.
    pub(super) serial: &'a [u8],
    /// The content of the sequence, as of every name here.
    pub(super) issuer: &'a [u8],
    pub(super) not_before: UnixTime,
    pub(super) not_after: UnixTime,
    pub(super) subject: &'a [u8],
    /// The whole SubjectPublicKeyInfo, which is what a pin is the digest of.
    pub(super) spki: &'a [u8],
    /// Its content.
    pub(super) spki_content: &'a [u8],
    pub(super) key: KeyKind,
    pub(super) basic_constraints: Option<BasicConstraints>,
    /// The first eight bits.
    pub(super) key_usage: Option<u8>,
    /// Key purposes, one OID after the other.
    pub(super) key_purposes: Option<&'a [u8]>,
    /// General names, one after the other.
    pub(super) names: Option<&'a [u8]>,
    /// The content of NameConstraints.
    pub(super) name_constraints: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// Reads one certificate and nothing after it.
    pub(super) fn read(certificate: &'a [u8]) -> Result<Self, FieldFault> {
        if certificate.is_empty() || certificate.len() > MAX_CERTIFICATE_LEN {
            return Err(FieldFault::Length);
        }
        let malformed = FieldFault::Malformed;
        let parts = (|| {
            let mut outer = Reader::new(der::only(certificate, SEQUENCE)?);
            let to_be_signed = outer.expect(SEQUENCE)?;
            let signature = outer.expect(SEQUENCE)?;
            let [0, ..] = outer.expect(BIT_STRING)? else {
                return None;
            };
            outer.end()?;
            Some((Reader::new(to_be_signed), signature))
        })();
        let (mut reader, signature) = parts.ok_or(malformed)?;
        let version = reader.optional(CONTEXT_0).ok_or(malformed)?;
        if version.and_then(|version| der::only(version, INTEGER)) != Some(&[2]) {
            return Err(FieldFault::Version);
        }
        let serial = reader.expect(INTEGER).ok_or(malformed)?;
        if reader.expect(SEQUENCE) != Some(signature) {
            return Err(malformed);
        }
        let algorithm = Reader::new(signature).expect(OID).ok_or(malformed)?;
        if !SIGNATURES.contains(&algorithm) {
            return Err(FieldFault::Signature);
        }
        let issuer = reader.expect(SEQUENCE).ok_or(malformed)?;
        let validity = reader.expect(SEQUENCE).and_then(read_validity);
        let (not_before, not_after) = validity.ok_or(malformed)?;
        if not_before > not_after {
            return Err(FieldFault::Validity);
        }
        let subject = reader.expect(SEQUENCE).ok_or(malformed)?;
        let (SEQUENCE, key, spki) = reader.next().ok_or(malformed)? else {
            return Err(malformed);
        };
        let mut fields = Self {
            serial,
            issuer,
            not_before,
            not_after,
            subject,
            spki,
            spki_content: key,
            key: KeyKind::of(key).map_err(FieldFault::Key)?,
            basic_constraints: None,
            key_usage: None,
            key_purposes: None,
            names: None,
            name_constraints: None,
        };
        if let Some(extensions) = reader.optional(CONTEXT_3).ok_or(malformed)? {
            fields.read_extensions(der::only(extensions, SEQUENCE).ok_or(malformed)?)?;
        }
        reader.end().ok_or(malformed)?;
        Ok(fields)
    }

    fn read_extensions(&mut self, extensions: &'a [u8]) -> Result<(), FieldFault> {
        let mut reader = Reader::new(extensions);
        let mut seen: [&[u8]; MAX_EXTENSIONS] = [&[]; MAX_EXTENSIONS];
        let mut places = seen.iter_mut();
        let mut names_are_critical = false;
        while !reader.is_empty() {
            let (oid, is_critical, value) = read_extension(&mut reader).ok_or(FieldFault::Malformed)?;
            *places.next().ok_or(FieldFault::Extensions)? = oid;
            let malformed = FieldFault::Malformed;
            match oid.strip_prefix(&ID_CE) {
                Some([KEY_USAGE]) => self.key_usage = Some(read_key_usage(value).ok_or(malformed)?),
                Some([ALTERNATIVE_NAMES]) => {
                    names_are_critical = is_critical;
                    self.names = Some(read_list(value, |_| true).ok_or(malformed)?);
                }
                Some([BASIC_CONSTRAINTS]) => {
                    let constraints = read_basic_constraints(value, is_critical);
                    self.basic_constraints = Some(constraints.ok_or(malformed)?);
                }
                Some([NAME_CONSTRAINTS]) => {
                    // Critical, and saying something (RFC 5280 §4.2.1.10).
                    let subtrees = read_list(value, |tag| matches!(tag, CONTEXT_0 | CONTEXT_1));
                    self.name_constraints = Some(subtrees.filter(|_| is_critical).ok_or(malformed)?);
                }
                Some([EXTENDED_KEY_USAGE]) => {
                    self.key_purposes = Some(read_list(value, |tag| tag == OID).ok_or(malformed)?);
                }
                _ if is_critical => return Err(FieldFault::CriticalExtension),
                _ => {}
            }
        }
        let mut rest = seen.as_slice();
        while let [first, others @ ..] = rest {
            if !first.is_empty() && others.contains(first) {
                return Err(FieldFault::Extensions);
            }
            rest = others;
        }
        // Whoever has no other name must be named by names that nobody may overlook (RFC 5280 §4.2.1.6).
        if self.subject.is_empty() && !names_are_critical {
            return Err(FieldFault::Malformed);
        }
        Ok(())
    }

    /// Whether it may issue others: `CA:TRUE`, critical, and `keyCertSign` (RFC 5280 §4.2.1.3, §4.2.1.9).
    pub(super) fn is_issuer(&self) -> bool {
        let is_ca = self
            .basic_constraints
            .is_some_and(|constraints| constraints.is_ca && constraints.is_critical);
        is_ca && self.may(KEY_CERT_SIGN)
    }

    /// Whether the key usage is stated and has this bit.
    pub(super) fn may(&self, usage: u8) -> bool {
        self.key_usage.is_some_and(|bits| bits & usage != 0)
    }

    /// The key purposes, as contents of OIDs.
    pub(super) fn purposes(&self) -> impl Iterator<Item = &'a [u8]> {
        values(self.key_purposes).map(|(_, oid)| oid)
    }

    /// The alternative names of one kind.
    pub(super) fn names(&self, kind: u8) -> impl Iterator<Item = &'a [u8]> {
        values(self.names).filter_map(move |(tag, name)| (tag == kind).then_some(name))
    }
}

fn values(list: Option<&[u8]>) -> impl Iterator<Item = (u8, &[u8])> {
    let mut reader = Reader::new(list.unwrap_or_default());
    core::iter::from_fn(move || reader.next().map(|(tag, content, _)| (tag, content)))
}

/// OID, whether it is critical, and value.
fn read_extension<'a>(reader: &mut Reader<'a>) -> Option<(&'a [u8], bool, &'a [u8])> {
    let mut extension = Reader::new(reader.expect(SEQUENCE)?);
    let oid = extension.expect(OID)?;
    let is_critical = match extension.optional(BOOLEAN)? {
        // What is the default is not written (X.690 §11.5).
        Some(written) => der::boolean(written)?.then_some(true)?,
        None => false,
    };
    let value = extension.expect(OCTET_STRING)?;
    extension.end()?;
    (!oid.is_empty()).then_some((oid, is_critical, value))
}

/// The first eight of named bits that are written without zeros at their end (X.690 §11.2.2).
fn read_key_usage(value: &[u8]) -> Option<u8> {
    let [unused @ 0..=7, bits @ ..] = der::only(value, BIT_STRING)? else {
        return None;
    };
    let last = bits.last()?;
    let is_shortest = last.trailing_zeros() == u32::from(*unused);
    is_shortest.then_some(())?;
    bits.first().copied()
}

fn read_basic_constraints(value: &[u8], is_critical: bool) -> Option<BasicConstraints> {
    let mut reader = Reader::new(der::only(value, SEQUENCE)?);
    let is_ca = match reader.optional(BOOLEAN)? {
        Some(written) => der::boolean(written)?.then_some(true)?,
        None => false,
    };
    if let Some(path_len) = reader.optional(INTEGER)? {
        der::unsigned(path_len)?;
        is_ca.then_some(())?;
    }
    reader.end()?;
    Some(BasicConstraints { is_ca, is_critical })
}

/// The content of a sequence of at least one value, all of which have a tag that is wanted.
fn read_list(value: &[u8], is_wanted: impl Fn(u8) -> bool) -> Option<&[u8]> {
    let list = der::only(value, SEQUENCE)?;
    let mut reader = Reader::new(list);
    while {
        let (tag, content, _) = reader.next()?;
        (is_wanted(tag) && !content.is_empty()).then_some(())?;
        !reader.is_empty()
    } {}
    Some(list)
}

fn read_validity(validity: &[u8]) -> Option<(UnixTime, UnixTime)> {
    let mut reader = Reader::new(validity);
    let not_before = read_time(&mut reader)?;
    let not_after = read_time(&mut reader)?;
    reader.end()?;
    Some((not_before, not_after))
}

/// Until 2049 as UTCTime, from then on as GeneralizedTime, in whole seconds and UTC (RFC 5280 §4.1.2.5).
fn read_time(reader: &mut Reader<'_>) -> Option<UnixTime> {
    let (tag, text, _) = reader.next()?;
    let (year, rest) = match (tag, text) {
        (UTC_TIME, [a, b, rest @ ..]) => match digits(*a, *b)? {
            year @ 50.. => (year.checked_add(1900)?, rest),
            year => (year.checked_add(2000)?, rest),
        },
        (GENERALIZED_TIME, [a, b, c, d, rest @ ..]) => {
            let year = digits(*a, *b)?.checked_mul(100)?.checked_add(digits(*c, *d)?)?;
            (year.ge(&2050).then_some(year)?, rest)
        }
        _ => return None,
    };
    let [m0, m1, d0, d1, h0, h1, i0, i1, s0, s1, b'Z'] = rest else {
        return None;
    };
    let (month, day) = (digits(*m0, *m1)?, digits(*d0, *d1)?);
    let (hour, minute, second) = (digits(*h0, *h1)?, digits(*i0, *i1)?, digits(*s0, *s1)?);
    let is_time = hour < 24 && minute < 60 && second < 60;
    is_time.then_some(())?;
    let date = Date::new(
        u16::try_from(year).ok()?,
        u8::try_from(month).ok()?,
        u8::try_from(day).ok()?,
    )?;
    let minutes = hour.checked_mul(60)?.checked_add(minute)?;
    let seconds = minutes.checked_mul(60)?.checked_add(second)?;
    date.start().0.checked_add(seconds).map(UnixTime)
}

fn digits(tens: u8, ones: u8) -> Option<u64> {
    let digit = |byte: u8| char::from(byte).to_digit(10).map(u64::from);
    digit(tens)?.checked_mul(10)?.checked_add(digit(ones)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(tag: u8, text: &[u8]) -> Option<u64> {
        let mut bytes = std::vec![tag, u8::try_from(text.len()).unwrap()];
        bytes.extend_from_slice(text);
        read_time(&mut Reader::new(&bytes)).map(|time| time.0)
    }

    #[test]
    fn times_are_read_as_rfc_5280_writes_them() {
        assert_eq!(time(UTC_TIME, b"700101000000Z"), Some(0));
        assert_eq!(time(UTC_TIME, b"000229235959Z"), Some(951_868_799));
        assert_eq!(time(UTC_TIME, b"491231235959Z"), Some(2_524_607_999));
        assert_eq!(time(GENERALIZED_TIME, b"20500101000000Z"), Some(2_524_608_000));
        assert_eq!(time(GENERALIZED_TIME, b"99991231235959Z"), Some(253_402_300_799));
        for text in [
            &b"690101000000Z"[..],
            b"010229000000Z",
            b"261301000000Z",
            b"260001000000Z",
            b"260132000000Z",
            b"260100000000Z",
            b"260101240000Z",
            b"260101006000Z",
            b"260101000060Z",
            b"2601010000Z",
            b"260101000000",
            b"260101000000+0000",
            b"26010100000aZ",
        ] {
            assert_eq!(time(UTC_TIME, text), None);
        }
        assert_eq!(time(GENERALIZED_TIME, b"20491231235959Z"), None);
        assert_eq!(time(GENERALIZED_TIME, b"20500101000000.5Z"), None);
    }
}
