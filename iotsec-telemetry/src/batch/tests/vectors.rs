//! The test vectors of `FORMAT.md`, made here and compared with what is written there.

use super::*;
use crate::pseudonym::{Epoch, Pseudonym};

/// Counts upwards, so that anybody can repeat it.
pub(crate) struct Counting(pub(crate) u8);

impl rand_core::TryRng for Counting {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("only bytes are drawn")
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("only bytes are drawn")
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
        for byte in dst {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
        Ok(())
    }
}
impl TryCryptoRng for Counting {}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_vectors_in_the_format_document_are_what_this_code_makes() {
    let mut made: Vec<(&str, String)> = Vec::new();
    let mut canonical = Vec::new();
    PRODUCT.canonical(&mut |bytes| canonical.extend_from_slice(bytes));
    made.push(("registry", hex(&canonical)));
    made.push(("registry-hash", hex(registry().hash())));
    let (consents, record) = granted();
    made.push(("consent-record", hex(&record)));

    let secret = secret();
    let key = key(&secret);
    made.push(("telemetry-key", hex(secret.expose())));
    made.push((
        "random",
        hex(&core::array::from_fn::<u8, 32, _>(|i| 0x80 + i as u8)),
    ));
    let mut queue = queue(&consents);
    let mut snapshot = [0; Queue::<5>::SNAPSHOT_MAX_LEN];
    let snapshot = hex(queue.snapshot(Class::Usage, &mut snapshot).unwrap());
    let (mut scratch, mut out, mut plain) = ([0; MAX_LEN], [0; MAX_LEN], [0; MAX_LEN]);
    let sizes = Sizes::up_to(SizeClass::B2048);
    let sealed = queue.batch(
        &consents,
        &key,
        sizes,
        &mut Counting(0x80),
        &mut scratch,
        &mut out,
    );
    let message = sealed.unwrap().unwrap().bytes().to_vec();

    let limits = iotsec_core::cbor::Limits {
        depth: 3,
        items: 16,
        bytes: 4096,
    };
    let parsed = Encrypt0::parse(&message, &limits).unwrap();
    let (salt, nonce) = (parsed.headers().kid.unwrap(), parsed.headers().iv.unwrap());
    let batch_key = key.of_message(DOMAIN, salt.try_into().unwrap()).unwrap();
    let plain = parsed
        .open(&ChaCha20Poly1305, &batch_key, DOMAIN, &mut plain)
        .unwrap();
    made.push(("plaintext", hex(plain)));
    let plain = hex(&disguised(&consents, &mut queue));
    made.push(("salt", hex(salt)));
    made.push(("nonce", hex(nonce)));
    made.push(("batch-key", hex(batch_key.expose())));
    made.push(("sealed", hex(&message)));
    made.push(("snapshot", snapshot));
    made.push(("plaintext-disguised", plain));

    compare("vectors", &made);
}

/// The batch of health under a pseudonym.
fn disguised(consents: &Consents, queue: &mut Queue<5>) -> Vec<u8> {
    let (shifts, secret) = (Secret::from_bytes([0x5A; 32]), secret());
    let pseudonym = Pseudonym::derive(&shifts, Purpose::Health, Epoch(1), &HkdfSha256).unwrap();
    let stream = Stream::disguised(Purpose::Health, pseudonym, shifts, &HkdfSha256);
    let (mut scratch, mut out, mut plain) = ([0; MAX_LEN], [0; MAX_LEN], [0; MAX_LEN]);
    let (sizes, mut rng) = (Sizes::up_to(SizeClass::B2048), SimRng::new(1));
    let key = key(&secret);
    let sealed = queue.batch_for(&stream, consents, &key, sizes, &mut rng, &mut scratch, &mut out);
    let sealed = sealed.unwrap().unwrap();
    key.open_as(DOMAIN, sealed.bytes(), &mut plain).unwrap().to_vec()
}

/// Compares what was made with what the block of this name in `FORMAT.md` says.
pub(crate) fn compare(block: &str, made: &[(&str, String)]) {
    let document = include_str!("../../../FORMAT.md");
    let block = document
        .split(&format!("```{block}\n"))
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let mut written: Vec<(&str, String)> = Vec::new();
    for line in block.unwrap_or_default().lines() {
        match line.split_once(" = ") {
            Some((name, value)) => written.push((name, value.into())),
            None => written.last_mut().unwrap().1.push_str(line.trim()),
        }
    }
    let folded = |(name, value): &(&str, String)| {
        let mut text = format!("{name} = ");
        for (index, digit) in value.chars().enumerate() {
            text.push_str(if index > 0 && index % 96 == 0 { "\n  " } else { "" });
            text.push(digit);
        }
        text
    };
    let listing: Vec<_> = made.iter().map(folded).collect();
    assert_eq!(written, made, "the document should say:\n{}", listing.join("\n"));
}
