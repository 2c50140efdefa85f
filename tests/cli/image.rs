//! `image build` and `image inspect`.

use crate::*;
use rand::{Rng, RngExt, SeedableRng};

#[test]
fn one_multiplier_goes_into_every_layer() {
    let dir = Dir::new();
    let run = build(&dir, "trunc6", "a.skimp");
    let size = dir.read("a.skimp").len();
    run.check(run.stdout.starts_with(&format!("wrote a.skimp: {size} bytes of flash")), "the size");

    let contents = dir.skimp("image inspect a.skimp --json").json();
    assert_eq!(contents["flash_bytes"], size);
    assert_eq!(contents["input_bytes"], INPUT);
    assert_eq!(contents["outputs"], 10);
    let layers = list(&contents, "layers");
    let total: u64 = layers.iter().map(|layer| layer["multiplications"].as_u64().unwrap()).sum();
    assert_eq!(total, MULTIPLICATIONS);
    let multiplying: Vec<&Value> = layers.iter().filter(|layer| layer["operator"] == "conv2d").collect();
    assert_eq!(multiplying.len(), LAYERS);
    assert!(multiplying.iter().all(|layer| layer["table"] == "mul8u_trunc6"), "{contents}");
    assert_eq!(list(&contents, "tables").len(), 1);

    let text = dir.skimp("image inspect a.skimp").ok();
    for layer in layers {
        let row = text.stdout.lines().find(|row| row.starts_with(layer["name"].as_str().unwrap()));
        text.check(row.is_some(), "should have a row for each layer");
        let count = layer["multiplications"].to_string();
        text.check(row.unwrap().split_whitespace().any(|word| word == count), "multiplications");
    }
    text.check(text.stdout.contains(&format!("{size} bytes of flash")), "the size");
}

#[test]
fn what_an_image_takes_on_a_board_is_told_before_it_runs() {
    let dir = Dir::new();
    build(&dir, "exact", "a.skimp");
    let report = dir.skimp("image inspect a.skimp --board stm32f4discovery --json").json();
    assert_eq!((&report["predicted"], &report["board"]), (&true.into(), &"stm32f4discovery".into()));
    let layers = list(&report, "layers");
    for key in ["multiplications", "insns", "cycles_modelled"] {
        let sum: u64 = layers.iter().map(|layer| layer[key].as_u64().unwrap()).sum();
        assert_eq!(report["total"][key], sum, "{key}");
    }
    for layer in layers {
        assert_eq!(layer["insns_per_mul"].is_number(), layer["operator"] == "conv2d", "{layer}");
    }
    let ms = number(&report["total"], "cycles_modelled") / 16e3;
    assert!((number(&report["total"], "ms_modelled") - ms).abs() < 1e-6);
    assert!(report["cycles_model_error"].as_str().unwrap().contains("estimate"));
    assert_eq!(report["fit"]["fits"], true);

    let text = dir.skimp("image inspect a.skimp --board mps2-an386").ok();
    let total = text.stdout.lines().find(|row| row.starts_with("total")).unwrap_or_default();
    text.check(total.contains(&report["total"]["insns"].to_string()), "the total of the same kernels");
    text.check(
        text.stdout.contains("fits the mps2-an386") && text.stdout.contains(" ms an inference"),
        "both",
    );
    // Too small, and without measurements.
    let small = dir.skimp("image inspect a.skimp --board microbit").ok();
    small.check(small.stdout.contains("does not fit the microbit"), "that it does not fit");
    let unknown = dir.skimp("image inspect a.skimp --board pico --json").json();
    assert_eq!((&unknown["predicted"], &unknown["fit"]["fits"]), (&false.into(), &true.into()));
    assert!(unknown["note"].as_str().unwrap().contains("no prediction for the pico"), "{unknown}");
    dir.skimp("image inspect a.skimp --board nosuch").refused(&["nosuch", "mps2-an386"]);
}

#[test]
fn a_list_goes_into_the_layers_one_by_one() {
    let dir = Dir::new();
    let names = ["exact", "trunc2", "trunc4", "trunc6", "w5", "trunc6", "trunc4", "exact"];
    build(&dir, &names.join(","), "a.skimp");
    let contents = dir.skimp("image inspect a.skimp --json").json();
    let tables: Vec<&Value> = list(&contents, "layers").iter().map(|layer| &layer["table"]).collect();
    let tables: Vec<&str> = tables.into_iter().filter_map(Value::as_str).collect();
    assert_eq!(tables, names.map(|name| format!("mul8u_{name}")));
    assert_eq!(list(&contents, "tables").len(), 5, "a table each, shared between layers");
}

#[test]
fn assignments_that_do_not_fit_are_refused() {
    let dir = Dir::new();
    let build = |rest: &str| dir.skimp(&format!("image build fashion-cnn {FEW} --out a.skimp {rest}"));
    build("--assignment exact,trunc6").refused(&["--assignment", "2", "8", "/0/0.0/Conv", "/9/Gemm"]);
    build("--assignment exact,nosuch").refused(&["\"nosuch\""]);
    build("--assignment exact,").refused(&["\"\""]);
}

#[test]
fn a_file_that_can_t_be_written_is_named() {
    let dir = Dir::new();
    dir.write("file", "not a folder");
    dir.folder("folder");
    let build =
        |out: &str| dir.skimp(&format!("image build fashion-cnn {FEW} --assignment exact --out {out}"));
    build("folder").refused(&["folder"]);
    build("file/below").refused(&["file"]);
    build(".").refused(&["error: .: "]);
}

#[test]
fn damaged_images_are_refused_by_name() {
    let dir = Dir::new();
    build(&dir, "trunc6", "good.skimp");
    let good = dir.read("good.skimp");
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let mut bad: Vec<Vec<u8>> = vec![b"".into(), b"GIF89a".into(), vec![0; 4096]];
    bad.extend([1, 3, 4, 16, 100, good.len() / 2, good.len() - 1].map(|end| good[..end].to_vec()));
    bad.extend((0..20).map(|_| {
        let mut bytes = good.clone();
        let at = rng.random_range(0..bytes.len());
        bytes[at] ^= 1 << rng.random_range(0..8);
        bytes
    }));
    bad.extend((0..10).map(|_| {
        let mut bytes = vec![0; rng.random_range(1..10_000)];
        rng.fill_bytes(&mut bytes);
        bytes
    }));
    for bytes in bad {
        dir.write("bad.skimp", bytes);
        dir.skimp("image inspect bad.skimp").refused(&["error: bad.skimp: "]);
    }
    dir.skimp("image inspect bad.skimp --json").refused(&["error: bad.skimp: "]);
    dir.skimp("run bad.skimp --board host --inputs fashion-mnist").refused(&["error: bad.skimp: "]);
    dir.skimp("image inspect nosuch.skimp").refused(&["error: nosuch.skimp: "]);
    dir.skimp("image inspect .").refused(&["error: .: "]);
}

#[test]
fn an_image_does_not_depend_on_where_the_model_lies() {
    let dir = Dir::new();
    let model = std::fs::read(models().join("fashion-cnn.onnx")).unwrap();
    for folder in ["here", "there"] {
        dir.write(format!("{folder}/net.onnx"), &model);
        let line = format!("image build {folder}/net.onnx --data fashion-mnist {FEW}");
        dir.skimp(&format!("{line} --assignment trunc6 --out {folder}.skimp")).ok();
    }
    assert!(dir.read("here.skimp") == dir.read("there.skimp"));
}

#[test]
#[cfg(unix)]
fn others_may_read_what_is_written() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    build(&dir, "exact", "network.skimp");
    dir.write("usual", "");
    let mode = |name: &str| std::fs::metadata(dir.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(format!("{:o}", mode("network.skimp")), format!("{:o}", mode("usual")));
}
