//! Timing contestants against each other, and checking what they compute meanwhile.

use crate::error::{Error, Result};
use rayon::ThreadPool;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Each contestant has its turn so many times, far apart: what else the machine did in one round is
/// forgotten when the fastest run counts.
const ROUNDS: u32 = 5;
/// Most further turns of whoever is slowest, so that bad luck does not decide who that is.
const SECOND_CHANCES: usize = 50;
/// Further turns in a row without getting faster after which the slowest is the slowest.
const ENOUGH: usize = 5;
/// How much faster counts.
const FASTER: f64 = 0.99;

/// One thread, and all of them.
pub struct Threads {
    pools: [ThreadPool; 2],
}

impl Threads {
    /// As many threads as the caller's pool has.
    pub fn new() -> Result<Threads> {
        let pool = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.map_err(|e| Error::Argument(format!("{threads} threads: {e}")))
        };
        Ok(Threads { pools: [pool(1)?, pool(rayon::current_num_threads())?] })
    }

    /// How many all are.
    pub fn count(&self) -> usize {
        self.pools[1].current_num_threads()
    }

    /// Runs `work` with one thread.
    pub fn on_one<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pools[0].install(work)
    }
}

/// What the first and the last image of each batch must give.
pub type Expected<T> = Arc<Vec<[Vec<T>; 2]>>;

/// Computes a batch: codes in, outputs out.
type Run<'a, T> = dyn Fn(&[u8], &mut [T]) + Sync + 'a;

/// Something that computes the outputs of a batch of images.
pub struct Contestant<'a, T> {
    /// What it is called if it is wrong.
    name: String,
    run: Box<Run<'a, T>>,
    expected: Expected<T>,
    /// What the whole of each batch gave at first.
    digests: Vec<Option<u64>>,
    /// The fastest runs: of each batch in seconds, with one thread and with all.
    pub seconds: Vec<[f64; 2]>,
}

impl<'a, T> Contestant<'a, T> {
    /// A contestant for as many batches as `expected` has outputs for.
    pub fn new(name: String, expected: Expected<T>, run: impl Fn(&[u8], &mut [T]) + Sync + 'a) -> Self {
        let batches = expected.len();
        Contestant {
            name,
            run: Box::new(run),
            expected,
            digests: vec![None; batches],
            seconds: vec![[f64::INFINITY; 2]; batches],
        }
    }
}

/// What contestants compute on, and for how long.
pub struct Race<'a> {
    /// Codes of each batch.
    pub batches: &'a [Vec<u8>],
    /// Images of a batch.
    pub images: usize,
    /// Outputs of a whole batch.
    pub outputs: usize,
    /// The threads.
    pub threads: &'a Threads,
    /// Seconds for each contestant, batch and number of threads.
    pub seconds: f64,
}

impl Race<'_> {
    /// Times `contestants`. Fails if one computes anything but what is expected, or not the same every time.
    pub fn run<T: Copy + Default + PartialEq + Hash + Send + Sync>(
        &self,
        contestants: &mut [Contestant<T>],
        progress: &dyn Fn(&str),
    ) -> Result<()> {
        let mut outputs = vec![T::default(); self.outputs];
        for round in 1..=ROUNDS {
            progress(&format!("round {round} of {ROUNDS}"));
            for contestant in &mut *contestants {
                for batch in 0..self.batches.len() {
                    for threads in 0..self.threads.pools.len() {
                        self.turn(contestant, batch, threads, &mut outputs)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Times the slowest of `contestants`, which have run already, again and again: each may prove to be
    /// faster than it seemed, and leave the last place to another.
    pub fn settle_last_places<T: Copy + Default + PartialEq + Hash + Send + Sync>(
        &self,
        contestants: &mut [Contestant<T>],
    ) -> Result<()> {
        let mut outputs = vec![T::default(); self.outputs];
        let mut in_vain = vec![[0; 2]; self.batches.len()];
        for _ in 0..SECOND_CHANCES {
            for (batch, in_vain) in in_vain.iter_mut().enumerate() {
                for (threads, in_vain) in in_vain.iter_mut().enumerate().filter(|(_, n)| **n < ENOUGH) {
                    let seconds = |c: &Contestant<T>| c.seconds[batch][threads];
                    let last = contestants.iter_mut().max_by(|x, y| seconds(x).total_cmp(&seconds(y)));
                    let Some(last) = last else { return Ok(()) };
                    let before = seconds(last);
                    self.turn(last, batch, threads, &mut outputs)?;
                    *in_vain = if seconds(last) < FASTER * before { 0 } else { *in_vain + 1 };
                }
            }
        }
        Ok(())
    }

    /// Times a contestant with one batch on one or all threads, and checks what it has computed.
    fn turn<T: Copy + Default + PartialEq + Hash + Send + Sync>(
        &self,
        contestant: &mut Contestant<T>,
        batch: usize,
        threads: usize,
        outputs: &mut [T],
    ) -> Result<()> {
        outputs.fill(T::default());
        let (run, codes) = (&contestant.run, &self.batches[batch]);
        let seconds = self.seconds / f64::from(ROUNDS);
        let fastest = self.threads.pools[threads].install(|| fastest(seconds, || run(codes, outputs)));
        let record = &mut contestant.seconds[batch][threads];
        *record = record.min(fastest);
        contestant.check(batch, outputs)
    }
}

impl<T: PartialEq + Hash> Contestant<'_, T> {
    fn check(&mut self, batch: usize, outputs: &[T]) -> Result<()> {
        let [first, last] = &self.expected[batch];
        let mut hasher = DefaultHasher::new();
        outputs.hash(&mut hasher);
        let digest = hasher.finish();
        let before = *self.digests[batch].get_or_insert(digest);
        if outputs.starts_with(first) && outputs.ends_with(last) && digest == before {
            return Ok(());
        }
        Err(Error::Mismatch(format!(
            "{} computes wrong outputs, so its speed is worth nothing; please report this as a bug",
            self.name
        )))
    }
}

/// Seconds of the fastest run of as many as fit in `seconds`, at least one.
pub fn fastest(seconds: f64, mut run: impl FnMut()) -> f64 {
    let mut fastest = Duration::MAX;
    let start = Instant::now();
    loop {
        let before = Instant::now();
        run();
        fastest = fastest.min(before.elapsed());
        if start.elapsed().as_secs_f64() >= seconds {
            // Never zero: a rate is taken from it.
            return fastest.max(Duration::from_nanos(1)).as_secs_f64();
        }
    }
}

/// Billions of multiplications a second.
pub fn gmps(multiplications: u64, seconds: f64) -> f64 {
    multiplications as f64 / seconds / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    fn race(run: impl Fn(&[u8], &mut [u8]) + Sync) -> Result<Vec<[f64; 2]>> {
        let threads = Threads::new()?;
        let race = Race { batches: &[vec![1, 2, 3]], images: 3, outputs: 3, threads: &threads, seconds: 0.0 };
        let mut contestants = [Contestant::new("it".into(), Arc::new(vec![[vec![1], vec![3]]]), run)];
        race.run(&mut contestants, &|_| ())?;
        race.settle_last_places(&mut contestants)?;
        let [contestant] = contestants;
        Ok(contestant.seconds)
    }

    #[test]
    fn right_results_have_a_time() {
        let seconds = race(|input, output| output.copy_from_slice(input)).unwrap();
        assert!(seconds[0].iter().all(|&s| s > 0.0 && s < 60.0), "{seconds:?}");
    }

    #[test]
    fn wrong_and_changing_results_have_none() {
        let wrong = race(|_, output| output.copy_from_slice(&[1, 2, 4]));
        assert!(wrong.unwrap_err().to_string().contains("it computes wrong outputs"));
        let runs = AtomicU8::new(0);
        let changing =
            race(|_, output| output.copy_from_slice(&[1, runs.fetch_add(1, Ordering::Relaxed), 3]));
        assert!(changing.is_err());
        let idle = race(|_, _| ());
        assert!(idle.is_err());
    }
}
