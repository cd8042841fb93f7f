//! A task and the keys of its servers, from anybody; a measurement split and sealed to them, with sealing in
//! hardware. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{
    crypto::{AgreementCurve, AgreementKey, CryptoError, KeyAgreement, hpke::Hpke},
    hal::UnixTime,
    secret::Secret,
};
use iotsec_telemetry::{
    consent::Consents,
    dap::{Aggregators, HpkeConfigList, Task},
    prio3::{Measurement, Prio3},
    registry::{Aggregate, Buckets, MetricDef, Purpose},
    value::Value,
};
use no_panic::{Hardware, halt, unknown};

/// A key in hardware: what it answers is unknown.
struct Ephemeral([u8; 32]);

impl KeyAgreement for Ephemeral {
    fn curve(&self) -> AgreementCurve {
        black_box(AgreementCurve::X25519)
    }
    fn public_key(&self) -> &[u8] {
        let bytes = black_box(&self.0);
        bytes.get(..black_box(32)).unwrap_or_default()
    }
    fn agree(&self, peer: &[u8]) -> Result<Secret<32>, CryptoError> {
        black_box(peer);
        black_box(Ok(Secret::zero()))
    }
}

impl AgreementKey for Ephemeral {
    const CURVE: AgreementCurve = AgreementCurve::X25519;
    fn from_secret(secret: &Secret<32>) -> Result<Self, CryptoError> {
        black_box(secret);
        black_box(Ok(Self([0; 32])))
    }
}

const HOURS: Buckets = Buckets::new(&[1, 8, 24]);

fn metric() -> MetricDef {
    let aggregate = black_box(Aggregate::Histogram(HOURS));
    let why = "Shows devices that are attacked or broken";
    MetricDef::new(1, "metric", "1", black_box(Purpose::Security), why, aggregate)
}

#[entry]
fn main() -> ! {
    let input = [0; 512];
    let _ = black_box(report(unknown(&input)));
    let _ = black_box(shares(unknown(&input)));
    halt()
}

fn report(input: &[u8]) -> Option<()> {
    let suite = Hpke::<Ephemeral>::new(&Hardware, &Hardware);
    let id = black_box([0; 32]);
    let task = Task::read(&id, black_box(input)).ok()?;
    let leader = HpkeConfigList::read(black_box(input)).ok()?;
    let helper = HpkeConfigList::read(black_box(input)).ok()?;
    let servers = Aggregators::choose(suite, leader, helper).ok()?;
    let consents = Consents::off();
    let value = black_box(Value::bucket(black_box(0), HOURS));
    let measurement = Measurement::new(&metric(), value, &consents, None).ok()?;
    let mut buffer = [0; 4096];
    let buffer = buffer.get_mut(..black_box(4096))?;
    let now = UnixTime(black_box(0));
    let report = task.report(measurement, now, &servers, &mut Hardware, buffer);
    black_box(report).ok()?;
    let mut plain = [0; 512];
    let opened = suite.open(&Ephemeral([0; 32]), input, input, black_box(input), &mut plain);
    black_box(opened).ok()?;
    Some(())
}

fn shares(context: &[u8]) -> Option<()> {
    let vdaf = Prio3::of(&metric()).ok()?;
    black_box((
        Prio3::sum(black_box(0)),
        Prio3::histogram(black_box(0), black_box(0)),
    ))
    .0
    .ok()?;
    let consents = Consents::off();
    let measurement = Measurement::new(&metric(), black_box(0_u32).into(), &consents, None).ok()?;
    let measurement = measurement.in_chunks_of(black_box(1)).ok()?;
    let mut buffer = [0; 4096];
    let nonce = black_box([0; 16]);
    let shares = vdaf
        .split(measurement, context, &nonce, &mut Hardware, &mut buffer)
        .ok()?;
    black_box((shares.public(), shares.leader(), shares.helper()));
    Some(())
}
