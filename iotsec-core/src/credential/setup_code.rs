/// Whether these digits may be a set-up code: decimal, not eight times one digit, not 12345678 or 87654321 (Matter core
/// specification 1.4 §5.1.7.1).
pub(crate) fn is_setup_code(digits: &[u8; 8]) -> bool {
    let [first, ..] = digits;
    digits.iter().all(u8::is_ascii_digit)
        && digits.iter().any(|digit| digit != first)
        && digits != b"12345678"
        && digits != b"87654321"
}
