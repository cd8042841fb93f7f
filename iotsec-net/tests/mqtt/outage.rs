use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    io::{self, Read, Write},
    rc::Rc,
};

use iotsec_core::hal::{Millis, Uptime};
use iotsec_net::{
    mqtt::{Delivery, Event, Link, Mqtt, MqttConfig, MqttError, Reason, Step},
    retry::{Failure, Forgetful, Retry, RetryPolicy},
};
use iotsec_testkit::{SimClock, SimRng};
use rand_core::Rng;

use crate::broker::{CONNECT, PUBLISH, connack, packets, puback, topic};

/// What stands between device and server, and the server.
struct World {
    rng: RefCell<SimRng>,
    clock: SimClock,
    /// Everything that the server took, in its order.
    taken: RefCell<Vec<Vec<u8>>>,
    dials: RefCell<Vec<(Millis, &'static str)>>,
    is_broken: Cell<bool>,
    answer: Cell<Option<u8>>,
}

/// One connection through it: short reads and writes, pauses, breaks in the middle of a packet.
struct Stream {
    world: Rc<World>,
    to_server: Vec<u8>,
    to_client: VecDeque<u8>,
}

impl Stream {
    fn weather(&self) -> io::Result<()> {
        // Time passes with everything one does.
        self.world.clock.advance(Millis(50));
        if !self.world.is_broken.get() {
            return Ok(());
        }
        match self.world.rng.borrow_mut().below(60) {
            0 => Err(io::ErrorKind::ConnectionReset.into()),
            1..=9 => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        }
    }

    fn serve(&mut self) {
        for packet in packets(&mut self.to_server) {
            match packet.kind() {
                CONNECT => match self.world.answer.get() {
                    None => self.to_client.extend(connack(false)),
                    Some(code) => self.to_client.extend([0x20, 3, 0, code, 0]),
                },
                PUBLISH => {
                    let (id, _, payload, _) = packet.published(true);
                    self.world.taken.borrow_mut().push(payload);
                    self.to_client.extend(puback(id));
                }
                _ => {}
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.weather()?;
        let most = self.world.some();
        let count = buf.len().min(most).min(self.to_client.len());
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        for (to, from) in buf.iter_mut().zip(self.to_client.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.weather()?;
        let count = buf.len().min(self.world.some());
        self.to_server.extend(&buf[..count]);
        self.serve();
        Ok(count)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl World {
    /// One to twenty.
    fn some(&self) -> usize {
        usize::try_from(self.rng.borrow_mut().below(20)).unwrap() + 1
    }
}

fn world(seed: u64) -> Rc<World> {
    Rc::new(World {
        rng: RefCell::new(SimRng::new(seed)),
        clock: SimClock::new(),
        taken: RefCell::default(),
        dials: RefCell::default(),
        is_broken: Cell::new(false),
        answer: Cell::new(None),
    })
}

fn link(world: &World, servers: &[&'static str]) -> Link<Stream> {
    let policy = RetryPolicy::DEFAULT;
    let retry = Retry::restore(policy, &mut Forgetful, world.clock.uptime(), 0).unwrap();
    let mqtt = Mqtt::new(
        MqttConfig::new("device-1")
            .unwrap()
            .with_outbox(10, 4096, 4)
            .unwrap(),
    );
    Link::new(mqtt, retry, servers, 0).unwrap()
}

fn step(link: &mut Link<Stream>, world: &Rc<World>) -> Step {
    let random = world.rng.borrow_mut().next_u32();
    let step = link
        .step(&mut Forgetful, &world.clock, random, |server| {
            world.dials.borrow_mut().push((world.clock.uptime(), server));
            if world.is_broken.get() && world.rng.borrow_mut().below(3) == 0 {
                return Err(Failure::Unreachable);
            }
            Ok(Stream {
                world: Rc::clone(world),
                to_server: Vec::new(),
                to_client: VecDeque::new(),
            })
        })
        .unwrap();
    if let Step::Wait(time) = step {
        world.clock.advance(time);
    }
    step
}

/// Hundreds of messages over connections that break anywhere: what was acknowledged is at the server, everything
/// arrives, and the first arrivals are in order.
#[test]
fn nothing_acknowledged_is_lost_and_order_is_kept() {
    for seed in 0..20 {
        let world = world(seed);
        let mut link = link(&world, &["one"]);
        let mut waiting: HashMap<Delivery, u16> = HashMap::new();
        let (mut next, mut acknowledged, mut steps) = (0_u16, 0, 0);
        world.is_broken.set(true);
        while acknowledged < 300 {
            while next < 300 {
                match link.mqtt().publish(topic("t"), &next.to_be_bytes()) {
                    Ok(delivery) => {
                        waiting.insert(delivery, next);
                        next += 1;
                    }
                    Err(error) => {
                        assert_eq!(error, MqttError::Full);
                        break;
                    }
                }
            }
            assert!(link.mqtt().pending().0 <= 10);
            if let Step::Event(Event::Acknowledged(delivery)) = step(&mut link, &world) {
                let number = waiting.remove(&delivery).expect("acknowledged once");
                let bytes = number.to_be_bytes().to_vec();
                assert!(
                    world.taken.borrow().contains(&bytes),
                    "seed {seed}: {number} is lost"
                );
                acknowledged += 1;
            }
            steps += 1;
            assert!(steps < 200_000, "seed {seed}: {acknowledged} acknowledged");
        }
        let mut first = Vec::new();
        for payload in world.taken.borrow().iter() {
            if !first.contains(payload) {
                first.push(payload.clone());
            }
        }
        let wanted: Vec<_> = (0..300_u16).map(|number| number.to_be_bytes().to_vec()).collect();
        assert_eq!(first, wanted, "seed {seed}");
        assert!(
            world.dials.borrow().len() > 5,
            "seed {seed}: the connections did break"
        );
        let dials = world.dials.borrow();
        assert!(
            dials
                .windows(2)
                .all(|pair| pair[1].0.since(pair[0].0) >= Millis(1000))
        );
    }
}

#[test]
fn refusals_open_the_breaker() {
    let world = world(1);
    let mut link = link(&world, &["one", "two"]);
    world.answer.set(Some(Reason::NOT_AUTHORIZED.0));
    let mut refused = 0;
    while refused < 5 {
        if let Step::Lost(error) = step(&mut link, &world) {
            assert_eq!(error, MqttError::Ended(Reason::NOT_AUTHORIZED));
            refused += 1;
        }
    }
    assert!(link.retry().status().is_open);
    let Step::Wait(time) = step(&mut link, &world) else {
        panic!("the breaker is open")
    };
    assert!(time >= Millis::from_secs(1800), "{time:?}");
    let names: Vec<_> = world.dials.borrow().iter().map(|(_, name)| *name).collect();
    assert_eq!(
        names,
        ["one", "two", "one", "two", "one"],
        "each of the list in turn"
    );
}

#[test]
fn a_server_sends_the_device_only_where_the_list_allows() {
    for (place, wanted) in [
        ("three", "three"),
        ("evil.example THREE", "three"),
        ("evil.example", "one"),
    ] {
        let world = world(2);
        let mut link = link(&world, &["one", "two", "three"]);
        let place = place.to_owned();
        let redirect = [
            &[0x1C][..],
            &u16::try_from(place.len()).unwrap().to_be_bytes(),
            place.as_bytes(),
        ]
        .concat();
        let length = u8::try_from(redirect.len()).unwrap();
        let mut connack = vec![0x20, length + 3, 0, 0x9C, length];
        connack.extend(redirect);
        let redirecting = Cell::new(true);
        for _ in 0..200 {
            let random = world.rng.borrow_mut().next_u32();
            let step = link
                .step(&mut Forgetful, &world.clock, random, |server| {
                    world.dials.borrow_mut().push((world.clock.uptime(), server));
                    let to_client = if redirecting.replace(false) {
                        connack.clone()
                    } else {
                        vec![]
                    };
                    Ok(Stream {
                        world: Rc::clone(&world),
                        to_server: Vec::new(),
                        to_client: to_client.into(),
                    })
                })
                .unwrap();
            match step {
                Step::Wait(time) => world.clock.advance(time),
                Step::Lost(error) => {
                    assert_eq!(error, MqttError::Elsewhere(Reason::USE_ANOTHER_SERVER));
                }
                _ => {}
            }
            if world.dials.borrow().len() == 2 {
                break;
            }
        }
        let dials = world.dials.borrow();
        assert_eq!((dials[0].1, dials[1].1), ("one", wanted));
    }
}

#[test]
fn a_good_end_leaves_the_first_window() {
    let world = world(3);
    let mut link = link(&world, &["one"]);
    link.mqtt().publish(topic("t"), b"x").unwrap();
    while !matches!(step(&mut link, &world), Step::Event(Event::Acknowledged(_))) {}
    link.finish(&mut Forgetful, &world.clock, u32::MAX).unwrap();
    assert!(link.stream().is_none());
    assert_eq!(link.retry().status().attempts, 0);
}
