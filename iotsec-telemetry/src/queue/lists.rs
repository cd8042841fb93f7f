//! One first-in-first-out list a class, and a list of free places, through one array.

use crate::{registry::Class, segment::Entry};

/// The end of a list.
const NONE: u16 = u16::MAX;

#[derive(Clone, Copy, Debug)]
struct Slot {
    code: u64,
    boot: u32,
    sequence: u32,
    uptime: u32,
    next: u16,
    /// Part of a batch that is not acknowledged. Within a class, marked slots come first.
    marked: bool,
}

#[derive(Clone, Copy, Debug)]
struct List {
    head: u16,
    tail: u16,
    len: usize,
}

const EMPTY: List = List {
    head: NONE,
    tail: NONE,
    len: 0,
};
const BLANK: Slot = Slot {
    code: 0,
    boot: 0,
    sequence: 0,
    uptime: 0,
    next: NONE,
    marked: false,
};

pub(super) struct Lists<const N: usize> {
    slots: [Slot; N],
    free: List,
    classes: [List; 4],
}

impl<const N: usize> Lists<N> {
    pub(super) fn new() -> Self {
        const { assert!(N > 0 && N < 65535, "a queue holds 1 to 65534 events") };
        let mut lists = Self {
            slots: [BLANK; N],
            free: EMPTY,
            classes: [EMPTY; 4],
        };
        for index in (0..NONE).take(N) {
            lists.free.append(index, &mut lists.slots);
        }
        lists
    }

    pub(super) fn len(&self, class: Class) -> usize {
        self.list(class).len
    }

    pub(super) fn total(&self) -> usize {
        N.saturating_sub(self.free.len)
    }

    /// Appends to `class`; `false` when no place is free.
    pub(super) fn push(&mut self, class: Class, entry: Entry) -> bool {
        let Some(index) = self.free.take_first(&mut self.slots) else {
            return false;
        };
        if let Some(slot) = self.slots.get_mut(usize::from(index)) {
            *slot = Slot {
                code: entry.code,
                boot: entry.boot,
                sequence: entry.sequence,
                uptime: entry.uptime,
                ..BLANK
            };
        }
        let Some(list) = self.classes.get_mut(class.index()) else {
            return false;
        };
        list.append(index, &mut self.slots);
        true
    }

    /// Drops the oldest of `class`; tells whether it was marked.
    pub(super) fn pop(&mut self, class: Class) -> Option<bool> {
        let list = self.classes.get_mut(class.index())?;
        let index = list.take_first(&mut self.slots)?;
        let slot = self.slots.get_mut(usize::from(index))?;
        let was_marked = slot.marked;
        *slot = BLANK;
        self.free.append(index, &mut self.slots);
        Some(was_marked)
    }

    /// Drops all of `class`, and leaves nothing of them in memory.
    pub(super) fn clear(&mut self, class: Class) {
        while self.pop(class).is_some() {}
    }

    /// Marks the `count` oldest of `class`.
    pub(super) fn mark_front(&mut self, class: Class, count: usize) {
        self.each_front(class, count, |slot| slot.marked = true);
    }

    pub(super) fn unmark(&mut self, class: Class) {
        self.each_front(class, N, |slot| slot.marked = false);
    }

    /// Drops the marked ones of `class`.
    pub(super) fn drop_marked(&mut self, class: Class) {
        while self.slot(self.list(class).head).is_some_and(|slot| slot.marked) {
            if self.pop(class).is_none() {
                break;
            }
        }
    }

    /// The entries of `class`, the oldest first.
    pub(super) fn iter(&self, class: Class) -> Iter<'_, N> {
        Iter {
            lists: self,
            index: self.list(class).head,
        }
    }

    fn list(&self, class: Class) -> &List {
        self.classes.get(class.index()).unwrap_or(&EMPTY)
    }

    fn slot(&self, index: u16) -> Option<&Slot> {
        self.slots.get(usize::from(index))
    }

    fn each_front(&mut self, class: Class, count: usize, mut change: impl FnMut(&mut Slot)) {
        let mut index = self.list(class).head;
        for _ in 0..count {
            let Some(slot) = self.slots.get_mut(usize::from(index)) else {
                break;
            };
            change(slot);
            index = slot.next;
        }
    }
}

/// Walks along one list.
#[derive(Clone)]
pub(super) struct Iter<'q, const N: usize> {
    lists: &'q Lists<N>,
    index: u16,
}

impl<const N: usize> Iterator for Iter<'_, N> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let slot = self.lists.slot(self.index)?;
        self.index = slot.next;
        Some(Entry {
            boot: slot.boot,
            sequence: slot.sequence,
            uptime: slot.uptime,
            code: slot.code,
        })
    }
}

impl List {
    fn append(&mut self, index: u16, slots: &mut [Slot]) {
        if let Some(slot) = slots.get_mut(usize::from(index)) {
            slot.next = NONE;
        }
        match slots.get_mut(usize::from(self.tail)) {
            Some(last) => last.next = index,
            None => self.head = index,
        }
        self.tail = index;
        self.len = self.len.saturating_add(1);
    }

    fn take_first(&mut self, slots: &mut [Slot]) -> Option<u16> {
        let index = self.head;
        let slot = slots.get_mut(usize::from(index))?;
        self.head = slot.next;
        slot.next = NONE;
        if self.head == NONE {
            self.tail = NONE;
        }
        self.len = self.len.saturating_sub(1);
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cleared_leaves_nothing_in_memory() {
        let mut lists = Lists::<4>::new();
        for sequence in 1..=4 {
            let entry = Entry {
                boot: 7,
                sequence,
                uptime: 9,
                code: 0xC0FFEE,
            };
            assert!(lists.push(Class::Usage, entry));
        }
        lists.clear(Class::Usage);
        let left = |slot: &Slot| slot.code != 0 || slot.boot != 0 || slot.sequence != 0 || slot.uptime != 0;
        assert!(!lists.slots.iter().any(left));
        assert_eq!((lists.total(), lists.len(Class::Usage)), (0, 0));
    }
}
