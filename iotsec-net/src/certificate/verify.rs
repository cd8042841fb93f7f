use core::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

use iotsec_core::{hal, input::Host};
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, DnsName, InvalidSignature, ServerName,
    SignatureVerificationAlgorithm, UnixTime,
};
use webpki::{
    EndEntityCert, ExpirationPolicy, KeyUsage, RevocationCheckDepth, RevocationOptionsBuilder,
    UnknownStatusPolicy, VerifiedPath,
};

use super::{
    MAX_ANCHORS, MAX_CHAIN, MAX_SIGNATURES,
    anchor::TrustAnchor,
    der,
    error::CertificateError,
    fields::{DIGITAL_SIGNATURE, DNS_NAME, Fields, IP_ADDRESS, KEY_CERT_SIGN},
    policy::{ClientPolicy, MAX_ALGORITHMS, Rules, ServerPolicy, Wildcards},
    revocation::{Depth, Revocation, UnknownStatus},
    token::{VerifiedClient, VerifiedServer, can_check},
};
use crate::time::CertificateTime;

/// `id-kp-serverAuth` (RFC 5280 §4.2.1.12).
const SERVER_AUTH: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
/// `id-kp-clientAuth`.
const CLIENT_AUTH: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
/// `anyExtendedKeyUsage`.
const ANY_PURPOSE: &[u8] = &[0x55, 0x1D, 0x25, 0x00];
/// Bytes of a serial number (RFC 5280 §4.1.2.2).
const MAX_SERIAL_LEN: usize = 20;

/// Verifies that the certificates of a server, leaf first as the server sent them, lead from `host` to an anchor of the
/// policy at this time.
///
/// ```
/// # let root: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/certificate/root.der"));
/// # let leaf: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/certificate/good.der"));
/// use iotsec_core::{hal::UnixTime, input::Host};
/// use iotsec_net::certificate::{CertificateError, ServerPolicy, TrustAnchor, algorithm, verify_server_chain};
/// use iotsec_net::time::CertificateTime;
///
/// let now = CertificateTime::exact(UnixTime(1_800_000_000));
/// let anchors = [TrustAnchor::from_der(root, now)?];
/// let policy = ServerPolicy::new(&anchors, algorithm::ALL)?;
/// let server = verify_server_chain(&[leaf], &Host::parse(b"broker.example")?, now, &policy)?;
/// // The handshake goes on: 0x0403 is ecdsa_secp256r1_sha256.
/// assert_eq!(
///     server.verify_signature(0x0403, b"transcript", b"no signature"),
///     Err(CertificateError::HandshakeSignature),
/// );
/// let other = verify_server_chain(&[leaf], &Host::parse(b"evil.example")?, now, &policy);
/// assert_eq!(other.unwrap_err(), CertificateError::Host);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CertificateError`].
pub fn verify_server_chain<'a>(
    chain: &[&'a [u8]],
    host: &Host<'_>,
    time: CertificateTime,
    policy: &ServerPolicy<'a>,
) -> Result<VerifiedServer<'a>, CertificateError> {
    let (leaf, fields, anchor) = verify(chain, time, &policy.rules, SERVER_AUTH, |certificate, fields| {
        check_host(certificate, fields, host, policy)
    })?;
    Ok(VerifiedServer::new(leaf, fields, policy.rules.algorithms, anchor))
}

iotsec_core::claim! {
    provisions: ["5.5-1"],
    claims: "A server is believed by a chain to an anchor of ours, for the host that was asked for, in its time and not revoked",
    code: [verify_server_chain],
    tests: [
        "iotsec-net::certificate::matrix::every_chain_gets_the_answer_it_must_get_by_every_suite",
        "iotsec-net::certificate::policy::a_revoked_certificate_is_refused_and_so_is_one_that_no_list_covers",
    ],
}

/// Verifies that the certificates of a client, leaf first, lead to an anchor of the policy at this time. Who the client
/// is, the application reads from the certificate.
///
/// # Errors
/// [`CertificateError`].
pub fn verify_client_chain<'a>(
    chain: &[&'a [u8]],
    time: CertificateTime,
    policy: &ClientPolicy<'a>,
) -> Result<VerifiedClient<'a>, CertificateError> {
    let (leaf, fields, anchor) = verify(chain, time, &policy.rules, CLIENT_AUTH, |_, _| Ok(()))?;
    Ok(VerifiedClient::new(leaf, fields, policy.rules.algorithms, anchor))
}

/// The leaf, its fields, and the place of the anchor.
fn verify<'a>(
    chain: &[&'a [u8]],
    time: CertificateTime,
    rules: &Rules<'a>,
    purpose: &'static [u8],
    check_name: impl FnOnce(&EndEntityCert<'_>, &Fields<'_>) -> Result<(), CertificateError>,
) -> Result<(&'a [u8], Fields<'a>, usize), CertificateError> {
    let (&leaf, issuers) = chain.split_first().ok_or(CertificateError::Empty)?;
    if chain.len() > MAX_CHAIN {
        return Err(CertificateError::ChainLength);
    }
    let fields = Fields::read(leaf)?;
    check_leaf(&fields, rules, purpose)?;
    let (mut begin, mut top) = (fields.not_before, fields.issuer);
    for issuer in issuers {
        let fields = Fields::read(issuer)?;
        if !fields.is_issuer() {
            return Err(CertificateError::IssuerNotCa);
        }
        if !rules.allows(fields.key) {
            return Err(CertificateError::KeySize);
        }
        check_serial(fields.serial)?;
        begin = begin.max(fields.not_before);
        top = fields.issuer;
    }
    // The first moment at which the chain can have been whole. With an exact time, that time.
    let now = time.since(begin);
    let of_leaf = CertificateDer::from(leaf);
    let certificate = EndEntityCert::try_from(&of_leaf)?;
    check_name(&certificate, &fields)?;
    let anchor = find_path(&certificate, issuers, now, rules, purpose).map_err(|error| {
        let has_ended = |anchor: &TrustAnchor<'_>| anchor.not_after() < now && anchor.subject() == top;
        match error {
            CertificateError::UnknownIssuer if rules.anchors.iter().any(has_ended) => {
                CertificateError::AnchorEnded
            }
            error => error,
        }
    })?;
    Ok((leaf, fields, anchor))
}

fn find_path(
    leaf: &EndEntityCert<'_>,
    issuers: &[&[u8]],
    now: hal::UnixTime,
    rules: &Rules<'_>,
    purpose: &'static [u8],
) -> Result<usize, CertificateError> {
    let no_anchor = || rustls_pki_types::TrustAnchor {
        subject: [].as_slice().into(),
        subject_public_key_info: [].as_slice().into(),
        name_constraints: None,
    };
    let mut anchors: [_; MAX_ANCHORS] = core::array::from_fn(|_| no_anchor());
    let mut count = 0_usize;
    let alive = rules.anchors.iter().filter(|anchor| anchor.not_after() >= now);
    for (place, anchor) in anchors.iter_mut().zip(alive) {
        *place = anchor.as_webpki().clone();
        count = count.saturating_add(1);
    }
    let anchors = anchors.get(..count).unwrap_or_default();
    let certificates: [_; MAX_CHAIN] =
        core::array::from_fn(|at| CertificateDer::from(issuers.get(at).copied().unwrap_or_default()));
    let certificates = certificates.get(..issuers.len()).unwrap_or_default();

    let left = AtomicUsize::new(MAX_SIGNATURES);
    let algorithms = rules.algorithms;
    let first = *algorithms.first().ok_or(CertificateError::SignatureAlgorithm)?;
    let counted: [Counted<'_>; MAX_ALGORITHMS] = core::array::from_fn(|at| Counted {
        inner: algorithms.get(at).copied().unwrap_or(first),
        left: &left,
    });
    let counted = counted
        .each_ref()
        .map(|one| -> &dyn SignatureVerificationAlgorithm { one });
    let counted = counted.get(..algorithms.len()).unwrap_or_default();

    let revocation = rules
        .revocation
        .and_then(|revocation| Some((revocation, revocation.lists.first()?)));
    let lists: Option<[_; Revocation::MAX_LISTS]> = revocation.map(|(revocation, first)| {
        core::array::from_fn(|at| revocation.lists.get(at).unwrap_or(first).as_webpki())
    });
    let revocation = match (revocation, &lists) {
        (Some((revocation, _)), Some(lists)) => {
            // webpki asks issuers whether they may sign lists, but no anchor.
            let is_unfit = |anchor: &TrustAnchor<'_>| {
                let has_list = lists.iter().any(|list| list.issuer() == anchor.subject());
                has_list && !anchor.signs_lists()
            };
            if rules.anchors.iter().any(is_unfit) {
                return Err(CertificateError::RevocationList);
            }
            let lists = lists.get(..revocation.lists.len()).unwrap_or_default();
            let options =
                RevocationOptionsBuilder::new(lists).map_err(|_| CertificateError::RevocationList)?;
            let options = options.with_expiration_policy(ExpirationPolicy::Enforce);
            let options = options.with_depth(match revocation.depth {
                Depth::Chain => RevocationCheckDepth::Chain,
                Depth::Leaf => RevocationCheckDepth::EndEntity,
            });
            let options = options.with_status_policy(match revocation.unknown {
                UnknownStatus::Refuse => UnknownStatusPolicy::Deny,
                UnknownStatus::Accept => UnknownStatusPolicy::Allow,
            });
            Some(options.build())
        }
        _ => None,
    };
    let (unpinned, found) = (Cell::new(false), Cell::new(None));
    let check_path = |path: &VerifiedPath<'_>| {
        let place = rules
            .anchors
            .iter()
            .position(|anchor| anchor.as_webpki() == path.anchor());
        let pinned = match (&rules.pins, place.and_then(|place| rules.anchors.get(place))) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(pins), Some(anchor)) => {
                let has_pin = |der: &[u8]| Fields::read(der).is_ok_and(|fields| pins.contains(fields.spki));
                pins.contains(anchor.public_key())
                    || has_pin(&path.end_entity().der())
                    || path
                        .intermediate_certificates()
                        .any(|issuer| has_pin(&issuer.der()))
            }
        };
        unpinned.set(unpinned.get() || !pinned);
        found.set(place);
        if pinned {
            Ok(())
        } else {
            Err(webpki::Error::UnknownIssuer)
        }
    };
    let usage = KeyUsage::required_if_present(purpose);
    let now = UnixTime::since_unix_epoch(core::time::Duration::from_secs(now.0));
    let path = leaf.verify_for_usage(
        counted,
        anchors,
        certificates,
        now,
        usage,
        revocation,
        Some(&check_path),
    );
    match path {
        Ok(_) => found.get().ok_or(CertificateError::UnknownIssuer),
        Err(_) if left.load(Ordering::Relaxed) == 0 => Err(CertificateError::Budget),
        Err(_) if unpinned.get() => Err(CertificateError::Pin),
        Err(error) => Err(error.into()),
    }
}

/// One of the policy's algorithms, and how many signatures may still be checked.
#[derive(Debug)]
struct Counted<'a> {
    inner: &'a dyn SignatureVerificationAlgorithm,
    left: &'a AtomicUsize,
}

impl SignatureVerificationAlgorithm for Counted<'_> {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        // Loaded and stored, as a Cortex-M0 cannot do it in one step. Nobody else counts here.
        let left = self
            .left
            .load(Ordering::Relaxed)
            .checked_sub(1)
            .ok_or(InvalidSignature)?;
        self.left.store(left, Ordering::Relaxed);
        self.inner.verify_signature(public_key, message, signature)
    }
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.public_key_alg_id()
    }
    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.signature_alg_id()
    }
}

fn check_leaf(fields: &Fields<'_>, rules: &Rules<'_>, purpose: &[u8]) -> Result<(), CertificateError> {
    if fields
        .basic_constraints
        .is_some_and(|constraints| constraints.is_ca)
    {
        return Err(CertificateError::PeerIsCa);
    }
    if fields.name_constraints.is_some() {
        return Err(CertificateError::NameConstraints);
    }
    if fields.key_usage.is_some() && (!fields.may(DIGITAL_SIGNATURE) || fields.may(KEY_CERT_SIGN)) {
        return Err(CertificateError::KeyUsage);
    }
    if !fields.purposes().any(|found| found == purpose) || fields.purposes().any(|found| found == ANY_PURPOSE)
    {
        return Err(CertificateError::KeyPurpose);
    }
    if !rules.allows(fields.key) {
        return Err(CertificateError::KeySize);
    }
    if !can_check(rules.algorithms, fields.key) {
        return Err(CertificateError::KeyKind);
    }
    check_serial(fields.serial)
}

/// Positive, in the shortest form, and not too long (RFC 5280 §4.1.2.2).
fn check_serial(serial: &[u8]) -> Result<(), CertificateError> {
    match der::unsigned(serial) {
        None | Some([0]) => Err(CertificateError::Serial),
        Some(_) if serial.len() > MAX_SERIAL_LEN => Err(CertificateError::Serial),
        Some(_) => Ok(()),
    }
}

fn check_host(
    certificate: &EndEntityCert<'_>,
    fields: &Fields<'_>,
    host: &Host<'_>,
    policy: &ServerPolicy<'_>,
) -> Result<(), CertificateError> {
    let name = match host {
        Host::Name(name) => {
            let name = DnsName::try_from(name.as_str()).map_err(|_| CertificateError::Host)?;
            ServerName::DnsName(name)
        }
        Host::V4(address) => {
            ServerName::IpAddress(rustls_pki_types::IpAddr::V4(address.addr().octets().into()))
        }
        Host::V6(address) => {
            ServerName::IpAddress(rustls_pki_types::IpAddr::V6(address.addr().segments().into()))
        }
    };
    let names_it = match host {
        Host::Name(name) => {
            let wanted = name.as_str().as_bytes();
            fields
                .names(DNS_NAME)
                .any(|found| found.eq_ignore_ascii_case(wanted))
        }
        _ if !policy.allow_ip => return Err(CertificateError::Address),
        Host::V4(address) => fields
            .names(IP_ADDRESS)
            .any(|found| found == address.addr().octets()),
        Host::V6(address) => fields
            .names(IP_ADDRESS)
            .any(|found| found == address.addr().octets()),
    };
    certificate.verify_is_valid_for_subject_name(&name)?;
    match (names_it, host, policy.wildcards) {
        (true, ..) => Ok(()),
        (false, Host::Name(name), Wildcards::LeftmostLabel) if is_below_star(fields, name.as_str()) => Ok(()),
        (false, Host::Name(_), _) => Err(CertificateError::Wildcard),
        (false, ..) => Err(CertificateError::Host),
    }
}

/// Whether a star and at least two labels stand for this name.
fn is_below_star(fields: &Fields<'_>, name: &str) -> bool {
    let Some((_, parent)) = name.split_once('.') else {
        return false;
    };
    let is_it = |found: &[u8]| {
        let found = found.strip_prefix(b"*.");
        found.is_some_and(|found| found.eq_ignore_ascii_case(parent.as_bytes()))
    };
    parent.contains('.') && fields.names(DNS_NAME).any(is_it)
}
