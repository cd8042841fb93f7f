//! What comes in, who is spoken to, and what is open.

use iotsec::{
    core::{
        document,
        error::{ErrorCode, Fault},
        hal::UnixTime,
        input::{
            Host, Hostname, Port, Quantity,
            document::{Document, DocumentError},
            unit::Second,
        },
    },
    guideline::Guideline,
    net::{
        certificate::{ServerPolicy, TrustAnchor, algorithm, verify_server_chain},
        interfaces,
        surface::{
            Authentication, Endpoint, Fact, Host as Named, Interface, Phase, Protocol, Scope, Service,
        },
        time::CertificateTime,
    },
};

use crate::{story::Story, world::Result};

const ROOT: &[u8] = include_bytes!("../../../vectors/certificate/root.der");
const SERVER: &[u8] = include_bytes!("../../../vectors/certificate/good.der");
const IMPOSTOR: &[u8] = include_bytes!("../../../vectors/certificate/impostor.der");

document! {
    /// What the owner's app sends.
    struct Settings<'a> within 512 bytes {
        broker: Hostname<'a>,
        port: Port = 8883,
        interval: Quantity<Second, 10, 86_400> = 300,
    }
}

interfaces!(static SENSOR = [
    Interface::endpoint(
        "telemetry", "How the sensor is, if its owner agrees",
        Endpoint::new(Named::Name("broker.example"), 8883, Protocol::Mqtts),
    ),
    Interface::service(
        "settings", "The owner's app",
        Service::tcp(443, Scope::Local, Authentication::Pairing).disclosing(&[Fact::Product]),
    ),
]);

/// The app configures the sensor, which then looks for its server.
pub fn online(story: &mut Story) -> Result {
    story.chapter("The owner's app sends settings; the sensor looks for its server");
    let hostile: [&[u8]; 4] = [
        br#"{"broker": "broker.example\r\nX: y"}"#,
        br#"{"broker": "broker.example", "interval": 1}"#,
        br#"{"broker": "broker.example", "broker": "evil.example"}"#,
        br#"{"broker": "broker.example", "debug": true}"#,
    ];
    for document in hostile {
        let mut scratch = [0; 64];
        let error = Settings::from_json(document, &mut scratch)
            .err()
            .ok_or("accepted")?;
        story.refused("settings", &error);
        assert_eq!(error.fault(), Fault::Input);
    }
    let settings = Settings::from_json(br#"{"broker": "broker.example"}"#, &mut [])?;
    let cut = &br#"{"broker": "broker.example"}"#;
    let prefixes = (0..cut.len()).filter(|len| settings_of(&cut[..*len]).is_err());
    assert_eq!(prefixes.count(), cut.len());
    story.exercised(
        Guideline::InputValidation,
        format!(
            "settings as types; {} hostile ones and every cut one refused with an error",
            hostile.len()
        ),
    );

    let gate = SENSOR.gate(Phase::Owned);
    let grant = gate.grant_outbound("telemetry", settings.broker().as_str(), settings.port().get())?;
    for (id, host, port) in [
        ("telemetry", "evil.example", 8883),
        ("debug", "broker.example", 4444),
    ] {
        let error = gate.grant_outbound(id, host, port).err().ok_or("granted")?;
        story.refused(&format!("{host}:{port}"), &error);
    }
    assert!(
        SENSOR
            .gate(Phase::Owned)
            .least()
            .grant_outbound("telemetry", "broker.example", 8883)
            .is_err()
    );
    story.exercised(
        Guideline::MinimalSurface,
        format!(
            "no socket without a grant from a table of {} interfaces",
            SENSOR.interfaces().len()
        ),
    );

    let now = CertificateTime::exact(UnixTime(1_800_000_000));
    let anchors = [TrustAnchor::from_der(ROOT, now)?];
    let policy = ServerPolicy::new(&anchors, algorithm::ALL)?;
    let host = Host::parse(grant.host().as_bytes())?;
    let server = verify_server_chain(&[SERVER], &host, now, &policy)?;
    story.say(format!("{} is who it says", grant.host()));
    // The chain is right, and yet whoever has no key of it cannot go on.
    let error = server
        .verify_signature(0x0403, b"handshake", &[0; 70])
        .err()
        .ok_or("verified")?;
    story.refused("without its key", &error);
    let chains: [(&str, &[u8], &[u8]); 3] = [
        ("another host", SERVER, b"evil.example"),
        ("an impostor", IMPOSTOR, b"broker.example"),
        (
            "a certificate cut off",
            &SERVER[..SERVER.len() - 1],
            b"broker.example",
        ),
    ];
    for (what, certificate, host) in chains {
        let error = verify_server_chain(&[certificate], &Host::parse(host)?, now, &policy);
        story.refused(what, &error.err().ok_or("verified")?);
    }
    story.exercised(
        Guideline::SecureCommunication,
        format!(
            "server verified by its chain; {} others and a missing key refused",
            chains.len()
        ),
    );
    Ok(())
}

fn settings_of(input: &[u8]) -> std::result::Result<u32, DocumentError> {
    Ok(Settings::from_json(input, &mut [])?
        .interval()
        .get()
        .try_into()
        .unwrap_or(0))
}
