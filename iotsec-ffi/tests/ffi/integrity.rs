//! The image that runs, measured in steps while somebody changes the flash.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

use iotsec_ffi::{
    boot::{IOTSEC_BOOT_FALLBACK, integrity::*},
    device::IOTSEC_DEVICE_OWNED,
    status::*,
    surface::*,
    update::{config::*, iotsec_update_accept},
};
use iotsec_testkit::Operation;

use crate::{board::Fixed, login::zeroed, surface, update::Device};

/// A check of the image that the device runs.
struct Watch {
    device: Device,
    integrity: Fixed<iotsec_integrity_t>,
}

impl Watch {
    fn new(device: Device) -> Self {
        Self {
            device,
            integrity: Fixed::new(zeroed()),
        }
    }

    fn open(&self, slot: iotsec_slot_t, refusal: iotsec_status_t) -> iotsec_status_t {
        let config = self.device.config();
        // SAFETY: see the top; here and below.
        unsafe { iotsec_integrity_open(self.integrity.at(), &raw const config, slot, refusal) }
    }

    fn step(&self, budget: u32) -> Result<iotsec_integrity_step_t, iotsec_status_t> {
        let mut step = zeroed();
        // SAFETY: as above.
        match unsafe { iotsec_integrity_step(self.integrity.at(), budget, &raw mut step) } {
            IOTSEC_OK => Ok(step),
            error => Err(error),
        }
    }

    /// One round, and how many steps it took.
    fn round(&self, budget: u32) -> (iotsec_integrity_step_t, u32) {
        for count in 1.. {
            let step = self.step(budget).unwrap();
            if step.result != IOTSEC_INTEGRITY_MORE {
                return (step, count);
            }
            assert_eq!((step.component, step.cause), (-1, IOTSEC_OK));
        }
        unreachable!();
    }

    fn least(&self) -> i32 {
        let mut least = -1;
        // SAFETY: as above.
        let status = unsafe { iotsec_integrity_least(self.integrity.at(), &raw mut least) };
        assert_eq!(status, IOTSEC_OK);
        least
    }
}

#[test]
fn a_bit_that_changes_while_it_runs_is_found_and_leaves_the_alarm_and_the_repair() {
    let mut watch = Watch::new(Device::new());
    let boot = watch.device.boot();
    assert_eq!(watch.open(boot.slot, boot.refusal), IOTSEC_OK);
    let same = iotsec_integrity_step_t {
        result: IOTSEC_INTEGRITY_SAME,
        component: -1,
        cause: IOTSEC_OK,
        least: 0,
    };
    // 5000 bytes, at most so many at once.
    assert_eq!(watch.round(1024), (same, 5));
    assert_eq!(watch.round(0), (same, 20), "256 at least");
    assert_eq!(watch.round(5000), (same, 1));
    assert_eq!(watch.least(), 0);
    assert_eq!(watch.step(1024).unwrap().result, IOTSEC_INTEGRITY_MORE);
    let at = watch.device.config().slot_a.image.start;
    watch.device.board.flash.tamper(at + 4999, &[0xA5]);
    let (changed, _) = watch.round(1024);
    assert_eq!(
        changed,
        iotsec_integrity_step_t {
            result: IOTSEC_INTEGRITY_CHANGED,
            component: 0,
            cause: IOTSEC_ERR_REFUSAL_IMAGE_DIGEST,
            least: 1
        }
    );
    assert_eq!(watch.round(1024), (changed, 5), "again in each round");
    // What the table closes then.
    let table = [surface::APP, surface::UPDATES];
    let may = |id: &str| {
        // SAFETY: see the top.
        unsafe {
            let least = watch.least();
            let (id, len) = (id.as_ptr().cast(), id.len());
            iotsec_surface_may_listen(table.as_ptr(), 2, IOTSEC_DEVICE_OWNED, least, id, len)
        }
    };
    assert_eq!(may("app"), IOTSEC_ERR_SURFACE_LEAST_CONNECTIVITY);
    // SAFETY: see the top.
    let updates = unsafe {
        let (id, host) = (c"updates".as_ptr(), c"updates.example.com".as_ptr());
        iotsec_surface_may_connect(
            table.as_ptr(),
            2,
            IOTSEC_DEVICE_OWNED,
            watch.least(),
            id,
            7,
            host,
            19,
            443,
        )
    };
    assert_eq!(updates, IOTSEC_OK);
}

#[test]
fn a_device_that_fell_back_says_so_once_and_measures_what_runs() {
    // Release 2 was accepted and is damaged then; release 1 is there still.
    let mut device = Device::with_shift(8);
    device.boot();
    device.stage(2);
    device.boot();
    assert_eq!(device.verb(iotsec_update_accept), IOTSEC_OK);
    let at = device.config().slot_b.image.start;
    device.board.flash.tamper(at + 7, &[0xA5]);
    let boot = device.boot();
    assert_eq!((boot.slot, boot.reason), (IOTSEC_SLOT_A, IOTSEC_BOOT_FALLBACK));
    let watch = Watch::new(device);
    assert_eq!(watch.open(boot.slot, boot.refusal), IOTSEC_OK);
    let told = watch.step(0).unwrap();
    assert_eq!(
        (told.result, told.component, told.cause, told.least),
        (IOTSEC_INTEGRITY_RECOVERED, -1, boot.refusal, 0)
    );
    assert_eq!(watch.round(4096).0.result, IOTSEC_INTEGRITY_SAME);
}

#[test]
fn a_slot_that_may_not_run_is_not_watched_and_a_flash_that_cannot_be_read_is_tried_again() {
    let mut watch = Watch::new(Device::new());
    assert_eq!(watch.step(1), Err(IOTSEC_ERR_STATE), "before its start");
    assert_eq!(watch.open(IOTSEC_SLOT_B, IOTSEC_OK), IOTSEC_ERR_SLOT_EMPTY);
    assert_eq!(watch.open(2, IOTSEC_OK), IOTSEC_ERR_CONFIG);
    assert_eq!(watch.open(IOTSEC_SLOT_A, -1), IOTSEC_ERR_CONFIG);
    assert_eq!(watch.open(IOTSEC_SLOT_A, IOTSEC_OK), IOTSEC_OK);
    assert_eq!(
        watch.open(IOTSEC_SLOT_A, IOTSEC_OK),
        IOTSEC_ERR_STATE,
        "open already"
    );
    assert_eq!(watch.step(256).unwrap().result, IOTSEC_INTEGRITY_MORE);
    watch.device.board.flash.fail(Operation::Read, 0..1);
    assert_eq!(watch.step(256), Err(IOTSEC_ERR_FLASH_DRIVER));
    let (step, _) = watch.round(256);
    assert_eq!((step.result, step.least), (IOTSEC_INTEGRITY_SAME, 0));
    // SAFETY: see the top.
    unsafe {
        assert_eq!(iotsec_integrity_close(watch.integrity.at()), IOTSEC_OK);
        assert_eq!(iotsec_integrity_close(watch.integrity.at()), IOTSEC_ERR_STATE);
    }
}
