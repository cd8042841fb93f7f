//! What cameras read from labels.

use iotsec_core::qr::{
    KeyFingerprint, MatterCode, MatterPayload, Passcode, ProductLabel, WifiKey, WifiNetwork,
};

use crate::Seed;

/// A label has one spelling: what is read is written again as it was.
pub fn label(input: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(input) else {
        return false;
    };
    let Ok(label) = ProductLabel::parse(text) else {
        return false;
    };
    let mut out = [0; ProductLabel::MAX_LEN];
    assert_eq!(label.write(&mut out), Ok(text));
    let fields: Vec<&str> = text.trim_start_matches("IOTSEC1:").split('/').collect();
    assert_eq!(fields[..2], [label.product(), label.serial()]);
    assert_eq!(fields.len(), 4 + usize::from(label.code().is_some()));
    assert!(label.code().is_none_or(|code| code.len() == 8));
    true
}

/// A network that is read is in bounds, and comes back when it is written and read again.
pub fn wifi(input: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(input) else {
        return false;
    };
    let Ok(network) = WifiNetwork::parse(text) else {
        return false;
    };
    assert!((1..=32).contains(&network.ssid().len()));
    assert!(
        network
            .key()
            .expose()
            .is_none_or(|key| (8..=64).contains(&key.len()))
    );
    let mut out = [0; WifiNetwork::MAX_LEN];
    let written = network.write(&mut out).expect("the stated length is enough");
    let again = WifiNetwork::parse(written).expect("what we write we read");
    assert_eq!((again.ssid(), again.hidden()), (network.ssid(), network.hidden()));
    assert_eq!(again.key().expose(), network.key().expose());
    true
}

/// A payload has one spelling, and so have the digits but for hyphens and spaces. No passcode is one that everybody tries.
pub fn matter(input: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(input) else {
        return false;
    };
    let possible = |code: &Passcode| {
        let code = code.expose();
        assert!(code > 0 && code < 99_999_999 && !code.is_multiple_of(11_111_111));
    };
    if let Ok(payload) = MatterPayload::parse(text) {
        possible(payload.passcode());
        let mut out = [0; MatterPayload::LEN];
        assert_eq!(payload.write(&mut out), Ok(text));
        let mut out = [0; MatterCode::MAX_LEN];
        let code = MatterCode::of(&payload).expect("every payload has a code");
        let digits = code.write(&mut out).expect("the stated length is enough");
        let read = MatterCode::parse(digits).expect("what we write we read");
        assert!(read.passcode().ct_eq(payload.passcode()));
        return true;
    }
    let Ok(code) = MatterCode::parse(text) else {
        return false;
    };
    possible(code.passcode());
    let mut out = [0; MatterCode::MAX_LEN];
    let digits = text.replace([' ', '-'], "");
    assert_eq!(code.write(&mut out), Ok(digits.as_str()));
    true
}

/// Seeds of [`label`].
pub fn label_seeds() -> Vec<Seed> {
    let print = |code: Option<&str>| {
        let fingerprint = KeyFingerprint::from_bytes([0xA5; 16]);
        let mut label = ProductLabel::new("LAMP-2", "0042", fingerprint).expect("in bounds");
        if let Some(code) = code {
            label = label.with_code(code).expect("in bounds");
        }
        let mut out = [0; ProductLabel::MAX_LEN];
        label
            .write(&mut out)
            .expect("the stated length is enough")
            .to_owned()
    };
    let (plain, code) = (print(None), print(Some("20202021")));
    vec![
        Seed::new("near-other-serial", plain.replace("0042", "0043")),
        Seed::new("near-small", plain.to_lowercase()),
        Seed::new("near-cut", &code[..code.len() - 1]),
        Seed::new("valid-plain", plain),
        Seed::new("valid-code", code),
    ]
}

/// Seeds of [`wifi`].
pub fn wifi_seeds() -> Vec<Seed> {
    let network = WifiNetwork::new(
        r#"a\b;c,d:e""#,
        WifiKey::password(r"p\;,:word").expect("in bounds"),
    );
    let mut out = [0; WifiNetwork::MAX_LEN];
    let text = network.expect("in bounds").with_hidden(true);
    let text = text.write(&mut out).expect("the stated length is enough");
    vec![
        Seed::new("valid-escaped", text.as_bytes()),
        Seed::new("valid-open", "WIFI:T:nopass;S:guest;;"),
        Seed::new(
            "valid-quoted",
            r#"WIFI:S:"a;b";T:WPA;P:"12345678";;"#.replace("a;b", r"a\;b"),
        ),
        Seed::new("near-wep", "WIFI:T:WEP;S:a;P:12345;;"),
        Seed::new("near-twice", "WIFI:S:a;S:b;;"),
        Seed::new("near-no-end", "WIFI:T:WPA;S:a;P:12345678;"),
    ]
}

/// Seeds of [`matter`].
pub fn matter_seeds() -> Vec<Seed> {
    vec![
        Seed::new("valid-payload", "MT:Y.K9042C00KA0648G00"),
        Seed::new("valid-short", "3497-011-2332"),
        Seed::new("valid-digits", "00876800071"),
        Seed::new("near-check", "34970112333"),
        Seed::new("near-version", "MT:Z.K9042C00KA0648G00"),
        Seed::new("near-longer", "MT:Y.K9042C00KA0648G000"),
    ]
}
