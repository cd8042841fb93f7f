#[cfg(feature = "std")]
use std::{fs::File, io::Read as _, path::Path, string::String};

use super::{
    error::{InputError, InputKind},
    scan,
};

/// Most bytes of the name of a time zone: twice those of the longest there is.
const MAX_LEN: usize = 64;

/// Checks that a text is written as the IANA database writes the names of time zones, such as `Europe/Berlin`: letters,
/// digits, `_`, `-` and `+` in up to three parts that each begin with a letter, at most 64 bytes. Such a name leads nowhere
/// but below the folder, or into the table, in which it is looked up then: there need not be such a zone.
///
/// ```
/// use iotsec_core::input::{InputKind, check_zone_name};
///
/// assert_eq!(check_zone_name(b"America/Argentina/Ushuaia")?, "America/Argentina/Ushuaia");
/// assert_eq!(check_zone_name(b"../../etc/passwd").unwrap_err().kind, InputKind::Character);
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
///
/// # Errors
/// [`InputError`].
pub fn check_zone_name(input: &[u8]) -> Result<&str, InputError> {
    scan::length(input, 1, MAX_LEN)?;
    for (count, (at, part)) in scan::split(input, b'/').enumerate() {
        if count >= 3 {
            return Err(InputError::new(InputKind::Count, at));
        }
        scan::length(part, 1, MAX_LEN).map_err(|error| error.within(at))?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+');
        scan::all(part, allowed).map_err(|error| error.within(at))?;
        if !part.first().is_some_and(u8::is_ascii_alphabetic) {
            return Err(InputError::new(InputKind::Character, at));
        }
    }
    scan::text(input)
}

/// The name of a time zone in the IANA database, such as `Europe/Berlin`, that this system knows. For hosts: a device
/// without the database is told the rules themselves, as a [`TimeZone`](super::TimeZone).
///
/// ```
/// use iotsec_core::input::{InputKind, ZoneName};
/// use std::path::Path;
///
/// let folder = Path::new("/usr/share/zoneinfo");
/// let refused = ZoneName::parse(b"../../etc/passwd", folder).unwrap_err();
/// assert_eq!((refused.kind, refused.offset), (InputKind::Character, 0));
/// ```
#[cfg(feature = "std")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ZoneName(String);

#[cfg(feature = "std")]
impl ZoneName {
    /// Most bytes of a name: twice those of the longest there is.
    pub const MAX_LEN: usize = MAX_LEN;

    /// Reads a name by the rules of [`check_zone_name`], which are those of the database itself; and looks for its file in
    /// `zoneinfo`, the folder where the system keeps them.
    ///
    /// # Errors
    /// [`InputError`]; [`InputKind::UnknownName`] when there is no such file, or it holds no time zone.
    pub fn parse(input: &[u8], zoneinfo: &Path) -> Result<Self, InputError> {
        let name = check_zone_name(input)?;
        // Such a name leads nowhere but below the folder.
        let mut magic = [0; 4];
        let file = File::open(zoneinfo.join(name)).and_then(|mut file| file.read_exact(&mut magic));
        match file {
            // RFC 9636 §3.1.
            Ok(()) if &magic == b"TZif" => Ok(Self(name.into())),
            _ => Err(InputError::new(InputKind::UnknownName, 0)),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use std::{format, fs};

    use super::*;

    #[test]
    fn a_zone_is_one_that_the_system_has() {
        let folder = std::env::temp_dir().join(format!("iotsec-zones-{}", std::process::id()));
        fs::create_dir_all(folder.join("America/Argentina")).unwrap();
        for name in ["UTC", "America/Argentina/Ushuaia", "America/Port-au-Prince"] {
            fs::write(folder.join(name), b"TZif2").unwrap();
            assert_eq!(ZoneName::parse(name.as_bytes(), &folder).unwrap().as_str(), name);
        }
        fs::write(folder.join("leapseconds"), b"# text").unwrap();
        for (name, kind, offset) in [
            ("", InputKind::Empty, 0),
            ("leapseconds", InputKind::UnknownName, 0),
            ("America", InputKind::UnknownName, 0),
            ("Europe/Atlantis", InputKind::UnknownName, 0),
            ("America//UTC", InputKind::Empty, 8),
            ("/etc/passwd", InputKind::Empty, 0),
            ("America/../UTC", InputKind::Character, 8),
            ("a/b/c/d", InputKind::Count, 6),
            ("UTC\0", InputKind::Character, 3),
            ("+UTC", InputKind::Character, 0),
            ("America/1", InputKind::Character, 8),
        ] {
            let error = ZoneName::parse(name.as_bytes(), &folder).unwrap_err();
            assert_eq!(error, InputError::new(kind, offset), "{name}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
