use std::mem::MaybeUninit;

use iotsec_ffi::{
    status::iotsec_status_t,
    telemetry::{data_map::*, iotsec_value_t, private::*},
};

use super::{Step, filled, telemetry::service};
use crate::{Input, board::size, world::World};

/// Adds up numbers to 24, every hour.
static TASK: &[u8] = b"\x01t\0\x09https://l\0\x09https://h\0\0\0\0\0\0\x0e\x10\0\0\0\0\0\0\0d\x01\0\0\0\0\0\x02\0\x08\0\0\0\0\0\0\0\x18\0\0";
static ID: [u8; 32] = [9; 32];
/// Lists of one key each, whose bytes are any.
static LEADER: &[u8] = b"\0\x29\x07\0\x20\0\x01\0\x03\0\x20a public key of the first server";
static HELPER: &[u8] = b"\0\x29\x08\0\x20\0\x01\0\x03\0\x20a public key of the other server";

fn value(input: &mut Input<'_>) -> iotsec_value_t {
    iotsec_value_t {
        number: input.wide().cast_signed(),
        personal: input.number(),
    }
}

fn number_of(input: &mut Input<'_>) -> u16 {
    u16::from(input.byte() % 6)
}

/// What the servers say, or a piece of the input.
fn or_piece<'i>(input: &mut Input<'i>, known: &'static [u8]) -> &'i [u8] {
    match input.piece() {
        [] => known,
        piece => piece,
    }
}

fn data_map(
    world: &World,
    input: &mut Input<'_>,
    how: unsafe extern "C" fn(
        *mut iotsec_ffi::telemetry::iotsec_telemetry_t,
        *const std::ffi::c_char,
        usize,
        *mut std::ffi::c_char,
        usize,
        *mut usize,
    ) -> iotsec_status_t,
) -> iotsec_status_t {
    let (at, product) = (world.telemetry.at(), input.piece());
    // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says; here and below.
    filled(input, |out, size, len| unsafe {
        how(at, product.as_ptr().cast(), product.len(), out.cast(), size, len)
    })
    .0
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_telemetry_format_ledger", |world, _| {
        let ledger = world.ledger();
        // SAFETY: as above.
        unsafe { iotsec_telemetry_format_ledger(world.telemetry.at(), &raw const ledger) }
    }),
    ("iotsec_telemetry_renew_ledger", |world, _| {
        let ledger = world.ledger();
        // SAFETY: as above.
        unsafe { iotsec_telemetry_renew_ledger(world.telemetry.at(), &raw const ledger) }
    }),
    ("iotsec_telemetry_renew_ledger_by", |world, _| {
        let ledger = world.ledger();
        let periods = ledger.counter;
        // SAFETY: as above.
        unsafe {
            iotsec_telemetry_renew_ledger_by(world.telemetry.at(), &raw const ledger, &raw const periods)
        }
    }),
    ("iotsec_telemetry_ledger_renewals", |world, _| {
        let (ledger, mut renewals) = (world.ledger(), MaybeUninit::uninit());
        let at = world.telemetry.at();
        // SAFETY: as above.
        unsafe { iotsec_telemetry_ledger_renewals(at, &raw const ledger, renewals.as_mut_ptr()) }
    }),
    ("iotsec_telemetry_report", |world, input| {
        let (ledger, at) = (world.ledger(), world.telemetry.at());
        let (metric, value, time) = (number_of(input), value(input), input.wide());
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_telemetry_report(
                at,
                &raw const ledger,
                metric,
                &raw const value,
                time,
                out,
                size,
                len,
            )
        })
        .0
    }),
    ("iotsec_telemetry_share", |world, input| {
        let (leader, helper) = (or_piece(input, LEADER), or_piece(input, HELPER));
        let configuration = or_piece(input, TASK);
        let task = iotsec_dap_task_t {
            struct_size: size::<iotsec_dap_task_t>(),
            reserved: 0,
            id: ID.as_ptr(),
            configuration: configuration.as_ptr(),
            configuration_len: configuration.len(),
            leader: leader.as_ptr(),
            leader_len: leader.len(),
            helper: helper.as_ptr(),
            helper_len: helper.len(),
        };
        let (metric, value, time) = (number_of(input), value(input), input.wide());
        let at = world.telemetry.at();
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_telemetry_share(
                at,
                &raw const task,
                metric,
                &raw const value,
                time,
                out,
                size,
                len,
            )
        })
        .0
    }),
    ("iotsec_telemetry_seal_value", |world, input| {
        let (service, event, value) = (service(input), number_of(input), value(input));
        let at = world.telemetry.at();
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_telemetry_seal_value(at, &raw const service, event, &raw const value, out, size, len)
        })
        .0
    }),
    ("iotsec_telemetry_data_map_json", |world, input| {
        data_map(world, input, iotsec_telemetry_data_map_json)
    }),
    ("iotsec_telemetry_data_map_page", |world, input| {
        data_map(world, input, iotsec_telemetry_data_map_page)
    }),
];
