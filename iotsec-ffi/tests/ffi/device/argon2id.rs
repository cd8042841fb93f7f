//! Memory that is lent to a device for Argon2id.

use super::*;
use crate::login::Memory;

const FEW: u32 = IOTSEC_ITERATIONS_MCU;

fn lend(unit: &Unit, memory: &Memory) -> iotsec_status_t {
    let lent = memory.lend();
    // SAFETY: see the top.
    unsafe { iotsec_device_lend_argon2id(unit.device.at(), &raw const lent) }
}

fn enter(unit: &Unit, password: &str, rehash: bool) -> iotsec_status_t {
    let (at, text, len, mut owner) = (unit.device.at(), password.as_ptr().cast(), password.len(), 0);
    // SAFETY: see the top.
    unsafe {
        if rehash {
            iotsec_device_login_with_rehash(at, FEW, text, len, 30_000, &raw mut owner)
        } else {
            iotsec_device_login(at, text, len, 30_000, &raw mut owner)
        }
    }
}

fn failures(unit: &Unit) -> u32 {
    let mut status = zeroed::<iotsec_login_status_t>();
    // SAFETY: see the top.
    let told = unsafe { iotsec_device_login_status(unit.device.at(), 30_000, &raw mut status) };
    assert_eq!(told, IOTSEC_OK);
    status.failures
}

#[test]
fn an_owner_who_claims_with_memory_lent_needs_it_at_every_boot() {
    let (unit, memory) = (Unit::provisioned(), Memory::new());
    assert_eq!(lend(&unit, &memory), IOTSEC_OK);
    assert_eq!(lend(&unit, &memory), IOTSEC_ERR_STATE);
    unit.set_up(20_000);
    assert_eq!(enter(&unit, PASSWORD, false), IOTSEC_OK);
    assert_eq!(unit.reboot(), IOTSEC_DEVICE_OWNED);
    for rehash in [false, true] {
        assert_eq!(enter(&unit, PASSWORD, rehash), IOTSEC_ERR_CRYPTO_ALGORITHM);
    }
    assert_eq!(failures(&unit), 0);
    assert_eq!(lend(&unit, &memory), IOTSEC_OK);
    assert_eq!(
        enter(&unit, "seven small otters sink", false),
        IOTSEC_ERR_LOGIN_REFUSED
    );
    assert_eq!(failures(&unit), 1);
    assert_eq!(enter(&unit, PASSWORD, false), IOTSEC_OK);
}

#[test]
fn a_password_from_before_is_stretched_anew_once_there_is_memory() {
    let (unit, memory) = (Unit::owned(), Memory::new());
    assert_eq!(unit.reboot(), IOTSEC_DEVICE_OWNED);
    assert_eq!(lend(&unit, &memory), IOTSEC_OK);
    assert_eq!(enter(&unit, PASSWORD, true), IOTSEC_OK);
    assert_eq!(unit.reboot(), IOTSEC_DEVICE_OWNED);
    assert_eq!(enter(&unit, PASSWORD, false), IOTSEC_ERR_CRYPTO_ALGORITHM);
    assert_eq!(lend(&unit, &memory), IOTSEC_OK);
    assert_eq!(enter(&unit, PASSWORD, false), IOTSEC_OK);
}

#[test]
fn memory_is_lent_before_the_set_up_begins() {
    let (unit, memory) = (Unit::provisioned(), Memory::new());
    assert_eq!(unit.begin(), IOTSEC_OK);
    assert_eq!(lend(&unit, &memory), IOTSEC_ERR_STATE);
    assert_eq!(unit.reboot(), IOTSEC_DEVICE_PROVISIONED);
    assert_eq!(lend(&unit, &memory), IOTSEC_OK);
    assert_eq!(unit.begin(), IOTSEC_OK);
    assert_eq!(unit.close(), IOTSEC_OK);
    assert_eq!(lend(&unit, &memory), IOTSEC_ERR_STATE);
}
