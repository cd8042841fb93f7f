//! Random operations beside a model that spells the rules out with plain vectors.

use super::*;

#[derive(Clone, Copy, PartialEq, Debug)]
struct Item {
    class: usize,
    id: EventId,
    serial: i64,
    sent: bool,
}

struct Model {
    capacity: usize,
    reserve: usize,
    items: Vec<Item>,
    emitted: [u32; 4],
    lost: [u32; 4],
    doubtful: [u32; 4],
    delivered: [u32; 4],
}

impl Model {
    fn count(&self, class: usize) -> usize {
        self.items.iter().filter(|item| item.class == class).count()
    }

    /// True when the event is kept.
    fn record(&mut self, item: Item) -> bool {
        self.emitted[item.class] += 1;
        let lower: usize = (1..4).map(|class| self.count(class)).sum();
        let full = self.items.len() == self.capacity;
        let no_room = full || (item.class > 0 && lower >= self.capacity - self.reserve);
        if no_room {
            let victim = (item.class.max(1)..4).rev().find(|class| self.count(*class) > 0);
            let Some(victim) = victim else {
                self.lost[item.class] += 1;
                return false;
            };
            let oldest = self.items.iter().position(|i| i.class == victim).unwrap();
            if self.items.remove(oldest).sent {
                self.doubtful[victim] += 1;
            } else {
                self.lost[victim] += 1;
            }
        }
        self.items.push(item);
        true
    }

    fn give_up(&mut self) {
        for (lost, doubtful) in self.lost.iter_mut().zip(&mut self.doubtful) {
            *lost += core::mem::take(doubtful);
        }
        for item in &mut self.items {
            item.sent = false;
        }
    }

    fn sent(&mut self, events: &[Event]) {
        let ids: Vec<_> = events.iter().map(Event::id).collect();
        for item in &mut self.items {
            item.sent = ids.contains(&item.id);
        }
        assert_eq!(self.items.iter().filter(|item| item.sent).count(), events.len());
        let found: Vec<_> = self
            .items
            .iter()
            .filter(|item| item.sent)
            .map(|item| item.serial)
            .collect();
        assert_eq!(
            found,
            serials(events),
            "values, in the order in which they were recorded"
        );
        for (at, left_out) in self.items.iter().enumerate().filter(|(_, item)| !item.sent) {
            let overtaken = |(other_at, other): (usize, &Item)| {
                other.sent
                    && (other.class > left_out.class || (other.class == left_out.class && other_at > at))
            };
            assert!(
                !self.items.iter().enumerate().any(overtaken),
                "the most urgent go first"
            );
        }
    }

    fn acknowledged(&mut self) {
        for item in self.items.iter().filter(|item| item.sent) {
            self.delivered[item.class] += 1;
        }
        for (delivered, doubtful) in self.delivered.iter_mut().zip(&mut self.doubtful) {
            *delivered += core::mem::take(doubtful);
        }
        self.items.retain(|item| !item.sent);
    }

    fn purge(&mut self, class: usize) {
        self.items.retain(|item| item.class != class);
        for counts in [
            &mut self.emitted,
            &mut self.lost,
            &mut self.doubtful,
            &mut self.delivered,
        ] {
            counts[class] = 0;
        }
    }
}

/// Runs `steps` random operations; returns how many batches were acknowledged.
fn run<const N: usize>(seed: u64, reserve: usize, steps: u32) -> u32 {
    let mut rng = SimRng::new(seed);
    let mut storage = Ram::default();
    let mut consents = all_granted(&mut storage);
    let mut queue = queue::<N>(1, reserve);
    let mut model = Model {
        capacity: N,
        reserve,
        items: Vec::new(),
        emitted: [0; 4],
        lost: [0; 4],
        doubtful: [0; 4],
        delivered: [0; 4],
    };
    let (mut receipt, mut acknowledged, mut boot, mut uptime) = (None, 0, 1, 0);
    for step in 0..steps {
        uptime += rng.below(3) * 700_000;
        match rng.below(40) {
            0..28 => {
                let class = [0, 1, 1, 2, 2, 3, 3, 3][rng.below(8) as usize];
                let serial = rng.below(1 << 32) as u32;
                let now = Millis(uptime);
                let result = queue.record(&consents, &DEFINITIONS[class], &[serial.into()], now);
                let granted = match class {
                    2 => consents.live::<Health>().is_some(),
                    3 => consents.live::<Usage>().is_some(),
                    _ => true,
                };
                if !granted {
                    assert_eq!(result, Err(RecordError::NotConsented));
                    continue;
                }
                let id = result.unwrap_or(EventId {
                    purpose: DEFINITIONS[class].class().purpose(),
                    boot,
                    sequence: u32::MAX,
                });
                let (serial, sent) = (i64::from(serial), false);
                let kept = model.record(Item {
                    class,
                    id,
                    serial,
                    sent,
                });
                assert_eq!(kept, result.is_ok(), "step {step}");
                assert!(
                    class > 0 || kept || model.count(0) >= N,
                    "a critical found no room"
                );
            }
            28..33 => {
                model.give_up();
                let sizes = Sizes::up_to(SizeClass::ALL[rng.below(15) as usize]);
                let delivery = deliver(&mut queue, &consents, sizes, &mut rng);
                let events = delivery.as_ref().map(|d| d.events.clone()).unwrap_or_default();
                assert!(delivery.is_some() || model.items.is_empty());
                if let Some(delivery) = delivery {
                    let waiting =
                        |class: Class| class.purpose() == delivery.purpose && model.count(class.index()) > 0;
                    assert!(
                        !events.is_empty() || !Class::ALL.into_iter().any(waiting),
                        "every batch makes progress"
                    );
                    for class in Class::ALL {
                        let told = class.purpose() == delivery.purpose;
                        let lost = if told { model.lost[class.index()] } else { 0 };
                        assert_eq!(delivery.lost[class.index()], lost);
                    }
                    receipt = Some(delivery.receipt);
                }
                model.sent(&events);
            }
            33..37 => {
                if receipt.take().is_some_and(|receipt| queue.ack(receipt).is_ok()) {
                    model.acknowledged();
                    acknowledged += 1;
                }
            }
            37 => {
                if consents.live::<Usage>().is_some() {
                    consents
                        .withdraw::<Usage, N>(None, &mut queue, &mut storage)
                        .unwrap();
                } else {
                    consents.grant::<Usage>(1, None, &mut storage).unwrap();
                }
                model.purge(3);
            }
            38 => {
                if consents.live::<Health>().is_some() {
                    consents
                        .withdraw::<Health, N>(None, &mut queue, &mut storage)
                        .unwrap();
                    model.purge(2);
                } else {
                    consents.grant::<Health>(1, None, &mut storage).unwrap();
                }
            }
            _ => {
                let mut record = vec![0; Queue::<N>::SNAPSHOT_MAX_LEN];
                let snapshot = queue.snapshot(Class::Usage, &mut record).unwrap();
                boot += 1;
                uptime = 0;
                let mut after = super::queue::<N>(boot, reserve);
                let restored = after.restore(&consents, snapshot).unwrap();
                assert_eq!(restored.kept as usize, queue.len());
                queue = after;
                model.give_up();
                receipt = None;
            }
        }
        for class in Class::ALL {
            let index = class.index();
            assert_eq!(queue.len_of(class), model.count(index), "step {step}");
            assert_eq!(queue.lost(class), model.lost[index], "step {step}");
            let accounted = model.delivered[index]
                + model.lost[index]
                + model.doubtful[index]
                + u32::try_from(model.count(index)).unwrap();
            assert_eq!(model.emitted[index], accounted, "step {step}");
        }
    }
    acknowledged
}

#[test]
fn every_event_is_delivered_waiting_or_counted_as_lost() {
    let mut acknowledged = 0;
    for seed in 0..20 {
        acknowledged += run::<1>(seed, 0, 500);
        acknowledged += run::<5>(seed, 2, 1000);
        acknowledged += run::<16>(seed, 4, 1000);
        acknowledged += run::<200>(seed, 20, 2000);
        acknowledged += run::<16>(seed, 16, 500);
    }
    assert!(acknowledged > 2000);
}
