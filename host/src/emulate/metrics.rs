//! What logits are worth.

/// Index of the largest logit of each image, the first one on a tie, as the runtime decides.
pub fn classes(logits: &[i32], outputs: usize) -> Vec<usize> {
    logits.chunks_exact(outputs).map(skimp_runtime::argmax).collect()
}

/// Accuracy on labelled images.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Score {
    /// For each image, whether its class was right.
    pub correct: Vec<bool>,
}

impl Score {
    /// Scores logits against labels.
    pub fn new(logits: &[i32], labels: &[u8]) -> Score {
        let classes = classes(logits, logits.len() / labels.len().max(1));
        Score { correct: classes.iter().zip(labels).map(|(&c, &l)| c == usize::from(l)).collect() }
    }

    /// Share of right answers in percent.
    pub fn accuracy_pct(&self) -> f64 {
        let right = self.correct.iter().filter(|&&c| c).count();
        100.0 * right as f64 / self.correct.len().max(1) as f64
    }

    /// Points of accuracy lost against `reference` on the same images, and the standard error of that
    /// difference (paired: only images that the two judge differently contribute).
    pub fn loss_pp(&self, reference: &Score) -> (f64, f64) {
        let differences = reference
            .correct
            .iter()
            .zip(&self.correct)
            .map(|(&r, &s)| f64::from(u8::from(r)) - f64::from(u8::from(s)));
        let n = self.correct.len().max(1) as f64;
        let (sum, squares) = differences.fold((0.0, 0.0), |(sum, squares), d| (sum + d, squares + d * d));
        let mean = sum / n;
        let variance = (squares / n - mean * mean).max(0.0);
        (100.0 * mean, 100.0 * (variance / n).sqrt())
    }
}

/// Mean Kullback-Leibler divergence of the class probabilities of `logits` from those of `reference`, in
/// nats; with each the real value of one of its steps.
pub fn kl_divergence(reference: (&[i32], f64), logits: (&[i32], f64), outputs: usize) -> f64 {
    let images = (reference.0.len() / outputs.max(1)).max(1) as f64;
    let each = reference.0.chunks_exact(outputs).zip(logits.0.chunks_exact(outputs)).map(|(p, q)| {
        let (p, q) = (log_softmax(p, reference.1), log_softmax(q, logits.1));
        p.iter().zip(&q).map(|(p, q)| p.exp() * (p - q)).sum::<f64>()
    });
    // Rounding can leave a zero divergence slightly negative.
    (each.sum::<f64>() / images).max(0.0)
}

fn log_softmax(logits: &[i32], scale: f64) -> Vec<f64> {
    let largest = logits.iter().copied().max().unwrap_or(0);
    let values: Vec<f64> = logits.iter().map(|&l| (f64::from(l) - f64::from(largest)) * scale).collect();
    let log_total = values.iter().map(|v| v.exp()).sum::<f64>().ln();
    values.iter().map(|v| v - log_total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_and_paired_error() {
        let labels = [0, 1, 1, 0];
        let all = Score::new(&[9, 1, 1, 9, 1, 9, 9, 1], &labels);
        assert_eq!(all.accuracy_pct(), 100.0);
        let one_wrong = Score::new(&[9, 1, 9, 1, 1, 9, 9, 1], &labels);
        let (loss, error) = one_wrong.loss_pp(&all);
        assert_eq!(loss, 25.0);
        // sqrt((0.25 - 0.0625) / 4)
        assert!((error - 21.650635).abs() < 1e-4, "{error}");
        assert_eq!(all.loss_pp(&all), (0.0, 0.0));
    }

    #[test]
    fn divergence_is_that_of_the_softmax() {
        assert_eq!(kl_divergence((&[5, 7], 0.1), (&[50, 70], 0.01), 2), 0.0);
        let got = kl_divergence((&[0, 0], 0.1), (&[0, 10], 0.1), 2);
        let q = 1f64.exp() / (1.0 + 1f64.exp());
        let want = -0.5 * (2.0 * q).ln() - 0.5 * (2.0 * (1.0 - q)).ln();
        assert!((got - want).abs() < 1e-12, "{got} {want}");
    }
}
