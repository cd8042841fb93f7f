#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| iotsec_fuzz_harness::run("detect_baseline", data));
