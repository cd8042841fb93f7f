use iotsec_ffi::{
    boot::*,
    update::{config::*, *},
};

use super::{Succeeded, done, ok};
use crate::{
    login::zeroed,
    update::{Device, envelope, image, maker},
};

/// From an envelope to an image that the next boot tries.
fn stage(seen: &mut Succeeded, device: &Device, release: u64) {
    let (at, mut resume, mut taken, mut done) = (device.update.at(), 0, 0, 0);
    let (envelope, image) = (envelope(release, &maker()), image(release));
    ok!(
        seen,
        iotsec_update_begin(at, envelope.as_ptr(), envelope.len(), 0, &raw mut resume)
    );
    let mut rest = &image[resume as usize..];
    while !rest.is_empty() {
        ok!(
            seen,
            iotsec_update_write(at, rest.as_ptr(), rest.len(), &raw mut taken)
        );
        rest = &rest[taken..];
    }
    while done == 0 {
        ok!(seen, iotsec_update_finish(at, &raw mut done));
    }
    ok!(seen, iotsec_update_install(at));
}

fn boot(seen: &mut Succeeded, device: &Device) {
    let (config, mut boot) = (device.config(), zeroed::<iotsec_boot_t>());
    ok!(seen, iotsec_boot_select(&raw const config, &raw mut boot));
    ok!(
        seen,
        iotsec_update_open(device.update.at(), &raw const config, boot.slot)
    );
}

#[test]
fn update() {
    let mut seen = Succeeded::default();
    let device = Device::new();
    let (config, at, mut boot_) = (device.config(), device.update.at(), zeroed::<iotsec_boot_t>());
    let (first, bytes) = (envelope(1, &maker()), image(1));
    ok!(
        seen,
        iotsec_slot_provision(
            &raw const config,
            IOTSEC_SLOT_A,
            first.as_ptr(),
            first.len(),
            bytes.as_ptr(),
            bytes.len()
        )
    );
    ok!(
        seen,
        iotsec_boot_verify(&raw const config, IOTSEC_SLOT_A, &raw mut boot_)
    );
    boot(&mut seen, &device);
    let (second, mut resume) = (envelope(2, &maker()), 0);
    ok!(
        seen,
        iotsec_update_begin(at, second.as_ptr(), second.len(), 0, &raw mut resume)
    );
    ok!(seen, iotsec_update_cancel(at));
    done!(seen, iotsec_update_clean(at));
    stage(&mut seen, &device, 2);
    ok!(seen, iotsec_update_close(at));
    boot(&mut seen, &device);
    ok!(seen, iotsec_update_reject(at));
    ok!(seen, iotsec_update_close(at));
    boot(&mut seen, &device);
    ok!(seen, iotsec_update_forget_rejected(at));
    done!(seen, iotsec_update_clean(at));
    stage(&mut seen, &device, 2);
    ok!(seen, iotsec_update_close(at));
    boot(&mut seen, &device);
    ok!(seen, iotsec_update_accept(at));
    let mut status = zeroed();
    ok!(seen, iotsec_update_status(at, &raw mut status));
    assert_eq!((status.state, status.installed), (IOTSEC_UPDATE_UPDATED, 2));
    seen.all_of("update");
}
