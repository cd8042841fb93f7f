use iotsec_telemetry::{
    registry,
    registry::{Class, EventDef},
};

const FIRST: EventDef = EventDef::new(1, "first", Class::Health, "An example", &[]);
const SECOND: EventDef = EventDef::new(2, "second", Class::Health, "An example", &[]);
registry!(static PRODUCT = [SECOND, FIRST]);

fn main() {
    let _ = PRODUCT.events();
}
