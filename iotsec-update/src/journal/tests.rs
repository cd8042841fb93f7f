use std::{vec, vec::Vec};

use iotsec_core::hal::Slot;
use iotsec_testkit::{Geometry, SimFlash, Sweep, Tear};

use super::*;
use crate::SequenceNumber;

fn id(number: u64) -> ManifestId {
    ManifestId {
        sequence: SequenceNumber(number),
        digest: [number.to_le_bytes()[0]; 32],
    }
}

fn decode(bytes: &[u8]) -> Option<(u32, Record)> {
    let mut read = None;
    let serial = Record::decode(bytes, 0, &mut read)?;
    read.map(|read| (serial, read))
}

fn record(number: u64) -> Record {
    Record {
        state: State::Writing,
        progress: 4096,
        cause: 2703,
        boots: 2,
        staging: Some(id(number)),
        ..Record::initial(Image {
            slot: Slot::B,
            manifest: id(7),
        })
    }
}

fn append_all(flash: &mut SimFlash, numbers: core::ops::Range<u64>) -> Result<(), FlashError> {
    let region = flash.region()?;
    let (mut journal, _) = Journal::mount(flash, region);
    for number in numbers {
        journal.append(flash, &record(number))?;
        let progress = Record {
            progress: 4096 + 256,
            ..record(number)
        };
        journal.append_progress(flash, &progress)?;
    }
    Ok(())
}

fn newest(flash: &mut SimFlash) -> Option<Record> {
    let region = flash.region().unwrap();
    Journal::mount(flash, region).1
}

#[test]
fn a_record_has_the_bytes_of_the_table() {
    let bytes = record(0x0102).encode(0x0304_0506);
    assert_eq!(
        &bytes[..16],
        b"S\x01\x01\x01\x06\x05\x04\x03\x02\x04\x8f\x0a\0\x10\0\0"
    );
    assert_eq!(&bytes[16..24], &7_u64.to_le_bytes());
    assert_eq!(&bytes[24..56], &[7; 32]);
    assert_eq!(&bytes[56..64], &0x0102_u64.to_le_bytes());
    assert_eq!(&bytes[64..96], &[2; 32]);
    assert_eq!(&bytes[96..156], &[0; 60]);
    assert_eq!(decode(&bytes), Some((0x0304_0506, record(0x0102))));
    let bytes = encode_progress(9, 0x1234);
    assert_eq!(&bytes[..12], b"P\x01\0\0\x09\0\0\0\x34\x12\0\0");
    assert_eq!(decode_progress(&bytes), Some((9, 0x1234)));
}

#[test]
fn every_state_survives_the_flash_and_unknown_ones_do_not() {
    for code in 0..=255_u8 {
        let mut bytes = record(1).encode(1);
        bytes[2] = code;
        let body: Vec<u8> = bytes[..156].to_vec();
        bytes[156..].copy_from_slice(&crate::checksum::crc32(&body).to_le_bytes());
        let decoded = decode(&bytes);
        assert_eq!(decoded.is_some(), code < 8);
        if let Some((serial, record)) = decoded {
            assert_eq!(record.encode(serial), bytes);
        }
    }
}

#[test]
fn a_record_with_any_bit_flipped_is_no_record() {
    let good = record(3).encode(5);
    for bit in 0..good.len() * 8 {
        let mut bytes = good;
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(decode(&bytes), None, "bit {bit}");
    }
}

#[test]
fn the_newest_record_is_found_on_every_geometry_whatever_the_number_of_records() {
    for (name, geometry) in Geometry::table(2) {
        for count in [1, 2, 3, 20, 70] {
            let mut flash = SimFlash::new(geometry.clone());
            assert_eq!(newest(&mut flash), None);
            append_all(&mut flash, 0..count).unwrap();
            let found = newest(&mut flash).unwrap();
            assert_eq!(found.staging, Some(id(count - 1)), "{name}");
            assert_eq!(found.progress, 4096 + 256, "{name}");
            assert_eq!(flash.violation(), None, "{name}");
        }
    }
}

#[test]
fn a_cut_loses_no_record_that_was_written_before() {
    for (name, geometry) in Geometry::table(3) {
        let mut points = 0;
        for (pages, tear) in [(2, Tear::Torn), (2, Tear::EccPoison), (3, Tear::Unstable)] {
            let geometry = Geometry::new(
                &std::vec![geometry.pages(0, 1).unwrap().page_size(); pages],
                geometry.word_size(),
            )
            .with_erased(geometry.erased());
            let mut prepared = SimFlash::new(geometry).with_tear(tear);
            append_all(&mut prepared, 0..3).unwrap();
            points += Sweep::new().rounds(2).each_cut(
                || prepared.clone(),
                |flash| {
                    let region = flash.region().unwrap();
                    let (mut journal, _) = Journal::mount(flash, region);
                    let mut acknowledged = 2;
                    for number in 3..6 {
                        if journal.append(flash, &record(number)).is_err() {
                            break;
                        }
                        acknowledged = number;
                    }
                    acknowledged
                },
                |flash, outcome| {
                    let found = newest(flash).unwrap().staging.unwrap().sequence.0;
                    assert!((outcome.result..=outcome.result + 1).contains(&found));
                    append_all(flash, 8..9).unwrap();
                    assert_eq!(newest(flash).unwrap().staging, Some(id(8)));
                },
            );
        }
        std::println!("journal, {name}: {points} cut points");
    }
}

#[test]
fn a_page_that_cannot_be_erased_is_passed_over_and_the_newest_record_stays() {
    let geometry = Geometry::small(3);
    let mut flash = SimFlash::new(geometry);
    append_all(&mut flash, 0..1).unwrap();
    let region = flash.region().unwrap();
    let (mut journal, _) = Journal::mount(&mut flash, region);
    flash.fail(iotsec_testkit::Operation::Erase, 0..1);
    assert_eq!(journal.append(&mut flash, &record(1)), Err(FlashError::Driver));
    assert_eq!(newest(&mut flash).unwrap().staging, Some(id(0)));
    assert_eq!(journal.append(&mut flash, &record(2)), Ok(()));
    assert_eq!(newest(&mut flash).unwrap().staging, Some(id(2)));
    assert!(flash.wear()[1] <= 1);
}

#[test]
fn noise_and_hostile_serial_numbers_leave_an_empty_journal_that_can_be_written() {
    let mut rng = iotsec_testkit::SimRng::new(5);
    for _ in 0..200 {
        let mut flash = SimFlash::new(Geometry::small(2));
        let noise: Vec<u8> = (0..512).map(|_| rng.below(256).to_le_bytes()[0]).collect();
        flash.tamper(0, &noise);
        flash.tamper(0, &record(1).encode(u32::MAX));
        flash.tamper(160, &encode_progress(u32::MAX, 1));
        assert_eq!(newest(&mut flash), None);
        append_all(&mut flash, 4..5).unwrap();
        assert_eq!(newest(&mut flash).unwrap().staging, Some(id(4)));
    }
}

#[test]
fn the_page_with_the_newest_record_is_not_erased_even_if_the_other_one_fails() {
    let mut prepared = SimFlash::new(Geometry::small(2));
    append_all(&mut prepared, 0..1).unwrap();
    let region = prepared.region().unwrap();
    for failures in 1..4 {
        iotsec_testkit::each_cut(
            || prepared.clone(),
            |flash| {
                flash.fail(iotsec_testkit::Operation::Erase, 0..failures);
                let (mut journal, _) = Journal::mount(flash, region);
                for _ in 0..failures {
                    let failed = journal.append(flash, &record(1));
                    assert_eq!(failed, Err(FlashError::Driver));
                }
                journal.append(flash, &record(2)).is_ok()
            },
            |flash, outcome| {
                let found = newest(flash).unwrap().staging.unwrap().sequence.0;
                assert!(found == 2 || (found == 0 && !outcome.result));
            },
        );
    }
}

#[test]
fn a_record_that_reads_differently_each_time_seldom_counts() {
    let mut flash = SimFlash::new(Geometry::small(2));
    append_all(&mut flash, 0..1).unwrap();
    // Two bits that a cut left in between: one reading in four is whole, two in a row are one in sixteen.
    flash.make_unstable(20, 0x41);
    let counted = (0..2000).filter(|_| newest(&mut flash).is_some()).count();
    assert!((60..200).contains(&counted), "{counted}");
}

/// What the newest kept state is, as a session would find it.
fn kept(flash: &mut SimFlash) -> (Option<Record>, Option<(u32, Vec<u8>)>) {
    let region = flash.region().unwrap();
    let (mut journal, record) = Journal::mount(flash, region);
    let Some(record) = record else {
        return (None, None);
    };
    let state = journal.find_state(flash, &record).map(|kept| {
        let mut out = [0; MAX_STATE];
        let bytes = journal.read_state(flash, &kept, &mut out).unwrap().to_vec();
        (kept.progress(), bytes)
    });
    (Some(record), state)
}

fn state(number: u32, len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| (u32::try_from(at).unwrap() * 7 + number * 13).to_le_bytes()[0])
        .collect()
}

#[test]
fn the_newest_state_is_found_on_every_geometry_and_belongs_to_its_manifest() {
    for (name, _) in Geometry::table(1) {
        let geometry = Geometry::table(3).into_iter().find(|(other, _)| *other == name);
        let mut flash = SimFlash::new(geometry.unwrap().1);
        let region = flash.region().unwrap();
        let (mut journal, _) = Journal::mount(&mut flash, region);
        let mut now = record(1);
        journal.append(&mut flash, &now).unwrap();
        for number in 1..40_u32 {
            let bytes = state(number, number as usize);
            if journal.state_space(bytes.len()).is_none() {
                assert!(region.page_size() < 512, "{name}");
                break;
            }
            journal
                .append_state(&mut flash, &mut now, 4096 + number, &bytes)
                .unwrap();
            let (found, state) = kept(&mut flash);
            assert!(found.is_some());
            assert_eq!(state, Some((4096 + number, bytes)), "{name}");
        }
        // Another manifest's is not taken.
        let other = Record {
            progress: now.progress,
            ..record(2)
        };
        journal.append(&mut flash, &other).unwrap();
        assert_eq!(kept(&mut flash).1, None, "{name}");
        assert_eq!(flash.violation(), None);
    }
}

#[test]
fn a_state_that_is_cut_leaves_the_one_before_and_no_record_is_lost() {
    let geometry = Geometry::new(&[512; 3], 8);
    for tear in [Tear::Torn, Tear::EccPoison, Tear::Unstable] {
        let fresh = || {
            let mut flash = SimFlash::new(geometry.clone()).with_tear(tear);
            let region = flash.region().unwrap();
            let (mut journal, _) = Journal::mount(&mut flash, region);
            let mut now = record(1);
            journal.append(&mut flash, &now).unwrap();
            journal
                .append_state(&mut flash, &mut now, 5000, &state(1, 90))
                .unwrap();
            (flash, journal, now)
        };
        for progress in [1_u32, 2, 3] {
            let points = Sweep::new().each_cut(
                || fresh().0,
                |flash| {
                    // The journal goes on in the same run, until a page is full.
                    let (_, mut journal, mut now) = fresh();
                    for number in 0..progress {
                        journal.append_state(flash, &mut now, 5001 + number, &state(2 + number, 90))?;
                    }
                    Ok::<(), FlashError>(())
                },
                |flash, outcome| {
                    let (found, kept) = kept(flash);
                    let found = found.expect("the record was written before");
                    assert_eq!(found.staging, record(1).staging);
                    if tear == Tear::Torn || outcome.result.is_ok() {
                        let (at, bytes) = kept.expect("the state before, at least");
                        assert!((5000..=5000 + progress).contains(&at));
                        assert_eq!(bytes, state(at - 4999, 90));
                        assert!(outcome.result.is_err() || at == 5000 + progress);
                    }
                },
            );
            assert!(points > 10);
        }
    }
}

#[test]
fn what_a_payload_puts_into_a_state_never_passes_for_a_record() {
    let geometry = Geometry::new(&[1024; 3], 4);
    let mut forged = record(9);
    forged.state = State::Staged;
    let forged = forged.encode(1_000_000);
    // At every place relative to the units, with the head intact and with the head gone.
    for shift in 0..40 {
        let mut flash = SimFlash::new(geometry.clone());
        let region = flash.region().unwrap();
        let (mut journal, _) = Journal::mount(&mut flash, region);
        let mut now = record(1);
        journal.append(&mut flash, &now).unwrap();
        let bytes = [&vec![0; shift][..], &forged].concat();
        journal.append_state(&mut flash, &mut now, 5000, &bytes).unwrap();
        let start = region.page_size() * journal.page;
        let (_, state) = kept(&mut flash);
        assert_eq!(state, Some((5000, bytes)));
        assert_eq!(
            newest(&mut flash).map(|record| record.state),
            Some(State::Writing)
        );
        flash.tamper(start + RECORD_LEN, &[0; 16]);
        assert_eq!(
            newest(&mut flash).map(|record| record.state),
            Some(State::Writing)
        );
        assert_eq!(kept(&mut flash).1, None);
    }
}
