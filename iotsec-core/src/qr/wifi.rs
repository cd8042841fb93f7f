use super::{
    error::QrError,
    text::{Text, position},
};
use crate::{
    input::{Psk, Ssid, scan},
    secret::Secret,
};

/// What one needs to join a network. Wiped on drop, and `Debug` shows nothing.
pub enum WifiKey {
    /// Nothing: an open network.
    Open,
    /// A passphrase, or the key itself.
    Password(Psk),
}

impl WifiKey {
    /// A password.
    ///
    /// # Errors
    /// [`QrError::Value`] for one that no network has.
    pub fn password(text: &str) -> Result<Self, QrError> {
        let key = Psk::parse(text.as_bytes());
        key.map(Self::Password).map_err(|_| QrError::Value)
    }

    /// The password; `None` for an open network. Every use of this is a place to review.
    pub fn expose(&self) -> Option<&str> {
        match self {
            Self::Open => None,
            Self::Password(password) => Some(password.expose()),
        }
    }
}

impl core::fmt::Debug for WifiKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("WifiKey(..)")
    }
}

/// A Wi-Fi network as a QR code has it (the WPA3 specification, "WIFI URI"; the form that ZXing began).
///
/// ```text
/// text   = "WIFI:" 1*( field ";" ) ";"
/// field  = "T:" ( "WPA" / "SAE" / "nopass" ) / "S:" name / "P:" password / "H:" ( "true" / "false" ) / "R:" hex
/// name, password: every one of \ ; , : " has a \ in front
/// ```
///
/// Fields come in any order, each once; the parser lets a value stand between quotes too. WEP and enterprise networks are refused.
///
/// ```
/// use iotsec_core::qr::{QrError, WifiKey, WifiNetwork};
///
/// let network = WifiNetwork::new(r"Cafe;Bar", WifiKey::password(r#"pass:w\ord""#)?)?;
/// let mut out = [0; WifiNetwork::MAX_LEN];
/// let text = network.write(&mut out)?;
/// assert_eq!(text, r#"WIFI:T:WPA;S:Cafe\;Bar;P:pass\:w\\ord\";;"#);
/// let read = WifiNetwork::parse(text)?;
/// assert_eq!((read.ssid(), read.key().expose()), ("Cafe;Bar", Some(r#"pass:w\ord""#)));
/// # Ok::<(), QrError>(())
/// ```
#[derive(Debug)]
pub struct WifiNetwork {
    ssid: Ssid,
    key: WifiKey,
    hidden: bool,
}

impl WifiNetwork {
    /// Bytes of the longest text that is written.
    pub const MAX_LEN: usize = 5 + 9 + (3 + 2 * Ssid::MAX_LEN) + (3 + 2 * Psk::MAX_LEN) + 7 + 1;
    /// Most bytes of a text that is read: what is written, and a field of no interest.
    const MAX_INPUT: usize = 300;

    /// A network that shows its name.
    ///
    /// # Errors
    /// [`QrError::Value`] unless the name has 1 to 32 bytes and no control character. Names that are not UTF-8 cannot
    /// stand in such a code.
    pub fn new(ssid: &str, key: WifiKey) -> Result<Self, QrError> {
        let ssid = Ssid::parse(ssid.as_bytes())
            .ok()
            .filter(|ssid| ssid.as_str().is_some());
        let ssid = ssid.ok_or(QrError::Value)?;
        Ok(Self {
            ssid,
            key,
            hidden: false,
        })
    }

    /// A network that does not show its name.
    #[must_use]
    pub const fn with_hidden(mut self, hidden: bool) -> Self {
        self.hidden = hidden;
        self
    }

    /// The name.
    pub fn ssid(&self) -> &str {
        self.ssid.as_str().unwrap_or_default()
    }
    /// What one needs to join.
    pub const fn key(&self) -> &WifiKey {
        &self.key
    }
    /// Whether it does not show its name.
    pub const fn hidden(&self) -> bool {
        self.hidden
    }

    /// Writes the text. Whoever lends the buffer wipes it.
    ///
    /// # Errors
    /// [`QrError::BufferFull`]; [`MAX_LEN`](Self::MAX_LEN) bytes are enough.
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, QrError> {
        let mut text = Text::new(out);
        text.bytes(b"WIFI:T:")?;
        let password = self.key.expose();
        text.bytes(if password.is_some() { b"WPA" } else { b"nopass" })?;
        text.bytes(b";S:")?;
        escape(&mut text, self.ssid())?;
        if let Some(password) = password {
            text.bytes(b";P:")?;
            escape(&mut text, password)?;
        }
        text.bytes(if self.hidden { b";H:true" } else { b"" })?;
        text.bytes(b";;")?;
        text.finish()
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`QrError`], by what is wrong.
    pub fn parse(text: &str) -> Result<Self, QrError> {
        let mut rest = text.strip_prefix("WIFI:").ok_or(QrError::Prefix)?;
        if text.len() > Self::MAX_INPUT {
            return Err(QrError::Length);
        }
        let mut found: [Option<Value>; 4] = [None, None, None, None];
        let mut seen_r = false;
        while rest != ";" {
            let at = text.len().saturating_sub(rest.len());
            let (name, _, begins) = scan::split_once(rest.as_bytes(), b':').ok_or(QrError::Length)?;
            let after = rest.get(begins..).unwrap_or_default();
            let (value, next) = value(after, at.saturating_add(begins))?;
            let place = match name {
                b"T" => found.first_mut(),
                b"S" => found.get_mut(1),
                b"P" => found.get_mut(2),
                b"H" => found.get_mut(3),
                // How a network moves on to WPA3 is between it and the driver.
                b"R" if !seen_r => {
                    seen_r = true;
                    rest = next;
                    continue;
                }
                b"E" | b"A" | b"I" | b"PH2" | b"K" => return Err(QrError::Unsupported),
                _ => return Err(QrError::Field),
            };
            let place = place.filter(|place| place.is_none()).ok_or(QrError::Field)?;
            *place = Some(value);
            rest = next;
        }
        let [kind, ssid, password, hidden] = &found;
        let password = text_of(password)?;
        let key = match text_of(kind)? {
            Some("WPA" | "SAE") => WifiKey::password(password.ok_or(QrError::Field)?)?,
            None | Some("nopass") if password.is_none() => WifiKey::Open,
            None | Some("nopass") => return Err(QrError::Field),
            Some("WEP" | "WPA2-EAP" | "WPA3-EAP") => return Err(QrError::Unsupported),
            Some(_) => return Err(QrError::Value),
        };
        let hidden = match text_of(hidden)? {
            Some("true") => true,
            None | Some("false") => false,
            Some(_) => return Err(QrError::Value),
        };
        let ssid = text_of(ssid)?.ok_or(QrError::Field)?;
        Ok(Self::new(ssid, key)?.with_hidden(hidden))
    }
}

crate::claim! {
    provisions: ["5.13-1A"],
    claims: "A Wi-Fi network that is scanned or typed is one that can be, or is refused",
    code: [WifiNetwork::parse],
    tests: [
        "iotsec-core::iotsec_core::qr::tests::networks_that_cannot_be_are_refused",
        "iotsec-core::iotsec_core::qr::tests::what_others_write_is_read",
    ],
}

/// The text of a field that is there and not empty.
fn text_of(value: &Option<Value>) -> Result<Option<&str>, QrError> {
    let text = value.as_ref().map(Value::as_str).transpose()?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// A value without its backslashes. Wiped on drop: it may be a password.
struct Value {
    text: Secret<64>,
    len: usize,
}

impl Value {
    fn as_str(&self) -> Result<&str, QrError> {
        let text = self.text.expose().get(..self.len).unwrap_or_default();
        core::str::from_utf8(text).map_err(|_| QrError::Value)
    }
}

/// Reads a value up to its `;`; what comes after that.
fn value(text: &str, at: usize) -> Result<(Value, &str), QrError> {
    let mut value = Value {
        text: Secret::zero(),
        len: 0,
    };
    let (mut escaped, mut quoted, mut closed) = (false, false, false);
    for (index, byte) in text.bytes().enumerate() {
        let strange = QrError::Character {
            position: position(at.saturating_add(index)),
        };
        let special = matches!(byte, b'\\' | b';' | b',' | b':' | b'"');
        if escaped {
            escaped = false;
            if !special {
                return Err(strange);
            }
        } else if byte == b'\\' && !closed {
            escaped = true;
            continue;
        } else if byte == b'"' && index == 0 {
            quoted = true;
            continue;
        } else if byte == b'"' && quoted && !closed {
            closed = true;
            continue;
        } else if byte == b';' && quoted == closed {
            let rest = text.get(index.saturating_add(1)..).ok_or(QrError::Length)?;
            return Ok((value, rest));
        } else if special || closed {
            return Err(strange);
        }
        let place = value.text.expose_mut().get_mut(value.len);
        *place.ok_or(QrError::Value)? = byte;
        value.len = value.len.saturating_add(1);
    }
    Err(QrError::Length)
}

fn escape(text: &mut Text<'_>, value: &str) -> Result<(), QrError> {
    for byte in value.bytes() {
        if matches!(byte, b'\\' | b';' | b',' | b':' | b'"') {
            text.push(b'\\')?;
        }
        text.push(byte)?;
    }
    Ok(())
}
