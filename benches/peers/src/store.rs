//! The stores under one workload, which `benches/store.rs` explains.

mod device;
mod ekv;
#[path = "../../store/figures.rs"]
mod figures;
mod littlefs;
mod nor;
#[path = "../../store/ours.rs"]
mod ours;
mod sealed;
mod sequential;
#[path = "../../store/workload.rs"]
mod workload;

pub(crate) use device::run as run_on_device;
use workload::{CASES, Contender, measure};

const CONTENDERS: [Contender; 6] = [
    ours::OURS,
    ours::DEVICE_ONLY,
    sequential::PLAIN,
    sealed::SEALED,
    ekv::EKV,
    littlefs::LITTLEFS,
];

pub(crate) fn run() {
    for case in CASES {
        print!("{}", figures::heading(case));
        for contender in &CONTENDERS {
            print!("{}", figures::row(contender.name, &measure(contender, case)));
        }
        println!();
    }
}
