use iotsec_core::{hal::UnixTime, input::Host};
use iotsec_net::{
    certificate::{
        CertificateError, ClientPolicy, Depth, PinSet, PolicyError, Revocation, RevocationList, ServerPolicy,
        TrustAnchor, UnknownStatus, Wildcards, algorithm, verify_client_chain, verify_server_chain,
    },
    time::CertificateTime,
};

use crate::vector::{Chain, NOW, Vectors, file, plain, suites};

fn answer(chain: &Chain<'_>, policy: &ServerPolicy<'_>) -> Result<(), CertificateError> {
    verify_server_chain(&chain.certificates, &chain.host, NOW, policy).map(|_| ())
}

#[test]
fn a_pin_stands_on_top_of_the_chain_and_never_in_its_place() {
    let vectors = Vectors::read();
    let anchors = vectors.trust();
    let sha256 = algorithm::sha256;
    let pin_of = |der| {
        let anchor = TrustAnchor::from_der(der, NOW).unwrap();
        sha256(anchor.public_key())
    };
    let good = vectors.chain("good");
    let leaf = verify_server_chain(&good.certificates, &good.host, NOW, &plain(&anchors)).unwrap();
    let backup = [9; 32];
    let pinned = |chain: &str, pin| {
        let pins = [backup, pin];
        let policy = plain(&anchors).with_pins(PinSet::new(&pins, sha256).unwrap());
        answer(vectors.chain(chain), &policy)
    };
    assert_eq!(pinned("good", sha256(leaf.public_key())), Ok(()));
    assert_eq!(
        pinned("viainter", sha256(leaf.public_key())),
        Err(CertificateError::Pin)
    );
    assert_eq!(pinned("viainter", pin_of(file!("root.der"))), Ok(()));
    assert_eq!(
        pinned("viainter", pin_of(vectors.chain("viainter").certificates[1])),
        Ok(())
    );
    assert_eq!(pinned("good", [8; 32]), Err(CertificateError::Pin));
    // The certificate of the anchor that was sent along is not in the path of another anchor.
    assert_eq!(
        pinned("ed25519", pin_of(vectors.anchors[1])),
        Err(CertificateError::Pin)
    );
    let selfsigned = vectors.chain("selfsigned");
    let fields = webpki::EndEntityCert::try_from(&rustls_pki_types::CertificateDer::from(
        selfsigned.certificates[0],
    ))
    .unwrap()
    .subject_public_key_info();
    assert_eq!(
        pinned("selfsigned", sha256(&fields)),
        Err(CertificateError::UnknownIssuer)
    );
    assert_eq!(
        PinSet::new(&[backup, backup], sha256).unwrap_err(),
        PolicyError::Pins
    );
    assert_eq!(PinSet::new(&[], sha256).unwrap_err(), PolicyError::Pins);
}

#[test]
fn a_revoked_certificate_is_refused_and_so_is_one_that_no_list_covers() {
    let vectors = Vectors::read();
    let anchors = vectors.trust();
    let list = |der| RevocationList::from_der(der).unwrap();
    let judge = |chain: &str, lists: &[RevocationList<'_>], depth, unknown| {
        let revocation = Revocation::new(lists).unwrap();
        let policy = plain(&anchors).with_revocation(revocation.with_depth(depth).with_unknown(unknown));
        answer(vectors.chain(chain), &policy)
    };
    let (chain, leaf) = (Depth::Chain, Depth::Leaf);
    let (refuse, accept) = (UnknownStatus::Refuse, UnknownStatus::Accept);
    let clean = || list(file!("crl_root_clean.der"));
    assert_eq!(judge("good", &[clean()], chain, refuse), Ok(()));
    let revoked = [list(file!("crl_root_good_revoked.der"))];
    assert_eq!(
        judge("good", &revoked, chain, refuse),
        Err(CertificateError::Revoked)
    );
    assert_eq!(
        judge("good", &revoked, leaf, accept),
        Err(CertificateError::Revoked)
    );
    // Not covered: the leaf of another issuer.
    let unknown = Err(CertificateError::RevocationUnknown);
    assert_eq!(judge("viainter", &[clean()], chain, refuse), unknown);
    assert_eq!(judge("viainter", &[clean()], chain, accept), Ok(()));
    assert_eq!(judge("viainter", &[clean()], leaf, refuse), unknown);
    let both = [clean(), list(file!("crl_inter_clean.der"))];
    assert_eq!(judge("viainter", &both, chain, refuse), Ok(()));
    let issuer = [
        list(file!("crl_root_inter_revoked.der")),
        list(file!("crl_inter_clean.der")),
    ];
    assert_eq!(
        judge("viainter", &issuer, chain, refuse),
        Err(CertificateError::Revoked)
    );
    assert_eq!(judge("viainter", &issuer, leaf, refuse), Ok(()));
    // A list that has ended says nothing, even where the unknown is accepted.
    let ended = [list(file!("crl_root_ended.der"))];
    assert_eq!(
        judge("good", &ended, chain, accept),
        Err(CertificateError::RevocationEnded)
    );
    // A list of the right name that another key signed.
    let mut forged = file!("crl_root_clean.der").to_vec();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(
        judge("good", &[list(&forged)], chain, accept),
        Err(CertificateError::RevocationList)
    );
    assert_eq!(
        RevocationList::from_der(file!("good.der")).unwrap_err(),
        CertificateError::RevocationList
    );
    assert_eq!(Revocation::new(&[]).unwrap_err(), PolicyError::Revocation);
}

#[test]
fn wildcards_and_addresses_pass_where_the_policy_says_so() {
    let vectors = Vectors::read();
    let anchors = vectors.trust();
    let wild = plain(&anchors).with_wildcards(Wildcards::LeftmostLabel);
    let chain = vectors.chain("wildcard_two");
    assert_eq!(answer(chain, &wild), Ok(()));
    for (host, expected) in [
        ("broker.example", CertificateError::Host),
        ("a.b.broker.example", CertificateError::Host),
        ("a.other.example", CertificateError::Host),
    ] {
        let host = Host::parse(host.as_bytes()).unwrap();
        let answer = verify_server_chain(&chain.certificates, &host, NOW, &wild);
        assert_eq!(answer.unwrap_err(), expected);
    }
    // One label after the star is a public suffix more often than not.
    assert!(answer(vectors.chain("wildcard"), &wild).is_err());
    let with_ip = plain(&anchors).with_ip();
    assert_eq!(answer(vectors.chain("address"), &with_ip), Ok(()));
    assert_eq!(
        answer(vectors.chain("address_as_name"), &with_ip),
        Err(CertificateError::Host)
    );
}

#[test]
fn without_a_clock_a_chain_is_judged_at_the_first_moment_that_can_be() {
    let vectors = Vectors::read();
    let anchors = vectors.trust();
    let judge = |chain: &str, time| {
        let chain = vectors.chain(chain);
        verify_server_chain(&chain.certificates, &chain.host, time, &plain(&anchors)).map(|_| ())
    };
    let begin = 1_767_225_600; // 2026-01-01, when every certificate begins
    let end = 4_102_444_799; // 2099-12-31
    let floor = |floor, max_age| CertificateTime::at_least(UnixTime(floor), max_age);
    assert_eq!(judge("viainter", floor(begin - 100, 100)), Ok(()));
    assert_eq!(
        judge("viainter", floor(begin - 100, 99)),
        Err(CertificateError::NotYetValid)
    );
    assert_eq!(judge("viainter", floor(end, 0)), Ok(()));
    // One second later the anchor has ended with all the rest.
    assert!(judge("viainter", floor(end + 1, u64::MAX)).is_err());
    // A floor never brings back what ended before it.
    assert_eq!(
        judge("expired", floor(1_609_459_201, u64::MAX)),
        Err(CertificateError::Ended)
    );
    assert_eq!(
        judge("notyet", floor(begin, 10 * 365 * 86_400)),
        Err(CertificateError::NotYetValid)
    );
    assert_eq!(
        judge("issuer_expired", floor(begin, 86_400)),
        Err(CertificateError::Ended)
    );
}

#[test]
fn an_anchor_that_ended_after_it_was_read_leads_nowhere() {
    let der = file!("anchor_ended.der");
    let before = CertificateTime::exact(UnixTime(1_770_000_000));
    let anchors = [TrustAnchor::from_der(der, before).unwrap()];
    assert!(TrustAnchor::from_der(der, NOW).is_err());
    // It issued itself and nothing else, and a CA is no server: the order of these checks does not matter to that.
    let vectors = Vectors::read();
    let good = vectors.chain("good");
    let answer = verify_server_chain(&good.certificates, &good.host, NOW, &plain(&anchors));
    assert_eq!(answer.unwrap_err(), CertificateError::UnknownIssuer);
    let late = CertificateTime::exact(UnixTime(4_102_444_800));
    let anchors = vectors.trust();
    let answer = verify_server_chain(&good.certificates, &good.host, late, &plain(&anchors));
    assert!(matches!(
        answer.unwrap_err(),
        CertificateError::Ended | CertificateError::AnchorEnded
    ));
}

#[test]
fn a_client_is_verified_by_the_same_rules() {
    let vectors = Vectors::read();
    let anchors = vectors.trust();
    let policy = ClientPolicy::new(&anchors, algorithm::ALL).unwrap();
    let judge =
        |chain: &str| verify_client_chain(&vectors.chain(chain).certificates, NOW, &policy).map(|_| ());
    assert_eq!(judge("device"), Ok(()));
    assert_eq!(judge("client"), Ok(()));
    assert_eq!(judge("good"), Err(CertificateError::KeyPurpose));
    assert_eq!(judge("forged"), Err(CertificateError::KeyPurpose));
    assert_eq!(judge("selfsigned"), Err(CertificateError::KeyPurpose));
    let chain = vectors.chain("client");
    let client = verify_client_chain(&chain.certificates, NOW, &policy).unwrap();
    assert_eq!(
        client.verify_signature(chain.scheme, vectors.message, chain.signature),
        Ok(())
    );
}

#[test]
fn a_policy_needs_anchors_and_algorithms_within_bounds() {
    let vectors = Vectors::read();
    let anchors = vectors.trust();
    let ten = vec![anchors[0].clone(); 10];
    assert_eq!(
        ServerPolicy::new(&[], algorithm::ALL).unwrap_err(),
        PolicyError::Anchors
    );
    assert_eq!(
        ServerPolicy::new(&ten, algorithm::ALL).unwrap_err(),
        PolicyError::Anchors
    );
    assert_eq!(
        ServerPolicy::new(&anchors, &[]).unwrap_err(),
        PolicyError::Algorithms
    );
    let many = [algorithm::ALL[0]; 33];
    assert_eq!(
        ServerPolicy::new(&anchors, &many).unwrap_err(),
        PolicyError::Algorithms
    );
    for bits in [0, 2047, 8193] {
        assert_eq!(
            plain(&anchors).with_min_rsa_bits(bits).unwrap_err(),
            PolicyError::KeySize
        );
    }
    let strict = ServerPolicy::new(&anchors, suites()[0].1).unwrap();
    let strict = strict.with_min_rsa_bits(3072).unwrap();
    assert_eq!(
        answer(vectors.chain("rsa2048"), &strict),
        Err(CertificateError::KeySize)
    );
    // Nine anchors of one name: the work stays within its budget, and the right one is found.
    let nine = vec![anchors[0].clone(); 9];
    assert_eq!(answer(vectors.chain("four"), &plain(&nine)), Ok(()));
    let mut impostors = vec![TrustAnchor::from_der(file!("impostor.der"), NOW).unwrap(); 8];
    impostors.push(anchors[0].clone());
    assert_eq!(answer(vectors.chain("good"), &plain(&impostors)), Ok(()));
    assert_eq!(answer(vectors.chain("impostor"), &plain(&impostors)), Ok(()));
}
