//! Least squares over one channel, from exact sums.

/// `n` times the sum of the products of what `x` and `y` are off their means, times `n`.
fn covariance(x: &[i64], y: &[i64]) -> i128 {
    let sum = |values: &[i64]| values.iter().map(|&v| i128::from(v)).sum::<i128>();
    let products: i128 = x.iter().zip(y).map(|(&x, &y)| i128::from(x) * i128::from(y)).sum();
    x.len() as i128 * products - sum(x) * sum(y)
}

/// The slope of `t ~ slope (a + shift)`; 1 if it is none that a multiplier's errors can explain.
pub fn slope(a: &[i64], t: &[i64]) -> f64 {
    let slope = covariance(a, t) as f64 / covariance(a, a) as f64;
    if (0.25..=4.0).contains(&slope) { slope } else { 1.0 }
}

/// The share of the variance of `t` that a regression on `a` leaves, if its slope is one that is taken.
pub fn unexplained(a: &[i64], t: &[i64]) -> Option<f64> {
    let [aa, at, tt] = [(a, a), (a, t), (t, t)].map(|(x, y)| covariance(x, y) as f64);
    (0.25..=4.0).contains(&(at / aa)).then(|| 1.0 - at * at / (aa * tt))
}

/// Whether `gamma` is the rounded coefficient of `t ~ rho (a + gamma s) + const`, or 0 where there is none. Where
/// a limit is only just met, or a half rounded, either way is right.
pub fn is_coefficient(gamma: i32, a: &[i64], t: &[i64], s: &[i64]) -> bool {
    let [aa, ss, a_s, at, st] =
        [(a, a), (s, s), (a, s), (a, t), (s, t)].map(|(x, y)| covariance(x, y) as f64);
    let determinant = aa * ss - a_s * a_s;
    let (rho, of_s) = ((at * ss - st * a_s) / determinant, (st * aa - at * a_s) / determinant);
    let exact = of_s / rho;
    let nothing = determinant <= 1.000_001e-6 * aa * ss || rho <= 1e-9 || exact.abs() >= 255.5 - 1e-6;
    let something = determinant >= 0.999_999e-6 * aa * ss && rho > -1e-9 && exact.abs() < 255.5 + 1e-6;
    let rounded = (f64::from(gamma) - exact).abs() <= 0.5 + 1e-6 * (1.0 + exact.abs());
    (nothing && gamma == 0) || (something && rounded)
}
