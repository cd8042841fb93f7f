use super::lists::Lists;
use crate::{registry::Class, segment::Entry};

/// The oldest entries of every class, up to a quota each, in the order in which they were recorded.
#[derive(Clone)]
pub(super) struct Merge<'q, const N: usize> {
    lists: &'q Lists<N>,
    heads: [(u16, usize); 4],
}

impl<'q, const N: usize> Merge<'q, N> {
    pub(super) fn new(lists: &'q Lists<N>, quota: [usize; 4]) -> Self {
        let mut heads = Class::ALL.map(|class| (lists.first(class), 0));
        for (head, quota) in heads.iter_mut().zip(quota) {
            head.1 = quota;
        }
        Self { lists, heads }
    }
}

impl<const N: usize> Iterator for Merge<'_, N> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let lists = self.lists;
        let candidates = self.heads.iter_mut().filter(|(_, quota)| *quota > 0);
        let candidates = candidates.filter_map(|head| Some((lists.at(head.0)?, head)));
        let oldest = candidates.min_by_key(|((entry, _), _)| (entry.boot, entry.sequence));
        let ((entry, next), head) = oldest?;
        *head = (next, head.1.saturating_sub(1));
        Some(entry)
    }
}
