//! Random operations and power cuts beside a model that knows of every class what was recorded, in plain sets.

use iotsec_telemetry::{
    batch::{SizeClass, Sizes},
    error::SpoolError,
    registry::Class,
};
use iotsec_testkit::{SimRng, Tear};

use crate::device::{Device, Running, small};

/// One random operation. `Err` when the power went.
fn step(running: &mut Running<'_>, rng: &mut SimRng) -> Result<(), SpoolError> {
    match rng.below(20) {
        0..15 => {
            let class = [0, 1, 1, 2, 2, 3, 3, 3][rng.below(8) as usize];
            match running.record(class, rng.below(1 << 32) as u32) {
                Ok(_) | Err(SpoolError::Record(_)) => {}
                Err(error) => return Err(error),
            }
        }
        15..18 => {
            let sizes = Sizes::up_to(SizeClass::ALL[rng.below(9) as usize]);
            if let Some(arrived) = running.send(sizes)? {
                let urgent = arrived
                    .ids
                    .windows(2)
                    .all(|pair| (pair[0].boot, pair[0].sequence) < (pair[1].boot, pair[1].sequence));
                assert!(urgent, "in the order in which they were recorded");
                if rng.below(3) > 0 {
                    running.ack(arrived)?;
                }
            }
        }
        _ => {
            // A batch that arrives although its answer does not, while more is recorded.
            let arrived = running.send(Sizes::up_to(SizeClass::B2048))?;
            for _ in 0..rng.below(12) {
                match running.record(3, 0) {
                    Ok(_) | Err(SpoolError::Record(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            if let Some(arrived) = arrived
                && rng.below(2) == 0
            {
                running.ack(arrived)?;
            }
        }
    }
    Ok(())
}

fn run(seed: u64, tear: Tear, boots: u32) -> u32 {
    let mut rng = SimRng::new(seed);
    let mut device = Device::new(small(), tear);
    device.flash.power().reseed(seed);
    let mut cuts = 0;
    for _ in 0..boots {
        let budget = rng.below(400);
        device.flash.cut_after(budget);
        let ended = match device.start() {
            Ok(mut running) => {
                running.device.check(&running.spool);
                let steps = rng.below(60);
                (0..steps).try_for_each(|_| {
                    step(&mut running, &mut rng)?;
                    running.device.check(&running.spool);
                    Ok(())
                })
            }
            Err(error) => Err(error),
        };
        assert_eq!(ended.is_err(), device.flash.is_off(), "{ended:?}");
        cuts += u32::from(ended.is_err());
        device.flash.power_on();
    }
    let mut running = device.start().unwrap();
    running.device.check(&running.spool);
    running.drain().unwrap();
    assert!(running.spool.is_empty());
    running.device.check(&running.spool);
    running.device.check_criticals();
    let lost = Class::ALL.map(|class| running.spool.loss(class).count);
    assert_eq!(running.device.flash.violation(), None);
    assert!(running.device.flash.most_erases() <= 1);
    assert!(lost[3] > 0 || boots < 20);
    cuts
}

#[test]
fn every_event_is_delivered_waiting_or_counted_whatever_happens() {
    let full = std::env::var_os("IOTSEC_SWEEP").is_some_and(|value| value == "full");
    let mut cuts = 0;
    for seed in 0..if full { 400 } else { 12 } {
        for tear in [Tear::Torn, Tear::Clean, Tear::EccPoison, Tear::Unstable] {
            cuts += run(seed, tear, 40);
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 300);
}
