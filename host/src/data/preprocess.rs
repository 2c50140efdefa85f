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

    /// For pixels that are codes `q` of the network's input, which stand for `scale * (q - zero_point)`.
    ///
    /// # Errors
    /// As [`new`](Self::new), for a scale that floats can't hold.
    pub fn of_codes(scale: f64, zero_point: u8, channels: usize) -> Result<Self> {
        let (mean, std) = (f32::from(zero_point) / 255.0, (1.0 / (255.0 * scale)) as f32);
        Preprocess::new(&[mean], &[std], channels)
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
    fn codes_come_back_as_they_were() {
        for (scale, zero_point) in [(1.0, 0), (0.5847029089927673, 211), (3e-5, 128), (4000.0, 255)] {
            let preprocess = Preprocess::of_codes(scale, zero_point, 1).unwrap();
            for code in 0..=255u8 {
                let steps = f64::from(preprocess.value(0, code)) / scale;
                let exact = f64::from(code) - f64::from(zero_point);
                assert!((steps - exact).abs() < 1e-3, "{scale} {zero_point} {code}: {steps}");
            }
        }
        assert!(Preprocess::of_codes(1e60, 0, 1).is_err());
    }

    #[test]
    fn refuses_what_makes_no_scale() {
        let refused = |mean: &[f32], std: &[f32]| Preprocess::new(mean, std, 3).unwrap_err().to_string();
        assert!(refused(&[0.1, 0.2], &[]).contains("--mean has 2 values"));
        assert!(refused(&[], &[0.0]).contains("--std 0"));
        assert!(refused(&[f32::NAN], &[]).contains("--mean NaN"));
    }
}
