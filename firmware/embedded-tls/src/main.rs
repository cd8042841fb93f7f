//! The verifier of certificates inside embedded-tls: a whole TLS 1.3 handshake over the serial port of a
//! microcontroller, which QEMU connects with a server. `cargo xtask interop --only certificate` runs it.
//!
//! [`verifier`] is what an application takes from here.
#![no_std]
#![no_main]

mod serial;
mod verifier;

use cortex_m_rt::entry;
use embedded_tls::{
    CryptoRngCore, TlsError,
    blocking::{Aes128GcmSha256, CryptoProvider, TlsConfig, TlsConnection, TlsContext, TlsVerifier},
};
use harness::console;
use iotsec_core::hal::UnixTime;
use iotsec_net::{
    certificate::{ServerPolicy, TrustAnchor, algorithm},
    time::CertificateTime,
};

use serial::Serial;
use verifier::PolicyVerifier;

const HOST: &str = "broker.example";
const ROOT: &[u8] = include_bytes!("../../../vectors/certificate/root.der");
/// When the chains of the vectors are valid.
const NOW: CertificateTime = CertificateTime::exact(UnixTime(1_800_000_000));

#[entry]
fn main() -> ! {
    let Ok(anchor) = TrustAnchor::from_der(ROOT, NOW) else {
        console::fail("no anchor")
    };
    let anchors = [anchor];
    let Ok(policy) = ServerPolicy::new(&anchors, algorithm::ALL) else {
        console::fail("no policy")
    };
    let mut verifier = PolicyVerifier::new(&policy, NOW);
    let outcome = talk(&mut verifier);
    if let Some(error) = verifier.error() {
        console::number("refused ", error);
        console::fail("the server is not believed")
    }
    match outcome {
        Ok(read) => {
            console::number("bytes read: ", u32::try_from(read).unwrap_or(u32::MAX));
            console::pass()
        }
        Err(_) => console::fail("no connection, and not because of a certificate"),
    }
}

/// Asks the server for its front page; how many bytes it answers.
fn talk(verifier: &mut PolicyVerifier<'_, '_>) -> Result<usize, TlsError> {
    let (mut read, mut written) = ([0; 16_640], [0; 4096]);
    let config = TlsConfig::new().with_server_name(HOST);
    let mut connection = TlsConnection::new(Serial::start(), &mut read, &mut written);
    let provider = Provider {
        verifier,
        rng: Xorshift(0x9E37_79B9),
    };
    connection.open(TlsContext::new(&config, provider))?;
    connection.write(b"GET / HTTP/1.0\r\n\r\n")?;
    connection.flush()?;
    let mut page = [0; 64];
    connection.read(&mut page)
}

struct Provider<'v, 'p, 'a> {
    verifier: &'v mut PolicyVerifier<'p, 'a>,
    rng: Xorshift,
}

impl CryptoProvider for Provider<'_, '_, '_> {
    type CipherSuite = Aes128GcmSha256;
    type Signature = [u8; 0];

    fn rng(&mut self) -> impl CryptoRngCore {
        &mut self.rng
    }

    fn verifier(&mut self) -> Result<&mut impl TlsVerifier<Aes128GcmSha256>, TlsError> {
        Ok(&mut *self.verifier)
    }
}

/// Numbers that repeat with every run, in the place of a generator that an emulator does not have. For tests alone.
struct Xorshift(u32);

impl rand_core::RngCore for Xorshift {
    fn next_u32(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) << 32 | u64::from(self.next_u32())
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            let [_, _, _, high] = self.next_u32().to_le_bytes();
            *byte = high;
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl rand_core::CryptoRng for Xorshift {}
