//! What must not compile.

#[test]
fn personal_values_and_proofs_cannot_be_misused() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
