//! Power cuts while several components, or payloads that are decoded, are installed.

use iotsec_core::hal::Slot;
use iotsec_testkit::{Geometry, Outcome, SimFlash, StepUnit, Sweep, Tear};
use iotsec_update::install::State;

use crate::kit::{Device, From, Release, Stop, image, patch, release};

/// That one release runs as a whole, and the new one in the end. Returns what had to be sent for that.
fn check<const N: usize>(
    device: &mut Device<N>,
    outcome: &Outcome<Result<usize, Stop>>,
    old: &Release<N>,
    new: &Release<N>,
) -> Option<usize> {
    assert_eq!(device.counter.value(), 0, "raised before it was accepted");
    let runs = device.is_whole(&[old, new]);
    assert!(
        outcome.result.is_err() || runs == new.sequence,
        "staged and not tried"
    );
    let mut sent = None;
    if runs == old.sequence {
        sent = Some(device.stage(new).unwrap());
        assert_eq!(device.is_whole(&[old, new]), new.sequence);
    }
    device.try_and_accept().unwrap();
    assert_eq!(device.is_whole(&[new]), new.sequence);
    assert_eq!(device.counter.value(), new.sequence >> 4);
    sent
}

fn three(sequence: u64) -> Release<3> {
    let images = [
        image(sequence, 2 * 256 + 17),
        image(sequence + 100, 256),
        image(7, 301),
    ];
    let last = if sequence == 0x10 {
        From::Plain
    } else {
        From::Present
    };
    release(sequence, images, &[From::Plain, From::Integrated, last])
}

#[test]
fn an_install_of_three_components_cut_anywhere_is_all_new_or_all_old() {
    let (old, new) = (three(0x10), three(0x20));
    let (mut total, mut table) = (0, Vec::new());
    for (name, geometry) in Geometry::table(1) {
        let pages = usize::try_from(Device::pages(&geometry, [3, 2, 2])).unwrap();
        let mut geometries = Geometry::table(pages).into_iter();
        table.push(geometries.find(|(other, _)| *other == name).unwrap());
    }
    for (name, geometry) in table {
        let fresh = Device::on(&geometry, [3, 2, 2], &old);
        let mut points = 0;
        for tear in [Tear::Torn, Tear::EccPoison, Tear::Unstable] {
            points += Sweep::new().quick(29).each_cut(
                || torn(&fresh, tear),
                |device| device.stage(&new),
                |device, outcome| {
                    check(device, &outcome, &old, &new);
                },
            );
        }
        println!("install of components, {name}: {points} cut points");
        total += points;
    }
    println!("install of components: {total} cut points");
}

/// A copy that tears so.
fn torn<const N: usize>(device: &Device<N>, tear: Tear) -> Device<N> {
    let mut device = device.clone();
    let blank = SimFlash::new(Geometry::small(1));
    device.flash = std::mem::replace(&mut device.flash, blank)
        .with_tear(tear)
        .with_unit(StepUnit::Byte);
    device
}

#[test]
fn two_cuts_in_an_install_of_two_components_are_all_new_or_all_old() {
    let two = |sequence| {
        let images = [image(sequence, 20), image(sequence + 1, 9)];
        release(sequence, images, &[From::Plain, From::Plain])
    };
    let (old, new) = (two(0x10), two(0x20));
    let fresh = Device::new(256, 16, [1, 1], &old);
    let pairs = Sweep::new().quick(11).two_cuts(
        || fresh.clone(),
        |device| device.stage(&new),
        |device| {
            let _ = device.stage(&new);
        },
        |device, outcome| {
            check(device, &outcome, &old, &new);
        },
    );
    println!("install of components: {pairs} pairs of cuts");
}

/// A patch that is long enough for states of the decoder to be kept.
fn delta(form: impl Fn(Vec<u8>, Vec<u8>) -> From) -> (Release<1>, Release<1>) {
    let (base, new) = (image(1, 11_000), image(2, 13_000));
    let old = release(0x10, [base.clone()], &[From::Plain]);
    let delta = patch(&base, &new);
    let new = release(0x20, [new], &[form(base, delta)]);
    (old, new)
}

fn sweep_delta(name: &str, quick: u64, old: &Release<1>, new: &Release<1>) {
    let fresh = Device::new(1024, 8, [13], old);
    let whole = new.payloads.values().next().unwrap().len();
    let (mut resumed, mut begun) = (0, 0);
    let points = Sweep::new().quick(quick).full(4).each_cut(
        || torn(&fresh, Tear::Torn),
        |device| device.stage(new),
        |device, outcome| {
            let image = device.started().unwrap();
            let state = device.updater(image.running()).unwrap().state();
            let was_writing = state == State::Writing && image.slot() == Slot::A;
            let sent = check(device, &outcome, old, new);
            if let Some(sent) = sent.filter(|_| was_writing) {
                begun += 1;
                resumed += u64::from(sent < whole);
            }
        },
    );
    println!("{name}: {points} cut points");
    println!("{name}: {resumed} of {begun} resets cost only a part of the payload");
    assert!(resumed * 2 > begun, "{resumed} of {begun}");
}

#[test]
fn a_patch_cut_anywhere_boots_and_goes_on_from_the_state_that_was_kept() {
    let (old, new) = delta(|base, patch| From::Patch { base, patch });
    sweep_delta("install of a patch", 101, &old, &new);
}

#[test]
fn an_encrypted_patch_in_chunks_cut_anywhere_boots_and_goes_on() {
    let (old, new) = delta(|base, patch| From::CounterPatch {
        base,
        patch,
        chunk: 512,
    });
    sweep_delta("install of an encrypted patch", 211, &old, &new);
}
