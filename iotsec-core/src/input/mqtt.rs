use super::{
    error::{InputError, InputKind},
    scan,
};

/// The name of a topic to publish to (MQTT 5.0 §4.7): 1 to 65,535 bytes of UTF-8 without wildcards and without U+0000.
/// Other control characters, which a server may close the connection for (§1.5.4), are refused too.
///
/// ```
/// use iotsec_core::input::MqttTopic;
///
/// assert_eq!(MqttTopic::parse(b"home/door/1")?.as_str(), "home/door/1");
/// assert_eq!(MqttTopic::parse(b"home/+/1").unwrap_err().offset, 5);
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MqttTopic<'a>(&'a str);

impl<'a> MqttTopic<'a> {
    /// Most bytes of a name or filter (§1.5.4).
    pub const MAX_LEN: usize = 65_535;

    /// Reads a name.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, InputError> {
        let topic = text(input)?;
        scan::all(input, |byte| !matches!(byte, b'+' | b'#'))?;
        Ok(Self(topic))
    }

    /// The name.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// Whether servers keep it for themselves (§4.7.2).
    pub fn is_reserved(&self) -> bool {
        self.0.as_bytes().first() == Some(&b'$')
    }
}

/// What a shared subscription begins with (MQTT 5.0 §4.8.2).
const SHARE: &[u8] = b"$share/";

/// A filter to subscribe with (MQTT 5.0 §4.7.1, §4.8.2).
///
/// ```text
/// filter = ["$share/" share "/"] level *("/" level)
/// level  = "+" / "#" / text without + and #        ; "#" only as the last
/// share  = text without / + #                      ; not empty
/// ```
///
/// ```
/// use iotsec_core::input::{MqttFilter, MqttTopic};
///
/// let filter = MqttFilter::parse(b"$share/readers/home/+/#")?;
/// assert_eq!(filter.share(), Some("readers"));
/// assert!(filter.matches(&MqttTopic::parse(b"home/door/1/open")?));
/// assert!(!filter.matches(&MqttTopic::parse(b"garden/door")?));
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MqttFilter<'a> {
    whole: &'a str,
    share: Option<&'a str>,
    filter: &'a str,
}

impl<'a> MqttFilter<'a> {
    /// Reads a filter.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, InputError> {
        let whole = text(input)?;
        let mut read = Self {
            whole,
            share: None,
            filter: whole,
        };
        let mut begins = 0_usize;
        if let Some(rest) = input.strip_prefix(SHARE) {
            let prefix = SHARE.len();
            let cut = scan::split_once(rest, b'/');
            let (share, filter, at) = cut.ok_or(InputError::new(InputKind::Truncated, input.len()))?;
            scan::length(share, 1, MqttTopic::MAX_LEN).map_err(|error| error.within(prefix))?;
            scan::all(share, |byte| !matches!(byte, b'+' | b'#')).map_err(|error| error.within(prefix))?;
            begins = prefix.saturating_add(at);
            scan::length(filter, 1, MqttTopic::MAX_LEN).map_err(|error| error.within(begins))?;
            (read.share, read.filter) = (Some(scan::text(share)?), scan::text(filter)?);
        }
        let end = read.filter.len();
        for (at, level) in scan::split(read.filter.as_bytes(), b'/') {
            let place = begins.saturating_add(at);
            match level {
                b"+" => {}
                b"#" if at.saturating_add(1) == end => {}
                b"#" => return Err(InputError::new(InputKind::Form, place)),
                level => {
                    scan::all(level, |byte| !matches!(byte, b'+' | b'#'))
                        .map_err(|error| error.within(place))?;
                }
            }
        }
        Ok(read)
    }

    /// The filter as it is sent.
    pub const fn as_str(&self) -> &'a str {
        self.whole
    }

    /// The name of a shared subscription.
    pub const fn share(&self) -> Option<&'a str> {
        self.share
    }

    /// Whether messages to a topic come. Topics that begin with `$` never match a wildcard at the beginning (§4.7.2).
    pub fn matches(&self, topic: &MqttTopic<'_>) -> bool {
        let filter = self.filter.as_bytes();
        if topic.is_reserved() && matches!(filter.first(), Some(b'+' | b'#')) {
            return false;
        }
        let mut levels = scan::split(topic.0.as_bytes(), b'/').map(|(_, level)| level);
        for (_, wanted) in scan::split(filter, b'/') {
            if wanted == b"#" {
                return true;
            }
            match levels.next() {
                Some(level) if wanted == b"+" || wanted == level => {}
                _ => return false,
            }
        }
        levels.next().is_none()
    }
}

fn text(input: &[u8]) -> Result<&str, InputError> {
    scan::length(input, 1, MqttTopic::MAX_LEN)?;
    let text = scan::text(input)?;
    match text.char_indices().find(|(_, character)| character.is_control()) {
        Some((at, _)) => Err(InputError::new(InputKind::Character, at)),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_where_they_may() {
        for filter in [
            "#",
            "+",
            "/",
            "+/+",
            "a/#",
            "/+/b",
            "$SYS/#",
            "a//b",
            "$share/g/#",
            "$shared",
            "ü/+",
        ] {
            assert!(MqttFilter::parse(filter.as_bytes()).is_ok(), "{filter}");
        }
        for (filter, kind, offset) in [
            ("", InputKind::Empty, 0),
            ("a/#/b", InputKind::Form, 2),
            ("a#", InputKind::Character, 1),
            ("a/b+", InputKind::Character, 3),
            ("$share/g", InputKind::Truncated, 8),
            ("$share//a", InputKind::Empty, 7),
            ("$share/g/", InputKind::Empty, 9),
            ("$share/g+/a", InputKind::Character, 8),
            ("a\0b", InputKind::Character, 1),
            ("a\u{85}", InputKind::Character, 1),
        ] {
            assert_eq!(
                MqttFilter::parse(filter.as_bytes()).unwrap_err(),
                InputError::new(kind, offset),
                "{filter:?}"
            );
        }
        assert_eq!(
            MqttTopic::parse(&[b'a', 0xC3]).unwrap_err(),
            InputError::new(InputKind::Utf8, 1)
        );
        assert_eq!(
            MqttTopic::parse(&[b'a'; 65_536]).unwrap_err().kind,
            InputKind::TooLong
        );
    }

    #[test]
    fn a_filter_matches_as_the_standard_says() {
        for (filter, topic, matches) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/score/wimbledon",
                true,
            ),
            ("sport/#", "sport", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/uptime", false),
            ("+/uptime", "$SYS/uptime", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("a/b", "a/b/c", false),
        ] {
            let (read, topic) = (
                MqttFilter::parse(filter.as_bytes()).unwrap(),
                MqttTopic::parse(topic.as_bytes()).unwrap(),
            );
            assert_eq!(read.matches(&topic), matches, "{filter} {topic:?}");
        }
    }
}
