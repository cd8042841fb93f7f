use iotsec_core::{
    cbor::Writer,
    cose::Key,
    crypto::{DIGEST_LEN, Digest},
    hal::UnixTime,
};

use super::{
    bundle::{DOMAIN, Role, TLS_CERTIFICATE, TLS_SPKI, TlsAnchor, TrustBundle, len},
    error::TrustError,
};

/// A trust bundle to be written, for hosts. [`SignBuilder`](iotsec_core::cose::SignBuilder) signs what
/// [`write`](Self::write) makes.
#[derive(Clone, Copy, Debug)]
pub struct TrustBundleContent<'a> {
    /// Its number.
    pub version: u64,
    /// After this time nothing counts under it but the step to the next.
    pub expires: Option<UnixTime>,
    /// Vendor identifier.
    pub vendor: [u8; 16],
    /// Class identifier.
    pub class: [u8; 16],
    /// All keys, each once.
    pub keys: &'a [Key<'a>],
    /// Who may do what: role, threshold, and places in `keys`, ascending. In the order of the roles'
    /// numbers.
    pub roles: &'a [(Role, u8, &'a [u8])],
    /// Thumbprints of revoked keys, ascending.
    pub revoked: &'a [[u8; DIGEST_LEN]],
    /// TLS anchors.
    pub tls: &'a [TlsAnchor<'a>],
}

impl TrustBundleContent<'_> {
    /// Writes the content and reads it back as a device would.
    ///
    /// # Errors
    /// What [`TrustBundle::parse`] says of it; [`TrustError::Encoding`] when `out` is too small.
    pub fn write<'o>(&self, hash: &mut dyn Digest, out: &'o mut [u8]) -> Result<&'o [u8], TrustError> {
        let mut writer = Writer::new(out);
        let optional = [
            self.expires.is_some(),
            !self.revoked.is_empty(),
            !self.tls.is_empty(),
        ];
        let optional = optional.iter().filter(|present| **present).count();
        writer.map(len(optional).saturating_add(6))?;
        writer.uint(0)?.text(DOMAIN)?.uint(1)?.uint(self.version)?;
        if let Some(expires) = self.expires {
            writer.uint(2)?.uint(expires.0)?;
        }
        writer.uint(3)?.bytes(&self.vendor)?.uint(4)?.bytes(&self.class)?;
        writer.uint(5)?.array(len(self.keys.len()))?;
        for key in self.keys {
            writer.raw(key.write(&mut [0; Key::MAX_LEN])?)?;
        }
        writer.uint(6)?.map(len(self.roles.len()))?;
        for (role, threshold, places) in self.roles {
            writer.uint(role.number().into())?.array(2)?;
            writer.uint((*threshold).into())?.array(len(places.len()))?;
            for place in *places {
                writer.uint((*place).into())?;
            }
        }
        if !self.revoked.is_empty() {
            writer.uint(7)?.array(len(self.revoked.len()))?;
            for thumbprint in self.revoked {
                writer.bytes(thumbprint)?;
            }
        }
        if !self.tls.is_empty() {
            writer.uint(8)?.array(len(self.tls.len()))?;
            for anchor in self.tls {
                match anchor {
                    TlsAnchor::Certificate(der) => writer.array(2)?.uint(TLS_CERTIFICATE)?.bytes(der)?,
                    TlsAnchor::Spki(digest) => writer.array(2)?.uint(TLS_SPKI)?.bytes(*digest)?,
                };
            }
        }
        let payload = writer.finish()?;
        TrustBundle::parse(payload, hash)?;
        Ok(payload)
    }
}
