use std::{vec, vec::Vec};

use iotsec_core::crypto::CryptoError;
use iotsec_testkit::{FailingRng, SimRng};
use prio::{
    codec::{Encode, ParameterizedDecode},
    vdaf::{
        Aggregator, Collector, VerifyTransition,
        prio3::{Prio3 as Libprio, Prio3Count, Prio3Histogram, Prio3Sum, optimal_chunk_length},
    },
};
use serde_json::Value;

use super::*;

mod declared;

const CONTEXT: &[u8] = b"some context";
const NONCE: [u8; NONCE_LEN] = [0x4E; NONCE_LEN];

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap().as_bytes();
    text.chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Gives the bytes of a vector, in order.
struct Script<'a>(&'a [u8]);
impl rand_core::TryRng for Script<'_> {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!()
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!()
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        let (bytes, rest) = self.0.split_at(out.len());
        out.copy_from_slice(bytes);
        self.0 = rest;
        Ok(())
    }
}
impl TryCryptoRng for Script<'_> {}

/// What one report is to the servers.
#[derive(Clone)]
struct Sent {
    context: Vec<u8>,
    nonce: [u8; NONCE_LEN],
    public: Vec<u8>,
    leader: Vec<u8>,
    helper: Vec<u8>,
}

fn split(vdaf: Prio3, value: u64, rng: &mut impl TryCryptoRng) -> Sent {
    let mut buffer = vec![0; vdaf.shares_len()];
    let measurement = Measurement::within(vdaf, value).unwrap();
    let shares = vdaf
        .split(measurement, CONTEXT, &NONCE, rng, &mut buffer)
        .unwrap();
    Sent {
        context: CONTEXT.to_vec(),
        nonce: NONCE,
        public: shares.public().to_vec(),
        leader: shares.leader().to_vec(),
        helper: shares.helper().to_vec(),
    }
}

/// Any error of libprio.
type Refused = std::boxed::Box<dyn core::error::Error>;

/// Both of libprio's servers check a report, and say what they add to their sums.
fn verify<V>(vdaf: &V, key: &[u8; 32], sent: &Sent) -> Result<[V::OutputShare; 2], Refused>
where
    V: Aggregator<32, NONCE_LEN, AggregationParam = ()>,
{
    verify_with(vdaf, key, sent, None)
}

fn verify_with<V>(
    vdaf: &V,
    key: &[u8; 32],
    sent: &Sent,
    message: Option<&[u8]>,
) -> Result<[V::OutputShare; 2], Refused>
where
    V: Aggregator<32, NONCE_LEN, AggregationParam = ()>,
{
    let public = V::PublicShare::get_decoded_with_param(vdaf, &sent.public)?;
    let (mut states, mut shares) = (vec![], vec![]);
    for (server, bytes) in [&sent.leader, &sent.helper].into_iter().enumerate() {
        let input = V::InputShare::get_decoded_with_param(&(vdaf, server), bytes)?;
        let (state, share) =
            vdaf.verify_init(key, &sent.context, server, &(), &sent.nonce, &public, &input)?;
        states.push(state);
        shares.push(share);
    }
    let message = match message {
        Some(bytes) => V::VerifierMessage::get_decoded_with_param(&states[0], bytes)?,
        None => vdaf.verifier_shares_to_message(&sent.context, &(), shares)?,
    };
    let mut outputs = vec![];
    for state in states {
        match vdaf.verify_next(&sent.context, state, message.clone())? {
            VerifyTransition::Finish(output) => outputs.push(output),
            VerifyTransition::Continue(..) => panic!("one round is enough"),
        }
    }
    Ok(outputs.try_into().ok().unwrap())
}

/// What libprio makes of all reports together.
fn sum<V>(vdaf: &V, reports: &[Sent]) -> V::AggregateResult
where
    V: Aggregator<32, NONCE_LEN, AggregationParam = ()> + Collector,
{
    let (mut leader, mut helper) = (vec![], vec![]);
    for report in reports {
        let [to_leader, to_helper] = verify(vdaf, &[9; 32], report).unwrap();
        leader.push(to_leader);
        helper.push(to_helper);
    }
    let sums = [leader, helper].map(|shares| vdaf.aggregate(&(), shares).unwrap());
    vdaf.unshard(&(), sums, reports.len()).unwrap()
}

/// An official vector: what the device sends, to the byte, and what becomes of it.
fn reproduces(text: &str, vdaf: fn(&Value) -> Prio3, reports: usize) {
    let file: Value = serde_json::from_str(text).unwrap();
    let vdaf = vdaf(&file);
    let context = hex(&file["ctx"]);
    assert_eq!(
        (file["shares"].as_u64(), file["reports"].as_array().unwrap().len()),
        (Some(2), reports)
    );
    for report in file["reports"].as_array().unwrap() {
        let measurement = Measurement::within(vdaf, report["measurement"].as_u64().unwrap()).unwrap();
        let random = hex(&report["rand"]);
        let mut script = Script(&random);
        let nonce = hex(&report["nonce"]).try_into().unwrap();
        let mut buffer = vec![0xAA; vdaf.shares_len()];
        let shares = vdaf
            .split(measurement, &context, &nonce, &mut script, &mut buffer)
            .unwrap();
        assert!(script.0.is_empty());
        assert_eq!(shares.public(), hex(&report["public_share"]));
        assert_eq!(shares.leader(), hex(&report["input_shares"][0]));
        assert_eq!(shares.helper(), hex(&report["input_shares"][1]));
    }
}

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("../../../vectors/telemetry/vdaf-18/", $name, ".json"))
    };
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

#[test]
fn the_official_vectors_for_two_servers_are_reproduced_to_the_byte() {
    let count = |_: &Value| Prio3::COUNT;
    reproduces(vector!("Prio3Count_0"), count, 1);
    reproduces(vector!("Prio3Count_2"), count, 5);
    let sum = |file: &Value| Prio3::sum(file["max_measurement"].as_u64().unwrap()).unwrap();
    reproduces(vector!("Prio3Sum_0"), sum, 1);
    reproduces(vector!("Prio3Sum_2"), sum, 8);
    let histogram =
        |file: &Value| Prio3::histogram(number(&file["length"]), number(&file["chunk_length"])).unwrap();
    reproduces(vector!("Prio3Histogram_0"), histogram, 1);
    reproduces(vector!("Prio3Histogram_2"), histogram, 10);
}

/// Whether the servers take a report of a vector, where they must not.
fn taken<V>(vdaf: &V, file: &Value) -> bool
where
    V: Aggregator<32, NONCE_LEN, AggregationParam = ()>,
{
    let report = &file["reports"][0];
    let sent = Sent {
        context: hex(&file["ctx"]),
        nonce: hex(&report["nonce"]).try_into().unwrap(),
        public: hex(&report["public_share"]),
        leader: hex(&report["input_shares"][0]),
        helper: hex(&report["input_shares"][1]),
    };
    let key = hex(&file["verify_key"]).try_into().unwrap();
    let last = file["operations"].as_array().unwrap().last().unwrap();
    assert_eq!(last["success"], false);
    let message = (last["operation"] == "verify_next").then(|| hex(&report["verifier_messages"][0]));
    verify_with(vdaf, &key, &sent, message.as_deref()).is_ok()
}

#[test]
fn servers_refuse_the_official_bad_vectors() {
    let count = Prio3Count::new_count(2).unwrap();
    for text in [
        vector!("Prio3Count_bad_gadget_poly"),
        vector!("Prio3Count_bad_helper_seed"),
        vector!("Prio3Count_bad_meas_share"),
        vector!("Prio3Count_bad_wire_seed"),
    ] {
        assert!(!taken(&count, &serde_json::from_str(text).unwrap()));
    }
    for text in [
        vector!("Prio3Histogram_bad_helper_jr_blind"),
        vector!("Prio3Histogram_bad_leader_jr_blind"),
        vector!("Prio3Histogram_bad_public_share"),
        vector!("Prio3Histogram_bad_verifier_message"),
    ] {
        let file: Value = serde_json::from_str(text).unwrap();
        let (length, chunk) = (number(&file["length"]), number(&file["chunk_length"]));
        let histogram = Prio3Histogram::new_histogram(2, length, chunk).unwrap();
        assert!(!taken(&histogram, &file));
    }
}

#[test]
fn libprio_sums_what_we_split() {
    let mut rng = SimRng::new(1);
    let counts: Vec<u64> = (0..300).map(|_| rng.below(2)).collect();
    let reports: Vec<Sent> = counts.iter().map(|v| split(Prio3::COUNT, *v, &mut rng)).collect();
    assert_eq!(
        sum(&Prio3Count::new_count(2).unwrap(), &reports),
        counts.iter().sum::<u64>()
    );

    for max in [1, 2, 3, 255, 256, 1337, 65535, (1 << 31) - 1, 1 << 31, MAX_SUM] {
        let vdaf = Prio3::sum(max).unwrap();
        let edges = [0, 1, max / 2, max / 2 + 1, max - 1, max];
        let values: Vec<u64> = edges
            .into_iter()
            .chain((0..24).map(|_| rng.below(max + 1)))
            .collect();
        let reports: Vec<Sent> = values.iter().map(|v| split(vdaf, *v, &mut rng)).collect();
        assert_eq!(
            sum(&Prio3Sum::new_sum(2, max).unwrap(), &reports),
            values.iter().sum::<u64>(),
            "{max}"
        );
    }

    // The chunk length of libprio, and others: one element, all of them, one that leaves a rest.
    for (buckets, chunk) in [
        (1, 1),
        (2, 1),
        (3, 2),
        (8, 3),
        (16, 6),
        (15, 1),
        (32, 5),
        (32, 32),
        (100, 7),
        (256, 18),
    ] {
        let vdaf = Prio3::histogram(buckets, chunk).unwrap();
        let last = u64::try_from(buckets).unwrap() - 1;
        let values: Vec<u64> = [0, last / 2, last]
            .into_iter()
            .chain((0..27).map(|_| rng.below(last + 1)))
            .collect();
        let reports: Vec<Sent> = values.iter().map(|v| split(vdaf, *v, &mut rng)).collect();
        let mut expected = vec![0_u128; buckets];
        values
            .iter()
            .for_each(|v| expected[usize::try_from(*v).unwrap()] += 1);
        let libprio = Prio3Histogram::new_histogram(2, buckets, chunk).unwrap();
        assert_eq!(sum(&libprio, &reports), expected, "{buckets} in {chunk}");
    }
}

#[test]
fn shares_have_the_lengths_that_libprio_gives_them() {
    fn lengths<V: prio::vdaf::Client<NONCE_LEN>>(vdaf: &V, value: &V::Measurement) -> [usize; 3] {
        let (public, input) = vdaf.shard(CONTEXT, value, &NONCE).unwrap();
        let [leader, helper] = [0, 1].map(|server| input[server].encoded_len().unwrap());
        [public.encoded_len().unwrap(), leader, helper]
    }
    let ours = |vdaf: Prio3| {
        [
            vdaf.public_share_len(),
            vdaf.leader_share_len(),
            vdaf.helper_share_len(),
        ]
    };
    assert_eq!(
        ours(Prio3::COUNT),
        lengths(&Prio3Count::new_count(2).unwrap(), &true)
    );
    for bits in 1..=32 {
        let max = (1 << bits) - 1;
        let libprio = Prio3Sum::new_sum(2, max).unwrap();
        assert_eq!(ours(Prio3::sum(max).unwrap()), lengths(&libprio, &1), "{max}");
    }
    for buckets in (1..=64).chain([100, MAX_BUCKETS]) {
        let chunk = best_chunk(buckets);
        if buckets < 256 {
            assert_eq!(chunk, optimal_chunk_length(buckets), "{buckets}");
        }
        let libprio = Prio3Histogram::new_histogram(2, buckets, chunk).unwrap();
        assert_eq!(
            ours(Prio3::histogram(buckets, chunk).unwrap()),
            lengths(&libprio, &0),
            "{buckets}"
        );
    }
}

/// Every byte of a report matters to the servers. The last blind of the helper is checked against its public
/// share, so it does as well.
fn refuses_changes<T, V>(ours: Prio3, value: u64, vdaf: &V, name: T)
where
    T: core::fmt::Display,
    V: Aggregator<32, NONCE_LEN, AggregationParam = ()>,
{
    let mut rng = SimRng::new(5);
    let good = split(ours, value, &mut rng);
    assert!(verify(vdaf, &[9; 32], &good).is_ok());
    let changed = |change: &dyn Fn(&mut Sent)| {
        let mut sent = good.clone();
        change(&mut sent);
        verify(vdaf, &[9; 32], &sent).is_ok()
    };
    for byte in 0..good.leader.len() {
        assert!(!changed(&|sent| sent.leader[byte] ^= 1), "{name}: leader {byte}");
    }
    for byte in 0..good.helper.len() {
        assert!(!changed(&|sent| sent.helper[byte] ^= 1), "{name}: helper {byte}");
    }
    for byte in 0..good.public.len() {
        assert!(!changed(&|sent| sent.public[byte] ^= 1), "{name}: public {byte}");
    }
    assert!(!changed(&|sent| sent.context.push(0)), "{name}");
    assert!(
        !changed(&|sent| core::mem::swap(&mut sent.leader, &mut sent.helper)),
        "{name}"
    );
    let other = split(ours, value, &mut rng);
    assert!(!changed(&|sent| sent.helper.clone_from(&other.helper)), "{name}");
}

#[test]
fn libprio_refuses_shares_that_were_changed() {
    refuses_changes(Prio3::COUNT, 1, &Prio3Count::new_count(2).unwrap(), "count");
    refuses_changes(
        Prio3::sum(300).unwrap(),
        300,
        &Prio3Sum::new_sum(2, 300).unwrap(),
        "sum",
    );
    let ours = Prio3::histogram(5, 2).unwrap();
    refuses_changes(
        ours,
        4,
        &Prio3Histogram::new_histogram(2, 5, 2).unwrap(),
        "histogram",
    );
    // The joint randomness binds the nonce; without it, as for counts, the nonce is in the query alone.
    let mut sent = split(ours, 4, &mut SimRng::new(1));
    sent.nonce[0] ^= 1;
    assert!(verify(&Prio3Histogram::new_histogram(2, 5, 2).unwrap(), &[9; 32], &sent).is_err());
}

#[test]
fn libprio_refuses_what_is_no_measurement() {
    // As a device with other software could send it: a two, no bucket, three buckets.
    let forged = |vdaf, encoded| {
        let circuit = Circuit::forged(vdaf, encoded);
        let random = || Randomness {
            helper: Secret::from_bytes([1; 32]),
            helper_blind: Secret::from_bytes([2; 32]),
            leader_blind: Secret::from_bytes([3; 32]),
            prove: Secret::from_bytes([4; 32]),
        };
        let (mut public, mut leader, mut helper) = (
            vec![0; vdaf.public_share_len()],
            vec![0; vdaf.leader_share_len()],
            vec![0; vdaf.helper_share_len()],
        );
        let domain = Domain::new(vdaf.algorithm(), CONTEXT).unwrap();
        let parts = Parts {
            public: &mut public,
            leader: &mut leader,
            helper: &mut helper,
        };
        super::split(&circuit, &domain, &NONCE, &random(), parts).unwrap();
        Sent {
            context: CONTEXT.to_vec(),
            nonce: NONCE,
            public,
            leader,
            helper,
        }
    };
    let vdaf = Prio3::histogram(6, 2).unwrap();
    let libprio = Libprio::new_histogram(2, 6, 2).unwrap();
    assert!(verify(&libprio, &[9; 32], &forged(vdaf, 5)).is_ok());
    assert!(verify(&libprio, &[9; 32], &forged(vdaf, 6)).is_err());
    assert!(verify(&libprio, &[9; 32], &forged(vdaf, u64::MAX)).is_err());
}

#[test]
fn a_share_alone_says_nothing() {
    // With the same randomness the helper's share is the same, whatever is measured; the leader's differs, but
    // in every element of another measurement by the same amount, which the randomness hides.
    for (vdaf, a, b) in [
        (Prio3::COUNT, 0, 1),
        (Prio3::sum(255).unwrap(), 0, 255),
        (Prio3::histogram(8, 3).unwrap(), 0, 7),
    ] {
        let [first, second] = [a, b].map(|value| split(vdaf, value, &mut SimRng::new(1)));
        assert_eq!(first.helper, second.helper);
        assert_ne!(first.leader, second.leader);
        let fresh = split(vdaf, a, &mut SimRng::new(2));
        assert_ne!(first.helper, fresh.helper);
        let same = first
            .leader
            .iter()
            .zip(&fresh.leader)
            .filter(|(a, b)| a == b)
            .count();
        assert!(
            same * 8 < first.leader.len(),
            "{same} bytes of {}",
            first.leader.len()
        );
    }
}

#[test]
fn nothing_is_left_when_splitting_fails() {
    let vdaf = Prio3::histogram(8, 3).unwrap();
    let measurement = || Measurement::within(vdaf, 3).unwrap();
    for calls in 0..4 {
        let mut buffer = vec![0; vdaf.shares_len()];
        let failed = vdaf.split(
            measurement(),
            CONTEXT,
            &NONCE,
            &mut FailingRng::after(calls),
            &mut buffer,
        );
        assert_eq!(failed.err(), Some(CryptoError::Entropy.into()));
        assert!(buffer[64..].iter().all(|byte| *byte == 0));
    }
    let mut rng = SimRng::new(1);
    let mut buffer = vec![0; vdaf.shares_len()];
    let long = [0; MAX_CONTEXT_LEN + 1];
    assert_eq!(
        vdaf.split(measurement(), &long, &NONCE, &mut rng, &mut buffer)
            .err(),
        Some(Prio3Error::Context)
    );
    assert!(
        vdaf.split(measurement(), &long[1..], &NONCE, &mut rng, &mut buffer)
            .is_ok()
    );
    let short = buffer.len() - 1;
    assert_eq!(
        vdaf.split(measurement(), CONTEXT, &NONCE, &mut rng, &mut buffer[..short])
            .err(),
        Some(Prio3Error::Buffer)
    );
    let other = Prio3::histogram(8, 4).unwrap();
    let mut large = vec![0; 1000];
    let failed = other.split(measurement(), CONTEXT, &NONCE, &mut rng, &mut large);
    assert_eq!(failed.err(), Some(Prio3Error::Kind));
    // And when the shares are done with, they are wiped.
    drop(
        vdaf.split(measurement(), CONTEXT, &NONCE, &mut rng, &mut buffer)
            .unwrap(),
    );
    assert!(buffer[64..].iter().all(|byte| *byte == 0));
}

#[test]
fn parameters_have_limits() {
    for refused in [Prio3::sum(0), Prio3::sum(MAX_SUM + 1), Prio3::sum(u64::MAX)] {
        assert_eq!(refused, Err(Prio3Error::Parameters));
    }
    for (buckets, chunk) in [
        (0, 1),
        (1, 0),
        (16, 1),
        (MAX_BUCKETS + 1, 100),
        (8, usize::MAX),
        (usize::MAX, 8),
    ] {
        assert_eq!(
            Prio3::histogram(buckets, chunk),
            Err(Prio3Error::Parameters),
            "{buckets} in {chunk}"
        );
    }
    assert_eq!(
        Measurement::within(Prio3::COUNT, 2).err(),
        Some(Prio3Error::OutOfBounds)
    );
    assert_eq!(
        Measurement::within(Prio3::sum(9).unwrap(), 10).err(),
        Some(Prio3Error::OutOfBounds)
    );
    assert_eq!(
        Measurement::within(Prio3::histogram(4, 2).unwrap(), 4).err(),
        Some(Prio3Error::OutOfBounds)
    );
}
