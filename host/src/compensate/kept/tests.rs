use super::*;
use crate::compensate::testing::{conv, exact_layer, scattered};
use crate::multiplier::Library;

/// A layer with images, and multipliers of fewer bits for it.
struct Setting {
    library: Library,
    conv: QuantizedConv,
    exact: ExactLayer,
}

impl Setting {
    fn new() -> Setting {
        let mut conv = conv(6, 3, 1, 3, 5);
        conv.weight_scales = (1..=5).map(|o| 0.1 * f64::from(o)).collect();
        let images: Vec<u8> = (0..4 * 108).map(scattered).collect();
        let exact = exact_layer(&conv, &images);
        Setting { library: Library::low_bit(false), conv, exact }
    }

    fn choice(&self, name: &str) -> Choice {
        Choice::parse(&self.library, &format!("mul8u_{name}")).unwrap()
    }

    fn products(&self) -> ProductCache<'_> {
        ProductCache::new(&self.library, Scheme::Unsigned).unwrap()
    }
}

fn steps(text: &str) -> Steps {
    text.parse().unwrap()
}

#[test]
fn codes_are_made_once_for_each_layer_multiplier_and_rule() {
    let setting = Setting::new();
    let (products, kept) = (setting.products(), KeptCodes::default());
    let get = |place: usize, text: &str, name: &str| {
        let layer = (place, &setting.conv);
        kept.get(steps(text), &products, layer, Some(&setting.exact), setting.choice(name), None).unwrap()
    };
    let first = get(0, "variance+descent-on-exact", "a5w4");
    assert!(Arc::ptr_eq(&first, &get(0, "variance+descent-on-exact+bias+branches", "a5w4")));
    for (place, text, name) in [
        (1, "variance+descent-on-exact", "a5w4"),
        (0, "variance", "a5w4"),
        (0, "squared+descent-on-exact", "a5w4"),
        (0, "descent-on-exact", "a5w4"),
        // A scale that is fitted afterwards is free before.
        (0, "variance+descent-on-exact+scale-shift", "a5w4"),
        (0, "variance+descent-on-exact", "a4w4"),
    ] {
        assert!(!Arc::ptr_eq(&first, &get(place, text, name)), "{place} {text} {name}");
    }
    // Descent on the approximate network begins with the map's codes.
    assert!(Arc::ptr_eq(&get(0, "variance", "a5w4"), &get(0, "variance+descent", "a5w4")));
    assert!(!Arc::ptr_eq(&get(0, "none", "a5w4"), &get(0, "alwann", "a5w4")));
}

#[test]
fn noise_grows_with_the_errors_and_falls_with_every_step() {
    let setting = Setting::new();
    let products = setting.products();
    let noise = |text: &str, choice: Choice| {
        let layer = (0, &setting.conv);
        let kept =
            KeptCodes::default().get(steps(text), &products, layer, Some(&setting.exact), choice, None);
        kept.unwrap().noise.unwrap()
    };
    for text in ["none", "variance", "variance+descent-on-exact"] {
        assert_eq!(noise(text, Choice::exact(&setting.library)), 0.0, "{text}");
        let by_bits = ["w7", "a7w6", "a5w5", "a3w3", "a2w1"].map(|name| noise(text, setting.choice(name)));
        assert!(by_bits[0] > 0.0 && by_bits.is_sorted_by(|a, b| a < b), "{text}: {by_bits:?}");
    }
    for name in ["a6w5", "a4w4", "a3w2"] {
        let choice = setting.choice(name);
        let by_steps = ["variance+descent-on-exact", "variance", "none"].map(|text| noise(text, choice));
        assert!(by_steps.is_sorted_by(|a, b| a <= b), "{name}: {by_steps:?}");
        assert!(by_steps[0] < 0.9 * by_steps[1], "{name}: {by_steps:?}");
    }
}

/// The same by hand, in the results' real unit.
#[test]
fn noise_is_the_variance_of_the_results() {
    let setting = Setting::new();
    let products = setting.products();
    let (conv, choice) = (&setting.conv, setting.choice("a4w5"));
    let rule = steps("descent-on-exact");
    let kept =
        KeptCodes::default().get(rule, &products, (0, conv), Some(&setting.exact), choice, None).unwrap();
    assert_ne!(kept.weights, conv.weights);
    let [table, reference] =
        [choice, Choice::exact(&setting.library)].map(|choice| products.get(choice, 7).unwrap());
    let (taps, patches) = (conv.taps(), &setting.exact.patches[0]);
    let mut noise = 0.0;
    for o in 0..conv.outputs() {
        let error = |n: usize| {
            let of_tap = |tap: usize| {
                let x = usize::from(patches.tap(tap)[n]);
                let (w, w0) = (kept.weights[o * taps + tap], conv.weights[o * taps + tap]);
                i64::from(table.row(w)[x]) - i64::from(reference.row(w0)[x])
            };
            (0..taps).map(of_tap).sum::<i64>() as f64 * conv.input_scale * conv.weight_scales[o]
        };
        let errors: Vec<f64> = (0..patches.samples()).map(error).collect();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        noise += errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / errors.len() as f64;
    }
    let got = kept.noise.unwrap();
    assert!((got - noise).abs() < 1e-6 * noise, "{got} instead of {noise}");
}

#[test]
fn without_images_there_is_no_noise_and_no_descent() {
    let setting = Setting::new();
    let products = setting.products();
    let get = |text: &str| {
        let choice = setting.choice("a4w4");
        KeptCodes::default().get(steps(text), &products, (0, &setting.conv), None, choice, None).unwrap()
    };
    let kept = get("variance+descent-on-exact");
    assert_eq!((&kept.weights, kept.noise), (&setting.conv.weights, None));
    assert_eq!(get("alwann").noise, None);
}
