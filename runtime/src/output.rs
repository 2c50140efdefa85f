//! What a caller does with logits.

use micromath::F32Ext;

/// Index of the largest logit, the first one on a tie; 0 for no logits.
pub fn argmax(logits: &[i32]) -> usize {
    let mut best = 0;
    for (i, logit) in logits.iter().enumerate() {
        if logits.get(best).is_some_and(|b| logit > b) {
            best = i;
        }
    }
    best
}

/// Class probabilities of `logits` whose unit is `scale`, into `probabilities` (as many as fit both).
///
/// Uses floats and an approximate exponential (within 0.3 %), so it is outside the bit-exact contract:
/// decide with [`argmax`], show with this.
pub fn softmax(logits: &[i32], scale: f32, probabilities: &mut [f32]) {
    let largest = logits.iter().copied().max().unwrap_or(0);
    let mut total = 0.0;
    for (p, &logit) in probabilities.iter_mut().zip(logits) {
        // Differences fit i64, not i32.
        let x = (i64::from(logit) - i64::from(largest)) as f32 * scale;
        *p = if x < -80.0 { 0.0 } else { F32Ext::exp(x) };
        total += *p;
    }
    for p in probabilities.iter_mut().take(logits.len()) {
        *p /= total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argmax_takes_the_first_of_equals() {
        assert_eq!(argmax(&[1, 7, 7, -3]), 1);
        assert_eq!(argmax(&[i32::MIN, i32::MIN]), 0);
        assert_eq!(argmax(&[]), 0);
    }

    #[test]
    fn softmax_is_close_to_the_real_one() {
        let logits = [0, 1000, -2000, i32::MIN];
        let mut p = [0.0; 4];
        softmax(&logits, 0.001, &mut p);
        let e: [f64; 3] = [(-1f64).exp(), 1.0, (-3f64).exp()];
        let total: f64 = e.iter().sum();
        for (got, want) in p.iter().zip(e) {
            assert!((f64::from(*got) - want / total).abs() < 0.004, "{p:?}");
        }
        assert_eq!(p[3], 0.0);
    }
}
