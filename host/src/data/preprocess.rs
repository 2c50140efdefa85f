//! From pixels to the values a network was trained on.

use crate::error::{Error, Result};

/// `(pixel / 255 - mean) / std`, by channel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preprocess {
    /// One value a channel, or one for all; none for 0.
    mean: Vec<f32>,
    /// One value a channel, or one for all; none for 1.
    std: Vec<f32>,
}

impl Preprocess {
    /// Either list may be empty, hold one value for all channels, or one for each.
    pub fn new(mean: Vec<f32>, std: Vec<f32>) -> Result<Self> {
        if let Some(bad) = mean.iter().find(|m| !m.is_finite()) {
            return Err(Error::Argument(format!("--mean {bad} is not a number")));
        }
        if let Some(bad) = std.iter().find(|s| !(s.is_finite() && **s > 0.0)) {
            return Err(Error::Argument(format!("--std {bad} is not a positive number")));
        }
        Ok(Preprocess { mean, std })
    }

    /// Whether there are as many values as an image of `channels` channels needs.
    pub fn check(&self, channels: usize) -> Result<()> {
        for (flag, values) in [("--mean", &self.mean), ("--std", &self.std)] {
            if values.len() > 1 && values.len() != channels {
                return Err(Error::Argument(format!(
                    "{flag} has {} values, the images have {channels} channels",
                    values.len()
                )));
            }
        }
        Ok(())
    }

    /// The value of one pixel.
    pub fn value(&self, pixel: u8, channel: usize) -> f32 {
        let of = |values: &[f32], default: f32| match values {
            [] => default,
            [one] => *one,
            each => each[channel],
        };
        (f32::from(pixel) / 255.0 - of(&self.mean, 0.0)) / of(&self.std, 1.0)
    }

    /// The values of an image of `values.len()` pixels, channels innermost; `channels` of them.
    pub fn apply(&self, pixels: &[u8], channels: usize, values: &mut [f32]) {
        for (i, (value, &pixel)) in values.iter_mut().zip(pixels).enumerate() {
            *value = self.value(pixel, i % channels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_one_or_a_value_a_channel() {
        assert_eq!(Preprocess::default().value(255, 2), 1.0);
        let one = Preprocess::new(vec![0.5], vec![0.25]).unwrap();
        assert_eq!(one.value(255, 2), 2.0);
        let each = Preprocess::new(vec![0.0, 1.0], vec![]).unwrap();
        let mut values = [0.0; 4];
        each.apply(&[0, 0, 255, 255], 2, &mut values);
        assert_eq!(values, [0.0, -1.0, 1.0, 0.0]);
    }

    #[test]
    fn bad_values_are_named_by_their_flag() {
        assert!(Preprocess::new(vec![], vec![0.0]).unwrap_err().to_string().contains("--std 0"));
        let two = Preprocess::new(vec![0.1, 0.2], vec![]).unwrap();
        assert!(two.check(3).unwrap_err().to_string().contains("--mean has 2 values"));
    }
}
