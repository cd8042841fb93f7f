use std::collections::BTreeSet;

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};

use super::*;

const OLD: u8 = 0xFF;

fn small() -> SimFlash {
    SimFlash::new(Geometry::small(4))
}

/// Cuts a write of `bytes` at 0 after `steps`, with chance from `seed`.
fn cut_write(flash: SimFlash, seed: u64, steps: u64, bytes: &[u8]) -> SimFlash {
    let mut flash = flash.with_seed(seed);
    flash.cut_after(steps);
    assert_eq!(flash.write(0, bytes), Err(SimFlashError::PowerLost));
    flash.power_on();
    flash
}

fn cut_erase(flash: &SimFlash, seed: u64, steps: u64) -> SimFlash {
    let mut flash = flash.clone().with_seed(seed);
    flash.cut_after(steps);
    assert_eq!(flash.erase(0, 256), Err(SimFlashError::PowerLost));
    flash.power_on();
    flash
}

fn filled(byte: u8) -> SimFlash {
    let mut flash = small();
    flash.write(0, &[byte; 1024]).unwrap();
    flash
}

fn ones(bytes: &[u8]) -> u32 {
    bytes.iter().map(|byte| byte.count_ones()).sum()
}

#[test]
fn a_budget_of_n_steps_completes_n_words_tears_one_and_leaves_the_rest() {
    for steps in 0..16_usize {
        let flash = cut_write(small(), 1, u64::try_from(steps).unwrap(), &[0xA5; 64]);
        let torn = steps * 4;
        assert_eq!(flash.image()[..torn], vec![0xA5; torn]);
        assert!(flash.image()[torn + 4..].iter().all(|byte| *byte == OLD));
        assert_eq!(flash.steps(), u64::try_from(steps).unwrap());
    }
    let mut flash = small();
    flash.cut_after(16);
    assert_eq!(flash.write(0, &[0xA5; 64]), Ok(()));
    assert_eq!(
        flash.read(0, &mut [0; 4]),
        Ok(()),
        "the budget is spent, not exceeded"
    );
    assert_eq!(flash.write(64, &[0; 4]), Err(SimFlashError::PowerLost));
    assert_eq!(flash.read(0, &mut [0; 4]), Err(SimFlashError::PowerLost));
    assert_eq!(flash.erase(0, 256), Err(SimFlashError::PowerLost));
}

#[test]
fn a_torn_word_is_old_or_new_or_between_and_bits_only_get_programmed() {
    let new = [0x3C, 0x00, 0xFF, 0xA5];
    let mut seen = BTreeSet::new();
    for seed in 0..256 {
        let flash = cut_write(small(), seed, 0, &new);
        let torn: [u8; 4] = flash.image()[..4].try_into().unwrap();
        for (torn, new) in torn.iter().zip(new) {
            assert_eq!(torn & new, new, "a bit that should stay erased was programmed");
        }
        seen.insert(torn);
    }
    assert!(seen.contains(&[OLD; 4]) && seen.contains(&new));
    assert!(seen.len() > 100, "only {} ways to tear", seen.len());
}

#[test]
fn the_same_seed_tears_the_same_bits_and_another_seed_others() {
    let image = |seed| cut_write(small(), seed, 3, &[0; 64]).image().to_vec();
    let differing = (0..20).filter(|seed| image(*seed) != image(seed + 1)).count();
    assert!((0..20).all(|seed| image(seed) == image(seed)));
    assert!(differing > 10);
    let erased = |seed| cut_erase(&filled(0), seed, 2).image().to_vec();
    assert_eq!(erased(5), erased(5));
    assert_ne!(erased(5), erased(6));
}

#[test]
fn a_flash_erased_to_zero_tears_towards_one() {
    for seed in 0..64 {
        let flash = cut_write(SimFlash::new(Geometry::erased_zero(1)), seed, 1, &[0x0F; 16]);
        assert_eq!(&flash.image()[..4], [0x0F; 4]);
        assert!(flash.image()[4..8].iter().all(|byte| byte & 0xF0 == 0));
        assert!(flash.image()[8..].iter().all(|byte| *byte == 0));
    }
}

#[test]
fn every_byte_of_a_word_can_be_the_cut_and_later_cuts_are_further_along() {
    let cut = |seed, steps| {
        let flash = SimFlash::new(Geometry::stm32l4(1)).with_unit(StepUnit::Byte);
        let flash = cut_write(flash, seed, steps, &[0; 16]);
        assert!(flash.image()[16..].iter().all(|byte| *byte == OLD));
        if steps >= 8 {
            assert_eq!(&flash.image()[..8], [0; 8]);
        }
        128 - ones(&flash.image()[..16])
    };
    let mean = |steps| (0..200).map(|seed| cut(seed, steps)).sum::<u32>() / 200;
    let means: Vec<u32> = (0..16).map(mean).collect();
    assert!(means[0] < means[3] && means[3] < means[6], "{means:?}");
    assert!(means[8] >= 64 && means[8] < means[15], "{means:?}");
    let mut flash = SimFlash::new(Geometry::stm32l4(1)).with_unit(StepUnit::Byte);
    flash.cut_after(16);
    assert_eq!(flash.write(0, &[0; 16]), Ok(()));
}

#[test]
fn a_burst_is_undefined_as_a_whole_and_others_are_untouched() {
    let mut early = 0;
    for seed in 0..32 {
        let flash = cut_write(SimFlash::new(Geometry::serial_nor(1)), seed, 300, &[0; 600]);
        assert_eq!(&flash.image()[..256], [0; 256], "the first burst was complete");
        assert!(flash.image()[512..].iter().all(|byte| *byte == OLD));
        early += usize::from(flash.image()[256..300].iter().any(|byte| *byte != 0));
    }
    assert!(early > 5, "bytes before the cut tear with their burst");
}

#[test]
fn a_torn_erase_goes_through_its_stages_and_the_sector_is_unusable() {
    let bits = 256 * 8;
    for seed in 0..16 {
        let set = |steps| ones(&cut_erase(&filled(0x00), seed, steps).image()[..256]);
        assert_eq!(set(0), 0, "programming what is programmed changes nothing");
        assert!((bits * 4 / 10..bits * 6 / 10).contains(&set(1)));
        assert!((bits * 7 / 10..bits * 8 / 10).contains(&set(2)));
        assert!((bits * 9 / 10..bits).contains(&set(3)));
        assert_eq!(set(4), bits);
    }
    let half = |seed| ones(&cut_erase(&filled(0xFF), seed, 0).image()[..256]);
    assert!((0..16).any(|seed| half(seed) < bits), "the first stage programs");

    let mut flash = cut_erase(&filled(0x00), 1, 4);
    assert!(flash.image()[256..].iter().all(|byte| *byte == 0));
    assert_eq!(flash.write(0, &[0; 4]), Err(SimFlashError::Overwrite));
    flash.erase(0, 256).unwrap();
    assert_eq!(flash.write(0, &[0; 4]), Ok(()));
}

#[test]
fn a_blank_sector_whose_erase_was_cut_takes_no_write() {
    let mut flash = cut_erase(&small(), 1, 4);
    assert!(flash.image().iter().all(|byte| *byte == OLD));
    assert_eq!(flash.write(252, &[0; 8]), Err(SimFlashError::Unfinished));
    assert_eq!(flash.write(256, &[0; 8]), Ok(()));
}

#[test]
fn a_page_of_unequal_sectors_tears_between_them() {
    let mut flash = SimFlash::new(Geometry::stm32f4(1));
    flash.write(0, &[0; 128 * 1024]).unwrap();
    let before = flash.steps();
    let mut whole = flash.clone();
    whole.erase(0, 128 * 1024).unwrap();
    assert_eq!(whole.steps() - before, 5 * 5);
    assert_eq!(whole.stats().sectors_erased, 5);
    flash.cut_after(12);
    assert_eq!(flash.erase(0, 128 * 1024), Err(SimFlashError::PowerLost));
    let sector = |n: usize| &flash.image()[n * 16 * 1024..(n + 1) * 16 * 1024];
    assert!(sector(0).iter().chain(sector(1)).all(|byte| *byte == OLD));
    assert!(sector(2).iter().any(|byte| *byte != OLD) && sector(2).iter().any(|byte| *byte != 0));
    assert!(sector(3).iter().all(|byte| *byte == 0));
    assert_eq!(flash.wear(), [1, 1, 1, 0, 0, 0]);
}

#[test]
fn a_clean_cut_leaves_the_word_and_the_sector_as_they_were() {
    let mut flash = cut_write(small().with_tear(Tear::Clean), 1, 2, &[0; 16]);
    assert_eq!(&flash.image()[..12], [0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]);
    assert_eq!(flash.write(8, &[1; 4]), Ok(()));
    let before = flash.clone();
    flash.cut_after(0);
    assert_eq!(flash.erase(0, 256), Err(SimFlashError::PowerLost));
    flash.power_on();
    assert_eq!(flash.image(), before.image());
    flash.cut_after(1);
    assert_eq!(flash.erase(0, 256), Ok(()));
}

#[test]
fn a_poisoned_word_fails_to_read_until_erased_and_its_neighbours_do_not() {
    let mut poisoned = 0;
    for seed in 0..64 {
        let mut flash = cut_write(small().with_tear(Tear::EccPoison), seed, 1, &[0x5A; 16]);
        assert_eq!(flash.read(0, &mut [0; 4]), Ok(()));
        assert_eq!(flash.read(8, &mut [0; 8]), Ok(()));
        let mut word = [0; 1];
        match flash.read(7, &mut word) {
            Err(SimFlashError::Ecc) => poisoned += 1,
            // Readable only as wholly old or wholly new.
            result => {
                assert_eq!(result, Ok(()));
                assert!(word == [OLD] || word == [0x5A]);
            }
        }
        flash.erase(0, 256).unwrap();
        assert_eq!(flash.read(0, &mut [0; 256]), Ok(()));
    }
    assert!(poisoned > 32, "{poisoned}");
    let mut flash = cut_erase(&filled(0).with_tear(Tear::EccPoison), 1, 1);
    assert_eq!(flash.read(0, &mut [0; 256]), Err(SimFlashError::Ecc));
    assert_eq!(flash.read(256, &mut [0; 256]), Ok(()));
    flash.poison(258);
    assert_eq!(flash.read(256, &mut [0; 1]), Err(SimFlashError::Ecc));
}

#[test]
fn unstable_bits_read_differently_until_erased_and_stable_ones_do_not() {
    let mut flash = cut_erase(&filled(0).with_tear(Tear::Unstable), 3, 2);
    let read = |flash: &mut SimFlash, from| {
        let mut bytes = [0; 256];
        flash.read(from, &mut bytes).unwrap();
        bytes
    };
    assert_ne!(read(&mut flash, 0), read(&mut flash, 0));
    assert_eq!(read(&mut flash, 256), read(&mut flash, 256));
    flash.erase(0, 256).unwrap();
    assert_eq!(read(&mut flash, 0), [OLD; 256]);
    flash.make_unstable(9, 0x10);
    let values: BTreeSet<u8> = (0..64).map(|_| read(&mut flash, 0)[9]).collect();
    assert_eq!(values, BTreeSet::from([0xEF, 0xFF]));
}

#[test]
fn forbidden_accesses_fail_change_nothing_and_are_remembered() {
    let mut flash = filled(0x11);
    let before = flash.image().to_vec();
    let cases = [
        (flash.write(1, &[0; 4]), SimFlashError::NotAligned),
        (flash.write(0, &[0; 3]), SimFlashError::NotAligned),
        (flash.write(1024, &[0; 4]), SimFlashError::OutOfBounds),
        (flash.write(u32::MAX, &[0; 4]), SimFlashError::OutOfBounds),
        (flash.read(1020, &mut [0; 5]), SimFlashError::OutOfBounds),
        (flash.write(0, &[0; 4]), SimFlashError::Overwrite),
        (flash.erase(0, 255), SimFlashError::NotAligned),
        (flash.erase(128, 256), SimFlashError::NotAligned),
        (flash.erase(256, 0), SimFlashError::OutOfBounds),
        (flash.erase(0, 2048), SimFlashError::OutOfBounds),
    ];
    for (number, (result, expected)) in cases.iter().enumerate() {
        assert_eq!(*result, Err(*expected), "case {number}");
        assert_eq!(flash.violations()[number].error, *expected);
    }
    assert_eq!(flash.image(), before);
    assert_eq!(flash.violations().len(), cases.len());
    flash.forget_violations();
    assert_eq!(flash.violation(), None);
}

#[test]
fn a_word_of_erased_bytes_counts_as_written() {
    let mut flash = small();
    flash.write(0, &[OLD; 4]).unwrap();
    assert_eq!(flash.write(0, &[0; 4]), Err(SimFlashError::Overwrite));
}

#[test]
fn injected_failures_hit_the_operations_asked_for_and_no_others() {
    let mut flash = small();
    flash.fail(Operation::Write, 1..3);
    flash.fail(Operation::Read, 0..1);
    assert_eq!(flash.write(0, &[0; 4]), Ok(()));
    assert_eq!(flash.write(4, &[0; 4]), Err(SimFlashError::Injected));
    assert_eq!(flash.write(4, &[0; 4]), Err(SimFlashError::Injected));
    assert_eq!(flash.write(4, &[0; 4]), Ok(()));
    assert_eq!(flash.read(0, &mut [0]), Err(SimFlashError::Injected));
    assert_eq!(flash.read(0, &mut [0]), Ok(()));
    flash.fail(Operation::Erase, 0..u64::MAX);
    assert_eq!(flash.erase(0, 256), Err(SimFlashError::Injected));
    assert_eq!(flash.erase(0, 256), Err(SimFlashError::Injected));
    flash.mend();
    assert_eq!(flash.erase(0, 256), Ok(()));
    assert_eq!(flash.violation(), None);
}

#[test]
fn operations_bytes_wear_and_erases_between_marks_are_counted() {
    let mut flash = small();
    flash.mark();
    flash.erase(0, 512).unwrap();
    flash.mark();
    flash.erase(0, 256).unwrap();
    flash.erase(256, 512).unwrap();
    flash.mark();
    let ((), stats) = flash.measure(|flash| {
        flash.write(0, &[0; 32]).unwrap();
        flash.read(0, &mut [0; 5]).unwrap();
    });
    let expected = Stats {
        reads: 1,
        bytes_read: 5,
        writes: 1,
        bytes_written: 32,
        ..Stats::default()
    };
    assert_eq!(stats, expected);
    assert_eq!(flash.wear(), [2, 2, 0, 0]);
    assert_eq!(flash.most_erases(), 2);
    assert_eq!((flash.stats().erases, flash.stats().sectors_erased), (3, 4));
}

#[test]
fn a_clone_has_its_own_cells_and_its_own_power() {
    let mut flash = small();
    flash.cut_after(1);
    let mut snapshot = flash.clone();
    assert!(flash.write(0, &[0; 8]).is_err());
    assert!(!snapshot.is_off());
    assert!(snapshot.image().iter().all(|byte| *byte == OLD));
    assert_eq!(snapshot.write(0, &[0; 4]), Ok(()));
    assert!(snapshot.write(4, &[0; 4]).is_err());
}

#[test]
fn an_image_from_outside_is_programmed_where_it_is_not_blank() {
    let mut flash = SimFlash::from_image(Geometry::small(2), &[OLD, OLD, OLD, OLD, 1, OLD]);
    assert_eq!(flash.write(0, &[0; 4]), Ok(()));
    assert_eq!(flash.write(4, &[0; 4]), Err(SimFlashError::Overwrite));
    assert_eq!(flash.write(8, &[0; 4]), Ok(()));
    flash.tamper(13, b"needle");
    assert!(flash.contains(b"needle") && !flash.contains(b"haystack") && !flash.contains(b""));
    assert_eq!(flash.write(16, &[0; 4]), Err(SimFlashError::Overwrite));
}
