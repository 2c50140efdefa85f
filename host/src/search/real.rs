//! Operators on vectors of real numbers, for the benchmark problems the search is checked on.
//!
//! Bounded simulated binary crossover (Deb and Agrawal, "Simulated binary crossover for continuous search
//! space", 1995) and polynomial mutation (Deb and Goyal, 1996), with pymoo's defaults, so that hypervolumes
//! can be compared.

use super::problem::Stream;
use rand::RngExt;
use std::hash::{Hash, Hasher};

/// Distribution index of the crossover: higher keeps children closer to their parents.
const CROSSOVER_ETA: f64 = 15.0;
/// Distribution index of the mutation.
const MUTATION_ETA: f64 = 20.0;
/// Share of matings that recombine, and of children that mutate.
const OPERATOR_PROBABILITY: f64 = 0.9;

/// A vector of finite numbers, equal where the bits are.
#[derive(Debug, Clone)]
pub struct RealVector(pub Vec<f64>);

impl PartialEq for RealVector {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(|x| x.to_bits()).eq(other.0.iter().map(|x| x.to_bits()))
    }
}

impl Eq for RealVector {}

impl Hash for RealVector {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|x| x.to_bits().hash(state));
    }
}

/// A box of vectors: the lower and upper bound of each variable.
pub struct RealSpace(pub Vec<(f64, f64)>);

impl RealSpace {
    pub fn random(&self, stream: &mut Stream) -> RealVector {
        RealVector(self.0.iter().map(|&(low, high)| low + (high - low) * stream.random::<f64>()).collect())
    }

    pub fn crossover(&self, a: &RealVector, b: &RealVector, stream: &mut Stream) -> (RealVector, RealVector) {
        let (mut a, mut b) = (a.clone(), b.clone());
        if !stream.random_bool(OPERATOR_PROBABILITY) {
            return (a, b);
        }
        for (&(low, high), (a, b)) in self.0.iter().zip(a.0.iter_mut().zip(&mut b.0)) {
            if stream.random_bool(0.5) || (*a - *b).abs() <= 1e-14 {
                continue;
            }
            let (y1, y2) = (a.min(*b), a.max(*b));
            let (u, gap) = (stream.random::<f64>(), y2 - y1);
            let left = 0.5 * (y1 + y2 - spread(u, 1.0 + 2.0 * (y1 - low) / gap) * gap);
            let right = 0.5 * (y1 + y2 + spread(u, 1.0 + 2.0 * (high - y2) / gap) * gap);
            (*a, *b) = if stream.random() { (left, right) } else { (right, left) };
            *a = a.clamp(low, high);
            *b = b.clamp(low, high);
        }
        (a, b)
    }

    pub fn mutate(&self, x: &mut RealVector, stream: &mut Stream) {
        if !stream.random_bool(OPERATOR_PROBABILITY) {
            return;
        }
        let rate = (1.0 / self.0.len() as f64).min(0.5);
        let exponent = MUTATION_ETA + 1.0;
        for (&(low, high), x) in self.0.iter().zip(&mut x.0) {
            if !stream.random_bool(rate) {
                continue;
            }
            let (u, range) = (stream.random::<f64>(), high - low);
            let step = if u <= 0.5 {
                let room = 1.0 - (*x - low) / range;
                (2.0 * u + (1.0 - 2.0 * u) * room.powf(exponent)).powf(1.0 / exponent) - 1.0
            } else {
                let room = 1.0 - (high - *x) / range;
                1.0 - (2.0 * (1.0 - u) + (2.0 * u - 1.0) * room.powf(exponent)).powf(1.0 / exponent)
            };
            *x = (*x + step * range).clamp(low, high);
        }
    }
}

/// The spread factor of the crossover for the uniform number `u`, where `beta` is the distance to the bound
/// in terms of the parents' gap.
fn spread(u: f64, beta: f64) -> f64 {
    let alpha = 2.0 - beta.powf(-(CROSSOVER_ETA + 1.0));
    let base = if u <= 1.0 / alpha { u * alpha } else { 1.0 / (2.0 - u * alpha) };
    base.powf(1.0 / (CROSSOVER_ETA + 1.0))
}
