//! States of computations that begin alike, kept within a bound of memory.

use crate::compensate::Allocation;
use crate::multiplier::Choice;
use std::collections::{BTreeMap, HashMap};

/// Keeps states by the beginnings of assignments they belong to, in at most so many bytes.
///
/// An allocation that several states share is counted once, as long as any of them is kept; so is each
/// state's key. The memory of whoever is just making a new state is not the cache's: that work needs the
/// state it begins with and the new one whether they are kept or not.
///
/// Where room is needed, the state of least value goes first:
/// ```text
/// value = work * uses / bytes
/// work  = multiplications from the longest kept shorter beginning on
/// uses  = assignments of the batch still to come that begin so + (1 + hits) / (2 + batches since the last)
/// bytes = what would be free without it
/// ```
pub(super) struct PrefixCache<S> {
    bound_bytes: usize,
    /// Multiplications of each layer, in any unit.
    work: Vec<u64>,
    /// In the order of a walk through the tree, depth first.
    entries: BTreeMap<Vec<Choice>, Entry<S>>,
    /// The allocations of all entries by address. Only looked up, never iterated: its order is random.
    shared: HashMap<usize, Shared>,
    bytes: usize,
    peak_bytes: usize,
    batch: u64,
}

/// What a state occupies.
pub(super) struct Footprint {
    /// Bytes of its own.
    pub own_bytes: usize,
    /// Memory it may share with other states.
    pub shared: Vec<Allocation>,
}

struct Entry<S> {
    state: S,
    footprint: Footprint,
    hits: u64,
    last_batch: u64,
}

struct Shared {
    holders: usize,
    bytes: usize,
}

impl<S: Clone> PrefixCache<S> {
    /// An empty cache for assignments to layers whose multiplications are `work`.
    pub(super) fn new(bound_bytes: usize, work: Vec<u64>) -> Self {
        PrefixCache {
            bound_bytes,
            work,
            entries: BTreeMap::new(),
            shared: HashMap::new(),
            bytes: 0,
            peak_bytes: 0,
            batch: 0,
        }
    }

    /// The most bytes that were kept at any time.
    pub(super) fn peak_bytes(&self) -> usize {
        self.peak_bytes
    }

    /// Tells that another batch of assignments begins.
    pub(super) fn begin_batch(&mut self) {
        self.batch += 1;
    }

    /// The state of the longest beginning of `assignment` that is kept, with its length.
    pub(super) fn longest(&mut self, assignment: &[Choice]) -> Option<(usize, S)> {
        let batch = self.batch;
        (1..=assignment.len()).rev().find_map(|length| {
            let entry = self.entries.get_mut(&assignment[..length])?;
            entry.hits += 1;
            entry.last_batch = batch;
            Some((length, entry.state.clone()))
        })
    }

    /// Keeps the state of `prefix`, unless it is the one of least value and there is no room. `to_come` are
    /// the assignments of the batch that are still to be looked up, sorted.
    pub(super) fn insert(
        &mut self,
        prefix: &[Choice],
        state: S,
        mut footprint: Footprint,
        to_come: &[&[Choice]],
    ) {
        footprint.own_bytes += size_of_val(prefix) + size_of::<(Vec<Choice>, Entry<S>)>();
        let alone = footprint.own_bytes + footprint.shared.iter().map(|a| a.bytes).sum::<usize>();
        if alone > self.bound_bytes || self.entries.contains_key(prefix) {
            return;
        }
        self.bytes += footprint.own_bytes;
        for allocation in &footprint.shared {
            let shared = self.shared.entry(allocation.address);
            let shared = shared.or_insert(Shared { holders: 0, bytes: allocation.bytes });
            shared.holders += 1;
            if shared.holders == 1 {
                self.bytes += allocation.bytes;
            }
        }
        let entry = Entry { state, footprint, hits: 0, last_batch: self.batch };
        self.entries.insert(prefix.to_vec(), entry);
        while self.bytes > self.bound_bytes {
            let Some(least) = self.least_valuable(to_come).cloned() else { break };
            self.remove(&least);
        }
        self.peak_bytes = self.peak_bytes.max(self.bytes);
    }

    fn remove(&mut self, prefix: &[Choice]) {
        let Some(entry) = self.entries.remove(prefix) else { return };
        self.bytes -= entry.footprint.own_bytes;
        for allocation in &entry.footprint.shared {
            if let Some(shared) = self.shared.get_mut(&allocation.address) {
                shared.holders -= 1;
                if shared.holders == 0 {
                    self.bytes -= shared.bytes;
                    self.shared.remove(&allocation.address);
                }
            }
        }
    }

    /// The first entry of least value.
    fn least_valuable(&self, to_come: &[&[Choice]]) -> Option<&Vec<Choice>> {
        let mut least: Option<(f64, &Vec<Choice>)> = None;
        // The entries that are beginnings of the one at hand.
        let mut shorter: Vec<&[Choice]> = Vec::new();
        for (prefix, entry) in &self.entries {
            while shorter.last().is_some_and(|shorter| !prefix.starts_with(shorter)) {
                shorter.pop();
            }
            let from = shorter.last().map_or(0, |shorter| shorter.len());
            shorter.push(prefix);
            let work: u64 = self.work[from..prefix.len()].iter().sum();
            let idle = self.batch - entry.last_batch;
            let uses = beginning_with(to_come, prefix) as f64 + (1 + entry.hits) as f64 / (2 + idle) as f64;
            let value = work as f64 * uses / self.bytes_alone(entry) as f64;
            if least.is_none_or(|(lowest, _)| value < lowest) {
                least = Some((value, prefix));
            }
        }
        least.map(|(_, prefix)| prefix)
    }

    /// Bytes that no other entry needs.
    fn bytes_alone(&self, entry: &Entry<S>) -> usize {
        let shared = entry.footprint.shared.iter().filter_map(|a| self.shared.get(&a.address));
        entry.footprint.own_bytes + shared.filter(|s| s.holders == 1).map(|s| s.bytes).sum::<usize>()
    }
}

/// How many of the sorted assignments begin with `prefix`.
fn beginning_with(assignments: &[&[Choice]], prefix: &[Choice]) -> usize {
    let begin = |assignment: &[Choice]| assignment[..prefix.len().min(assignment.len())].cmp(prefix);
    let first = assignments.partition_point(|a| begin(a).is_lt());
    assignments[first..].partition_point(|a| begin(a).is_eq())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(digits: &[usize]) -> Vec<Choice> {
        digits.iter().map(|&multiplier| Choice { multiplier, swapped: false }).collect()
    }

    /// A state with allocations at these addresses, 1,000 bytes each.
    fn at(addresses: &[usize]) -> Footprint {
        let shared = addresses.iter().map(|&address| Allocation { address, bytes: 1000 });
        Footprint { own_bytes: 0, shared: shared.collect() }
    }

    /// A cache with room for a number of allocations and some entries' own bytes.
    fn cache(allocations: usize) -> PrefixCache<&'static str> {
        PrefixCache::new(allocations * 1000 + 999, vec![10; 4])
    }

    fn kept(cache: &PrefixCache<&'static str>) -> Vec<&'static str> {
        cache.entries.values().map(|entry| entry.state).collect()
    }

    #[test]
    fn the_longest_beginning_is_found() {
        let mut cache = cache(9);
        cache.insert(&choices(&[1]), "1", at(&[1]), &[]);
        cache.insert(&choices(&[1, 2, 3]), "123", at(&[2]), &[]);
        assert_eq!(cache.longest(&choices(&[1, 2, 4])), Some((1, "1")));
        assert_eq!(cache.longest(&choices(&[1, 2, 3, 4])), Some((3, "123")));
        assert_eq!(cache.longest(&choices(&[2])), None);
    }

    #[test]
    fn what_is_shared_counts_once_and_is_free_with_its_last_holder() {
        let mut cache = cache(9);
        let own =
            |cache: &PrefixCache<_>| cache.entries.values().map(|e| e.footprint.own_bytes).sum::<usize>();
        cache.insert(&choices(&[1]), "a", at(&[1, 2]), &[]);
        cache.insert(&choices(&[1, 1]), "b", at(&[2, 3]), &[]);
        assert_eq!(cache.bytes, 3000 + own(&cache));
        cache.remove(&choices(&[1]));
        assert_eq!(cache.bytes, 2000 + own(&cache));
        cache.remove(&choices(&[1, 1]));
        assert_eq!((cache.bytes, cache.shared.len()), (0, 0));
        assert!(cache.peak_bytes() > 3000);
    }

    #[test]
    fn the_bound_is_never_exceeded() {
        let mut cache = cache(3);
        let batch: Vec<Vec<Choice>> = (0..200).map(|i| choices(&[i % 3, i % 7, i % 11, i])).collect();
        for (i, assignment) in batch.iter().enumerate() {
            cache.begin_batch();
            for length in 1..4 {
                cache.insert(&assignment[..length], "", at(&[3 * i + length, 3 * i + length + 1]), &[]);
                assert!(cache.bytes <= cache.bound_bytes && cache.peak_bytes <= cache.bound_bytes);
            }
        }
        assert!(!cache.entries.is_empty() && cache.entries.len() < 4);
        cache.insert(&choices(&[9]), "large", at(&[1, 2, 3, 4]), &[]);
        assert!(!kept(&cache).contains(&"large"));
        let mut none = PrefixCache::new(0, vec![10]);
        none.insert(&choices(&[1]), "", at(&[]), &[]);
        assert_eq!((none.longest(&choices(&[1])), none.peak_bytes()), (None, 0));
    }

    #[test]
    fn what_is_needed_again_in_the_batch_stays() {
        let mut cache = cache(2);
        let to_come = [choices(&[1, 5]), choices(&[2, 5]), choices(&[2, 6])];
        let to_come: Vec<&[Choice]> = to_come.iter().map(Vec::as_slice).collect();
        for (i, state) in ["0", "1", "2"].into_iter().enumerate() {
            cache.insert(&choices(&[i]), state, at(&[i]), &to_come);
        }
        assert_eq!(kept(&cache), ["1", "2"]);
    }

    #[test]
    fn of_states_without_known_use_the_last_used_and_the_often_used_stay() {
        let mut cache = cache(2);
        for (i, state) in ["0", "1"].into_iter().enumerate() {
            cache.insert(&choices(&[i]), state, at(&[i]), &[]);
        }
        cache.begin_batch();
        cache.longest(&choices(&[0, 0]));
        cache.insert(&choices(&[2]), "2", at(&[2]), &[]);
        assert_eq!(kept(&cache), ["0", "2"]);
    }

    #[test]
    fn what_costs_more_work_stays() {
        let mut cache = cache(2);
        // From the first layer on, and from the second.
        cache.insert(&choices(&[0, 0, 0]), "three layers", at(&[1]), &[]);
        cache.insert(&choices(&[1]), "one layer", at(&[2]), &[]);
        cache.insert(&choices(&[1, 1, 1]), "two layers more", at(&[3]), &[]);
        assert_eq!(kept(&cache), ["three layers", "two layers more"]);
    }

    #[test]
    fn beginnings_are_counted() {
        let all = [choices(&[0, 1]), choices(&[1, 1]), choices(&[1, 2]), choices(&[2, 0])];
        let all: Vec<&[Choice]> = all.iter().map(Vec::as_slice).collect();
        for (prefix, count) in [(vec![], 4), (vec![1], 2), (vec![1, 2], 1), (vec![1, 3], 0), (vec![3], 0)] {
            assert_eq!(beginning_with(&all, &choices(&prefix)), count, "{prefix:?}");
        }
    }
}
