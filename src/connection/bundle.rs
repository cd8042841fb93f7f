use iotsec_core::{
    crypto::DIGEST_LEN,
    error::{ErrorCode, Fault},
};
use iotsec_net::{
    certificate::{AnchorError, AnchorRotation, MAX_ANCHORS, TrustAnchor},
    time::CertificateTime,
};
use iotsec_update::trust::{TlsAnchor, TrustBundle};

/// The TLS anchors of a trust bundle, sorted: certificates, and pins.
///
/// Entries with a certificate are anchors. Entries with the SHA-256 of a SubjectPublicKeyInfo are pins, which stand on
/// top of anchors and never instead; a policy wants none or two of them at least.
///
/// ```
/// # use iotsec::update::trust::TrustBundle;
/// use iotsec::{
///     connection::{BundleAnchors, BundleAnchorsError},
///     net::{
///         certificate::{AnchorRotation, PinSet, PolicyError, ServerPolicy, algorithm},
///         time::CertificateTime,
///     },
/// };
///
/// /// Connects to a server under the anchors that count.
/// fn policy_of<R>(
///     bundle: &TrustBundle<'_>,
///     rotation: &AnchorRotation,
///     time: CertificateTime,
///     connect: impl FnOnce(ServerPolicy<'_>) -> R,
/// ) -> Result<R, Box<dyn std::error::Error>> {
///     let offered = BundleAnchors::of(bundle)?;
///     let believed = offered.believed(rotation, time)?;
///     let mut policy = ServerPolicy::new(believed.as_slice(), algorithm::ALL)?;
///     if !offered.pins().is_empty() {
///         policy = policy.with_pins(PinSet::new(offered.pins(), algorithm::sha256)?);
///     }
///     Ok(connect(policy))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BundleAnchors<'a> {
    certificates: [&'a [u8]; TrustBundle::MAX_TLS],
    certificate_count: usize,
    pins: [[u8; DIGEST_LEN]; TrustBundle::MAX_TLS],
    pin_count: usize,
}

impl<'a> BundleAnchors<'a> {
    /// Sorts them.
    ///
    /// # Errors
    /// [`BundleAnchorsError::None`] for a bundle without a certificate.
    pub fn of(bundle: &TrustBundle<'a>) -> Result<Self, BundleAnchorsError> {
        let mut sorted = Self {
            certificates: [&[]; TrustBundle::MAX_TLS],
            certificate_count: 0,
            pins: [[0; DIGEST_LEN]; TrustBundle::MAX_TLS],
            pin_count: 0,
        };
        for anchor in bundle.tls_anchors() {
            match anchor {
                TlsAnchor::Certificate(certificate) => {
                    if let Some(place) = sorted.certificates.get_mut(sorted.certificate_count) {
                        *place = certificate;
                        sorted.certificate_count = sorted.certificate_count.saturating_add(1);
                    }
                }
                TlsAnchor::Spki(pin) => {
                    if let Some(place) = sorted.pins.get_mut(sorted.pin_count) {
                        *place = *pin;
                        sorted.pin_count = sorted.pin_count.saturating_add(1);
                    }
                }
                // A bundle of a later format is refused before it comes here.
                _ => return Err(BundleAnchorsError::Unknown),
            }
        }
        match sorted.certificate_count {
            0 => Err(BundleAnchorsError::None),
            _ => Ok(sorted),
        }
    }

    /// The certificates: what an [`AnchorRotation`] adopts.
    pub fn certificates(&self) -> &[&'a [u8]] {
        self.certificates
            .get(..self.certificate_count)
            .unwrap_or_default()
    }

    /// The pins.
    pub fn pins(&self) -> &[[u8; DIGEST_LEN]] {
        self.pins.get(..self.pin_count).unwrap_or_default()
    }

    /// The anchors to be believed at this time: those of the bundle that can be, and the old one while they are
    /// rehearsed. One that has ended or is no CA is left out.
    ///
    /// # Errors
    /// [`BundleAnchorsError::Anchor`] when none is left, with the reason of the last.
    pub fn believed<'b>(
        &self,
        rotation: &'b AnchorRotation,
        time: CertificateTime,
    ) -> Result<BelievedAnchors<'b>, BundleAnchorsError>
    where
        'a: 'b,
    {
        let certificates = self.certificates().iter().copied();
        let all = || certificates.clone().chain(rotation.retained(self.certificates()));
        let read = || all().map(|certificate| TrustAnchor::from_der(certificate, time));
        let mut good = read().filter_map(Result::ok);
        let Some(first) = good.next() else {
            let reason = read().find_map(Result::err);
            return Err(reason.map_or(BundleAnchorsError::None, BundleAnchorsError::Anchor));
        };
        let mut count = 1_usize;
        let mut anchors: [TrustAnchor<'b>; MAX_ANCHORS] = core::array::from_fn(|_| first.clone());
        for (place, anchor) in anchors.iter_mut().skip(1).zip(good) {
            *place = anchor;
            count = count.saturating_add(1);
        }
        Ok(BelievedAnchors { anchors, count })
    }
}

/// Anchors for a policy.
#[derive(Clone, Debug)]
pub struct BelievedAnchors<'b> {
    anchors: [TrustAnchor<'b>; MAX_ANCHORS],
    count: usize,
}

impl<'b> BelievedAnchors<'b> {
    /// All of them, one at least.
    pub fn as_slice(&self) -> &[TrustAnchor<'b>] {
        self.anchors.get(..self.count).unwrap_or_default()
    }
}

/// Why a trust bundle gives no anchors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BundleAnchorsError {
    /// It has no certificate.
    #[error("no TLS anchor in the trust bundle")]
    None,
    /// It has an entry that is not known here.
    #[error("TLS anchor of an unknown kind")]
    Unknown,
    /// No certificate can be believed.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
}

impl ErrorCode for BundleAnchorsError {
    fn code(&self) -> u16 {
        match self {
            Self::None => 6401,
            Self::Unknown => 6402,
            Self::Anchor(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        Fault::Input
    }
}
