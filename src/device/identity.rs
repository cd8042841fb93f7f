//! The device's rotating identity, and what it says of itself with it.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    attest::{BootSeed, Claims, Component, InstanceId, Lifecycle, LifecycleState, Nonce},
    crypto::{Digest, Sign},
    hal::DebugState,
    identity::Rotation,
};
use iotsec_store::keys::{KeyKind, KeySuite};
use rand_core::TryCryptoRng;

use super::{Device, DeviceError, InService, record::IDENTITY_NAMESPACE};
use crate::identity::StoredIdentity;

/// What a device is asked to attest, and what it does not know of itself.
#[derive(Clone, Copy, Debug)]
pub struct Attestation<'a> {
    /// From whoever asks.
    pub nonce: Nonce<'a>,
    /// Which hardware it is, the same for all of one kind: the implementation id of RFC 9783 §4.2.2.
    pub hardware: &'a [u8; 32],
    /// Who asked on the device: positive from the secure side, zero and below from the other.
    pub client_id: i32,
    /// What the hardware says of its debug interface.
    pub debug: DebugState,
    /// What boot measured: [`Verified::digest`](iotsec_update::boot::Verified::digest) of each image, and the digest of
    /// the manifest.
    pub components: &'a [Component<'a>],
    /// A random number of this boot.
    pub boot_seed: Option<BootSeed<'a>>,
}

impl<'d, S: InService, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, S, F, R, N> {
    /// The identity that [`Rotation`] works on, in the device's own store: five values in the device domain that no
    /// application reads and that go when the device is retired. `keys` makes keys of that `kind`.
    ///
    /// It is made by [`Rotation::initialise`], at the station or in the field, with the certificate that a request over
    /// its key brings. The key of [`Enrolment::identity`](super::Enrolment::identity) is another one: it signs receipts
    /// of erasure and does not rotate.
    ///
    /// *Power loss:* as [`Rotation`].
    ///
    /// ```
    /// # use iotsec::{core::crypto::*, core::hal::DebugState, store::keys::{Algorithm, KeyKind, KeySuite, SignAlgorithm}};
    /// # use iotsec::device::{Attestation, Device, DeviceError, Owned};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// # type Unit<'d> = Device<'d, Owned, SimFlash, SimRng, 16>;
    /// use iotsec::core::attest::{Claims, Component, Nonce};
    /// use iotsec::core::identity::{CertificationRequest, Rotation, RotationStatus, Subject};
    ///
    /// const SIGN: &[&dyn SignAlgorithm] = &[&Algorithm::<Ed25519SigningKey>::NEW];
    ///
    /// fn ask_for_a_certificate(device: &mut Unit<'_>, out: &mut [u8]) -> Result<usize, DeviceError> {
    ///     let keys = KeySuite { sign: SIGN, ..KeySuite::new(&HkdfSha256) };
    ///     let mut identity = device.identity(keys, KeyKind::Ed25519);
    ///     let mut rotation = Rotation::open(&mut identity)?;
    ///     if rotation.status() == RotationStatus::Idle {
    ///         rotation.start::<Ed25519PublicKey, _>(&mut identity)?;
    ///     }
    ///     let subject = Subject::new("LAMP-0042").map_err(|error| DeviceError::Rotation(error.into()))?;
    ///     Ok(rotation.request(&mut identity, &subject, out)?.len())
    /// }
    ///
    /// fn attest<'o>(device: &mut Unit<'_>, nonce: &[u8; 32], digest: &[u8; 32], out: &'o mut [u8]) -> Result<&'o [u8], DeviceError> {
    ///     let components = [Component::image("App", digest, "1.4.2", &[3; 32])]; // what boot measured
    ///     let attestation = Attestation {
    ///         nonce: Nonce::new(nonce)?,
    ///         hardware: b"lamp-2, revision C of the board ",
    ///         client_id: 1,
    ///         debug: DebugState::Closed,
    ///         components: &components,
    ///         boot_seed: None,
    ///     };
    ///     let keys = KeySuite { sign: SIGN, ..KeySuite::new(&HkdfSha256) };
    ///     let mut scratch = [0; Claims::max_scratch(1)];
    ///     device.attest(keys, KeyKind::Ed25519, &attestation, &mut Sha256::new(), &mut scratch, out)
    /// }
    /// ```
    /// A device that is not provisioned is nobody:
    /// ```compile_fail,E0277
    /// # use iotsec::{core::crypto::HkdfSha256, device::{Device, Factory}, store::keys::{KeyKind, KeySuite}};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// fn nobody(device: &mut Device<'_, Factory, SimFlash, SimRng, 16>) {
    ///     let _ = device.identity(KeySuite::new(&HkdfSha256), KeyKind::Ed25519);
    /// }
    /// ```
    pub fn identity<'s>(&'s mut self, keys: KeySuite<'s>, kind: KeyKind) -> StoredIdentity<'s, 'd, F, R> {
        StoredIdentity {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
            rng: &mut self.hardware.rng,
            keys,
            kind,
            namespace: IDENTITY_NAMESPACE,
        }
    }

    /// Signs an attestation token with the active identity (RFC 9783). Which device it is and where it is in its life
    /// are the device's to say: the instance is that of the key, the life cycle is secured unless the debug interface is
    /// open.
    ///
    /// `scratch` and `out` as [`Claims::sign`] has it.
    ///
    /// *Power loss:* nothing is lost; a rotation that was cut before is cleared up first.
    ///
    /// # Errors
    /// [`DeviceError::Rotation`] without an identity, or when the store fails; [`DeviceError::Attest`].
    pub fn attest<'o>(
        &mut self,
        keys: KeySuite<'_>,
        kind: KeyKind,
        attestation: &Attestation<'_>,
        hash: &mut dyn Digest,
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], DeviceError> {
        let mut identity = self.identity(keys, kind);
        let rotation = Rotation::open(&mut identity)?;
        let key = rotation.key(&mut identity)?;
        let claims = Claims {
            nonce: attestation.nonce,
            instance_id: InstanceId::of(key.public_key(), hash),
            implementation_id: attestation.hardware,
            client_id: attestation.client_id,
            lifecycle: Lifecycle::new(LifecycleState::Secured, 0).with_debug_port(attestation.debug),
            components: attestation.components,
            boot_seed: attestation.boot_seed,
            boot_seed_for_tfm: false,
            certification: None,
            service: None,
        };
        let token = claims.sign(&key, scratch, out);
        match key.error() {
            Some(error) => Err(error.into()),
            None => Ok(token?),
        }
    }
}

iotsec_core::claim! {
    provisions: ["5.4-2"],
    claims: "The identity key of a device is out of the application's reach: it is not read, replaced or removed by it",
    code: [Device::identity],
    tests: [
        "iotsec::device_identity::no_application_reads_or_writes_it_and_its_namespace_is_free_for_the_owner",
    ],
}
