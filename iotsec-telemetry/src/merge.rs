use crate::segment::Entry;

/// The first entries of the two classes of a purpose, up to a quota each, in the order in which they were recorded.
#[derive(Clone)]
pub(crate) struct Merge<I> {
    streams: [Stream<I>; 2],
}

#[derive(Clone)]
struct Stream<I> {
    first: Option<Entry>,
    rest: I,
    left: usize,
}

impl<I: Iterator<Item = Entry>> Merge<I> {
    pub(crate) fn new(streams: [I; 2], quota: [usize; 2]) -> Self {
        let mut streams = streams.map(|mut rest| Stream {
            first: rest.next(),
            rest,
            left: 0,
        });
        for (stream, quota) in streams.iter_mut().zip(quota) {
            stream.left = quota;
        }
        Self { streams }
    }
}

impl<I: Iterator<Item = Entry>> Iterator for Merge<I> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let [first, second] = &mut self.streams;
        let stream = if second.key() < first.key() { second } else { first };
        let entry = stream.first.filter(|_| stream.left > 0)?;
        stream.first = stream.rest.next();
        stream.left = stream.left.saturating_sub(1);
        Some(entry)
    }
}

impl<I> Stream<I> {
    /// What it is ordered by; behind everything when it has come to its end.
    fn key(&self) -> (u32, u32) {
        let entry = self.first.filter(|_| self.left > 0);
        entry.map_or((u32::MAX, u32::MAX), |entry| (entry.boot, entry.sequence))
    }
}

/// How many of each class are among the `chosen` most urgent, of so many that there are.
pub(crate) fn quota(available: [usize; 2], chosen: usize) -> [usize; 2] {
    let [first, second] = available;
    let first = first.min(chosen);
    [first, second.min(chosen.saturating_sub(first))]
}
