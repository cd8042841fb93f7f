//! A lamp sends sealed telemetry over mutual TLS while its broker dies and comes back. Nothing is lost.
//!
//! ```text
//! cargo run --example tls_mqtt_telemetry
//! ```
//!
//! The broker is a real mosquitto with TLS 1.3, which is started here when it is installed.

#[path = "broker/mosquitto.rs"]
mod mosquitto;
#[path = "broker/party.rs"]
mod party;

#[path = "broker/product.rs"]
mod product;

use std::time::{Duration, Instant};

use getrandom::SysRng;
use iotsec::{
    core::{
        crypto::{ChaCha20Poly1305, HkdfSha256},
        input::{MqttFilter, MqttTopic},
        secret::Secret,
    },
    net::mqtt::{Delivery, Event, Step},
    telemetry::{
        batch::{BatchKey, SizeClass, Sizes},
        consent::Consents,
        queue::{Queue, Receipt},
    },
};
use mosquitto::{Mosquitto, Result};
use party::Party;

/// Batches of one event each, as if there were an attack every now and then.
const BATCHES: u8 = 30;

fn main() -> Result {
    let registry = product::registry();
    let secret = Secret::random(&mut SysRng)?;
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let (consents, sizes) = (Consents::off(), Sizes::up_to(SizeClass::B256));
    let (mut scratch, mut out, mut plain) = ([0; 256], [0; 256], [0; 256]);
    let mut queue = Queue::<16>::new(registry, 1, 4);
    if let Some(install) = mosquitto::missing() {
        product::record_attack(&mut queue, &consents, 5)?;
        let sealed = queue.batch(&consents, &key, sizes, &mut SysRng, &mut scratch, &mut out)?;
        let len = sealed.map_or(0, |sealed| sealed.bytes().len());
        println!("sealed a batch of {len} bytes");
        println!("to see it sent, killed and sent again: {install}");
        return Ok(());
    }

    let mut broker = Mosquitto::new("tls_mqtt_telemetry")?;
    let authority = broker.authority()?;
    let mut lamp = Party::new("lamp-0042", &authority, broker.enrol("lamp-0042")?)?;
    let mut service = Party::new("service", &authority, broker.enrol("service")?)?;
    let filter = MqttFilter::parse(b"telemetry/+")?;
    service.link.mqtt().subscribe(filter)?;
    broker.start()?;

    let (start, mut recorded) = (Instant::now(), 0);
    let mut flight: Option<(Delivery, Receipt)> = None;
    let (mut ready, mut arrived, mut again) = (false, Vec::new(), 0);
    while arrived.len() < BATCHES.into() || flight.is_some() {
        // The lamp: one batch at a time, and nothing forgotten before the broker has it.
        if ready && flight.is_none() && recorded < BATCHES {
            recorded += 1;
            product::record_attack(&mut queue, &consents, recorded)?;
            let sealed = queue.batch(&consents, &key, sizes, &mut SysRng, &mut scratch, &mut out)?;
            let sealed = sealed.ok_or("there is an event to send")?;
            let topic = MqttTopic::parse(b"telemetry/lamp-0042")?;
            let delivery = lamp.link.mqtt().publish(topic, sealed.bytes())?;
            flight = Some((delivery, sealed.into_receipt()));
        }
        match lamp.step()? {
            Step::Event(Event::Acknowledged(delivery)) => match flight.take() {
                Some((sent, receipt)) if sent == delivery => queue.ack(receipt)?,
                _ => return Err("acknowledged what was not sent".into()),
            },
            Step::Event(Event::Connected { .. }) => println!("{:>5.1?} lamp: connected", start.elapsed()),
            Step::Lost(error) => println!("{:>5.1?} lamp: {error}", start.elapsed()),
            _ => {}
        }

        // The service: opens what arrives, and knows what it has seen by its numbers.
        match service.step()? {
            Step::Event(Event::Subscribed(_)) => ready = true,
            Step::Event(Event::Message(message)) => {
                let batch = key.open(message.payload(), &mut plain)?.read(&registry)?;
                let event = batch.events().next().ok_or("a batch has an event")?;
                let number = event.id().sequence;
                match arrived.contains(&number) {
                    true => again += 1,
                    false => arrived.push(number),
                }
                let _ = service.link.mqtt().acknowledge(&message);
            }
            _ => {}
        }

        // The broker: dies in the middle, is away for two seconds, and comes back.
        if arrived.len() == usize::from(BATCHES) / 2 {
            broker.kill_once_for(Duration::from_secs(2))?;
        }
        broker.tend()?;
        if start.elapsed() > Duration::from_secs(60) {
            return Err(format!("only {arrived:?} arrived").into());
        }
    }
    assert!(arrived.is_sorted() && queue.is_empty());
    let (took, count) = (start.elapsed(), arrived.len());
    println!("{took:>5.1?} {count} batches arrived in order, {again} of them twice");
    Ok(())
}
