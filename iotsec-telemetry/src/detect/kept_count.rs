/// Bytes that a count takes over a reboot.
pub(super) const LEN: usize = 2;

/// The count in a record of one that [`encode`] wrote; 0 for any other, and for none.
pub(super) fn decode(record: Option<&[u8; LEN]>) -> u8 {
    match record {
        Some([count, inverted]) if *count == !*inverted => *count,
        _ => 0,
    }
}

/// The count, and all its bits inverted.
pub(super) const fn encode(count: u8) -> [u8; LEN] {
    [count, !count]
}
