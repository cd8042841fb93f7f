//! Settings from a person or a service.

use core::hint::black_box;

use iotsec_core::input::{
    InputError, MqttTopic, Ranged, TimeZone, Url,
    json::{self, Limits, Object},
};

pub(crate) const SETTINGS: &[u8] = br#"{
    "broker": "mqtts://broker.example.com/lamps",
    "topic": "home/kitchen/lamp",
    "zone": "CET-1CEST,M3.5.0,M10.5.0/3",
    "level": 70,
    "scenes": [{"name": "caf\u00e9", "on": true}, {"name": "night", "on": false}]
}"#;

/// Reads all of it.
#[inline(never)]
pub fn run() -> bool {
    settings(black_box(SETTINGS)) == Ok((8883, 7200, 70, 1))
}

fn settings(input: &[u8]) -> Result<(u16, i32, i64, usize), InputError> {
    let object = json::parse(input, &Limits::SMALL)?.object()?;
    object.only(&["broker", "topic", "zone", "level", "scenes"])?;
    let port = Url::parse(text(&object, "broker", &mut [0; 64])?)?.port().get();
    MqttTopic::parse(text(&object, "topic", &mut [0; 64])?)?;
    let mut zone = [0; 64];
    let zone = TimeZone::parse(text(&object, "zone", &mut zone)?)?;
    let level = Ranged::<0, 100>::new(object.member("level")?.integer()?)?;
    let mut on = 0;
    for scene in object.member("scenes")?.array()? {
        on += usize::from(scene.object()?.member("on")?.bool()?);
    }
    Ok((
        port,
        zone.daylight().map_or(0, |summer| summer.east),
        level.get(),
        on,
    ))
}

fn text<'o>(object: &Object<'_>, name: &str, out: &'o mut [u8]) -> Result<&'o [u8], InputError> {
    Ok(object.member(name)?.text()?.decode(out)?.as_bytes())
}
