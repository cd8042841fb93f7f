//! The verifier of certificates on a microcontroller, over every chain of the vectors: the same answers as on hosts.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use harness::console::{self, require};
use iotsec_core::{
    cbor::{CborError, Limits, Reader},
    error::ErrorCode,
    hal::UnixTime,
    input::Host,
};
use iotsec_net::{
    certificate::{CertificateError, MAX_ANCHORS, ServerPolicy, TrustAnchor, algorithm, verify_server_chain},
    time::CertificateTime,
};

/// `vectors/certificate/README.md` describes it.
#[allow(unsafe_code, reason = "the linker script defines this section")]
#[unsafe(link_section = ".test_data")]
static CHAINS: [u8; include_bytes!("../../../vectors/certificate/chains.cbor").len()] =
    *include_bytes!("../../../vectors/certificate/chains.cbor");

/// When the chains are valid.
const NOW: CertificateTime = CertificateTime::exact(UnixTime(1_800_000_000));
/// As a device would size it: one more than it accepts.
const MOST: usize = 5;

#[entry]
fn main() -> ! {
    match judge_all() {
        Ok((accepted, refused)) => {
            require(accepted >= 10 && refused >= 30, "chains are missing");
            console::number("chains accepted: ", accepted);
            console::number("chains refused, each for its reason: ", refused);
            console::pass()
        }
        Err(_) => console::fail("the vectors do not read"),
    }
}

fn judge_all() -> Result<(u32, u32), CborError> {
    let limits = Limits {
        depth: 4,
        items: 2000,
        bytes: 65_536,
    };
    let mut reader = Reader::new(&CHAINS, &limits)?;
    reader.array_len(4)?;
    reader.uint()?;
    let message = reader.bytes()?;
    let mut ders: [&[u8]; MAX_ANCHORS] = [&[]; MAX_ANCHORS];
    let count = read_list(&mut reader, &mut ders)?;
    let Some(Ok(first)) = ders.first().map(|der| TrustAnchor::from_der(der, NOW)) else {
        console::fail("no anchor")
    };
    let mut anchors = [const { None::<TrustAnchor<'_>> }; MAX_ANCHORS];
    for (place, der) in anchors.iter_mut().zip(ders.iter().take(count)) {
        *place = TrustAnchor::from_der(der, NOW).ok();
    }
    let anchors = anchors.map(|anchor| anchor.unwrap_or_else(|| first.clone()));
    let Ok(policy) = ServerPolicy::new(anchors.get(..count).unwrap_or_default(), algorithm::ALL) else {
        console::fail("no policy")
    };

    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..reader.array()? {
        reader.array_len(7)?;
        let name = reader.text()?;
        let host = reader.text()?;
        reader.uint()?;
        let expected = reader.uint()?;
        let mut certificates: [&[u8]; MOST] = [&[]; MOST];
        let count = read_list(&mut reader, &mut certificates)?;
        let (scheme, signature) = (reader.uint_as()?, reader.bytes()?);
        let Ok(host) = Host::parse(host.as_bytes()) else {
            console::fail(name)
        };
        let chain = certificates.get(..count).unwrap_or_default();
        match verify_server_chain(chain, &host, NOW, &policy) {
            Ok(server) => {
                require(expected == 0, name);
                require(server.verify_signature(scheme, message, signature).is_ok(), name);
                let other = server.verify_signature(scheme, b"another message", signature);
                require(other == Err(CertificateError::HandshakeSignature), name);
                accepted += 1;
            }
            Err(error) => {
                if u64::from(error.code()) != expected {
                    console::number("error ", error.code().into());
                    console::fail(name);
                }
                refused += 1;
            }
        }
    }
    reader.finish()?;
    Ok((accepted, refused))
}

/// How many there are.
fn read_list<'a>(reader: &mut Reader<'a>, out: &mut [&'a [u8]]) -> Result<usize, CborError> {
    let mut count = 0;
    for _ in 0..reader.array()? {
        let bytes = reader.bytes()?;
        if let Some(place) = out.get_mut(count) {
            *place = bytes;
        }
        count += 1;
    }
    require(count <= out.len(), "too many certificates");
    Ok(count)
}
