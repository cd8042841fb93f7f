//! A configuration arrives, as JSON and as CBOR, from a service and from attackers: `cargo run --example validate_config`.
//!
//! It is described once. What is good becomes typed values, the same from both forms; what is not is refused whole, with
//! a reason that can be logged. The description is printed as JSON Schema and as CDDL, for whoever writes
//! configurations, and the table of sources for whoever asks how inputs are validated.

use iotsec::core::input::document::{Document, List};
use iotsec::core::input::source::{Accepts, Form, InputSource, Interface, OnInvalid, Sender};
use iotsec::core::input::unit::{Percent, Second};
use iotsec::core::input::{DeviceSerial, Label, Port, Psk, Quantity, Ssid, Url};
use iotsec::core::{cbor, document, input_sources};

document! {
    /// What a lamp is told by the service of its owner.
    #[derive(Debug)]
    pub(crate) struct LampConfig<'a> within 1024 bytes {
        /// Where it reports to.
        broker: Url<'a>,
        /// Between two reports.
        interval: Quantity<Second, 10, 86_400> = 300,
        /// Only this lamp is meant, if it is said.
        serial: Option<DeviceSerial<'a>>,
        scenes: List<Scene<'a>, 1, 4>,
        /// For moving to another network.
        network: Option<Network>,
    }

    #[derive(Debug)]
    pub(crate) struct Scene<'a> {
        name: Label<'a, 32>,
        /// Of full brightness.
        level: Quantity<Percent, 0, 100>,
        light: Light = "warm",
    }

    #[derive(Debug)]
    pub(crate) struct Network {
        ssid: Ssid,
        key as "pre-shared-key": Psk,
        port: Port = 8883,
    }

    pub(crate) enum Light {
        Warm = "warm",
        Cold = "cold",
    }
}

input_sources! {
    /// All that comes in.
    static SOURCES = [
        InputSource::new(
            "config", Interface::Network("MQTT, lamps/SERIAL/config"), Form::JsonOrCbor,
            Accepts::Document(LampConfig::DESCRIPTION), Sender::Service, OnInvalid::Report,
        ),
        InputSource::new(
            "ssid", Interface::User("set-up page"), Form::Text, Accepts::value::<Ssid>("Ssid"),
            Sender::Paired, OnInvalid::Answer,
        ),
    ]
}

/// Documents, the first two good.
pub(crate) const DOCUMENTS: [&str; 9] = [
    r#"{"broker":"mqtts://b.example/x","scenes":[{"name":"Abend","level":40}]}"#,
    r#"{"broker":"https://b.example/","interval":60,"serial":"LAMP-7","scenes":[{"name":"K\u00fcche","level":100,
        "light":"cold"}],"network":{"ssid":"home","pre-shared-key":"correct horse"}}"#,
    r#"{"broker":"http://b.example/","scenes":[{"name":"x","level":1}]}"#,
    r#"{"broker":"mqtts://b.example/","scenes":[{"name":"x","level":101}]}"#,
    r#"{"broker":"mqtts://b.example/","scenes":[{"name":"x","level":"1"}]}"#,
    r#"{"broker":"mqtts://b.example/","scenes":[{"name":"x","level":1,"light":"red"}]}"#,
    r#"{"broker":"mqtts://b.example/","scenes":[]}"#,
    r#"{"scenes":[{"name":"x","level":1}]}"#,
    r#"{"broker":"mqtts://b.example/","scenes":[{"name":"x","level":1}],"debug":true}"#,
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (place, json) in DOCUMENTS.iter().enumerate() {
        let value: serde_json::Value = serde_json::from_str(json)?;
        let encoded = cbor::to_vec(&value, &cbor::Limits::SMALL)?;
        let mut scratch = [0; 64];
        let from_json = LampConfig::from_json(json.as_bytes(), &mut scratch);
        match (from_json, LampConfig::from_cbor(&encoded)) {
            (Ok(config), Ok(same)) if place < 2 => {
                assert_eq!(format!("{config:?}"), format!("{same:?}"));
                let (host, scenes) = (config.broker().host(), config.scenes().len());
                println!(
                    "taken over: every {}, {scenes} scene, reports to {host}",
                    config.interval()
                );
            }
            (Err(error), Err(same)) if place >= 2 => {
                assert_eq!((error.problem, error.path), (same.problem, same.path));
                let field = error.path.names(LampConfig::DESCRIPTION);
                println!("refused: {} in `{field}`", error.problem);
            }
            _ => return Err(format!("not as expected: {json}").into()),
        }
    }
    for hostile in [r#"{"serial":"A","serial":"B"}"#, r#"{"scenes":[["#, "\u{feff}{}"] {
        let error = LampConfig::from_json(hostile.as_bytes(), &mut []).err();
        println!("refused: {}", error.ok_or("accepted")?);
    }
    let (description, rows) = (LampConfig::DESCRIPTION, SOURCES.rows());
    println!(
        "\n{}\n\n{}\n{rows}",
        description.json_schema(),
        description.cddl()
    );
    Ok(())
}
