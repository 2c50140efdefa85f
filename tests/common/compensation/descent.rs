//! Coordinate descent of one output channel in integers.

use super::Tally;
use skimp::multiplier::{ProductTable, Scheme};

/// What descent in floats may take for rounding: this share of the sums that are subtracted from each other.
const ROUNDING: f64 = 2e-6;

/// The weight codes of a scheme; of those with the same products one.
pub fn codes(products: &ProductTable, scheme: Scheme) -> Vec<u8> {
    let mut codes: Vec<u8> = Vec::new();
    for code in (0..=255).filter(|&code| scheme == Scheme::Unsigned || code != 128) {
        if codes.iter().all(|&other| products.row(other) != products.row(code)) {
            codes.push(code);
        }
    }
    codes
}

/// A channel on its way.
pub struct ExactDescent<'a> {
    pub products: &'a ProductTable,
    /// `[sample][tap]`.
    pub windows: Vec<Vec<u8>>,
    pub weights: Vec<u8>,
    /// Accumulators less targets, by sample.
    pub residuals: Vec<i64>,
    /// Whether some decision was within the rounding of floats.
    pub doubtful: bool,
}

impl ExactDescent<'_> {
    fn product(&self, code: u8, x: u8) -> i64 {
        self.products.row(code)[usize::from(x)].into()
    }

    /// Whether two codes' products differ by a constant, which a bias makes up for, over what occurs.
    fn is_as_good(&self, a: u8, b: u8, activations: &[u8]) -> bool {
        let mut differences = activations.iter().map(|&x| self.product(a, x) - self.product(b, x));
        let first = differences.next();
        differences.all(|difference| Some(difference) == first)
    }

    /// The variance of the residuals that other weights would leave, times the squared number of samples.
    pub fn variance(&self, weights: &[u8]) -> i128 {
        let (mut sum, mut squares) = (0, 0);
        for (window, &residual) in self.windows.iter().zip(&self.residuals) {
            let change: i64 = (0..weights.len())
                .map(|tap| {
                    self.product(weights[tap], window[tap]) - self.product(self.weights[tap], window[tap])
                })
                .sum();
            let residual = i128::from(residual + change);
            (sum, squares) = (sum + residual, squares + residual * residual);
        }
        self.windows.len() as i128 * squares - sum * sum
    }

    /// Gives one weight the code that leaves the least variance.
    pub fn improve(&mut self, tap: usize, codes: &[u8]) {
        let present = self.weights[tap];
        // By activation: how many samples have it, the sum of their residuals without this tap's products, and
        // how large the numbers are that floats would add up to it.
        let mut by_code = [(0i64, 0i64, 0i64); 256];
        for (window, &residual) in self.windows.iter().zip(&self.residuals) {
            let (x, product) = (window[tap], self.product(present, window[tap]));
            let (count, sum, size) = &mut by_code[usize::from(x)];
            (*count, *sum) = (*count + 1, *sum + residual - product);
            *size += residual.abs() + product.abs();
        }
        let seen: Vec<(usize, (i64, i64, i64))> =
            by_code.into_iter().enumerate().filter(|(_, (count, ..))| *count > 0).collect();
        let n = self.windows.len() as i128;
        let total: i64 = seen.iter().map(|(_, (_, sum, _))| sum).sum();
        let size: i64 = seen.iter().map(|(_, (.., size))| size).sum();
        // What a code costs beyond what all have in common, and the size of what is subtracted.
        let cost = |code: u8| {
            let (mut all, mut squares, mut sum, mut sizes) = (0, 0, total, 0.0);
            for &(x, (count, residuals, size)) in &seen {
                let product = i64::from(self.products.row(code)[x]);
                all += 2 * product * residuals;
                squares += count * product * product;
                sum += count * product;
                sizes += 2.0 * (product.abs() * size) as f64;
            }
            let cost = n * i128::from(all + squares) - i128::from(sum) * i128::from(sum);
            let sizes = n as f64 * (sizes + squares as f64) + (size as f64 + sum.abs() as f64).powi(2);
            (cost, sizes)
        };
        let costs: Vec<(u8, (i128, f64))> = codes.iter().map(|&code| (code, cost(code))).collect();
        let kept = cost(present);
        let (mut best, mut least) = (present, kept);
        for &(code, cost) in &costs {
            if cost.0 < least.0 {
                (best, least) = (code, cost);
            }
        }
        let activations: Vec<u8> = seen.iter().map(|&(x, _)| x as u8).collect();
        self.doubtful |= costs.iter().chain([&(present, kept)]).any(|&(code, cost)| {
            let near = (cost.0 - least.0) as f64 <= ROUNDING * cost.1.max(least.1);
            near && !self.is_as_good(code, best, &activations)
        });
        let changes: Vec<i64> = self
            .windows
            .iter()
            .map(|window| self.product(best, window[tap]) - self.product(present, window[tap]))
            .collect();
        self.residuals.iter_mut().zip(changes).for_each(|(residual, change)| *residual += change);
        self.weights[tap] = best;
    }

    /// Judges the weights that others came to, from where the variance was `before`.
    pub fn judge(&self, got: &[u8], before: i128, tally: &mut Tally, name: &str) {
        let (want, left) = (self.variance(&self.weights), self.variance(got));
        assert!(left as f64 <= 1.000_1 * before as f64, "{name}: {before} became {left}");
        if self.doubtful {
            tally.doubtful += 1;
            if before > 0 {
                let shares = [want, left].map(|left| left as f64 / before as f64);
                tally.left.iter_mut().zip(shares).for_each(|(sum, share)| *sum += share);
            }
            return;
        }
        tally.clear += 1;
        for (tap, (&got, &want)) in got.iter().zip(&self.weights).enumerate() {
            let activations: Vec<u8> = self.windows.iter().map(|window| window[tap]).collect();
            assert!(self.is_as_good(got, want, &activations), "{name}, tap {tap}: {got} instead of {want}");
        }
    }
}
