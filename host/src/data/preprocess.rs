//! From pixels to the values a network was trained on.

use crate::error::{Error, Result};

/// The network's input value of a pixel: `(pixel / 255 - mean) / std`, by channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocess {
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl Preprocess {
    /// For images of `channels` channels, with pixels from 0 to 1: a mean and a standard deviation for each
    /// channel, or one for all, or none for 0 and 1.
    ///
    /// # Errors
    /// [`Error::Argument`] for another number of values, one that is not finite, or a deviation that is not
    /// positive.
    pub fn new(mean: &[f32], std: &[f32], channels: usize) -> Result<Self> {
        let expand = |flag: &str, values: &[f32], default: f32| match values {
            [] => Ok(vec![default; channels]),
            [one] => Ok(vec![*one; channels]),
            each if each.len() == channels => Ok(each.to_vec()),
            each => Err(Error::Argument(format!(
                "{flag} has {} values, the images have {channels} channels",
                each.len()
            ))),
        };
        let (mean, std) = (expand("--mean", mean, 0.0)?, expand("--std", std, 1.0)?);
        if let Some(bad) = mean.iter().find(|m| !m.is_finite()) {
            return Err(Error::Argument(format!("--mean {bad} is not a number")));
        }
        if let Some(bad) = std.iter().find(|s| !(s.is_finite() && **s > 0.0)) {
            return Err(Error::Argument(format!("--std {bad} is not a positive number")));
        }
        Ok(Preprocess { mean, std })
    }

    /// The value of `pixel` in `channel`.
    pub fn value(&self, channel: usize, pixel: u8) -> f32 {
        (f32::from(pixel) / 255.0 - self.mean[channel]) / self.std[channel]
    }

    /// Converts `pixels` (channels innermost) into `values` of the same length.
    pub fn fill(&self, pixels: &[u8], values: &mut [f32]) {
        let channels = self.mean.len();
        for (pixels, values) in pixels.chunks(channels).zip(values.chunks_mut(channels)) {
            for (channel, (&pixel, value)) in pixels.iter().zip(values).enumerate() {
                *value = self.value(channel, pixel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_one_or_a_value_a_channel() {
        assert_eq!(Preprocess::new(&[], &[], 3).unwrap().value(2, 255), 1.0);
        assert_eq!(Preprocess::new(&[0.5], &[0.25], 3).unwrap().value(2, 255), 2.0);
        let each = Preprocess::new(&[0.0, 1.0], &[1.0, 0.5], 2).unwrap();
        let mut values = [9.0; 4];
        each.fill(&[255, 255, 0, 0], &mut values);
        assert_eq!(values, [1.0, 0.0, 0.0, -2.0]);
    }

    #[test]
    fn refuses_what_makes_no_scale() {
        let refused = |mean: &[f32], std: &[f32]| Preprocess::new(mean, std, 3).unwrap_err().to_string();
        assert!(refused(&[0.1, 0.2], &[]).contains("--mean has 2 values"));
        assert!(refused(&[], &[0.0]).contains("--std 0"));
        assert!(refused(&[f32::NAN], &[]).contains("--mean NaN"));
    }
}
