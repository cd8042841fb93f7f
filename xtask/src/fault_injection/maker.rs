//! Whose signature counts, and what others make of it.

use iotsec::{
    core::{
        crypto::{
            CryptoError, Ed25519PublicKey, Ed25519SigningKey, KeyType, SIGNATURE_LEN, Sha256, Sign, Verify,
        },
        secret::Secret,
    },
    update::{
        ComponentId, SequenceNumber,
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
    },
};

use super::device::{CLASS, COMPONENT, VENDOR};
use crate::tool::Failure;

/// A key pair.
pub(super) struct Maker {
    pub(super) key: Box<dyn Sign>,
    pub(super) public: Box<dyn Verify>,
}

impl Maker {
    /// For a device that checks signatures in hardware.
    pub(super) fn with_unit(key: u8) -> Self {
        Self {
            key: Box::new(SigningUnit([key; 32])),
            public: Box::new(SigningUnit([key; 32])),
        }
    }

    /// For a device that checks Ed25519 in software.
    pub(super) fn in_software() -> Result<Self, Failure> {
        let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
        let public = Ed25519PublicKey::from_bytes(key.public_key())?;
        Ok(Self {
            key: Box::new(key),
            public: Box::new(public),
        })
    }

    /// A signed envelope for an image.
    pub(super) fn envelope(&self, sequence: SequenceNumber, image: &[u8]) -> Result<Vec<u8>, Failure> {
        let component = ManifestComponent {
            id: ComponentId::from_encoded(COMPONENT)?,
            digest: Sha256::of(&[image]),
            size: u32::try_from(image.len())?,
            payload: Payload::Uri("coap://fw"),
            transport: None,
            invoke: true,
        };
        let (mut scratch, mut out) = ([0; 512], [0; 512]);
        let signer = Signer {
            key: &*self.key,
            kid: None,
        };
        let envelope = EnvelopeBuilder::new(VENDOR, CLASS, sequence, &[component]).write(
            &[signer],
            &mut Sha256::new(),
            &mut scratch,
            &mut out,
        )?;
        Ok(envelope.to_vec())
    }
}

/// Where the authentication of an envelope with one signature and no key identifier ends, with the signature.
const AUTHENTICATION_END: usize = 121;

/// The envelope with another last byte of its signature.
pub(super) fn bad_signature(envelope: &[u8]) -> Vec<u8> {
    let mut envelope = envelope.to_vec();
    envelope[AUTHENTICATION_END - 1] ^= 1;
    envelope
}

/// The authentication of one envelope before the manifest of another.
pub(super) fn graft(authentication: &[u8], manifest: &[u8]) -> Vec<u8> {
    [
        &authentication[..AUTHENTICATION_END],
        &manifest[AUTHENTICATION_END..],
    ]
    .concat()
}

/// The other half of `SignatureUnit` in `firmware/fault-injection`.
struct SigningUnit([u8; 32]);

impl Sign for SigningUnit {
    fn key_type(&self) -> KeyType {
        KeyType::Ed25519
    }
    fn public_key(&self) -> &[u8] {
        &self.0
    }
    fn sign(&self, message: &[u8], signature: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> {
        let digest = Sha256::of(&[&self.0, message]);
        let (first, second) = signature.split_at_mut(32);
        first.copy_from_slice(&digest);
        second.copy_from_slice(&digest.map(|byte| !byte));
        Ok(())
    }
}

impl Verify for SigningUnit {
    fn key_type(&self) -> KeyType {
        KeyType::Ed25519
    }
    fn public_key(&self) -> &[u8] {
        &self.0
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let mut expected = [0; SIGNATURE_LEN];
        self.sign(message, &mut expected)?;
        if signature == expected {
            Ok(())
        } else {
            Err(CryptoError::Signature)
        }
    }
}

#[cfg(test)]
mod tests {
    use iotsec::update::{Envelope, Limits, TrustAnchor, TrustAnchors, UpdateError};

    use super::*;

    fn refusal(envelope: &[u8], maker: &Maker) -> Option<UpdateError> {
        let anchors = [TrustAnchor {
            key: &*maker.public,
            kid: None,
        }];
        let anchors = TrustAnchors::new(&anchors, 1).unwrap();
        let envelope = Envelope::parse(envelope, &Limits::DEFAULT).unwrap();
        envelope.authenticate(&anchors, &mut Sha256::new()).err()
    }

    #[test]
    fn each_forgery_is_refused_for_its_own_reason() {
        for (maker, stranger) in [
            (Maker::with_unit(7), Maker::with_unit(9)),
            (Maker::in_software().unwrap(), Maker::with_unit(9)),
        ] {
            let genuine = maker.envelope(SequenceNumber(1), b"image").unwrap();
            let foreign = stranger.envelope(SequenceNumber(1), b"other").unwrap();
            assert_eq!(refusal(&genuine, &maker), None);
            assert_eq!(refusal(&foreign, &maker), Some(UpdateError::Threshold));
            assert_eq!(
                refusal(&bad_signature(&genuine), &maker),
                Some(UpdateError::Threshold)
            );
            let grafted = graft(&genuine, &foreign);
            assert_eq!(refusal(&grafted, &maker), Some(UpdateError::ManifestDigest));
        }
    }
}
