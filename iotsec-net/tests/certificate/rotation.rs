use iotsec_core::{
    credential::StorageError,
    error::{ErrorCode, Fault},
};
use iotsec_net::certificate::{
    AnchorRotation, AnchorRotationError, AnchorStorage, Phase, TrustAnchor, algorithm::sha256,
    verify_server_chain,
};

use crate::vector::{NOW, Vectors, file, plain};

#[derive(Default)]
struct Memory {
    record: Option<Vec<u8>>,
    writes: usize,
    fails: bool,
}

struct Broken;
impl ErrorCode for Broken {
    fn code(&self) -> u16 {
        9999
    }
    fn fault(&self) -> Fault {
        Fault::Device
    }
}

impl AnchorStorage for Memory {
    fn load(&mut self, record: &mut [u8; AnchorRotation::MAX_LEN]) -> Result<Option<usize>, StorageError> {
        let Some(stored) = &self.record else {
            return Ok(None);
        };
        record[..stored.len()].copy_from_slice(stored);
        Ok(Some(stored.len()))
    }
    fn save(&mut self, record: &[u8]) -> Result<(), StorageError> {
        if self.fails {
            return Err(StorageError::of(&Broken));
        }
        self.record = Some(record.to_vec());
        self.writes += 1;
        Ok(())
    }
}

fn start(storage: &mut Memory) -> AnchorRotation {
    AnchorRotation::load(sha256, storage).unwrap()
}

/// The anchors that a device believes, as a policy wants them, and the answer to a server under them.
fn believed<'a>(rotation: &'a AnchorRotation, bundle: &[&'a [u8]]) -> Vec<TrustAnchor<'a>> {
    let all = bundle.iter().copied().chain(rotation.retained(bundle));
    all.map(|der| TrustAnchor::from_der(der, NOW).unwrap()).collect()
}

#[test]
fn the_old_anchor_stays_until_a_connection_was_made_under_a_new_one() {
    let vectors = Vectors::read();
    let (old, new) = (file!("root.der"), file!("anchor_next.der"));
    let (server, next_server) = (file!("good.der"), file!("good_next.der"));
    let host = &vectors.chain("good").host;
    let mut storage = Memory::default();
    let mut rotation = start(&mut storage);
    let connect = |rotation: &AnchorRotation, bundle: &[&[u8]], server| {
        let anchors = believed(rotation, bundle);
        let verified = verify_server_chain(&[server], host, NOW, &plain(&anchors));
        verified.map(|server| anchors[server.anchor()].as_der().to_vec())
    };

    assert_eq!(rotation.adopt(&[old], &mut storage), Ok(Phase::Unproved));
    let under = connect(&rotation, &[old], server).unwrap();
    assert_eq!(
        rotation.connected(&under, &[old], &mut storage),
        Ok(Phase::Settled)
    );
    // The bundle changes before the servers do.
    assert_eq!(rotation.adopt(&[new], &mut storage), Ok(Phase::Rehearsing));
    for _ in 0..3 {
        rotation = start(&mut storage);
        let under = connect(&rotation, &[new], server).unwrap();
        assert_eq!(
            rotation.connected(&under, &[new], &mut storage),
            Ok(Phase::Rehearsing)
        );
    }
    // The servers change.
    let under = connect(&rotation, &[new], next_server).unwrap();
    assert_eq!(
        rotation.connected(&under, &[new], &mut storage),
        Ok(Phase::Settled)
    );
    assert!(connect(&rotation, &[new], server).is_err());
    assert!(connect(&start(&mut storage), &[new], next_server).is_ok());
}

#[test]
fn an_anchor_goes_at_once_where_another_was_proved() {
    let (a, b, c): (&[u8], &[u8], &[u8]) = (b"a", b"b", b"c");
    let mut storage = Memory::default();
    let mut rotation = start(&mut storage);
    rotation.adopt(&[a, b], &mut storage).unwrap();
    rotation.connected(a, &[a, b], &mut storage).unwrap();
    rotation.connected(b, &[a, b], &mut storage).unwrap();
    // The key of b, which was proved last, was stolen.
    assert_eq!(rotation.adopt(&[a, c], &mut storage), Ok(Phase::Settled));
    assert_eq!(rotation.retained(&[a, c]), None);
    // And it is a that stays, should c alone come next.
    assert_eq!(rotation.adopt(&[c], &mut storage), Ok(Phase::Rehearsing));
    assert_eq!(start(&mut storage).retained(&[c]), Some(a));
    // An anchor that comes back was proved before.
    assert_eq!(rotation.adopt(&[a], &mut storage), Ok(Phase::Settled));
}

#[test]
fn nothing_but_an_anchor_of_the_bundle_is_proved() {
    let (a, b): (&[u8], &[u8]) = (b"a", b"b");
    let mut storage = Memory::default();
    let mut rotation = start(&mut storage);
    rotation.adopt(&[a], &mut storage).unwrap();
    assert_eq!(rotation.connected(b, &[a], &mut storage), Ok(Phase::Unproved));
    rotation.connected(a, &[a], &mut storage).unwrap();
    let writes = storage.writes;
    for _ in 0..100 {
        rotation.adopt(&[a], &mut storage).unwrap();
        rotation.connected(a, &[a], &mut storage).unwrap();
    }
    assert_eq!(storage.writes, writes, "what does not change is not written");
    rotation.adopt(&[b], &mut storage).unwrap();
    rotation.forget(&mut storage).unwrap();
    assert_eq!(start(&mut storage).phase(&[b]), Phase::Unproved);
    assert_eq!(start(&mut storage).retained(&[b]), None);
}

#[test]
fn a_storage_that_fails_changes_nothing() {
    let (a, b): (&[u8], &[u8]) = (b"a", b"b");
    let mut storage = Memory::default();
    let mut rotation = start(&mut storage);
    rotation.connected(a, &[a], &mut storage).unwrap();
    storage.fails = true;
    assert!(matches!(
        rotation.adopt(&[b], &mut storage),
        Err(AnchorRotationError::Storage(error)) if error.code() == 9999
    ));
    assert_eq!(rotation.phase(&[a]), Phase::Settled);
    assert!(rotation.forget(&mut storage).is_err());
    assert_eq!(rotation.phase(&[a]), Phase::Settled);
}

#[test]
fn a_record_reads_back_and_anything_else_does_not() {
    let longest = [7; AnchorRotation::MAX_ANCHOR_LEN];
    let names: Vec<[u8; 1]> = (0..7).map(|name| [name]).collect();
    let mut bundle: Vec<&[u8]> = names.iter().map(|name| &name[..]).collect();
    bundle.push(&longest);
    let mut storage = Memory::default();
    let mut rotation = start(&mut storage);
    for anchor in &bundle {
        rotation.connected(anchor, &bundle, &mut storage).unwrap();
    }
    let record = storage.record.clone().unwrap();
    assert_eq!(record.len(), AnchorRotation::MAX_LEN);
    assert_eq!(start(&mut storage).phase(&bundle), Phase::Settled);
    assert_eq!(start(&mut storage).retained(&[b"other"]), Some(&longest[..]));
    let mut read = |record: Vec<u8>| {
        storage.record = Some(record);
        AnchorRotation::load(sha256, &mut storage).map(|_| ())
    };
    for len in 0..record.len() {
        assert_eq!(
            read(record[..len].to_vec()),
            Err(AnchorRotationError::Record),
            "{len}"
        );
    }
    for (at, value) in [(0, 2), (1, 9), (1, 7)] {
        let mut wrong = record.clone();
        wrong[at] = value;
        assert_eq!(read(wrong), Err(AnchorRotationError::Record));
    }
    assert_eq!(
        read([vec![1, 1], vec![0; 32], vec![0, 0]].concat()),
        Err(AnchorRotationError::Record)
    );
    assert_eq!(read(vec![1, 0, 0, 0]), Ok(()));

    let many: Vec<&[u8]> = vec![b"x"; 9];
    let too_long = [0; AnchorRotation::MAX_ANCHOR_LEN + 1];
    for bundle in [&[][..], &many, &[b""], &[&too_long]] {
        assert_eq!(
            rotation.adopt(bundle, &mut Memory::default()),
            Err(AnchorRotationError::Anchors)
        );
    }
}
