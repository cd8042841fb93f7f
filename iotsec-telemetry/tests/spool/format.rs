//! The vector of `FORMAT.md`, made here and compared with what is written there.

use iotsec_core::{
    crypto::{Aes256GcmSiv, HkdfSha256, Sha256},
    hal::Millis,
    secret::Secret,
};
use iotsec_telemetry::{
    consent::Consents,
    registry,
    registry::{Class, EventDef, Field},
    spool::{Quotas, Spool, SpoolParts},
};
use iotsec_testkit::{Geometry, SimFlash};

const LOGIN_FAILED: EventDef = EventDef::new(
    1,
    "login.failed",
    Class::Security,
    "Shows attacks on the password",
    &[Field::number("attempts", "1", 0, 255)],
);
registry!(static VECTOR = [LOGIN_FAILED]);

fn hex(bytes: &[u8]) -> String {
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(96)
        .map(|line| String::from_utf8_lossy(line))
        .collect();
    lines.join("\n  ")
}

#[test]
fn the_pages_in_the_format_document_are_what_this_code_writes() {
    let mut flash = SimFlash::new(Geometry::new(&[512; 10], 4));
    let parts = SpoolParts {
        region: flash.region().unwrap(),
        quotas: Quotas {
            journal: 2,
            critical: 2,
            security: 2,
            health: 2,
            usage: 2,
        },
        registry: VECTOR.hashed(&mut Sha256::new()),
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
    };
    let key = Secret::from_bytes(core::array::from_fn(|i| i as u8));
    let mut spool = Spool::mount(&mut flash, parts, 7, &key).unwrap();
    spool
        .record(
            &mut flash,
            &Consents::off(),
            &LOGIN_FAILED,
            &[5.into()],
            Millis::from_secs(90),
        )
        .unwrap();
    // Journal and critical come first, with two pages each.
    let page = &flash.image()[4 * 512..];
    let made = format!(
        "spool-key = {}\nspool-registry-hash = {}\nspool-head = {}\nspool-event = {}\n",
        hex(key.expose()),
        hex(parts.registry.hash()),
        hex(&page[..68]),
        hex(&page[68..108]),
    );
    assert!(page[108..512].iter().all(|byte| *byte == 0xFF));
    let document = include_str!("../../FORMAT.md");
    assert!(document.contains(&made), "the document should say:\n{made}");
}
