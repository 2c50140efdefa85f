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
    // Too small.
    let small = dir.skimp("image inspect a.skimp --board microbit").ok();
    small.check(small.stdout.contains("does not fit the microbit"), "that it does not fit");
    // A board that QEMU lacks, with kernels that ran on another.
    let other = dir.skimp("image inspect a.skimp --board pico --json").json();
    assert_eq!((&other["predicted"], &other["fit"]["fits"]), (&true.into(), &true.into()));
    dir.skimp("image inspect a.skimp --board nosuch").refused(&["nosuch", "mps2-an386"]);
}

#[test]
fn a_list_goes_into_the_layers_one_by_one() {
    let dir = Dir::new();
    let names = ["exact", "trunc2", "trunc4", "trunc6", "w5", "trunc6", "trunc4", "exact"];
    build(&dir, &names.join(","), "a.skimp");
    let contents = dir.skimp("image inspect a.skimp --json").json();
    let layers = list(&contents, "layers").iter();
    let multipliers: Vec<&str> = layers.filter_map(|layer| layer["multiplier"].as_str()).collect();
    assert_eq!(multipliers, names.map(|name| format!("mul8u_{name}")));
    for layer in list(&contents, "layers").iter().filter(|layer| layer["operator"] == "conv2d") {
        let looked_up = layer["kernel"] == "table";
        assert_eq!(layer["table"].as_str(), layer["multiplier"].as_str().filter(|_| looked_up), "{layer}");
    }
    let exact = list(&contents, "layers").iter().find(|layer| layer["multiplier"] == "mul8u_exact");
    assert_eq!(exact.unwrap()["kernel"], "product");
    build(&dir, "m789", "b.skimp");
    let contents = dir.skimp("image inspect b.skimp --json").json();
    assert_eq!(list(&contents, "tables").len(), 1, "shared between layers");
}

#[test]
fn sizes_are_stated_before_anything_is_built() {
    let dir = Dir::new();
    let names = "c268,m789,m789,c268,c268,exact,m789,w5";
    let line = format!("image sizes fashion-cnn {FEW} --multipliers builtin,low-bit --assignment {names}");
    let report = dir.skimp(&format!("{line} --json")).json();
    let forms = list(&report, "forms");
    let options: Vec<&str> = forms.iter().map(|form| form["options"].as_str().unwrap()).collect();
    assert_eq!(options[..4], ["--tables smallest", "--tables compact", "--tables fastest", "--lookup-only"]);
    assert!(options.contains(&"--tables smallest --max-weight-codes 16"), "{options:?}");
    for form in forms {
        let parts = ["description_bytes", "weight_bytes", "other_bytes", "table_bytes"];
        let sum: f64 = parts.iter().map(|part| number(form, part)).sum();
        assert_eq!(sum, number(form, "flash_bytes"), "{form}");
        for room in list(form, "boards") {
            let left = [number(room, "flash_left_bytes"), number(room, "ram_left_bytes")];
            assert_eq!(room["fits"], left.iter().all(|&left| left >= 0.0), "{room}");
        }
    }
    // What is said is what is built, and no table has more rows than were allowed.
    for options in
        ["--tables smallest", "--tables compact", "--lookup-only", "--tables smallest --max-weight-codes 16"]
    {
        let form = forms.iter().find(|form| form["options"] == options).unwrap();
        let built = line.replace("image sizes", "image build");
        dir.skimp(&format!("{built} {options} --out a.skimp")).ok();
        let contents = dir.skimp("image inspect a.skimp --json").json();
        assert_eq!(contents["flash_bytes"], form["flash_bytes"], "{options}");
        assert_eq!(contents["arena_bytes"], form["arena_bytes"], "{options}");
        let rows: Vec<f64> = list(&contents, "tables").iter().map(|table| number(table, "rows")).collect();
        assert_eq!(rows.iter().sum::<f64>(), number(form, "table_rows"), "{options}");
        assert_eq!(rows.iter().any(|&rows| rows > 16.0), !options.ends_with("16"), "{options}: {rows:?}");
    }
    let text = dir.skimp(&line).ok();
    for form in forms {
        let bytes = form["flash_bytes"].to_string();
        let mut rows = text.stdout.lines().filter(|row| row.starts_with(form["options"].as_str().unwrap()));
        text.check(rows.any(|row| row.contains(&bytes)), "should have a row for each form");
    }
}

#[test]
fn bounds_on_weight_codes_that_can_not_be_are_refused() {
    let dir = Dir::new();
    let line = format!("image build fashion-cnn {FEW} --assignment c268 --out a.skimp");
    for count in [0, 1, 257] {
        let text = count.to_string();
        dir.skimp(&format!("{line} --max-weight-codes {count}")).refused(&[
            "--max-weight-codes",
            "2 to 256",
            &text,
        ]);
    }
    dir.skimp(&format!("{line} --max-weight-codes 16 --lookup-only")).refused(&["--lookup-only"]);
    dir.skimp(&format!("{line} --max-weight-codes x")).misused(&["--max-weight-codes"]);
    // No restriction is none.
    dir.skimp(&line).ok();
    dir.skimp(&format!("{line} --max-weight-codes 256").replace("a.skimp", "b.skimp")).ok();
    assert!(dir.read("a.skimp") == dir.read("b.skimp"));
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
