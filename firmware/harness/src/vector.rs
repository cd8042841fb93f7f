//! Messages made by another implementation, and the keys that they trust.

use core::ops::Range;

macro_rules! test_data {
    ($(#[$doc:meta])* $name:ident, $file:literal) => {
        $(#[$doc])*
        #[allow(unsafe_code, reason = "the linker script defines this section, which is not counted")]
        #[unsafe(link_section = ".test_data")]
        pub static $name: [u8; include_bytes!($file).len()] = *include_bytes!($file);
    };
}

test_data!(
    /// A SUIT envelope signed with Ed25519.
    ENVELOPE_ED25519,
    "../../../vectors/suit/oracle/p01_ed25519_fully_specified.suit"
);
test_data!(
    /// The same, signed with ECDSA P-256.
    ENVELOPE_P256,
    "../../../vectors/suit/oracle/p04_es256_legacy.suit"
);
test_data!(
    /// The envelope of the image before, which `cargo xtask fixture` made.
    ENVELOPE_BEFORE,
    "../data/app_v1.suit"
);
test_data!(
    /// What a slot with the image before has in its manifest region, from `cargo xtask fixture`.
    SLOT_BEFORE,
    "../data/app_v1.slot"
);
test_data!(
    /// The image before.
    IMAGE_BEFORE,
    "../../../vectors/suit/payloads/app_v1.bin"
);
test_data!(
    /// The image before as MCUboot has it, from `cargo xtask fixture`.
    IMAGE_MCUBOOT,
    "../data/app_v1.mcuboot"
);
test_data!(
    /// The last bytes of a slot whose image is confirmed, from `cargo xtask fixture`.
    TRAILER_CONFIRMED,
    "../data/confirmed.trailer"
);
test_data!(
    /// The image that both describe.
    IMAGE,
    "../../../vectors/suit/payloads/app_v2.bin"
);
test_data!(
    /// What a slot with the image that a patch applies to has in its manifest region, from `cargo xtask fixture`.
    SLOT_BASE,
    "../data/delta_base.slot"
);
test_data!(
    /// That image.
    IMAGE_BASE,
    "../../../vectors/delta/base"
);
test_data!(
    /// The envelope of the patch, which `cargo xtask fixture` made.
    ENVELOPE_PATCH,
    "../data/delta.suit"
);
test_data!(
    /// The patch, which detools made.
    PATCH,
    "../../../vectors/delta/insertion.heatshrink"
);
test_data!(
    /// A certificate authority.
    CERTIFICATE_ROOT,
    "../../../vectors/certificate/root.der"
);
test_data!(
    /// The certificate of a server that it issued, broker.example.
    CERTIFICATE,
    "../../../vectors/certificate/good.der"
);

/// The Ed25519 key that the first is signed with.
pub const KEY_ED25519: [u8; 32] = hex(include_bytes!("../../../vectors/suit/keys/ed25519_a.pub.hex"));
/// The P-256 key that the second is signed with.
pub const KEY_P256: [u8; 65] = hex(include_bytes!("../../../vectors/suit/keys/p256_a.pub.hex"));

/// Vendor identifier of the device that they are for: UUID version 5 of iotsec.example.
pub const VENDOR: [u8; 16] = hex(b"0e011a35e59855698198ae317f6da178");
/// Its class identifier: UUID version 5 of sensor-rev-b in the vendor's name space.
pub const CLASS: [u8; 16] = hex(b"35c500e328a35fc1bd5d0e079ab2966f");
/// Its one component, `[h'00']`.
pub const COMPONENT: &[u8] = &[0x81, 0x41, 0x00];
/// The sequence number of both envelopes.
pub const SEQUENCE_NUMBER: u64 = 10;

/// The COSE_Sign1 message in an envelope, and the SUIT digest that it signs; both lie at the same place in
/// all envelopes with one signature and no key identifier.
pub fn authentication(envelope: &[u8]) -> Option<(&[u8], &[u8])> {
    Some((envelope.get(MESSAGE)?, envelope.get(DIGEST)?))
}

/// Where the SUIT digest lies in an envelope.
pub const DIGEST: Range<usize> = 9..45;
/// Where the COSE_Sign1 message lies in an envelope.
pub const MESSAGE: Range<usize> = 47..121;

const fn hex<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = nibble(text[2 * at]) << 4 | nibble(text[2 * at + 1]);
        at += 1;
    }
    bytes
}

const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => panic!("not a hexadecimal digit"),
    }
}
