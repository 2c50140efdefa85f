//! Values by kind of activations and number of threads.

use super::measure::gmps;
use serde::Serialize;

/// One value for each kind of activations with one thread and with all.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Figures<T> {
    /// ReLU-like activations, one thread.
    pub relu_1t: T,
    /// ReLU-like activations, all threads.
    pub relu_nt: T,
    /// Uniform activations, one thread.
    pub uniform_1t: T,
    /// Uniform activations, all threads.
    pub uniform_nt: T,
}

impl<T> Figures<T> {
    /// A value of each of these values.
    pub fn map<U>(&self, mut value: impl FnMut(&T) -> U) -> Figures<U> {
        Figures {
            relu_1t: value(&self.relu_1t),
            relu_nt: value(&self.relu_nt),
            uniform_1t: value(&self.uniform_1t),
            uniform_nt: value(&self.uniform_nt),
        }
    }

    /// A value of each pair of values.
    pub fn zip<U, V>(&self, other: &Figures<U>, value: impl Fn(&T, &U) -> V) -> Figures<V> {
        Figures {
            relu_1t: value(&self.relu_1t, &other.relu_1t),
            relu_nt: value(&self.relu_nt, &other.relu_nt),
            uniform_1t: value(&self.uniform_1t, &other.uniform_1t),
            uniform_nt: value(&self.uniform_nt, &other.uniform_nt),
        }
    }
}

impl Figures<f64> {
    /// Billions of multiplications a second, of the times of both batches.
    pub(super) fn gmps(multiplications: u64, seconds: &[[f64; 2]]) -> Figures<f64> {
        let rate = |batch: usize, threads: usize| gmps(multiplications, seconds[batch][threads]);
        Figures { relu_1t: rate(0, 0), relu_nt: rate(0, 1), uniform_1t: rate(1, 0), uniform_nt: rate(1, 1) }
    }
}
