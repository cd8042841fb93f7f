//! One suite over the interface of ring, which AWS-LC's crate offers as well.

/// The AEADs named, and P-256, of the crate `$library`; `$open` is the one call in which the two differ.
macro_rules! suite {
    ($library:ident, $open:expr, $($(#[$doc:meta])* $aead:ident = $algorithm:ident),+) => {
        use $crate::{
            crypto::{
                self, Aead, AeadAlgorithm, CryptoError, DIGEST_LEN, KeyType, NONCE_LEN, SIGNATURE_LEN, Sign, TAG_LEN,
                Verify,
            },
            secret::Secret,
        };
        use ::$library::{aead, rand::SystemRandom, signature};

        fn key(algorithm: &'static aead::Algorithm, key: &Secret<32>) -> Result<aead::LessSafeKey, CryptoError> {
            let key = aead::UnboundKey::new(algorithm, key.expose()).map_err(|_| CryptoError::KeyLength)?;
            Ok(aead::LessSafeKey::new(key))
        }

        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default)]
            pub struct $aead;

            impl Aead for $aead {
                fn algorithm(&self) -> AeadAlgorithm {
                    AeadAlgorithm::$aead
                }
                fn seal(
                    &self,
                    secret: &Secret<32>,
                    nonce: &[u8; NONCE_LEN],
                    aad: &[u8],
                    buffer: &mut [u8],
                ) -> Result<[u8; TAG_LEN], CryptoError> {
                    let nonce = aead::Nonce::assume_unique_for_key(*nonce);
                    let tag = key(&aead::$algorithm, secret)?
                        .seal_in_place_separate_tag(nonce, aead::Aad::from(aad), buffer)
                        .map_err(|_| CryptoError::Length)?;
                    tag.as_ref().try_into().map_err(|_| CryptoError::Driver)
                }
                fn open(
                    &self,
                    secret: &Secret<32>,
                    nonce: &[u8; NONCE_LEN],
                    aad: &[u8],
                    buffer: &mut [u8],
                    tag: &[u8; TAG_LEN],
                ) -> Result<(), CryptoError> {
                    let key = key(&aead::$algorithm, secret)?;
                    let nonce = aead::Nonce::assume_unique_for_key(*nonce);
                    if $open(&key, nonce, aead::Aad::from(aad), tag, buffer) {
                        return Ok(());
                    }
                    // The library may leave anything in the buffer.
                    zeroize::Zeroize::zeroize(buffer);
                    Err(CryptoError::Tag)
                }
            }
        )+

        /// A P-256 public key: a point on the curve, never the identity.
        #[derive(Clone, Debug)]
        pub struct P256PublicKey(crypto::P256PublicKey);

        impl P256PublicKey {
            /// Reads a SEC1 point, compressed (33 bytes) or not (65 bytes).
            ///
            /// # Errors
            /// [`CryptoError::PublicKey`] for a point that is not on the curve.
            pub fn from_sec1(bytes: &[u8]) -> Result<Self, CryptoError> {
                crypto::P256PublicKey::from_sec1(bytes).map(Self)
            }
        }

        impl From<crypto::P256PublicKey> for P256PublicKey {
            fn from(key: crypto::P256PublicKey) -> Self {
                Self(key)
            }
        }

        impl Verify for P256PublicKey {
            fn key_type(&self) -> KeyType {
                KeyType::P256
            }
            fn public_key(&self) -> &[u8] {
                self.0.public_key()
            }
            fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
                signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, self.0.public_key())
                    .verify(message, signature)
                    .map_err(|_| CryptoError::Signature)
            }
            // The library has no such call.
            fn verify_prehash(&self, digest: &[u8; DIGEST_LEN], signature: &[u8]) -> Result<(), CryptoError> {
                self.0.verify_prehash(digest, signature)
            }
        }

        /// A P-256 private key. Signatures are randomised with the operating system's entropy.
        pub struct P256SigningKey {
            key: signature::EcdsaKeyPair,
            public: P256PublicKey,
        }

        impl P256SigningKey {
            /// The key of a 32-byte scalar.
            ///
            /// # Errors
            /// [`CryptoError::PublicKey`] for zero or a scalar that is not below the group order.
            pub fn from_scalar(scalar: &Secret<32>) -> Result<Self, CryptoError> {
                let public = P256PublicKey::from_sec1(crypto::P256SigningKey::from_scalar(scalar)?.public_key())?;
                let key = pair(scalar, public.public_key())?;
                Ok(Self { key, public })
            }
        }

        impl core::fmt::Debug for P256SigningKey {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("P256SigningKey(..)")
            }
        }

        impl Sign for P256SigningKey {
            fn key_type(&self) -> KeyType {
                KeyType::P256
            }
            fn public_key(&self) -> &[u8] {
                self.public.public_key()
            }
            fn sign(&self, message: &[u8], signature: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> {
                let made = self.key.sign(&SystemRandom::new(), message).map_err(|_| CryptoError::Driver)?;
                *signature = made.as_ref().try_into().map_err(|_| CryptoError::Driver)?;
                Ok(())
            }
        }
    };
}
pub(super) use suite;
