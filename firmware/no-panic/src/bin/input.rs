//! Every parser of inputs, and of what cameras read. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::document;
use iotsec_core::input::document::{Document, DocumentError, List};
use iotsec_core::input::{
    DeviceSerial, Email, Encoding, Hex, Host, InputError, Label, MacAddr, MqttFilter, MqttTopic, Port, Psk,
    Quantity, Ranged, SemVer, Ssid, TimeZone, Url, json, unit::Millisecond,
};
use iotsec_core::qr::{MatterCode, MatterPayload, ProductLabel, QrError, WifiNetwork};
use no_panic::{halt, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    black_box(texts(&input).is_ok());
    black_box(documents(&input).is_ok());
    black_box(described(&input).is_ok());
    black_box(codes(&input).is_ok());
    halt()
}

/// Each from an input of its own, so that none is left out for what another one found.
fn texts(input: &[u8; 512]) -> Result<(), InputError> {
    black_box(Ssid::parse(unknown(input))?.as_str());
    black_box(Psk::parse(unknown(input))?.expose());
    black_box(Host::parse(unknown(input))?);
    black_box(MacAddr::parse(unknown(input))?);
    black_box(Port::parse(unknown(input))?);
    black_box(Url::parse(unknown(input))?.path());
    black_box(Email::parse(unknown(input))?.local());
    black_box(TimeZone::parse(unknown(input))?.daylight());
    black_box(DeviceSerial::parse(unknown(input))?);
    black_box(Label::<32>::parse(unknown(input))?);
    black_box(Hex::<16>::parse(unknown(input))?);
    black_box(Quantity::<Millisecond, 0, 1000>::parse(unknown(input))?);
    let (one, other) = (SemVer::parse(unknown(input))?, SemVer::parse(unknown(input))?);
    black_box(one.precedes(&other));
    let topic = MqttTopic::parse(unknown(input))?;
    black_box(MqttFilter::parse(unknown(input))?.matches(&topic));
    for encoding in [
        Encoding::Hex,
        Encoding::Base32,
        Encoding::Base64,
        Encoding::Base64Url,
    ] {
        black_box(black_box(encoding).decode(unknown(input), &mut [0; 64])?);
    }
    Ok(())
}

/// But for doubles, which `core` reads.
fn documents(input: &[u8; 512]) -> Result<(), InputError> {
    let document = json::parse(unknown(input), &black_box(json::Limits::SMALL))?;
    let object = document.object()?;
    object.only(&["a", "b"])?;
    for value in object.member("a")?.array()? {
        black_box(value.integer()?);
        black_box(value.bool()?);
    }
    black_box(object.member("b")?.text()?.decode(&mut [0; 64])?);
    Ok(())
}

document! {
    struct Plan<'a> {
        url: Url<'a>,
        wait: Quantity<Millisecond, 0, 1000> = 10,
        steps: List<Step<'a>, 1, 4>,
        network: Option<Network>,
    }

    struct Step<'a> {
        name: Label<'a, 16>,
        at: Ranged<0, 23>,
        kind: Kind = "on",
        last: bool,
    }

    struct Network {
        ssid: Ssid,
        psk: Psk,
        port: Port,
    }

    enum Kind {
        On = "on",
        Off = "off",
    }
}

/// In both forms, and what an error says of the way to a field.
fn described(input: &[u8; 512]) -> Result<(), DocumentError> {
    let mut scratch = [0; 64];
    match Plan::from_json(unknown(input), &mut scratch) {
        Ok(plan) => {
            black_box((plan.steps().len(), plan.url().port(), plan.network().is_some()));
        }
        Err(error) => {
            black_box(error.path.steps().len());
        }
    }
    let plan = Plan::from_cbor(unknown(input))?;
    for step in plan.steps().iter() {
        black_box((step.name().as_str(), step.at().get(), *step.kind(), *step.last()));
    }
    Ok(())
}

fn codes(input: &[u8; 512]) -> Result<(), QrError> {
    let text = || core::str::from_utf8(unknown(input)).unwrap_or_default();
    black_box(ProductLabel::parse(text())?.code());
    let network = WifiNetwork::parse(text())?;
    black_box((network.ssid(), network.key().expose()));
    black_box(MatterCode::parse(text())?.passcode());
    black_box(MatterPayload::parse(text())?.passcode());
    Ok(())
}
