#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| iotsec_fuzz_harness::run("c_calls", data));
