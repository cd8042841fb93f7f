//! Driver failures without power loss.

use std::ops::Range;

use super::Operation;

/// Which operations fail, counted from now.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

#[derive(Clone, Debug)]
struct Fault {
    operation: Operation,
    range: Range<u64>,
    seen: u64,
}

impl Faults {
    pub(super) fn set(&mut self, operation: Operation, range: Range<u64>) {
        self.0.push(Fault {
            operation,
            range,
            seen: 0,
        });
    }

    /// Counts one operation and says whether it fails.
    pub(super) fn strike(&mut self, operation: Operation) -> bool {
        let mut fails = false;
        for fault in self.0.iter_mut().filter(|fault| fault.operation == operation) {
            fails |= fault.range.contains(&fault.seen);
            fault.seen += 1;
        }
        fails
    }
}
