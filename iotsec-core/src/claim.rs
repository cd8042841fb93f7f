//! What code shows about a provision of ETSI EN 303 645, said beside the code that makes it so.
//!
//! [`claim!`](crate::claim!) leaves nothing in a program. It is read from the source: which provision, what is so,
//! which function makes it so, which tests would fail if it were not. A claim counts for a device when these tests
//! pass and the function is linked into its firmware, which is read from the ELF file.

/// Whether text names a provision as EN 303 645 numbers them: `5.1-2A`, `5.13-1B`, `6-3`.
///
/// ```
/// use iotsec_core::claim::is_provision;
///
/// assert!(is_provision("5.1-2A") && is_provision("6-3"));
/// assert!(!is_provision("5.1") && !is_provision("5-"));
/// ```
pub const fn is_provision(text: &str) -> bool {
    let mut rest = text.as_bytes();
    let (mut dash, mut digits, mut letter) = (false, 0_usize, false);
    while let [first, tail @ ..] = rest {
        match first {
            b'0'..=b'9' if !letter => digits = digits.saturating_add(1),
            b'.' if !dash && digits == 1 => digits = 0,
            b'-' if !dash && digits > 0 => (dash, digits) = (true, 0),
            b'A'..=b'Z' if dash && digits > 0 && !letter => letter = true,
            _ => return false,
        }
        rest = tail;
    }
    dash && digits > 0
}

/// Whether text names a test as `package::target::path`, where the target is what cargo calls the test program: the
/// name of a file under `tests`, or of the library for what stands inside it.
///
/// A test of another build is named in the same form, with the tool that runs it first: `ctest::program::test`.
///
/// ```
/// use iotsec_core::claim::is_test;
///
/// assert!(is_test("iotsec-core::credential_login::a_guess_is_counted_before_it_is_compared"));
/// assert!(!is_test("a_guess_is_counted_before_it_is_compared"));
/// ```
pub const fn is_test(text: &str) -> bool {
    let mut rest = text.as_bytes();
    let (mut parts, mut length) = (0_usize, 0_usize);
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b':', [b':', after @ ..]) if length > 0 => {
                (parts, length) = (parts.saturating_add(1), 0);
                rest = after;
            }
            (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.', _) => {
                length = length.saturating_add(1);
                rest = tail;
            }
            _ => return false,
        }
    }
    parts >= 2 && length > 0
}

/// Says what the code beside it shows about provisions of EN 303 645, in the numbers of V3.1.3. Expands to nothing.
///
/// `code` names functions as they are called here: they are looked for in a firmware, so each must be one that a
/// device cannot do without where the claim holds. What runs on a computer of the maker names its `tool` instead.
///
/// ```
/// pub struct Door;
///
/// impl Door {
///     /// Opens for its owner.
///     pub fn open(&self, password: &str) -> bool {
///         password == "printed on the label"
///     }
/// }
///
/// iotsec_core::claim! {
///     provisions: ["5.1-3", "5.5-4"],
///     claims: "The door opens for nobody but its owner",
///     code: [Door::open],
///     tests: ["door::owner::a_stranger_stands_outside"],
/// }
/// ```
///
/// ```compile_fail
/// iotsec_core::claim! {
///     provisions: ["guideline 1"],
///     claims: "All is well",
///     tool: "iotsec provision",
///     tests: ["door::owner::a_stranger_stands_outside"],
/// }
/// ```
#[macro_export]
macro_rules! claim {
    (
        provisions: [$($provision:literal),+ $(,)?],
        claims: $claims:literal,
        code: [$($code:path),+ $(,)?],
        tests: [$($test:literal),+ $(,)?] $(,)?
    ) => {
        $crate::claim!(@check [$($provision),+] [$($test),+]);
    };
    (
        provisions: [$($provision:literal),+ $(,)?],
        claims: $claims:literal,
        tool: $tool:literal,
        tests: [$($test:literal),+ $(,)?] $(,)?
    ) => {
        $crate::claim!(@check [$($provision),+] [$($test),+]);
    };
    (@check [$($provision:literal),+] [$($test:literal),+]) => {
        const _: () = {
            $(assert!($crate::claim::is_provision($provision), "no provision of EN 303 645");)+
            $(assert!($crate::claim::is_test($test), "a test is named package::target::path");)+
        };
    };
}

#[cfg(test)]
mod tests {
    use super::{is_provision, is_test};

    #[test]
    fn provisions_have_the_form_of_the_standard() {
        for good in ["5.0-1", "5.1-2A", "5.13-1B", "6-3A", "5.3-16", "5.10-1"] {
            assert!(is_provision(good), "{good}");
        }
        for bad in [
            "", "5", "5.1", "5.1-", "5.1-A", "-1", "5..1-1", "5.1-1AB", "5.1-1A2", "5.1-1 ", "x5.1-1",
            "15.1-1",
        ] {
            assert!(!is_provision(bad), "{bad}");
        }
    }

    #[test]
    fn tests_have_three_parts_or_more() {
        for good in [
            "a::b::c",
            "iotsec-core::iotsec_core::claim::tests::x",
            "ctest::door_test::door.opens",
        ] {
            assert!(is_test(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "a::b",
            "a::b::",
            "::a::b",
            "a::::b",
            "a:b::c::d",
            "a::b::c d",
        ] {
            assert!(!is_test(bad), "{bad}");
        }
    }
}
