use super::*;

pub(super) fn calls(calls: &mut Calls) {
    call!(calls, iotsec_telemetry_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.telemetry)
    ));
    call!(calls, iotsec_telemetry_record, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.shared(1, &zeroed::<iotsec_value_t>()),
        1,
        0
    ));
    call!(calls, iotsec_telemetry_set_clock, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        0
    ));
    call!(calls, iotsec_telemetry_batch, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::telemetry::shared()),
        t.mutable(2, &mut [0u8; 256]).cast(),
        256,
        t.mutable(3, &mut [0u8; 256]).cast(),
        256,
        t.mutable(4, &mut 0),
        t.mutable(5, &mut 0),
    ));
    call!(calls, iotsec_telemetry_batch_for, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_PURPOSE_SECURITY,
        7,
        t.shared(1, &crate::telemetry::shared()),
        t.mutable(2, &mut [0u8; 256]).cast(),
        256,
        t.mutable(3, &mut [0u8; 256]).cast(),
        256,
        t.mutable(4, &mut 0),
        t.mutable(5, &mut 0),
    ));
    call!(calls, iotsec_telemetry_acknowledge, |t, b| (
        t.mutable(0, &mut zeroed()),
        1
    ));
    call!(calls, iotsec_telemetry_refused, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut 0)
    ));
    call!(calls, iotsec_telemetry_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_EVENT_USAGE,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_telemetry_registry, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut [0u8; 64]).cast(),
        64,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_telemetry_close, |t, b| (t
        .mutable(0, &mut zeroed())));
    call!(calls, iotsec_telemetry_consent, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_PURPOSE_USAGE,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_telemetry_grant, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_PURPOSE_USAGE,
        1,
        0
    ));
    call!(calls, iotsec_telemetry_withdraw, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_PURPOSE_USAGE,
        0
    ));
    call!(calls, iotsec_telemetry_purge_step, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(calls, iotsec_telemetry_pseudonym, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_PURPOSE_USAGE,
        7,
        t.mutable(1, &mut [0u8; IOTSEC_PSEUDONYM_LEN]).cast(),
    ));
    call!(calls, iotsec_telemetry_ask_deletion, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_PURPOSE_USAGE
    ));
    call!(calls, iotsec_telemetry_deletion_request, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::telemetry::shared()),
        t.mutable(2, &mut [0u8; IOTSEC_DELETION_REQUEST_LEN]).cast(),
        IOTSEC_DELETION_REQUEST_LEN,
        t.mutable(3, &mut 0),
    ));
    call!(calls, iotsec_telemetry_deletion_receipt, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &0),
        1,
        t.shared(2, &crate::telemetry::signer()),
        t.mutable(3, &mut zeroed()),
    ));
    call!(calls, iotsec_telemetry_format_ledger, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.ledger)
    ));
    call!(calls, iotsec_telemetry_renew_ledger, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.ledger)
    ));
    call!(calls, iotsec_telemetry_renew_ledger_by, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.ledger),
        t.shared(2, &b.ledger.counter)
    ));
    call!(calls, iotsec_telemetry_ledger_renewals, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.ledger),
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_telemetry_report, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.ledger),
        1,
        t.shared(2, &zeroed::<iotsec_value_t>()),
        0,
        t.mutable(3, &mut [0u8; IOTSEC_REPORT_MAX]).cast(),
        IOTSEC_REPORT_MAX,
        t.mutable(4, &mut 0)
    ));
    call!(calls, iotsec_telemetry_share, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::telemetry::private::task()),
        1,
        t.shared(2, &zeroed::<iotsec_value_t>()),
        0,
        t.mutable(3, &mut [0u8; 512]).cast(),
        512,
        t.mutable(4, &mut 0)
    ));
    call!(calls, iotsec_telemetry_split, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.shared(1, &zeroed::<iotsec_value_t>()),
        0,
        t.shared(2, &0),
        1,
        t.shared(3, &[0u8; IOTSEC_SHARES_NONCE_LEN]).cast(),
        0,
        t.mutable(4, &mut [0u8; 512]).cast(),
        512,
        t.mutable(5, &mut 0),
        t.mutable(6, &mut zeroed())
    ));
    call!(calls, iotsec_telemetry_seal_value, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::telemetry::shared()),
        1,
        t.shared(2, &zeroed::<iotsec_value_t>()),
        t.mutable(3, &mut [0u8; IOTSEC_SEALED_VALUE_MAX]).cast(),
        IOTSEC_SEALED_VALUE_MAX,
        t.mutable(4, &mut 0)
    ));
    call!(calls, iotsec_telemetry_data_map_json, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"Door").cast(),
        4,
        t.mutable(2, &mut [0u8; 64]).cast(),
        64,
        t.mutable(3, &mut 0)
    ));
    call!(calls, iotsec_telemetry_data_map_page, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"Door").cast(),
        4,
        t.mutable(2, &mut [0u8; 64]).cast(),
        64,
        t.mutable(3, &mut 0)
    ));
}
