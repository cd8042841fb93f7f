//! Settings from a person or a service, described with their bounds.

use core::hint::black_box;

use iotsec_core::document;
use iotsec_core::input::document::{Document, DocumentError, List};
use iotsec_core::input::{Label, MqttTopic, Ranged, TimeZone, Url};

document! {
    struct Settings<'a> {
        broker: Url<'a>,
        topic: MqttTopic<'a>,
        zone: TimeZone<'a>,
        level: Ranged<0, 100>,
        scenes: List<Scene<'a>, 0, 4>,
    }

    struct Scene<'a> {
        name: Label<'a, 16>,
        on: bool,
    }
}

/// Reads all of it from JSON.
#[inline(never)]
pub fn json() -> bool {
    let mut scratch = [0; 16];
    read(Settings::from_json(
        black_box(crate::input::SETTINGS),
        &mut scratch,
    )) == Ok((8883, 7200, 70, 1))
}

/// Reads all of it from CBOR.
#[inline(never)]
pub fn cbor() -> bool {
    read(Settings::from_cbor(black_box(SETTINGS))) == Ok((8883, 7200, 70, 1))
}

/// What is in `input::SETTINGS`.
const SETTINGS: &[u8] =
    b"\xA5\x64zone\x78\x1ACET-1CEST,M3.5.0,M10.5.0/3\x65level\x18\x46\x65topic\x71home/kitchen/lamp\
    \x66broker\x78\x20mqtts://broker.example.com/lamps\x66scenes\x82\xA2\x62on\xF5\x64name\x65caf\xC3\xA9\
    \xA2\x62on\xF4\x64name\x65night";

fn read(settings: Result<Settings<'_>, DocumentError>) -> Result<(u16, i32, i64, usize), DocumentError> {
    let settings = settings?;
    Ok((
        settings.broker().port().get(),
        settings.zone().daylight().map_or(0, |summer| summer.east),
        settings.level().get(),
        settings.scenes().iter().filter(|scene| *scene.on()).count(),
    ))
}
