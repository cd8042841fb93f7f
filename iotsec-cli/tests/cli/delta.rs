use crate::bench::Bench;

/// Two images that differ in a string and by some inserted bytes.
fn images() -> (Vec<u8>, Vec<u8>) {
    let old: Vec<u8> = (0..20_000_u32)
        .map(|at| (at.wrapping_mul(0x9E37_79B9) >> 24).to_le_bytes()[0])
        .collect();
    let mut new = old.clone();
    new[500..505].copy_from_slice(b"1.0.1");
    new.splice(9_000..9_000, *b"inserted code");
    (old, new)
}

#[test]
fn a_patch_is_made_and_applied_again() {
    let bench = Bench::new("a_patch_is_made_and_applied_again");
    let (old, new) = images();
    bench.write("1.bin", &old);
    bench.write("2.bin", &new);
    for (name, options) in [
        ("usual", ""),
        ("small", "--window 6 --lookahead 4"),
        ("stored", "--compression none"),
    ] {
        let (status, value) = bench.json(&format!(
            "update delta --from 1.bin --to 2.bin --out {name} {options}"
        ));
        assert_eq!(status, Some(0));
        assert_eq!(value["bytes"], bench.read(name).len());
        assert_eq!(value["to"]["bytes"], 20_013);
        bench.done(&format!(
            "update apply --from 1.bin --patch {name} --out {name}.made"
        ));
        assert!(bench.read(&format!("{name}.made")) == new);
    }
    assert!(bench.read("usual").len() < 700);
}

#[test]
fn a_patch_is_refused_where_a_device_refuses_it() {
    let bench = Bench::new("a_patch_is_refused_where_a_device_refuses_it");
    let (old, new) = images();
    bench.write("1.bin", &old);
    bench.write("2.bin", &new);
    bench.write("0.bin", &old[..5_000]);
    bench.done("update delta --from 1.bin --to 2.bin --out patch");
    let cut = bench.read("patch");
    bench.write("cut", &cut[..cut.len() - 2]);
    bench.refused(
        "update apply --from 0.bin --patch patch --out made",
        "patch refused: patch reads beyond its base (error 2918)",
    );
    bench.refused(
        "update apply --from 1.bin --patch cut --out made",
        "cut refused: payload shorter than the image (error 2903)",
    );
    bench.refused(
        "update delta --from 1.bin --to 2.bin --out patch",
        "patch exists already and is left as it is",
    );
    bench.misused(
        "update delta --from 1.bin --to 2.bin --out other --window 7",
        "the lookahead is not less than the window",
    );
}

#[test]
fn an_image_is_compressed() {
    let bench = Bench::new("an_image_is_compressed");
    bench.write("app.bin", &b"firmware ".repeat(1000));
    let (status, value) = bench.json("update compress app.bin --out app.hs --window 10 --lookahead 6");
    assert_eq!(status, Some(0));
    assert_eq!((&value["window"], &value["lookahead"]), (&10.into(), &6.into()));
    assert_eq!(value["bytes"], bench.read("app.hs").len());
    assert!(bench.read("app.hs").len() < 500);
}
