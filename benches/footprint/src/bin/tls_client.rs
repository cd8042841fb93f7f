//! A verified connection to a declared endpoint, over which something is said and heard.

use iotsec_core::hal::UnixTime;
use iotsec_net::{
    interfaces,
    surface::{Endpoint, Host, Interface, Phase, Protocol},
    time::CertificateTime,
    tls::{self, Alpn, Anchors, Client, Provider},
};
use std::io::{Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

interfaces!(static TABLE = [Interface::endpoint(
    "cloud",
    "Control from afar",
    Endpoint::new(Host::Name("broker.example"), 8883, Protocol::Mqtts),
)]);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("takes the file of an anchor")?;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let now = CertificateTime::exact(UnixTime(seconds));
    let anchors = Anchors::new(&[&std::fs::read(file)?], now)?;
    let client = Client::new(&Provider::ring(), anchors, Alpn::Require(&[b"mqtt"]))?;
    let grant = TABLE
        .gate(Phase::Owned)
        .grant_outbound("cloud", "broker.example", 8883)?;
    let mut connection = tls::connect(grant, &client, now)?;
    connection.write_all(b"hello")?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    println!("{}", answer.len());
    Ok(connection.close()?)
}
