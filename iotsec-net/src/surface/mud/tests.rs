use std::string::String;

use super::*;
use crate::{
    interfaces,
    surface::{Authentication, Debug, Interface, Protocol},
};

interfaces!(static TABLE = [
    Interface::endpoint("cloud", "x", Endpoint::new(Host::Name("mqtt.example.com"), 8883, Protocol::Mqtts)),
    Interface::endpoint("hub", "x", Endpoint::new(Host::Local, 5684, Protocol::Coaps)),
    Interface::endpoint("names", "x", Endpoint::new(Host::Resolver, 53, Protocol::Dns)),
    Interface::endpoint("line", "x", Endpoint::new(Host::Name("line.example.com"), 443, Protocol::Https))
        .during(Phases::FACTORY),
    Interface::service("app", "x", Service::tcp(8443, Scope::Local, Authentication::Password)),
    Interface::service("agent", "x", Service::tcp(9000, Scope::Loopback, Authentication::SharedKey)),
    Interface::debug("swd", "x", Debug::Swd),
]);

const INFO: MudInfo<'_> = MudInfo {
    url: "https://lighting.example.com/lamp-2.json",
    last_update: "2026-11-29T09:00:00Z",
    cache_hours: 48,
    is_supported: true,
    systeminfo: "Lamp \"2\"",
    manufacturer: "Example Lighting Ltd",
    model: "lamp-2",
    documentation: Some("https://lighting.example.com/lamp-2"),
};

fn written(info: &MudInfo<'_>) -> Result<String, MudError> {
    let mut file = String::new();
    write_mud(&TABLE, info, &mut file).map(|()| file)
}

#[test]
fn each_conversation_has_a_rule_for_both_directions() {
    let file = written(&INFO).unwrap();
    for (part, times) in [
        (r#""systeminfo":"Lamp \"2\"""#, 1),
        (
            r#"{"name":"cloud","matches":{"ipv4":{"ietf-acldns:dst-dnsname":"mqtt.example.com","protocol":6},"tcp":{"ietf-mud:direction-initiated":"from-device","destination-port":{"operator":"eq","port":8883}}},"actions":{"forwarding":"accept"}}"#,
            1,
        ),
        (
            r#"{"name":"cloud","matches":{"ipv6":{"ietf-acldns:src-dnsname":"mqtt.example.com","protocol":6},"tcp":{"ietf-mud:direction-initiated":"from-device","source-port":{"operator":"eq","port":8883}}},"actions":{"forwarding":"accept"}}"#,
            1,
        ),
        (
            r#"{"name":"hub","matches":{"ietf-mud:mud":{"local-networks":[null]},"ipv4":{"protocol":17},"udp":{"destination-port":{"operator":"eq","port":5684}}},"actions":{"forwarding":"accept"}}"#,
            1,
        ),
        (
            r#"{"name":"app","matches":{"ietf-mud:mud":{"local-networks":[null]},"ipv6":{"protocol":6},"tcp":{"ietf-mud:direction-initiated":"to-device","destination-port":{"operator":"eq","port":8443}}},"actions":{"forwarding":"accept"}}"#,
            1,
        ),
        (r#""controller":"urn:ietf:params:mud:dns""#, 4),
        (r#""name":"line""#, 0),
        (r#""name":"agent""#, 0),
        ("swd", 0),
    ] {
        assert_eq!(file.matches(part).count(), times, "{part}\n{file}");
    }
    let brackets = |open, close| file.matches(open).count() == file.matches(close).count();
    assert!(brackets('{', '}') && brackets('[', ']') && !file.contains(",,"));
}

#[test]
fn what_no_network_would_take_is_not_written() {
    for (info, error) in [
        (
            MudInfo {
                url: "http://a.example/x",
                ..INFO
            },
            MudError::Url,
        ),
        (
            MudInfo {
                url: "mqtts://a.example/x",
                ..INFO
            },
            MudError::Url,
        ),
        (
            MudInfo {
                documentation: Some("https://a b"),
                ..INFO
            },
            MudError::Url,
        ),
        (
            MudInfo {
                last_update: "2026-11-29 09:00:00Z",
                ..INFO
            },
            MudError::LastUpdate,
        ),
        (
            MudInfo {
                last_update: "2026-11-29T09:00:00ZZ",
                ..INFO
            },
            MudError::LastUpdate,
        ),
        (
            MudInfo {
                cache_hours: 0,
                ..INFO
            },
            MudError::CacheValidity,
        ),
        (
            MudInfo {
                cache_hours: 169,
                ..INFO
            },
            MudError::CacheValidity,
        ),
        (
            MudInfo {
                systeminfo: "",
                ..INFO
            },
            MudError::SystemInfo,
        ),
    ] {
        assert_eq!(written(&info), Err(error), "{info:?}");
    }
    let long = "é".repeat(60);
    assert!(
        written(&MudInfo {
            systeminfo: &long,
            ..INFO
        })
        .is_ok()
    );
    let longer = "é".repeat(61);
    let error = written(&MudInfo {
        systeminfo: &longer,
        ..INFO
    });
    assert_eq!(error, Err(MudError::SystemInfo));
}

/// Takes so many bytes and no more.
struct Short(usize);
impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}

#[test]
fn a_destination_that_is_full_is_told() {
    let len = written(&INFO).unwrap().len();
    assert_eq!(write_mud(&TABLE, &INFO, &mut Short(len)), Ok(()));
    assert_eq!(write_mud(&TABLE, &INFO, &mut Short(len - 1)), Err(MudError::Full));
}
