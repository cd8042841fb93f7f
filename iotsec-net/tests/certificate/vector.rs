//! `vectors/certificate`, as its README says.

use iotsec_core::{
    cbor::{Limits, Reader},
    hal::UnixTime,
    input::Host,
};
use iotsec_net::{
    certificate::{ServerPolicy, SignatureVerificationAlgorithm, TrustAnchor, algorithm},
    time::CertificateTime,
};

/// 2027-01-15, when the chains are valid.
pub(crate) const NOW: CertificateTime = CertificateTime::exact(UnixTime(1_800_000_000));

/// A file of the vectors.
macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../vectors/certificate/",
            $name
        ))
        .as_slice()
    };
}
pub(crate) use file;

pub(crate) struct Chain<'a> {
    pub(crate) name: &'a str,
    pub(crate) host: Host<'a>,
    /// The number of the error that must be given, zero for none.
    pub(crate) error: u64,
    /// The same where P-256 and Ed25519 are all that can be checked.
    pub(crate) small_error: u64,
    pub(crate) certificates: Vec<&'a [u8]>,
    pub(crate) scheme: u16,
    pub(crate) signature: &'a [u8],
}

pub(crate) struct Vectors {
    pub(crate) matrix: usize,
    pub(crate) message: &'static [u8],
    pub(crate) anchors: Vec<&'static [u8]>,
    pub(crate) chains: Vec<Chain<'static>>,
}

impl Vectors {
    pub(crate) fn read() -> Self {
        let limits = Limits {
            depth: 4,
            items: 2000,
            bytes: 1 << 20,
        };
        let mut reader = Reader::new(file!("chains.cbor"), &limits).unwrap();
        assert_eq!(reader.array().unwrap(), 4);
        let matrix = reader.uint_as().unwrap();
        let message = reader.bytes().unwrap();
        let read_list = |reader: &mut Reader<'static>| {
            let count = reader.array().unwrap();
            (0..count).map(|_| reader.bytes().unwrap()).collect()
        };
        let anchors = read_list(&mut reader);
        let count = reader.array().unwrap();
        let read_chain = |_| {
            reader.array_len(7).unwrap();
            Chain {
                name: reader.text().unwrap(),
                host: Host::parse(reader.text().unwrap().as_bytes()).unwrap(),
                error: reader.uint().unwrap(),
                small_error: reader.uint().unwrap(),
                certificates: read_list(&mut reader),
                scheme: reader.uint_as().unwrap(),
                signature: reader.bytes().unwrap(),
            }
        };
        let chains = (0..count).map(read_chain).collect();
        reader.finish().unwrap();
        Self {
            matrix,
            message,
            anchors,
            chains,
        }
    }

    pub(crate) fn chain(&self, name: &str) -> &Chain<'static> {
        self.chains.iter().find(|chain| chain.name == name).unwrap()
    }

    pub(crate) fn trust(&self) -> Vec<TrustAnchor<'static>> {
        let read = |der: &&'static [u8]| TrustAnchor::from_der(der, NOW).unwrap();
        self.anchors.iter().map(read).collect()
    }
}

/// The policy of most tests.
pub(crate) fn plain<'a>(anchors: &'a [TrustAnchor<'a>]) -> ServerPolicy<'a> {
    ServerPolicy::new(anchors, algorithm::ALL).unwrap()
}

type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

/// Name, algorithms, and whether these are P-256 and Ed25519 alone.
pub(crate) fn suites() -> [(&'static str, Algorithms, bool); 3] {
    use webpki::{aws_lc_rs, ring};
    const RING: Algorithms = &[
        ring::ECDSA_P256_SHA256,
        ring::ECDSA_P256_SHA384,
        ring::ECDSA_P384_SHA256,
        ring::ECDSA_P384_SHA384,
        ring::ED25519,
        ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        ring::RSA_PKCS1_2048_8192_SHA256,
    ];
    const AWS_LC: Algorithms = &[
        aws_lc_rs::ECDSA_P256_SHA256,
        aws_lc_rs::ECDSA_P256_SHA384,
        aws_lc_rs::ECDSA_P384_SHA256,
        aws_lc_rs::ECDSA_P384_SHA384,
        aws_lc_rs::ED25519,
        aws_lc_rs::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        aws_lc_rs::RSA_PKCS1_2048_8192_SHA256,
    ];
    [
        ("ring", RING, false),
        ("AWS-LC", AWS_LC, false),
        ("RustCrypto", algorithm::ALL, true),
    ]
}
