use iotsec_core::error::{ErrorCode, Fault};
use rustls_pki_types::SignatureVerificationAlgorithm;

use super::{
    MAX_ANCHORS,
    anchor::TrustAnchor,
    key::{KeyKind, MAX_RSA_BITS, MIN_RSA_BITS},
    pin::PinSet,
    revocation::Revocation,
};

/// Algorithms of a policy; AWS-LC brings 27.
pub(super) const MAX_ALGORITHMS: usize = 32;

/// What holds for every chain, whoever shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub(super) anchors: &'a [TrustAnchor<'a>],
    pub(super) algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
    pub(super) pins: Option<PinSet<'a>>,
    pub(super) revocation: Option<Revocation<'a>>,
    pub(super) min_rsa_bits: u16,
}

impl<'a> Rules<'a> {
    const fn new(
        anchors: &'a [TrustAnchor<'a>],
        algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
    ) -> Result<Self, PolicyError> {
        if anchors.is_empty() || anchors.len() > MAX_ANCHORS {
            return Err(PolicyError::Anchors);
        }
        if algorithms.is_empty() || algorithms.len() > MAX_ALGORITHMS {
            return Err(PolicyError::Algorithms);
        }
        Ok(Self {
            anchors,
            algorithms,
            pins: None,
            revocation: None,
            min_rsa_bits: MIN_RSA_BITS,
        })
    }

    pub(super) fn allows(&self, key: KeyKind) -> bool {
        match key {
            KeyKind::Rsa(bits) => bits >= self.min_rsa_bits,
            _ => true,
        }
    }
}

/// Whether certificates of servers may stand for many hosts at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wildcards {
    /// A certificate must name the host.
    #[default]
    Refuse,
    /// `*.b.c` stands for `a.b.c`, and for neither `b.c` nor `x.a.b.c`; at least two labels follow the star (RFC 9525
    /// §6.3). Which suffixes belong to the public is not known here, so the anchors should be the maker's own.
    LeftmostLabel,
}

/// What a server must show to be believed.
///
/// ```
/// # let root: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/certificate/root.der"));
/// use iotsec_core::hal::UnixTime;
/// use iotsec_net::certificate::{PolicyError, ServerPolicy, TrustAnchor, algorithm};
/// use iotsec_net::time::CertificateTime;
///
/// let now = CertificateTime::exact(UnixTime(1_800_000_000));
/// let anchors = [TrustAnchor::from_der(root, now)?];
/// let policy = ServerPolicy::new(&anchors, algorithm::ALL)?;
/// assert_eq!(ServerPolicy::new(&[], algorithm::ALL).unwrap_err(), PolicyError::Anchors);
/// # let _ = policy;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ServerPolicy<'a> {
    pub(super) rules: Rules<'a>,
    pub(super) wildcards: Wildcards,
    pub(super) allow_ip: bool,
}

impl<'a> ServerPolicy<'a> {
    /// Believes servers that these anchors lead to, by the algorithms given, as [`algorithm::ALL`](super::algorithm::ALL),
    /// or `webpki::ring` and `webpki::aws_lc_rs` on Linux. Two anchors are better than one: the present one, and the one
    /// that comes after it.
    ///
    /// # Errors
    /// [`PolicyError::Anchors`] for none or more than [`MAX_ANCHORS`]; [`PolicyError::Algorithms`] for none or more
    /// than 32.
    pub const fn new(
        anchors: &'a [TrustAnchor<'a>],
        algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
    ) -> Result<Self, PolicyError> {
        match Rules::new(anchors, algorithms) {
            Ok(rules) => Ok(Self {
                rules,
                wildcards: Wildcards::Refuse,
                allow_ip: false,
            }),
            Err(error) => Err(error),
        }
    }

    /// Wants a pinned key in the path as well.
    #[must_use]
    pub const fn with_pins(mut self, pins: PinSet<'a>) -> Self {
        self.rules.pins = Some(pins);
        self
    }

    /// Refuses revoked certificates.
    #[must_use]
    pub const fn with_revocation(mut self, revocation: Revocation<'a>) -> Self {
        self.rules.revocation = Some(revocation);
        self
    }

    /// With certificates that stand for many hosts.
    #[must_use]
    pub const fn with_wildcards(mut self, wildcards: Wildcards) -> Self {
        self.wildcards = wildcards;
        self
    }

    /// Believes servers that are known by their address alone, too.
    #[must_use]
    pub const fn with_ip(mut self) -> Self {
        self.allow_ip = true;
        self
    }

    /// Wants larger RSA keys than 2048 bits.
    ///
    /// # Errors
    /// [`PolicyError::KeySize`] below 2048 and above 8192.
    pub const fn with_min_rsa_bits(mut self, bits: u16) -> Result<Self, PolicyError> {
        if bits < MIN_RSA_BITS || bits > MAX_RSA_BITS {
            return Err(PolicyError::KeySize);
        }
        self.rules.min_rsa_bits = bits;
        Ok(self)
    }

    /// The anchors.
    pub const fn anchors(&self) -> &'a [TrustAnchor<'a>] {
        self.rules.anchors
    }

    /// The algorithms.
    pub const fn algorithms(&self) -> &'a [&'a dyn SignatureVerificationAlgorithm] {
        self.rules.algorithms
    }
}

/// What a client must show to a server of ours to be believed.
#[derive(Clone, Copy, Debug)]
pub struct ClientPolicy<'a> {
    pub(super) rules: Rules<'a>,
}

impl<'a> ClientPolicy<'a> {
    /// Believes clients that these anchors lead to. As for [`ServerPolicy::new`].
    ///
    /// # Errors
    /// As [`ServerPolicy::new`].
    pub const fn new(
        anchors: &'a [TrustAnchor<'a>],
        algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
    ) -> Result<Self, PolicyError> {
        match Rules::new(anchors, algorithms) {
            Ok(rules) => Ok(Self { rules }),
            Err(error) => Err(error),
        }
    }

    /// Refuses revoked certificates.
    #[must_use]
    pub const fn with_revocation(mut self, revocation: Revocation<'a>) -> Self {
        self.rules.revocation = Some(revocation);
        self
    }
}

/// Why a policy cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No anchor, or more than [`MAX_ANCHORS`].
    #[error("no trust anchor, or more than {MAX_ANCHORS}")]
    Anchors,
    /// No algorithm, or more than 32.
    #[error("no algorithm, or more than {MAX_ALGORITHMS}")]
    Algorithms,
    /// Fewer than two pins that differ.
    #[error("fewer than two pins")]
    Pins,
    /// No revocation list, or more than [`Revocation::MAX_LISTS`].
    #[error("no revocation list, or too many")]
    Revocation,
    /// A size of RSA keys outside 2048 to 8192 bits.
    #[error("size of RSA keys out of range")]
    KeySize,
}

impl ErrorCode for PolicyError {
    fn code(&self) -> u16 {
        match self {
            Self::Anchors => 5061,
            Self::Algorithms => 5062,
            Self::Pins => 5063,
            Self::Revocation => 5064,
            Self::KeySize => 5065,
        }
    }

    fn fault(&self) -> Fault {
        Fault::Misuse
    }
}
